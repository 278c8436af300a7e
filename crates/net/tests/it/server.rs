//! A server that answers each connection with the next of its canned answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify};

#[derive(Clone)]
pub struct Server {
    pub url: String,
    /// Connections answered.
    pub hits: Arc<AtomicUsize>,
    /// Request heads seen.
    pub heads: Arc<Mutex<Vec<String>>>,
    /// Told when a client hangs up on an answer that `hold`s.
    pub hung_up: Arc<Notify>,
}

/// An answer, and whether the connection stays open after it.
#[derive(Clone)]
pub struct Answer {
    pub text: String,
    pub hold: bool,
}

pub fn answer(status: &str, body: &str) -> Answer {
    let length = body.len();
    let text =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    Answer { text, hold: false }
}

/// The beginning of a chunked answer that never ends.
pub fn endless(body: &str) -> Answer {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    Answer { text: format!("{head}{:x}\r\n{body}\r\n", body.len()), hold: true }
}

impl Server {
    /// Answers in order; the last answer repeats.
    pub async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            hits: Arc::default(),
            heads: Arc::default(),
            hung_up: Arc::default(),
        };
        let shared = server.clone();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let hit = shared.hits.fetch_add(1, Ordering::SeqCst);
                let answer = answers[hit.min(answers.len() - 1)].clone();
                tokio::spawn(serve(shared.clone(), socket, answer));
            }
        });
        server
    }

    pub fn count(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

async fn serve(server: Server, mut socket: TcpStream, answer: Answer) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if socket.read(&mut byte).await.unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    server.heads.lock().await.push(String::from_utf8_lossy(&head).into_owned());
    socket.write_all(answer.text.as_bytes()).await.unwrap();
    if answer.hold {
        while socket.read(&mut byte).await.unwrap_or(0) > 0 {}
        server.hung_up.notify_one();
    }
}
