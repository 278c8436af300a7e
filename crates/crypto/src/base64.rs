//! Base64 as Python reads it.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

// Python ignores the unused bits of the last character.
const LAX: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
const PADDED: GeneralPurpose = GeneralPurpose::new(&STANDARD, LAX);
const URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    LAX.with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const URL_PADDED: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LAX);

/// Standard alphabet with padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    PADDED.encode(bytes)
}

/// URL-safe alphabet without padding.
#[must_use]
pub fn encode_url(bytes: &[u8]) -> String {
    URL.encode(bytes)
}

/// URL-safe alphabet with padding.
#[must_use]
pub fn encode_url_padded(bytes: &[u8]) -> String {
    URL_PADDED.encode(bytes)
}

/// Like Python's `b64decode` without `validate`: characters outside the alphabet are skipped, what
/// follows complete padding is ignored, and missing padding fails (`None`).
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut digits: Vec<u8> = Vec::with_capacity(text.len());
    let mut padding = 0;
    for byte in text.bytes() {
        match byte {
            b'=' => {
                padding += 1;
                if digits.len() % 4 >= 2 && digits.len() % 4 + padding >= 4 {
                    break;
                }
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                padding = 0;
                digits.push(byte);
            }
            _ => {}
        }
    }
    match digits.len() % 4 {
        0 => {}
        2 if padding >= 2 => digits.extend(*b"=="),
        3 if padding >= 1 => digits.push(b'='),
        _ => return None,
    }
    PADDED.decode(digits).ok()
}

/// URL-safe alphabet, padding optional.
#[must_use]
pub fn decode_url(text: &str) -> Option<Vec<u8>> {
    URL.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_as_python_does() {
        for (text, expected) in [
            ("aGVsbG8=", Some(&b"hello"[..])),
            ("aGVs\nbG8=", Some(b"hello")),
            ("aGVs*bG8=", Some(b"hello")),
            ("aGVsbG8=junk", Some(b"hello")),
            ("aGVsbG8", None),
            ("a", None),
            ("", Some(b"")),
            ("====", Some(b"")),
            ("密", Some(b"")),
        ] {
            assert_eq!(decode(text).as_deref(), expected, "{text:?}");
        }
    }
}
