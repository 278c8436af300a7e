//! What a server answered: text or a file.

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use graph::{Object, Value};
use net::{HeaderMap, NetError, Response, StatusCode};

use super::HttpLimits;
use crate::{common::Fail, ports::NewFile};

/// An answer, read.
pub(super) struct Received {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    content: Bytes,
    /// Bytes of the body, as far as known; more than `content` holds when the body was too long.
    size: u64,
}

impl Received {
    /// Reads at most `limit` bytes of the body and one more.
    pub(super) async fn read(response: Response, limit: usize) -> Result<Self, NetError> {
        let status = response.status();
        let headers = response.headers().clone();
        let announced = response.content_length().unwrap_or(0);
        let mut stream = response.stream();
        let mut content = BytesMut::new();
        while let Some(piece) = stream.next().await {
            content.extend_from_slice(&piece?);
            if content.len() > limit {
                break;
            }
        }
        let size = announced.max(content.len() as u64);
        // What a HEAD request announces is not sent.
        let size = if content.is_empty() { 0 } else { size };
        Ok(Self { status, headers, content: content.freeze(), size })
    }

    /// Fails when the body is longer than allowed.
    pub(super) fn check(&self, limits: &HttpLimits) -> Result<(), Fail> {
        let (kind, limit) = if self.is_file() {
            ("File", limits.max_binary_size)
        } else {
            ("Text", limits.max_text_size)
        };
        if self.size <= limit as u64 {
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
        let (megabytes, size) = (limit as f64 / 1024.0 / 1024.0, self.size as f64);
        let readable = if size < 1024.0 {
            format!("{} bytes", self.size)
        } else if size < 1024.0 * 1024.0 {
            format!("{:.2} KB", size / 1024.0)
        } else {
            format!("{:.2} MB", size / 1024.0 / 1024.0)
        };
        let message = format!(
            "{kind} size is too large, max size is {megabytes:.2} MB, but current size is {readable}."
        );
        Err(Fail::new(message, "ResponseSizeError"))
    }

    fn header(&self, name: &str) -> String {
        self.headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default()
    }

    /// Kind and file name of `Content-Disposition`.
    fn disposition(&self) -> Option<(String, Option<String>)> {
        let header = self.header("content-disposition");
        let mut parts = header.split(';').map(str::trim);
        let kind = parts.next().filter(|kind| !kind.is_empty())?.to_ascii_lowercase();
        let mut name = None;
        for part in parts {
            let Some((key, value)) = part.split_once('=') else { continue };
            match key.trim().to_ascii_lowercase().as_str() {
                "filename*" => {
                    let text = value.rsplit("''").next().unwrap_or_default();
                    let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
                    name = Some(text.into_owned());
                }
                "filename" if name.is_none() => name = Some(value.trim_matches('"').to_owned()),
                _ => {}
            }
        }
        Some((kind, name))
    }

    fn is_file(&self) -> bool {
        let header = self.header("content-type");
        let kind = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if let Some((disposition, name)) = self.disposition()
            && (disposition == "attachment" || name.is_some())
        {
            return true;
        }
        if kind.starts_with("text/") && !kind.contains("csv") {
            return false;
        }
        if kind.starts_with("application/") {
            const TEXTS: [&str; 6] =
                ["json", "xml", "javascript", "x-www-form-urlencoded", "yaml", "graphql"];
            if TEXTS.iter().any(|text| kind.contains(text)) {
                return false;
            }
            let sample = self.content.get(..1024).unwrap_or(&self.content);
            let Ok(sample) = std::str::from_utf8(sample) else { return true };
            const MARKS: [&str; 7] = ["{", "[", "<", "function", "var ", "const ", "let "];
            if MARKS.iter().any(|mark| sample.contains(mark)) {
                return false;
            }
        }
        let is_known = mime_guess::get_mime_extensions_str(&kind).is_some_and(|it| !it.is_empty());
        if is_known {
            let main = kind.split('/').next().unwrap_or_default();
            return ["application", "image", "audio", "video"].contains(&main);
        }
        ["image/", "audio/", "video/"].iter().any(|media| kind.contains(media))
    }

    /// The file the answer is, if it is one.
    pub(super) fn file(&self, url: &str) -> Option<NewFile> {
        if !self.is_file() {
            return None;
        }
        let guess = |name: &str| mime_guess::from_path(name).first_raw().map(str::to_owned);
        let named = self.disposition().and_then(|(_, name)| name).filter(|name| !name.is_empty());
        let path = url.split('?').next().unwrap_or_default();
        let last = path.rsplit('/').next().unwrap_or_default();
        let header = Some(self.header("content-type")).filter(|kind| !kind.is_empty());
        let mime_type = named
            .as_deref()
            .and_then(guess)
            .or(header)
            .or_else(|| guess(last))
            .unwrap_or_else(|| "application/octet-stream".to_owned());
        Some(NewFile { content: self.content.clone(), mime_type, name: None })
    }

    /// The body as text: UTF-8, else what the header says, else what it looks like.
    pub(super) fn text(&self) -> String {
        if let Ok(text) = std::str::from_utf8(&self.content) {
            return text.to_owned();
        }
        let header = self.header("content-type").to_ascii_lowercase();
        let label = header.split("charset=").nth(1).map(|label| {
            label.split(';').next().unwrap_or_default().trim().trim_matches('"').to_owned()
        });
        let encoding = label
            .and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()))
            .filter(|encoding| *encoding != encoding_rs::UTF_8)
            .unwrap_or_else(|| {
                let mut detector =
                    chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
                detector.feed(&self.content, true);
                detector.guess(None, chardetng::Utf8Detection::Allow)
            });
        encoding.decode(&self.content).0.into_owned()
    }

    /// Names in lower case; values of a name that is repeated in one.
    pub(super) fn shown_headers(&self) -> Value {
        let mut shown: Object = Object::new();
        for name in self.headers.keys() {
            let values = self.headers.get_all(name).iter();
            let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            let value = values.collect::<Vec<_>>().join(", ");
            shown.insert(name.as_str().to_owned(), Value::from(value));
        }
        Value::object(shown)
    }
}
