//! Starting, serving and stopping.

use std::{
    future::{Future, IntoFuture},
    net::SocketAddr,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use axum::{ServiceExt, extract::Request, serve::ListenerExt};
use config::Config;
use http_core::AppState;
use services_core::Ctx;
use tokio::net::{TcpListener, TcpSocket};
use tower::util::MapRequestLayer;

use crate::{memory, routes, shell, wiring};

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Serves HTTP.
    pub api: bool,
    /// Works off jobs.
    pub worker: bool,
    /// Publishes what the schedule asks for.
    pub beat: bool,
}

impl Roles {
    /// Everything in one process.
    pub const ALL: Self = Self { api: true, worker: true, beat: true };
    /// Only HTTP.
    pub const API: Self = Self { api: true, worker: false, beat: false };
    /// Only jobs.
    pub const WORKER: Self = Self { api: false, worker: true, beat: false };
    /// Only the schedule.
    pub const BEAT: Self = Self { api: false, worker: false, beat: true };
}

/// Runs until a signal ends it.
///
/// # Errors
/// Whatever keeps the server from starting.
pub async fn run(config: Config, mut roles: Roles) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let telemetry = telemetry::init(&config).context("logging cannot be set up")?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    if config.redis().is_none() || config.own.worker_embedded {
        // A queue in the process has no other consumer.
        roles = Roles { worker: true, beat: true, ..roles };
    }
    let wired = wiring::open(config).await?;
    let ctx = wired.state.ctx.clone();
    let grace =
        Duration::from_secs(u64::try_from(ctx.config.own.shutdown_grace_seconds).unwrap_or(30));

    let invalidation = ctx.invalidation().clone();
    let listener = tokio::spawn(async move { invalidation.listen().await });
    let background = wired.start_background(roles)?;
    let signals = tokio::spawn(watch_signals(ctx.clone()));
    tokio::spawn(async {
        // Once the router is built and the first connections are open.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let _ = tokio::task::spawn_blocking(memory::give_back).await;
        memory::stay_small().await;
    });

    let outcome = if roles.api {
        serve(&wired.state, started, grace).await
    } else {
        tracing::info!(?roles, duration_ms = started.elapsed().as_millis(), "ready");
        ctx.shutdown().cancelled().await;
        Ok(())
    };

    ctx.shutdown().cancel();
    ctx.tracker().close();
    drain("jobs and schedule", grace, async {
        for task in background {
            let _ = task.await;
        }
    })
    .await;
    drain("work that outlives its request", grace, ctx.tracker().wait()).await;
    listener.abort();
    signals.abort();
    wired.close().await;
    telemetry.shutdown();
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn serve(state: &AppState, started: Instant, grace: Duration) -> anyhow::Result<()> {
    let ctx = &state.ctx;
    let listener = listen(&ctx.config)?;
    let address = listener.local_addr().context("the listener has no address")?;
    let app = shell::wrap(routes::router(&ctx.config), state.clone());
    let app = tower::Layer::layer(&MapRequestLayer::new(shell::alias), app);
    tracing::info!(
        address = %address,
        duration_ms = started.elapsed().as_millis(),
        "ready: serving http://{address}; make the first account with POST /console/api/setup or in the web console"
    );
    let service = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(app);
    let listener = listener.tap_io(|stream| {
        // Small frames of event streams must not wait for each other.
        let _ = stream.set_nodelay(true);
    });
    let stop = ctx.shutdown().clone();
    let server =
        axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut server = std::pin::pin!(server.into_future());
    tokio::select! {
        outcome = &mut server => return outcome.context("the server stopped"),
        () = stop.cancelled() => {}
    }
    drain("open requests", grace, async {
        let _ = server.await;
    })
    .await;
    Ok(())
}

fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    let address =
        format!("{}:{}", config.entrypoint.dify_bind_address, config.entrypoint.dify_port);
    let address: SocketAddr = address
        .parse()
        .with_context(|| format!("DIFY_BIND_ADDRESS and DIFY_PORT name no address: {address}"))?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address).with_context(|| format!("cannot listen on {address}"))?;
    socket.listen(4096).with_context(|| format!("cannot listen on {address}"))
}

/// First SIGTERM or SIGINT: stop accepting, drain. Second: leave at once.
async fn watch_signals(ctx: Ctx) {
    signal().await;
    tracing::info!("stopping: no new requests, waiting for open ones");
    ctx.shutdown().cancel();
    signal().await;
    tracing::warn!("stopping at once");
    std::process::exit(130);
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be watched");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

async fn drain(what: &str, grace: Duration, work: impl Future<Output = ()>) {
    if tokio::time::timeout(grace, work).await.is_err() {
        tracing::warn!(what, "not finished within the grace time; ending it");
    }
}
