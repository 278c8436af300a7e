//! The load: plain HTTP/1.1 over kept-alive connections, written by hand so that the client costs little of the
//! machine it shares with the server.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::work::{Keys, Work};

/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The last event of a stream is looked for in this much of its end.
const TAIL: usize = 64 << 10;

/// A server and keys for it.
pub struct Target {
    host: String,
    keys: Keys,
}

impl Target {
    /// `base` is `http://host:port`.
    pub fn new(base: &str, keys: Keys) -> anyhow::Result<Self> {
        let host = base
            .trim_end_matches('/')
            .strip_prefix("http://")
            .context("the base must be http://host:port")?;
        Ok(Self { host: host.to_owned(), keys })
    }

    /// Whether there is a key for such work.
    pub fn has(&self, work: Work) -> bool {
        self.keys.find(work).is_some()
    }

    fn request(&self, job: Job<'_>, user: usize) -> anyhow::Result<Vec<u8>> {
        let key = self.keys.find(job.work).with_context(|| format!("no key for {}", job.work))?;
        let (path, body) = job.work.request(job.is_streaming, job.query, user);
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        Ok(format!("{head}{body}").into_bytes())
    }
}

/// What is asked, and how.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The work.
    pub work: Work,
    /// Streaming or blocking.
    pub is_streaming: bool,
    /// The question of a chat.
    pub query: &'a str,
}

/// What was measured. Times in seconds, sorted.
#[derive(Default)]
pub struct Measured {
    /// Requests that were answered well.
    pub done: usize,
    /// Requests that were not.
    pub failed: usize,
    /// What went wrong first.
    pub failure: Option<String>,
    /// Events in streams.
    pub events: usize,
    /// Length of the measurement.
    pub seconds: f64,
    /// To the first event that carries data.
    pub first: Vec<f64>,
    /// To the end.
    pub total: Vec<f64>,
}

impl Measured {
    fn add(&mut self, other: Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.failure = self.failure.take().or(other.failure);
        self.events += other.events;
        self.first.extend(other.first);
        self.total.extend(other.total);
    }

    fn note(&mut self, asked: Instant, answer: anyhow::Result<Answer>) -> bool {
        match answer {
            Ok(answer) => {
                self.done += 1;
                self.events += answer.events;
                self.first.push((answer.first - asked).as_secs_f64());
                self.total.push(asked.elapsed().as_secs_f64());
                true
            }
            Err(err) => {
                self.failed += 1;
                self.failure.get_or_insert_with(|| format!("{err:#}"));
                false
            }
        }
    }
}

/// `clients` at a time, each with one request after the other, until `length` is over.
pub async fn run(
    target: &Target,
    job: Job<'_>,
    clients: usize,
    length: Duration,
) -> anyhow::Result<Measured> {
    let end = Instant::now() + length;
    let is_streaming = job.is_streaming;
    spread(target, job, clients, move |host, request| async move {
        let mut measured = Measured::default();
        let mut connection = None;
        while Instant::now() < end {
            let asked = Instant::now();
            let answer = ask(&host, &mut connection, &request, is_streaming).await;
            measured.note(asked, answer);
        }
        measured
    })
    .await
}

/// Opens `streams` streams within `ramp` and follows each to its end.
pub async fn open(
    target: &Target,
    job: Job<'_>,
    streams: usize,
    ramp: Duration,
) -> anyhow::Result<Measured> {
    let mut turn = Instant::now();
    let step = ramp / u32::try_from(streams.max(1)).unwrap_or(u32::MAX);
    let is_streaming = job.is_streaming;
    spread(target, job, streams, move |host, request| {
        let mine = turn;
        turn += step;
        async move {
            tokio::time::sleep_until(mine.into()).await;
            let mut measured = Measured::default();
            let asked = Instant::now();
            let answer = ask(&host, &mut None, &request, is_streaming).await;
            measured.note(asked, answer);
            measured
        }
    })
    .await
}

async fn spread<F>(
    target: &Target,
    job: Job<'_>,
    clients: usize,
    mut client: impl FnMut(String, Vec<u8>) -> F,
) -> anyhow::Result<Measured>
where
    F: Future<Output = Measured> + Send + 'static,
{
    // Every client is a user of its own.
    let requests: Vec<Vec<u8>> =
        (0..clients).map(|user| target.request(job, user)).collect::<anyhow::Result<_>>()?;
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for request in requests {
        tasks.spawn(client(target.host.clone(), request));
    }
    let mut all = Measured::default();
    while let Some(part) = tasks.join_next().await {
        all.add(part?);
    }
    all.seconds = started.elapsed().as_secs_f64();
    all.first.sort_by(f64::total_cmp);
    all.total.sort_by(f64::total_cmp);
    Ok(all)
}

/// Asks on the open connection, or on a new one. A connection that failed is not used again.
async fn ask(
    host: &str,
    connection: &mut Option<Connection>,
    request: &[u8],
    is_streaming: bool,
) -> anyhow::Result<Answer> {
    let mut open = match connection.take() {
        Some(open) => open,
        None => {
            let stream = TcpStream::connect(host).await?;
            let _ = stream.set_nodelay(true);
            Connection { stream, buffer: Vec::with_capacity(4 << 10) }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, open.ask(request, is_streaming))
        .await
        .context("no answer in time")??;
    *connection = Some(open);
    Ok(answer)
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

struct Answer {
    first: Instant,
    events: usize,
}

impl Connection {
    async fn ask(&mut self, request: &[u8], is_streaming: bool) -> anyhow::Result<Answer> {
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
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|value| value.trim().parse::<usize>().ok());
        let mut first = (!is_streaming).then(Instant::now);
        // Where the next event may begin: what is behind was looked at.
        let (mut events, mut seen) = (0, head);
        loop {
            if is_streaming {
                while let Some(at) = find(self.buffer.get(seen..).unwrap_or_default(), b"data: ") {
                    first.get_or_insert_with(Instant::now);
                    events += 1;
                    seen += at + 6;
                }
                seen = seen.max(self.buffer.len().saturating_sub(5));
            }
            let body = self.buffer.get(head..).unwrap_or_default();
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
        let end = body.get(body.len().saturating_sub(TAIL)..).unwrap_or_default();
        let is_good = text.starts_with("http/1.1 200")
            && if is_streaming {
                find(end, b"\"message_end\"").is_some()
                    || (find(end, b"\"workflow_finished\"").is_some()
                        && find(end, b"\"succeeded\"").is_some())
            } else {
                find(body, b"\"answer\"").is_some() || find(body, b"\"succeeded\"").is_some()
            };
        if !is_good {
            let shown = end.get(end.len().saturating_sub(400)..).unwrap_or_default();
            let status = text.lines().next().unwrap_or_default();
            bail!("{status}: …{}", String::from_utf8_lossy(shown));
        }
        Ok(Answer { first: first.unwrap_or_else(Instant::now), events })
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    let (first, _) = what.split_first()?;
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = from + rest.iter().position(|byte| byte == first)?;
        if text.get(at..)?.starts_with(what) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn bytes_are_found() {
        for (text, expected) in
            [("", None), ("dat", None), ("data: ", Some(0)), ("ddata: x", Some(1)), ("data:", None)]
        {
            assert_eq!(find(text.as_bytes(), b"data: "), expected, "{text}");
        }
    }
}
