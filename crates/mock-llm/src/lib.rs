//! An OpenAI-compatible mock model server for tests, the demo and benchmarks.
//!
//! What a request is answered depends on the request and the settings alone. Directives in the last user message
//! (`[[reply:…]]`, `[[tokens:50]]`, `[[error:429]]`, see [`directive`]) steer it; `/__config`, `/__log`, `/__stats` and
//! `/__reset` control it.

mod answer;
mod chat;
mod config;
mod control;
pub mod directive;
mod error;
mod log;
mod other;
mod pieces;
mod react;
mod schema;
mod smart;
mod stream;
mod vectors;

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use tokio::{net::TcpListener, task::JoinHandle};

pub use config::Config;

/// The running server's state.
struct Mock {
    config: std::sync::RwLock<Config>,
    log: log::Log,
}

/// A server of a test. It ends when this is dropped.
#[derive(Debug)]
pub struct Handle(JoinHandle<()>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts a server on a free port with the default settings.
///
/// # Errors
/// When no port can be had.
pub async fn spawn() -> io::Result<(SocketAddr, Handle)> {
    spawn_with(Config::default()).await
}

/// Starts a server on a free port.
///
/// # Errors
/// When no port can be had.
pub async fn spawn_with(config: Config) -> io::Result<(SocketAddr, Handle)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(async move {
        // An error here ends the test's server; the test sees it as a refused connection.
        let _ = serve(listener, config).await;
    });
    Ok((address, Handle(task)))
}

/// Serves until the process ends.
///
/// # Errors
/// Those of accepting connections.
pub async fn serve(listener: TcpListener, config: Config) -> io::Result<()> {
    use axum::serve::ListenerExt;
    let listener = listener.tap_io(|stream| {
        // Small pieces shall leave at once; without it they wait, which is no error.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router(config)).await
}

/// The routes, for servers that add their own.
pub fn router(config: Config) -> Router {
    let log = log::Log::new(config.log_size);
    let mock = Arc::new(Mock { config: std::sync::RwLock::new(config), log });
    let api = Router::new()
        .route("/models", get(other::models))
        .route("/chat/completions", post(chat::chat))
        .route("/completions", post(chat::completion))
        .route("/embeddings", post(other::embeddings))
        .route("/rerank", post(other::rerank))
        .route("/moderations", post(other::moderations))
        .route("/audio/speech", post(other::speech))
        .route("/audio/transcriptions", post(other::transcriptions));
    Router::new()
        .nest("/v1", api.clone())
        .merge(api)
        .route("/", get(control::health))
        .route("/health", get(control::health))
        .route("/__log", get(control::log))
        .route("/__stats", get(control::stats))
        .route("/__reset", post(control::reset))
        .route("/__config", post(control::configure))
        .layer(DefaultBodyLimit::max(256 << 20))
        .with_state(mock)
}

impl Mock {
    fn config(&self) -> Config {
        self.config.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}
