//! HTTP messages as bytes: requests that plugins are given whole, and responses they give back.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

/// A request as bytes. `target` is path and query.
#[must_use]
pub fn request(method: &Method, target: &str, headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let target = target.strip_suffix('?').unwrap_or(target);
    let mut out = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    for (name, value) in headers {
        out.extend_from_slice(title(name).as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

/// `Content-Type` for `content-type`: some plugins compare names as they are usually written.
fn title(name: &HeaderName) -> String {
    let capital = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    name.as_str().split('-').map(capital).collect::<Vec<_>>().join("-")
}

/// A response taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawResponse {
    /// Status.
    pub status: StatusCode,
    /// Headers; those that cannot be sent are left out.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

/// Reads a response. `None` if it does not begin like one.
#[must_use]
pub fn response(raw: &[u8]) -> Option<RawResponse> {
    let find = |mark: &[u8]| raw.windows(mark.len()).position(|window| window == mark);
    let (head, body) = match (find(b"\r\n\r\n"), find(b"\n\n")) {
        (Some(at), _) => (raw.get(..at)?, raw.get(at + 4..)?),
        (None, Some(at)) => (raw.get(..at)?, raw.get(at + 2..)?),
        (None, None) => (raw, &[][..]),
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse::<u16>().ok()?;
    let status = StatusCode::from_u16(status).ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = HeaderName::from_bytes(name.trim().as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.trim())) {
            headers.insert(name, value);
        }
    }
    Some(RawResponse { status, headers, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_written_whole() {
        let mut headers = HeaderMap::new();
        headers.insert("x-sim-secret", HeaderValue::from_static("s"));
        let raw = request(&Method::POST, "/a?b=c", &headers, b"body");
        assert_eq!(raw, b"POST /a?b=c HTTP/1.1\r\nX-Sim-Secret: s\r\n\r\nbody");
    }

    #[test]
    fn responses_are_taken_apart() {
        let read =
            response(b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nbad\r\n\r\nhi\r\n\r\n")
                .unwrap();
        assert_eq!((read.status.as_u16(), read.body.as_slice()), (201, &b"hi\r\n\r\n"[..]));
        assert_eq!(read.headers.get("content-type").unwrap(), "text/plain");
        assert_eq!(response(b"HTTP/1.1 204 No Content").unwrap().body, b"");
        assert_eq!(response(b"rubbish"), None);
    }
}
