//! Starting, serving and stopping.

use std::{
    future::Future,
    net::SocketAddr,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use config::Config;
use http_core::AppState;
use services_core::Ctx;
use tokio::{
    net::{TcpListener, TcpSocket},
    signal::unix::{Signal, SignalKind, signal},
};
use tower::util::MapRequestLayer;

use crate::{memory, routes, serve, shell, wiring};

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
    let signals = Signals::listen().context("signals cannot be watched")?;
    let signals = tokio::spawn(watch_signals(ctx.clone(), signals));
    tokio::spawn(memory::stay_small());

    let outcome = if roles.api {
        answer(&wired.state, started, grace).await
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

async fn answer(state: &AppState, started: Instant, grace: Duration) -> anyhow::Result<()> {
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
    let open = serve::serve(listener, app, ctx.shutdown()).await;
    drain("open requests", grace, open.shutdown()).await;
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
async fn watch_signals(ctx: Ctx, mut signals: Signals) {
    signals.next().await;
    tracing::info!("stopping: no new requests, waiting for open ones");
    ctx.shutdown().cancel();
    signals.next().await;
    tracing::warn!("stopping at once");
    std::process::exit(130);
}

/// SIGTERM and SIGINT, heard from the moment this is made.
struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

async fn drain(what: &str, grace: Duration, work: impl Future<Output = ()>) {
    if tokio::time::timeout(grace, work).await.is_err() {
        tracing::warn!(what, "not finished within the grace time; ending it");
    }
}
