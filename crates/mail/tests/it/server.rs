//! Servers that answer what the test says and keep what they were told.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

pub struct Fake {
    pub port: u16,
    pub told: Arc<Mutex<Vec<String>>>,
}

/// An SMTP server that answers `answer` to the end of the data.
pub async fn smtp(answer: &'static str) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = Fake { port: listener.local_addr().unwrap().port(), told: Arc::default() };
    let told = fake.told.clone();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(socket, told.clone(), answer));
        }
    });
    fake
}

async fn converse(socket: TcpStream, told: Arc<Mutex<Vec<String>>>, answer: &str) {
    let mut stream = BufReader::new(socket);
    stream.write_all(b"220 fake\r\n").await.unwrap();
    let mut in_data = false;
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        let text = line.trim_end().to_owned();
        line.clear();
        told.lock().await.push(text.clone());
        let verb = text.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let reply = match (in_data, text.as_str(), verb.as_str()) {
            (true, ".", _) => {
                in_data = false;
                format!("{answer}\r\n")
            }
            (true, ..) => continue,
            (_, _, "EHLO") => "250-fake\r\n250 AUTH PLAIN LOGIN\r\n".to_owned(),
            (_, _, "AUTH") => "235 welcome\r\n".to_owned(),
            (_, _, "DATA") => {
                in_data = true;
                "354 go on\r\n".to_owned()
            }
            (_, _, "QUIT") => "221 bye\r\n".to_owned(),
            _ => "250 ok\r\n".to_owned(),
        };
        stream.write_all(reply.as_bytes()).await.unwrap();
    }
}

/// An HTTP server that answers every request with a status; it is told head and body.
pub async fn http(status: &'static str) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = Fake { port: listener.local_addr().unwrap().port(), told: Arc::default() };
    let told = fake.told.clone();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let n = socket.read(&mut buffer).await.unwrap();
                bytes.extend_from_slice(&buffer[..n]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head
                    .lines()
                    .find_map(|l| {
                        l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                    })
                    .unwrap_or(0_usize);
                if body.len() >= length {
                    told.lock().await.extend([head.to_owned(), body.to_owned()]);
                    break;
                }
            }
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    fake
}
