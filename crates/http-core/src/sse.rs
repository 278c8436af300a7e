//! Server-sent events as the reference frames them: `data: {json}\n\n`, and `event: ping\n\n` without data.
//!
//! Streams of graphs begin with a ping, those of basic apps only if their first word takes long, and all have another
//! whenever nothing was told for [`PING_AFTER`]: whoever is in between sees that the answer is not forgotten.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use bytes::{BufMut, Bytes, BytesMut};
use futures::Stream;
use serde::Serialize;
use tokio::time::{Instant, Sleep, sleep_until};

/// After how much silence a stream says that it still lives.
pub const PING_AFTER: Duration = Duration::from_secs(10);

/// After how much silence a stream of an app that is not drawn as a graph says so first.
pub const FIRST_PING_AFTER: Duration = Duration::from_secs(1);

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

/// A streaming answer of `frames` that begins with a ping, as those of graphs do. Counts as an open stream until the client
/// or the run ends it.
pub fn response<S>(frames: S) -> Response
where
    S: Stream<Item = Frame> + Send + 'static,
{
    stream(Told::new(frames, PING_AFTER, None))
}

/// A streaming answer of `frames` whose first is one with data, unless it takes longer than [`FIRST_PING_AFTER`]: clients
/// of apps that are not drawn as a graph count on that.
pub fn response_of_data<S>(frames: S) -> Response
where
    S: Stream<Item = Frame> + Send + 'static,
{
    stream(Told::new(frames, PING_AFTER, Some(FIRST_PING_AFTER)))
}

fn stream<S>(frames: Told<S>) -> Response
where
    S: Stream<Item = Frame> + Send + 'static,
{
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Frames on their way to a client.
struct Told<S> {
    frames: Pin<Box<S>>,
    pings: Pings,
    _open: telemetry::metrics::OpenStream,
}

impl<S> Told<S> {
    /// `first`: how long the first ping waits for a frame; `None` does not.
    fn new(frames: S, silence: Duration, first: Option<Duration>) -> Self {
        let open = telemetry::metrics::open_stream();
        let due = first.map(|first| Instant::now() + first);
        let pings = Pings { silence, due, timer: None };
        Self { frames: Box::pin(frames), pings, _open: open }
    }
}

impl<S: Stream<Item = Frame>> Stream for Told<S> {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { frames, pings, .. } = &mut *self;
        if pings.is_first() {
            return Poll::Ready(Some(Ok(Frame::ping().into_bytes())));
        }
        if let Poll::Ready(frame) = frames.as_mut().poll_next(cx) {
            pings.told();
            return Poll::Ready(frame.map(|frame| Ok(frame.into_bytes())));
        }
        pings.poll(cx).map(|()| Some(Ok(Frame::ping().into_bytes())))
    }
}

/// When a stream says that it lives.
struct Pings {
    silence: Duration,
    /// When the next is due; `None` is at once.
    due: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pings {
    /// Whether the stream begins with one. From then on it has begun.
    fn is_first(&mut self) -> bool {
        let is_first = self.due.is_none();
        if is_first {
            self.told();
        }
        is_first
    }

    fn told(&mut self) {
        self.due = Some(Instant::now() + self.silence);
    }

    /// Ready when it is time. The timer is set anew only when it fires, not with every frame.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { silence, due: next, timer } = self;
        loop {
            let due = next.unwrap_or_else(Instant::now);
            let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            std::task::ready!(timer.as_mut().poll(cx));
            let now = Instant::now();
            if due <= now {
                *next = Some(now + *silence);
                timer.as_mut().reset(now + *silence);
                return Poll::Ready(());
            }
            timer.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stream_of_data_pings_only_when_it_is_silent() {
        let (send, told) = futures::channel::mpsc::unbounded::<Frame>();
        let first = Some(Duration::from_millis(1));
        let mut stream = Told::new(told, PING_AFTER, first);
        send.unbounded_send(Frame::data(&1)).unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), "data: 1\n\n");
        let (_silent, told) = futures::channel::mpsc::unbounded::<Frame>();
        let mut stream = Told::new(told, PING_AFTER, first);
        assert_eq!(stream.next().await, Some(Ok(Frame::ping().into_bytes())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_begins_with_a_ping_and_has_others_while_it_is_silent() {
        let (send, told) = futures::channel::mpsc::unbounded::<Frame>();
        let mut stream = Told::new(told, Duration::from_millis(1), None);
        let ping = Frame::ping().into_bytes();
        send.unbounded_send(Frame::data(&1)).unwrap();
        assert_eq!(stream.next().await, Some(Ok(ping.clone())));
        assert_eq!(stream.next().await.unwrap().unwrap(), "data: 1\n\n");
        for _ in 0..3 {
            assert_eq!(stream.next().await, Some(Ok(ping.clone())));
        }
        drop(send);
        assert_eq!(stream.next().await, None);
        // One that is not silent has no more of them.
        let mut busy = Told::new(futures::stream::repeat(Frame::data(&2)), Duration::ZERO, None);
        assert_eq!(busy.next().await, Some(Ok(ping)));
        for _ in 0..9 {
            assert_eq!(busy.next().await.unwrap().unwrap(), "data: 2\n\n");
        }
    }

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
