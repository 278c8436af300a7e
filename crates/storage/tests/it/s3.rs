//! S3, against a server that knows just enough of it.

use std::collections::HashMap;
use std::sync::Arc;

use futures::TryStreamExt;
use storage::{Storage, StorageOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

type Objects = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// Serves PUT, GET with ranges, HEAD and DELETE of signed requests.
async fn start() -> (u16, Objects) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let objects = Objects::default();
    let shared = objects.clone();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(socket, shared.clone()));
        }
    });
    (port, objects)
}

async fn serve(mut socket: TcpStream, objects: Objects) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 65_536];
    let (head, body) = loop {
        let n = socket.read(&mut buffer).await.unwrap_or(0);
        bytes.extend_from_slice(&buffer[..n]);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                break (head, bytes[end + 4..].to_vec());
            }
        }
        if n == 0 {
            return;
        }
    };
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let signed =
        header(&head, "authorization").is_some_and(|text| text.starts_with("AWS4-HMAC-SHA256"));
    let mut objects = objects.lock().await;
    let (status, body) = match (signed, method.as_str(), objects.get(&path).cloned()) {
        (false, ..) => ("403 Forbidden", Vec::new()),
        (_, "PUT", _) => {
            objects.insert(path, body);
            ("200 OK", Vec::new())
        }
        (_, "DELETE", _) => {
            objects.remove(&path);
            ("204 No Content", Vec::new())
        }
        (_, "GET" | "HEAD", Some(found)) => match header(&head, "range") {
            None => ("200 OK", found),
            Some(range) => {
                let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                let to = to.parse().unwrap_or(found.len() - 1).min(found.len() - 1);
                ("206 Partial Content", found[from.parse().unwrap()..=to].to_vec())
            }
        },
        _ => ("404 Not Found", Vec::new()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    if method != "HEAD" {
        socket.write_all(&body).await.unwrap();
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

#[tokio::test]
async fn objects_go_to_a_bucket_and_back() {
    let (port, objects) = start().await;
    let vars = [
        ("STORAGE_TYPE", "s3".to_owned()),
        ("S3_BUCKET_NAME", "bucket".to_owned()),
        ("S3_ENDPOINT", format!("http://127.0.0.1:{port}")),
        ("S3_ACCESS_KEY", "key".to_owned()),
        ("S3_SECRET_KEY", "secret".to_owned()),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value));
    let storage = Storage::open(&StorageOptions::from_vars(vars).unwrap()).unwrap();
    let content = "x".repeat(600_000);
    storage.save("upload_files/t/a.txt", content.clone()).await.unwrap();
    assert!(objects.lock().await.contains_key("/bucket/upload_files/t/a.txt"), "path style");
    assert_eq!(storage.load("upload_files/t/a.txt").await.unwrap(), content);
    let stream = storage.load_stream("upload_files/t/a.txt").await.unwrap();
    let pieces: Vec<_> = stream.try_collect().await.unwrap();
    assert_eq!(pieces.concat().len(), 600_000);
    assert_eq!(storage.load_range("upload_files/t/a.txt", 5, 9).await.unwrap(), "xxxx");
    storage.delete("upload_files/t/a.txt").await.unwrap();
    assert!(!storage.exists("upload_files/t/a.txt").await.unwrap());
    assert!(storage.load("upload_files/t/a.txt").await.unwrap_err().is_not_found());
}
