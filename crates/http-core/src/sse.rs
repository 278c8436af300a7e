//! Server-sent events as the reference frames them: `data: {json}\n\n`, and `event: ping\n\n` without data.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use bytes::{BufMut, Bytes, BytesMut};
use futures::Stream;
use serde::Serialize;

/// One frame of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame(Bytes);

impl Frame {
    /// `event: ping`.
    #[must_use]
    pub fn ping() -> Self {
        Self(Bytes::from_static(b"event: ping\n\n"))
    }

    /// `data: {json}`; an event that does not serialise becomes a ping.
    pub fn data<T: Serialize + ?Sized>(event: &T) -> Self {
        Self::json(None, event)
    }

    /// `data: {json}` behind an `id:` line, from which a client may re-attach with `Last-Event-ID`.
    pub fn data_with_id<T: Serialize + ?Sized>(id: u64, event: &T) -> Self {
        Self::json(Some(id), event)
    }

    fn json<T: Serialize + ?Sized>(id: Option<u64>, event: &T) -> Self {
        let mut frame = BytesMut::with_capacity(256);
        if let Some(id) = id {
            frame.extend_from_slice(format!("id: {id}\n").as_bytes());
        }
        frame.extend_from_slice(b"data: ");
        let mut writer = frame.writer();
        if let Err(err) = serde_json::to_writer(&mut writer, event) {
            tracing::error!(error = %err, "an event does not serialise");
            return Self::ping();
        }
        let mut frame = writer.into_inner();
        frame.extend_from_slice(b"\n\n");
        Self(frame.freeze())
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// A streaming answer of `frames`. Counts as an open stream until the client or the run ends it.
pub fn response<S>(frames: S) -> Response
where
    S: Stream<Item = Frame> + Send + 'static,
{
    let mut response = Response::new(Body::from_stream(Counted::new(frames)));
    let headers = response.headers_mut();
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

struct Counted<S> {
    frames: Pin<Box<S>>,
}

impl<S> Counted<S> {
    fn new(frames: S) -> Self {
        metrics::gauge!("open_streams").increment(1.0);
        Self { frames: Box::pin(frames) }
    }
}

impl<S> Drop for Counted<S> {
    fn drop(&mut self) {
        metrics::gauge!("open_streams").decrement(1.0);
    }
}

impl<S: Stream<Item = Frame>> Stream for Counted<S> {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.frames.as_mut().poll_next(cx).map(|frame| frame.map(|frame| Ok(frame.into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_the_reference_s() {
        assert_eq!(Frame::ping().into_bytes(), "event: ping\n\n");
        let event = serde_json::json!({"event": "message", "answer": "ü\n"});
        assert_eq!(
            Frame::data(&event).into_bytes(),
            "data: {\"event\":\"message\",\"answer\":\"ü\\n\"}\n\n"
        );
        assert_eq!(Frame::data_with_id(3, &1).into_bytes(), "id: 3\ndata: 1\n\n");
    }
}
