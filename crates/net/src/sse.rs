//! Server-sent events out of a byte stream.
//!
//! Ours rather than a crate's because providers are sloppy: unknown fields, lines without a colon, repeated
//! `event:` lines and bad UTF-8 are skipped or repaired, as the standard wants, never an error.

use std::pin::Pin;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::error::NetError;

/// Longest event accepted.
const MAX_EVENT: usize = 16 * 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sse {
    /// The `event:` line.
    pub event: Option<String>,
    /// The `data:` lines, joined by line feeds; empty when there were none.
    pub data: String,
    /// The `id:` line.
    pub id: Option<String>,
    /// The `retry:` line, in milliseconds.
    pub retry: Option<u64>,
}

/// Events as they arrive.
pub type SseStream = Pin<Box<dyn Stream<Item = Result<Sse, NetError>> + Send>>;

/// Decodes a body. What follows the last blank line is delivered too if it holds data, as many providers close
/// without one.
pub fn sse<S>(body: S) -> SseStream
where
    S: Stream<Item = Result<Bytes, NetError>> + Send + 'static,
{
    Box::pin(async_stream::stream! {
        let mut body = std::pin::pin!(body);
        let mut decoder = SseDecoder::default();
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => decoder.push(&piece),
                Err(err) => {
                    yield Err(err);
                    return;
                }
            }
            while let Some(event) = decoder.pop() {
                yield Ok(event);
            }
            if decoder.pending() > MAX_EVENT {
                yield Err(NetError::BodyTooLarge { limit: MAX_EVENT });
                return;
            }
        }
        if let Some(event) = decoder.finish() {
            yield Ok(event);
        }
    })
}

/// The decoder without I/O: push bytes, pop events.
#[derive(Debug, Default)]
pub struct SseDecoder {
    line: Vec<u8>,
    current: Option<Sse>,
    current_len: usize,
    ready: std::collections::VecDeque<Sse>,
    after_cr: bool,
    started: bool,
}

impl SseDecoder {
    /// Takes bytes; cuts need not fall between characters or lines.
    pub fn push(&mut self, mut bytes: &[u8]) {
        if self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            let (line, rest) = bytes.split_at(end);
            self.line.extend_from_slice(line);
            let line = std::mem::take(&mut self.line);
            self.take_line(&line);
            bytes = match rest {
                [b'\r', b'\n', rest @ ..] => rest,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                [_, rest @ ..] => rest,
                [] => &[],
            };
        }
        self.line.extend_from_slice(bytes);
    }

    /// The next finished event.
    pub fn pop(&mut self) -> Option<Sse> {
        self.ready.pop_front()
    }

    /// The unfinished event at the end of the body, if it has data.
    pub fn finish(&mut self) -> Option<Sse> {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take_line(&line);
        }
        self.current_len = 0;
        self.current.take().filter(|event| !event.data.is_empty())
    }

    /// Bytes held for an event that is not finished.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.line.len() + self.current_len
    }

    fn take_line(&mut self, line: &[u8]) {
        let line = if self.started {
            line
        } else {
            self.started = true;
            line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line)
        };
        if line.is_empty() {
            self.current_len = 0;
            self.ready.extend(self.current.take());
            return;
        }
        let (field, value) = match line.iter().position(|b| *b == b':') {
            Some(0) => return, // a comment
            Some(colon) => {
                let (field, value) = line.split_at(colon);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        let value = String::from_utf8_lossy(value);
        self.current_len += value.len();
        match field {
            b"data" => match &mut self.current {
                Some(event) if event.has_data() => {
                    event.data.push('\n');
                    event.data.push_str(&value);
                }
                current => current.get_or_insert_default().data = value.into_owned(),
            },
            b"event" => {
                self.current.get_or_insert_default().event = Some(value.into_owned());
            }
            b"id" if !value.contains('\0') => {
                self.current.get_or_insert_default().id = Some(value.into_owned());
            }
            b"retry" => {
                if let Ok(ms) = value.trim().parse() {
                    self.current.get_or_insert_default().retry = Some(ms);
                }
            }
            _ => {}
        }
    }
}

impl Sse {
    fn has_data(&self) -> bool {
        !self.data.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Sse, SseDecoder};

    fn decode(pieces: &[&[u8]]) -> Vec<Sse> {
        let mut decoder = SseDecoder::default();
        let mut events = Vec::new();
        for piece in pieces {
            decoder.push(piece);
            events.extend(std::iter::from_fn(|| decoder.pop()));
        }
        events.extend(decoder.finish());
        events
    }

    fn data(text: &str) -> Sse {
        Sse { data: text.to_owned(), ..Sse::default() }
    }

    #[test]
    fn every_line_ending_ends_an_event() {
        for body in
            ["data: a\n\ndata: b\n\n", "data: a\r\n\r\ndata:b\r\n\r\n", "data: a\r\rdata: b\r\r"]
        {
            assert_eq!(decode(&[body.as_bytes()]), [data("a"), data("b")]);
        }
    }

    #[test]
    fn cuts_inside_characters_and_line_endings_do_no_harm() {
        let body =
            "\u{feff}event: x\r\ndata: 你好\r\ndata: 再见\r\n\r\ndata: [DONE]\r\n\r\n".as_bytes();
        let whole = decode(&[body]);
        assert_eq!(whole.len(), 2);
        assert_eq!(whole[0].event.as_deref(), Some("x"));
        assert_eq!(whole[0].data, "你好\n再见");
        for cut in 0..body.len() {
            let (a, b) = body.split_at(cut);
            assert_eq!(decode(&[a, b]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn comments_unknown_fields_and_lines_without_colon_are_skipped() {
        let body = b": keep-alive\n\nfoo: bar\ngarbage\nretry: 10\nid: 7\ndata: a\n\n";
        let expected = Sse { id: Some("7".into()), retry: Some(10), ..data("a") };
        assert_eq!(decode(&[body]), [expected]);
    }

    #[test]
    fn the_last_event_needs_no_blank_line() {
        assert_eq!(decode(&[b"data: a\n\ndata: b"]), [data("a"), data("b")]);
    }
}
