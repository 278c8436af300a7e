//! Caches of hot reads: a time to live, and invalidation by tag that reaches every node.
//!
//! A cached value remembers the version each of its tags had before it was loaded. Outdating a tag raises its version,
//! so a value that was being loaded at that moment is out of date as well.

use boxed::boxed;
use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use moka::future::Cache as Moka;

/// The Redis channel on which outdated tags are announced.
const CHANNEL: &str = "dify_rs:cache:outdated";

/// How many tags may be known before those without a cached value are swept out.
const SWEEP_AT: usize = 4096;

/// Pauses between attempts to listen.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_LAST: Duration = Duration::from_secs(5);

type Version = Arc<AtomicU64>;

/// Announces tags whose cached values are out of date, and drops them here when another node announces them.
#[derive(Clone)]
pub struct Invalidation(Arc<Hub>);

struct Hub {
    redis: redis::Redis,
    versions: Mutex<HashMap<String, Weak<AtomicU64>>>,
}

impl Invalidation {
    /// A hub that talks over `redis`.
    #[must_use]
    pub fn new(redis: redis::Redis) -> Self {
        Self(Arc::new(Hub { redis, versions: Mutex::default() }))
    }

    /// Drops every value cached under `tag`, on this node now and on the others as the announcement reaches them.
    #[boxed]
    pub async fn outdate(&self, tag: &str) {
        self.raise(tag);
        if let Err(err) = self.0.redis.publish(CHANNEL, tag.as_bytes()).await {
            tracing::warn!(error = %err, "could not announce an outdated cache entry; other nodes wait for its time to live");
        }
    }

    /// Listens to the announcements of other nodes, for ever: Redis may come after the server, and go and come back.
    /// The server runs this once.
    #[boxed]
    pub async fn listen(&self) {
        let mut pause = RETRY_FIRST;
        loop {
            match self.0.redis.subscribe(CHANNEL).await {
                Ok(mut announcements) => {
                    pause = RETRY_FIRST;
                    while let Some(tag) = announcements.next().await {
                        self.raise(&String::from_utf8_lossy(&tag));
                    }
                }
                Err(err) => {
                    tracing::warn!(error = %err, "cannot listen for outdated cache entries; trying again");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY_LAST);
        }
    }

    fn raise(&self, tag: &str) {
        let versions = self.0.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(version) = versions.get(tag).and_then(Weak::upgrade) {
            version.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn version(&self, tag: String) -> Version {
        let mut versions = self.0.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(version) = versions.get(&tag).and_then(Weak::upgrade) {
            return version;
        }
        if SWEEP_AT <= versions.len() {
            versions.retain(|_, version| 0 < version.strong_count());
        }
        let version = Version::default();
        versions.insert(tag, Arc::downgrade(&version));
        version
    }
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    tags: Arc<[(Version, u64)]>,
}

impl<V> Entry<V> {
    fn is_current(&self) -> bool {
        self.tags.iter().all(|(version, seen)| version.load(Ordering::Acquire) == *seen)
    }
}

/// A cache of values that are loaded on demand. A clone shares the values.
#[derive(Clone)]
pub struct Cache<K, V> {
    hub: Invalidation,
    values: Moka<K, Entry<V>>,
}

impl<K, V> Cache<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A cache of at most `capacity` values, each kept for at most `ttl`.
    #[must_use]
    pub fn new(hub: &Invalidation, capacity: u64, ttl: Duration) -> Self {
        let values = Moka::builder().max_capacity(capacity).time_to_live(ttl).build();
        Self { hub: hub.clone(), values }
    }

    /// A cache of values that weigh at most `most` together; heavier ones are found anew every time.
    #[must_use]
    pub fn weighted(
        hub: &Invalidation,
        most: u64,
        ttl: Duration,
        weight: impl Fn(&V) -> u32 + Send + Sync + 'static,
    ) -> Self {
        let values = Moka::builder()
            .max_capacity(most)
            .time_to_live(ttl)
            .weigher(move |_, entry: &Entry<V>| weight(&entry.value))
            .build();
        Self { hub: hub.clone(), values }
    }

    /// The cached value, or what `load` finds. `tags` names what makes it out of date.
    ///
    /// # Errors
    /// What `load` answers; errors and `None` are not kept.
    pub async fn find<E>(
        &self,
        key: K,
        tags: impl IntoIterator<Item = String>,
        load: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<V>, E> {
        match self.values.get(&key).await {
            Some(entry) if entry.is_current() => return Ok(Some(entry.value)),
            _ => {}
        }
        let tags = tags
            .into_iter()
            .map(|tag| {
                let version = self.hub.version(tag);
                let seen = version.load(Ordering::Acquire);
                (version, seen)
            })
            .collect();
        let Some(value) = load.await? else { return Ok(None) };
        self.values.insert(key, Entry { value: value.clone(), tags }).await;
        Ok(Some(value))
    }
}
