//! Everything runs share in this process: the hub, the recorder, the world they reach through ports.

use std::{
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use app_engine::{RunHub, basic::config::Config, ports::Ports};
use async_trait::async_trait;
use services_core::{Ctx, cache::Cache};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use types::{AppId, AppModelConfigId};

use crate::{
    generate::{Ask, GenerateError, Started},
    record::{self, Recorder},
    stop,
};

/// How long the log of an ended run waits for a client that means to come back.
const KEEP: Duration = Duration::from_secs(300);

/// Conversations that are named at the same time.
const NAMINGS: usize = 16;

/// Time runs have, at the end of the shutdown's grace, to write down how far they came.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// The runs of this process and what they need. A clone shares it.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

/// A handle to an engine for who is part of it.
#[derive(Clone)]
pub struct WeakEngine(Weak<Inner>);

impl WeakEngine {
    /// The engine, while somebody keeps it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(Engine)
    }
}

struct Inner {
    ctx: Ctx,
    ports: Ports,
    hub: RunHub,
    recorder: Recorder,
    configs: Cache<(AppId, AppModelConfigId), Arc<Stored>>,
    namings: Semaphore,
    cut: CancellationToken,
    chatflows: OnceLock<Arc<dyn Chatflows>>,
}

/// Answers questions to apps drawn as a graph. Who runs graphs implements it.
#[async_trait]
pub trait Chatflows: Send + Sync {
    /// See [`crate::generate::start`].
    ///
    /// # Errors
    /// [`GenerateError`] for what is refused before anything is written.
    async fn start(&self, engine: &Engine, ask: Ask) -> Result<Started, GenerateError>;
}

/// A saved configuration, read once.
pub struct Stored {
    /// As runs use it.
    pub config: Arc<Config>,
    /// As it is saved, with every key runs look at.
    pub object: serde_json::Map<String, serde_json::Value>,
}

impl Engine {
    /// An engine in `ctx` with this world. Starts the tasks that record runs.
    #[must_use]
    pub fn new(ctx: Ctx, ports: Ports) -> Self {
        // Not the shutdown's own token: runs may use its grace time.
        let cut = CancellationToken::new();
        let hub = RunHub::new(KEEP, cut.clone());
        let recorder = Recorder::start(&ctx);
        // Rows of configurations are never changed, only replaced.
        let configs = Cache::new(ctx.invalidation(), 10_000, Duration::from_secs(600));
        let namings = Semaphore::new(NAMINGS);
        Self(Arc::new(Inner {
            ctx,
            ports,
            hub,
            recorder,
            configs,
            namings,
            cut,
            chatflows: OnceLock::new(),
        }))
    }

    /// Lets apps drawn as a graph answer too. Said once, when the server is wired.
    pub fn set_chatflows(&self, chatflows: Arc<dyn Chatflows>) {
        if self.0.chatflows.set(chatflows).is_err() {
            tracing::error!("there is an engine for chatflows already; the second one is not used");
        }
    }

    pub(crate) fn chatflows(&self) -> Option<&Arc<dyn Chatflows>> {
        self.0.chatflows.get()
    }

    /// Runs what has to be looked after beside the runs, until the server stops: stops that other nodes ask for, and
    /// runs of processes that died.
    pub fn watch(&self) {
        let ctx = self.ctx();
        ctx.spawn(record::lease::keep(ctx.clone()));
        ctx.spawn(record::retention::keep(ctx.clone()));
        ctx.spawn(stop::listen(ctx.clone(), self.hub().clone()));
        if !ctx.redis.is_in_process() {
            ctx.spawn(stop::poll(ctx.clone(), self.hub().clone()));
        }
        let (shutdown, cut) = (ctx.shutdown().clone(), self.0.cut.clone());
        let grace =
            Duration::from_secs(u64::try_from(ctx.config.own.shutdown_grace_seconds).unwrap_or(30));
        // Untracked on purpose: shutdown must not wait for its own end.
        tokio::spawn(async move {
            shutdown.cancelled().await;
            tokio::time::sleep(grace.saturating_sub(LAST_WORDS)).await;
            cut.cancel();
        });
    }

    /// A handle that does not keep the engine.
    #[must_use]
    pub fn downgrade(&self) -> WeakEngine {
        WeakEngine(Arc::downgrade(&self.0))
    }

    /// The context.
    #[must_use]
    pub fn ctx(&self) -> &Ctx {
        &self.0.ctx
    }

    /// The world.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.0.ports
    }

    /// The runs.
    #[must_use]
    pub fn hub(&self) -> &RunHub {
        &self.0.hub
    }

    /// Where runs are recorded.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.0.recorder
    }

    pub(crate) fn configs(&self) -> &Cache<(AppId, AppModelConfigId), Arc<Stored>> {
        &self.0.configs
    }

    pub(crate) fn namings(&self) -> &Semaphore {
        &self.0.namings
    }
}
