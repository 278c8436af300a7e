//! A stop reaches the sockets that a run waits on.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Mutex, mpsc, oneshot},
};

use crate::{
    graph, node,
    world::{Events, OPENAI, World},
};

/// A server that keeps whoever asks for a stream, or for `/hang`, waiting, and notes who hangs up. Others get a short
/// answer.
pub(crate) struct Upstream {
    pub(crate) url: String,
    asked: Mutex<mpsc::UnboundedReceiver<oneshot::Sender<&'static str>>>,
    closed: Mutex<mpsc::UnboundedReceiver<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upstream {
    pub(crate) async fn new() -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let (tell_asked, asked) = mpsc::unbounded_channel();
        let (tell_closed, closed) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                tokio::spawn(serve(stream, tell_asked.clone(), tell_closed.clone()));
            }
        });
        Self { url, asked: Mutex::new(asked), closed: Mutex::new(closed), task }
    }

    /// Waits until somebody is kept waiting; they get the text that is sent.
    pub(crate) async fn asked(&self) -> oneshot::Sender<&'static str> {
        self.asked.lock().await.recv().await.unwrap()
    }

    /// Waits until somebody who was kept waiting has hung up.
    pub(crate) async fn closed(&self) {
        self.closed.lock().await.recv().await.unwrap();
    }
}

async fn serve(
    mut stream: TcpStream,
    asked: mpsc::UnboundedSender<oneshot::Sender<&'static str>>,
    closed: mpsc::UnboundedSender<()>,
) {
    let Some(request) = request(&mut stream).await else { return };
    let is_stream = request.contains("\"stream\":true");
    if !is_stream && !request.starts_with("GET /hang") {
        let answer = json!({"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}});
        respond(&mut stream, "application/json", &answer.to_string()).await;
        return;
    }
    if is_stream {
        let piece = json!({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": "so far"}, "finish_reason": null}]});
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        stream.write_all(format!("{head}data: {piece}\n\n").as_bytes()).await.unwrap();
    }
    let (answer, told) = oneshot::channel();
    let _ = asked.send(answer);
    let mut byte = [0];
    tokio::select! {
        read = stream.read(&mut byte) => {
            assert_eq!(read.unwrap_or_default(), 0, "nobody asks twice");
            let _ = closed.send(());
        }
        Ok(text) = told => respond(&mut stream, "text/plain", text).await,
    }
}

async fn respond(stream: &mut TcpStream, kind: &str, body: &str) {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
}

/// A whole request.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.ok().filter(|count| 0 < *count)?;
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if length.unwrap_or(0) <= body.len() {
            return Some(text);
        }
    }
}

#[tokio::test]
async fn a_stop_closes_the_connection_to_the_model_and_to_servers() {
    let upstream = Upstream::new().await;
    let world = World::with_models_at(&[], &format!("{}/v1", upstream.url)).await;
    let start = || node("start", "start", json!({"variables": []}));
    let llm = json!({"model": {"provider": OPENAI, "name": "gpt-4o-mini", "mode": "chat", "completion_params": {}},
        "context": {"enabled": false}, "vision": {"enabled": false},
        "prompt_template": [{"role": "user", "text": "hi"}]});
    let request = json!({"method": "get", "url": format!("{}/hang", upstream.url), "headers": "", "params": "",
        "authorization": {"type": "no-auth"}, "body": {"type": "none", "data": []}});
    let end = |name: &str| {
        node("end", "end", json!({"outputs": [{"variable": "out", "value_selector": ["n", name]}]}))
    };
    for (kind, settings, output) in [("llm", llm, "text"), ("http-request", request, "body")] {
        let nodes = vec![start(), node("n", kind, settings), end(output)];
        let app = world.app("workflow", &graph(nodes, &[("start", "n"), ("n", "end")])).await;
        let body: Value = json!({"inputs": {}, "response_mode": "streaming", "user": "u"});
        let mut events = Events::open(&app.api, "/v1/workflows/run", Some(body)).await;
        let task = events.until("workflow_started").await["task_id"].clone();
        let _asked = upstream.asked().await;
        let path = format!("/v1/workflows/tasks/{}/stop", task.as_str().unwrap());
        app.api.post(&path, json!({"user": "u"})).await.expect(200);
        // The runner's limit ends a test whose connection stays open.
        upstream.closed().await;
        assert_eq!(events.until("workflow_finished").await["data"]["status"], "stopped");
    }
}
