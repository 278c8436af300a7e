//! Bytes to text, in whatever encoding they are.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

/// The text of `content`: UTF-8 if it is that, else in the encoding it most likely has.
#[must_use]
pub fn decode(content: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(content) {
        return text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    }
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(content) {
        return encoding.decode(content).0.into_owned();
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(content, true);
    detector.guess(None, Utf8Detection::Allow).decode(content).0.into_owned()
}
