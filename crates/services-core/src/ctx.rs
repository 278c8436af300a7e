//! The context of a use case.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, NaiveDateTime, Utc};
use crypto::tenant_key::{KeyPair, TenantKeyError, TenantPrivateKey};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use types::{AppId, TenantId};
use uuid::Uuid;

use crate::{
    cache::{Cache, Invalidation},
    fresh::Fresh,
    leases::Leases,
};

/// What the server wires into a [`Ctx`].
pub struct CtxParts {
    /// Every setting.
    pub config: Arc<config::Config>,
    /// `SECRET_KEY`, or the one made for this installation.
    pub secret: Arc<str>,
    /// The database.
    pub db: db::Db,
    /// Redis, or its in-process stand-in.
    pub redis: redis::Redis,
    /// Object storage.
    pub storage: storage::Storage,
    /// The one egress client.
    pub http: net::Http,
    /// Where background work goes.
    pub jobs: Arc<dyn jobs::JobQueue>,
    /// Outgoing mail. Requests queue their mails; only job handlers send.
    pub mail: mail::Mailer,
    /// Where the key pairs of new workspaces come from.
    pub key_pairs: KeyPairs,
}

/// Makes key pairs; it takes its time.
pub type KeyPairs = Arc<dyn Fn() -> Result<KeyPair, TenantKeyError> + Send + Sync>;

/// How long it is known which end user a session is. Rows of end users never change but for their type.
const END_USER_TTL: Duration = Duration::from_secs(60);

/// An app that somebody holds a key of, and its workspace's status; `None`: there is no such workspace.
#[derive(Debug, Clone)]
pub struct KeyedApp {
    /// The app.
    pub app: db::app::App,
    /// `normal` or `archive`.
    pub tenant_status: Option<String>,
}

/// Everything a use case may touch. A clone costs one reference count.
#[derive(Clone)]
pub struct Ctx(Arc<Inner>);

struct Inner {
    parts: CtxParts,
    invalidation: Invalidation,
    keys: Cache<(String, String), db::api_token::ApiToken>,
    keyed_apps: Fresh<AppId, Option<KeyedApp>>,
    end_users: moka::sync::Cache<(AppId, String), db::end_user::EndUser>,
    tenant_keys: Cache<TenantId, Arc<TenantPrivateKey>>,
    recent: moka::sync::Cache<String, ()>,
    set_up: AtomicBool,
    process: Uuid,
    leases: Leases,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl std::ops::Deref for Ctx {
    type Target = CtxParts;

    fn deref(&self) -> &CtxParts {
        &self.0.parts
    }
}

impl Ctx {
    /// A context over `parts`.
    #[must_use]
    pub fn new(parts: CtxParts) -> Self {
        let invalidation = Invalidation::new(parts.redis.clone());
        let keys = Cache::new(&invalidation, 10_000, Duration::from_secs(600));
        // As long as the reference keeps them.
        let tenant_keys = Cache::new(&invalidation, 1_000, Duration::from_secs(120));
        Self(Arc::new(Inner {
            parts,
            invalidation,
            keys,
            keyed_apps: Fresh::new(10_000),
            end_users: moka::sync::Cache::builder()
                .max_capacity(20_000)
                .time_to_live(END_USER_TTL)
                .build(),
            tenant_keys,
            recent: moka::sync::Cache::builder()
                .max_capacity(100_000)
                .time_to_live(Duration::from_secs(60))
                .build(),
            set_up: AtomicBool::new(false),
            process: Uuid::new_v4(),
            leases: Leases::default(),
            tracker: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        }))
    }

    /// The time, in UTC.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    /// The time as the reference's `timestamp without time zone` columns hold it: UTC, microseconds.
    #[must_use]
    pub fn now_naive(&self) -> NaiveDateTime {
        let now = Utc::now().naive_utc();
        chrono::DurationRound::duration_trunc(now, chrono::TimeDelta::microseconds(1))
            .unwrap_or(now)
    }

    /// Runs `work` beyond the request that started it; shutdown waits for it (up to its grace time).
    pub fn spawn<F>(&self, work: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.tracker.spawn(work)
    }

    /// Fires when the server begins to stop: long work ends early, streams drain.
    #[must_use]
    pub fn shutdown(&self) -> &CancellationToken {
        &self.0.shutdown
    }

    /// The tracker shutdown waits for.
    #[must_use]
    pub fn tracker(&self) -> &TaskTracker {
        &self.0.tracker
    }

    /// The channel over which nodes tell each other which cached values are out of date.
    #[must_use]
    pub fn invalidation(&self) -> &Invalidation {
        &self.0.invalidation
    }

    /// The name of this process in `dify_rs_processes`; a new one at every start.
    #[must_use]
    pub fn process(&self) -> Uuid {
        self.0.process
    }

    /// Runs this process lost, and whether it may judge other processes.
    #[must_use]
    pub fn leases(&self) -> &Leases {
        &self.0.leases
    }

    /// API keys by type and text.
    #[must_use]
    pub fn keys(&self) -> &Cache<(String, String), db::api_token::ApiToken> {
        &self.0.keys
    }

    /// Reads of apps that API keys name.
    #[must_use]
    pub fn keyed_apps(&self) -> &Fresh<AppId, Option<KeyedApp>> {
        &self.0.keyed_apps
    }

    /// End users by app and session.
    #[must_use]
    pub fn end_users(&self) -> &moka::sync::Cache<(AppId, String), db::end_user::EndUser> {
        &self.0.end_users
    }

    /// Private keys of workspaces, read and parsed.
    pub(crate) fn tenant_keys(&self) -> &Cache<TenantId, Arc<TenantPrivateKey>> {
        &self.0.tenant_keys
    }

    /// Whether `what` was not asked for within the last minute on this node: for notes that need not be exact.
    #[must_use]
    pub fn due_this_minute(&self, what: &str) -> bool {
        let mut due = false;
        self.0.recent.get_with_by_ref(what, || due = true);
        due
    }

    /// Whether the server is known to be set up. `false` means: ask the database.
    #[must_use]
    pub fn is_set_up_known(&self) -> bool {
        self.0.set_up.load(Ordering::Relaxed)
    }

    /// Remembers that the server is set up; it stays so.
    pub fn note_set_up(&self) {
        self.0.set_up.store(true, Ordering::Relaxed);
    }
}
