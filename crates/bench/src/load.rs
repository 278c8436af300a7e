//! The load: plain HTTP/1.1 over kept-alive connections, written by hand so that the client costs little of the
//! machine it shares with the server.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// A chat that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// `/v1/chat-messages`
    Chat,
    /// `/v1/workflows/run`
    Workflow,
}

impl Work {
    /// Reads the name of the work.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        match text {
            "chat" => Ok(Self::Chat),
            "workflow" => Ok(Self::Workflow),
            other => bail!("no work is called {other}"),
        }
    }
}

/// A server and a key for it.
pub struct Target {
    host: String,
    key: String,
}

impl Target {
    /// `base` is `http://host:port`.
    pub fn new(base: &str, key: &str) -> anyhow::Result<Self> {
        let host = base
            .trim_end_matches('/')
            .strip_prefix("http://")
            .context("the base must be http://host:port")?;
        Ok(Self { host: host.to_owned(), key: key.to_owned() })
    }
}

/// What was measured. Times in seconds, sorted.
#[derive(Default)]
pub struct Measured {
    /// Chats that ended well.
    pub done: usize,
    /// Chats that did not.
    pub failed: usize,
    /// Length of the measurement.
    pub seconds: f64,
    /// To the first event that carries data.
    pub first: Vec<f64>,
    /// To the end.
    pub total: Vec<f64>,
}

/// Puts load on a server.
pub async fn run(
    target: &Target,
    work: Work,
    is_streaming: bool,
    clients: usize,
    length: Duration,
) -> anyhow::Result<Measured> {
    let request: Arc<[u8]> = request(target, work, is_streaming).into_bytes().into();
    let started = Instant::now();
    let end = started + length;
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        tasks.spawn(client(target.host.clone(), Arc::clone(&request), is_streaming, end));
    }
    let mut all = Measured::default();
    while let Some(part) = tasks.join_next().await {
        let part = part?;
        all.done += part.done;
        all.failed += part.failed;
        all.first.extend(part.first);
        all.total.extend(part.total);
    }
    all.seconds = started.elapsed().as_secs_f64();
    all.first.sort_by(f64::total_cmp);
    all.total.sort_by(f64::total_cmp);
    Ok(all)
}

fn request(target: &Target, work: Work, is_streaming: bool) -> String {
    let mode = if is_streaming { "streaming" } else { "blocking" };
    let (path, body) = match work {
        Work::Chat => (
            "/v1/chat-messages",
            format!(
                r#"{{"inputs":{{}},"query":"hello [[tokens:20]]","response_mode":"{mode}","user":"bench","auto_generate_name":false}}"#
            ),
        ),
        Work::Workflow => (
            "/v1/workflows/run",
            format!(r#"{{"inputs":{{}},"response_mode":"{mode}","user":"bench"}}"#),
        ),
    };
    format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        target.host,
        target.key,
        body.len()
    )
}

async fn client(host: String, request: Arc<[u8]>, is_streaming: bool, end: Instant) -> Measured {
    let mut measured = Measured::default();
    let mut connection: Option<Connection> = None;
    while Instant::now() < end {
        let mut open = match connection.take() {
            Some(open) => open,
            None => match TcpStream::connect(&host).await {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    Connection { stream, buffer: Vec::with_capacity(16 << 10) }
                }
                Err(_) => {
                    measured.failed += 1;
                    continue;
                }
            },
        };
        let asked = Instant::now();
        let chat = tokio::time::timeout(PATIENCE, open.chat(&request, is_streaming));
        match chat.await {
            Ok(Ok(answer)) if answer.is_good => {
                measured.done += 1;
                measured.first.push((answer.first - asked).as_secs_f64());
                measured.total.push(asked.elapsed().as_secs_f64());
                connection = Some(open);
            }
            _ => measured.failed += 1,
        }
    }
    measured
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

struct Answer {
    first: Instant,
    is_good: bool,
}

impl Connection {
    async fn chat(&mut self, request: &[u8], is_streaming: bool) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let text = String::from_utf8_lossy(self.buffer.get(..head).unwrap_or_default())
            .to_ascii_lowercase();
        let is_ok = text.starts_with("http/1.1 200");
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|value| value.trim().parse::<usize>().ok());
        let mut first = (!is_streaming).then(Instant::now);
        loop {
            let body = self.buffer.get(head..).unwrap_or_default();
            if first.is_none() && find(body, b"data: ").is_some() {
                first = Some(Instant::now());
            }
            let is_whole = match length {
                Some(length) => length <= body.len(),
                None => body.ends_with(b"0\r\n\r\n"),
            };
            if is_whole {
                break;
            }
            self.more().await?;
        }
        let body = self.buffer.get(head..).unwrap_or_default();
        let is_good = is_ok
            && if is_streaming {
                find(body, b"\"message_end\"").is_some()
                    || find(body, b"\"workflow_finished\"").is_some()
            } else {
                find(body, b"\"answer\"").is_some() || find(body, b"\"succeeded\"").is_some()
            };
        Ok(Answer { first: first.unwrap_or_else(Instant::now), is_good })
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
