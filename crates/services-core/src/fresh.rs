//! Reads that concurrent requests share without ever seeing an old value.
//!
//! A cache is either told of every change or wrong. Here nothing is kept: who asks for a value while somebody else is
//! reading it waits for the *next* read, which begins after he asked, and shares that one with everybody who came
//! meanwhile. So each request sees what was committed before it came, on whichever node and by whichever program, and
//! a burst of requests costs two reads instead of one each.

use std::{
    future::Future,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Mutex;

/// Places of values that nobody has asked for this long are forgotten.
const IDLE: Duration = Duration::from_secs(60);

/// Shared reads by key. A clone shares them.
pub struct Fresh<K, V>(moka::sync::Cache<K, Arc<Place<V>>>);

impl<K, V> Clone for Fresh<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Place<V> {
    /// Reads that have begun.
    begun: AtomicU64,
    /// The last read that has ended: its number, and what it found.
    last: Mutex<(u64, Option<V>)>,
}

impl<K, V> Fresh<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Reads of at most `capacity` keys at a time are shared.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        Self(moka::sync::Cache::builder().max_capacity(capacity).time_to_idle(IDLE).build())
    }

    /// What `load` finds, or what another caller's `load` found that began after this call.
    ///
    /// # Errors
    /// What `load` answers; nobody else sees it.
    pub async fn find<E>(&self, key: &K, load: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let place = self.0.get_with_by_ref(key, || {
            Arc::new(Place { begun: AtomicU64::new(0), last: Mutex::new((0, None)) })
        });
        let seen = place.begun.load(Ordering::SeqCst);
        // First come, first served: everybody who waits here came before the read began that the first of them starts.
        let mut last = place.last.lock().await;
        if let (number, Some(value)) = &*last
            && seen < *number
        {
            return Ok(value.clone());
        }
        let number = place.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let value = load.await?;
        *last = (number, Some(value.clone()));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn a_read_that_began_before_is_never_shared() {
        let reads = Fresh::<&str, u32>::new(10);
        let count = AtomicU32::new(0);
        let go = Notify::new();
        let read = || async {
            let number = count.fetch_add(1, Ordering::SeqCst);
            if number == 0 {
                go.notified().await;
            }
            Ok::<_, ()>(number)
        };
        let first = reads.find(&"k", read());
        let later = async {
            tokio::task::yield_now().await;
            let others = (0..5).map(|_| reads.find(&"k", read()));
            let others = futures::future::join_all(others);
            let release = async {
                tokio::task::yield_now().await;
                go.notify_one();
            };
            tokio::join!(others, release).0
        };
        let (first, later) = tokio::join!(first, later);
        assert_eq!(first, Ok(0));
        assert_eq!(later, vec![Ok(1); 5], "one read, begun after the first, serves them all");
        assert_eq!(reads.find(&"k", read()).await, Ok(2), "nothing is kept");
    }

    #[tokio::test]
    async fn a_failure_is_nobody_else_s() {
        let reads = Fresh::<&str, u32>::new(10);
        let failing = reads.find(&"k", async {
            tokio::task::yield_now().await;
            Err("broken")
        });
        let working = reads.find(&"k", async { Ok::<_, &str>(1) });
        assert_eq!(tokio::join!(failing, working), (Err("broken"), Ok(1)));
    }
}
