//! The daemon as a source of models.

use boxed::boxed;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use model_runtime::{ModelProvider, ProviderSource};
use moka::future::Cache;
use types::TenantId;

use crate::{
    client::Daemon,
    error::DaemonError,
    provider::{PluginProvider, SchemaCache},
};

/// How long a workspace's list is taken for fresh.
const FRESH: Duration = Duration::from_secs(5);
/// How long an old list serves while the daemon is away.
const KEPT: Duration = Duration::from_secs(3600);
/// How long callers wait for a list.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a daemon that was away is not asked again.
const PAUSE: Duration = Duration::from_secs(10);
/// Workspaces whose lists are kept.
const WORKSPACES: u64 = 4096;

type List = Arc<[Arc<dyn ModelProvider>]>;

/// The models of installed plugins. Cheap to clone.
///
/// A daemon that goes away costs its callers [`PATIENCE`] once. Until it is back they get the last list that is known,
/// without waiting; whether it is back is found out beside them, every [`PAUSE`] that anyone asks.
#[derive(Clone)]
pub struct PluginModels(Arc<Inner>);

struct Inner {
    daemon: Daemon,
    fresh: Cache<TenantId, List>,
    kept: Cache<TenantId, List>,
    schemas: SchemaCache,
    /// When a daemon that is away is asked again; `None`: it is there, or nobody asked yet.
    ask_again: Mutex<Option<Instant>>,
}

impl PluginModels {
    /// The models behind `daemon`.
    #[must_use]
    pub fn new(daemon: Daemon) -> Self {
        let schemas = SchemaCache::new(daemon.options().schema_ttl);
        let cache = |ttl| Cache::builder().max_capacity(WORKSPACES).time_to_live(ttl).build();
        Self(Arc::new(Inner {
            daemon,
            fresh: cache(FRESH),
            kept: cache(KEPT),
            schemas,
            ask_again: Mutex::new(None),
        }))
    }

    /// Forgets a workspace's list, after plugins were installed or removed.
    #[boxed]
    pub async fn forget(&self, tenant: TenantId) {
        self.0.fresh.invalidate(&tenant).await;
    }

    /// Whether the daemon answered when it was last asked.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.0.ask_again().is_none()
    }
}

impl Inner {
    fn ask_again(&self) -> MutexGuard<'_, Option<Instant>> {
        self.ask_again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, away: bool) {
        *self.ask_again() = away.then(|| Instant::now() + PAUSE);
    }

    /// Whether this caller shall find out if the daemon is back.
    fn is_due(&self) -> bool {
        let mut ask_again = self.ask_again();
        let due = ask_again.is_some_and(|at| at <= Instant::now());
        if due {
            *ask_again = Some(Instant::now() + PAUSE);
        }
        due
    }

    /// The list, asked for by one of all callers that want it at the same time.
    async fn list(&self, tenant: TenantId) -> Option<List> {
        self.fresh.try_get_with(tenant, self.load(tenant)).await.ok()
    }

    async fn load(&self, tenant: TenantId) -> Result<List, DaemonError> {
        let rows = tokio::time::timeout(PATIENCE, self.daemon.list_model_providers(tenant));
        let rows = rows.await.unwrap_or_else(|_| {
            Err(DaemonError::NotReached { path: format!("plugin/{tenant}/management/models") })
        });
        match rows {
            Ok(rows) => {
                self.note(false);
                let mut seen = HashSet::new();
                let made = rows
                    .into_iter()
                    .map(|row| PluginProvider::new(self.daemon.clone(), row, self.schemas.clone()));
                let list: List = made
                    .filter(|provider| seen.insert(provider.schema().provider.clone()))
                    .map(|provider| Arc::new(provider) as Arc<dyn ModelProvider>)
                    .collect();
                self.kept.insert(tenant, Arc::clone(&list)).await;
                Ok(list)
            }
            Err(error) => {
                self.note(true);
                tracing::warn!(%error, "the plugin daemon gives no models; it is left alone for a while");
                Err(error)
            }
        }
    }
}

#[async_trait]
impl ProviderSource for PluginModels {
    async fn providers(&self, tenant: TenantId) -> Vec<Arc<dyn ModelProvider>> {
        let inner = &self.0;
        let list = if self.is_available() {
            inner.list(tenant).await
        } else {
            if inner.is_due() {
                let inner = Arc::clone(inner);
                // Ends within the time limit of a list; nothing waits for it.
                tokio::spawn(async move { inner.list(tenant).await });
            }
            inner.fresh.get(&tenant).await
        };
        let list = match list {
            Some(list) => Some(list),
            None => inner.kept.get(&tenant).await,
        };
        list.map(|list| list.to_vec()).unwrap_or_default()
    }
}
