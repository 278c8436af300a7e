//! A small HTTP server for the server under test to call.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

/// What a call looked like.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `METHOD /path?query`.
    pub line: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

type Routes = HashMap<String, (u16, &'static str, Vec<u8>)>;

#[derive(Clone)]
struct Shared {
    routes: Arc<Routes>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A server that gives fixed answers and remembers what it was asked. It ends with this value.
pub struct Listener {
    /// Where it is, without a slash at the end.
    pub url: String,
    shared: Shared,
    task: tokio::task::JoinHandle<()>,
}

impl Listener {
    /// A server with these routes: `METHOD /path` to status, media type and body. Everything else is 404.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn new(routes: &[(&str, u16, &'static str, &[u8])]) -> Self {
        let routes = routes
            .iter()
            .map(|(line, status, kind, body)| ((*line).to_owned(), (*status, *kind, body.to_vec())))
            .collect();
        let shared = Shared { routes: Arc::new(routes), seen: Arc::default() };
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", socket.local_addr().expect("an address"));
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(socket, app).await;
        });
        Self { url, shared, task }
    }

    /// What it was asked so far.
    ///
    /// # Panics
    /// If a call panicked.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("no panics").clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let line = format!("{method} {uri}");
    shared.seen.lock().expect("no panics").push(Seen { line: line.clone(), headers, body });
    match shared.routes.get(&line) {
        Some((status, kind, body)) => (
            StatusCode::from_u16(*status).expect("a status"),
            [(header::CONTENT_TYPE, *kind)],
            body.clone(),
        )
            .into_response(),
        None => (StatusCode::NOT_FOUND, "no such route").into_response(),
    }
}
