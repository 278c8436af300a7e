//! The runs of this process: found by task id, stopped by it, kept a while after their end for clients that come back.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    basic::Caller,
    log::RunLog,
    wire::{Detail, Prefix},
};

/// How long a run is kept that nobody asked to keep: a client whose connection broke at the end finds it.
const MOMENT: Duration = Duration::from_secs(5);

/// A run by one of its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunKey {
    /// The task id clients stop it by.
    Task(Uuid),
    /// The workflow run clients re-attach to.
    WorkflowRun(Uuid),
}

/// A run of this process.
pub struct Run {
    /// The name clients stop it by.
    pub task: Uuid,
    /// What it told so far.
    pub log: Arc<RunLog>,
    /// Cancelled when the run is to end early.
    pub cancel: CancellationToken,
    /// What its events begin with, once that is known; a client that comes back needs it.
    pub prefix: OnceLock<Prefix>,
    /// How much of its events clients see, once that is known.
    pub detail: OnceLock<Detail>,
    /// Whose run it is, once that is known.
    pub owner: OnceLock<Caller>,
    stopped_by_user: AtomicBool,
    kept: AtomicBool,
    delivered: Notify,
}

impl Run {
    /// Keeps the log for the hub's whole time after the run's end: somebody means to come back for it.
    pub fn keep(&self) {
        self.kept.store(true, Ordering::Release);
    }

    /// The client has everything: unless somebody asked to keep the log, it need not wait for anybody.
    pub fn delivered(&self) {
        self.delivered.notify_one();
    }

    /// Ends the run early because a user asked for it; the provider's socket closes.
    pub fn stop(&self) {
        self.stopped_by_user.store(true, Ordering::Release);
        self.cancel.cancel();
    }

    /// Whether a user stopped the run (and not a time limit or the server's end).
    #[must_use]
    pub fn is_stopped_by_user(&self) -> bool {
        self.stopped_by_user.load(Ordering::Acquire)
    }
}

/// The runs of this process. A clone shares them.
#[derive(Clone)]
pub struct RunHub(Arc<Inner>);

struct Inner {
    runs: Mutex<HashMap<RunKey, Arc<Run>>>,
    keep: Duration,
    shutdown: CancellationToken,
}

impl RunHub {
    /// A hub that keeps ended runs for `keep` if somebody means to come back for them, else for a moment; it cancels all
    /// when `shutdown` fires.
    #[must_use]
    pub fn new(keep: Duration, shutdown: CancellationToken) -> Self {
        Self(Arc::new(Inner { runs: Mutex::default(), keep, shutdown }))
    }

    /// Registers a new run under its task id. Drop the guard when the run is over: that closes its log.
    #[must_use]
    pub fn register(&self, task: Uuid) -> RunGuard {
        let run = Arc::new(Run {
            task,
            log: Arc::default(),
            cancel: self.0.shutdown.child_token(),
            prefix: OnceLock::new(),
            detail: OnceLock::new(),
            owner: OnceLock::new(),
            stopped_by_user: AtomicBool::new(false),
            kept: AtomicBool::new(false),
            delivered: Notify::new(),
        });
        self.insert(RunKey::Task(task), run.clone());
        RunGuard { hub: self.clone(), run, keys: vec![RunKey::Task(task)] }
    }

    /// The run, while it goes on and a while after.
    #[must_use]
    pub fn find(&self, key: RunKey) -> Option<Arc<Run>> {
        self.runs().get(&key).cloned()
    }

    /// How many runs are known, ended ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs().keys().filter(|key| matches!(key, RunKey::Task(_))).count()
    }

    /// Whether no run is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The runs that go on.
    #[must_use]
    pub fn running(&self) -> Vec<Arc<Run>> {
        let is_task = |key: &RunKey| matches!(key, RunKey::Task(_));
        let runs = self.runs();
        let tasks = runs.iter().filter(|(key, _)| is_task(key)).map(|(_, run)| run);
        tasks.filter(|run| !run.log.is_closed()).cloned().collect()
    }

    fn insert(&self, key: RunKey, run: Arc<Run>) {
        self.runs().insert(key, run);
    }

    fn runs(&self) -> std::sync::MutexGuard<'_, HashMap<RunKey, Arc<Run>>> {
        self.0.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds a run open. Dropping it closes the log, however the run ended.
pub struct RunGuard {
    hub: RunHub,
    run: Arc<Run>,
    keys: Vec<RunKey>,
}

impl RunGuard {
    /// The run.
    #[must_use]
    pub fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// Gives the run a second name.
    pub fn also(&mut self, key: RunKey) {
        self.hub.insert(key, self.run.clone());
        self.keys.push(key);
    }
}

impl Drop for RunGuard {
    fn drop(&mut self) {
        self.run.log.close();
        let hub = self.hub.clone();
        let keys = std::mem::take(&mut self.keys);
        let run = Arc::clone(&self.run);
        let forget = move || {
            let mut runs = hub.runs();
            for key in keys {
                // A run that went on after a pause has the names of the part before.
                if runs.get(&key).is_some_and(|it| Arc::ptr_eq(it, &run)) {
                    runs.remove(&key);
                }
            }
        };
        let keep = self.hub.0.keep;
        let run = Arc::clone(&self.run);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !keep.is_zero() => {
                runtime.spawn(async move {
                    let ended = Instant::now();
                    // Logs of long runs are large, and most clients have read theirs by now.
                    let _ = tokio::time::timeout(keep.min(MOMENT), run.delivered.notified()).await;
                    if run.kept.load(Ordering::Acquire) {
                        tokio::time::sleep_until(ended + keep).await;
                    }
                    forget();
                });
            }
            _ => forget(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_guard_closes_the_log_and_forgets_the_run() {
        let hub = RunHub::new(Duration::ZERO, CancellationToken::new());
        let task = Uuid::new_v4();
        let guard = hub.register(task);
        let run = hub.find(RunKey::Task(task)).unwrap();
        assert!(!run.log.is_closed());
        drop(guard);
        assert!(run.log.is_closed());
        assert!(hub.find(RunKey::Task(task)).is_none());
    }

    #[tokio::test]
    async fn the_end_of_one_part_of_a_run_does_not_hide_the_next() {
        let hub = RunHub::new(Duration::ZERO, CancellationToken::new());
        let task = Uuid::new_v4();
        let first = hub.register(task);
        let second = hub.register(task);
        drop(first);
        assert!(hub.find(RunKey::Task(task)).is_some_and(|run| !run.log.is_closed()));
        drop(second);
        assert!(hub.find(RunKey::Task(task)).is_none());
    }

    #[tokio::test]
    async fn a_log_waits_only_for_clients_that_may_come_back() {
        let hub = RunHub::new(Duration::from_secs(300), CancellationToken::new());
        let ended = |how: fn(&Run)| {
            let task = Uuid::new_v4();
            how(hub.register(task).run());
            RunKey::Task(task)
        };
        let broken = ended(|_| {});
        let kept = ended(|run| {
            run.keep();
            run.delivered();
        });
        let delivered = ended(Run::delivered);
        while hub.find(delivered).is_some() {
            tokio::task::yield_now().await;
        }
        assert!(hub.find(kept).is_some() && hub.find(broken).is_some());
    }

    #[tokio::test]
    async fn stop_and_shutdown_cancel_but_only_stop_is_the_user_s() {
        let shutdown = CancellationToken::new();
        let hub = RunHub::new(Duration::ZERO, shutdown.clone());
        let stopped = hub.register(Uuid::new_v4());
        let other = hub.register(Uuid::new_v4());
        stopped.run().stop();
        assert!(stopped.run().is_stopped_by_user() && !other.run().cancel.is_cancelled());
        shutdown.cancel();
        assert!(other.run().cancel.is_cancelled() && !other.run().is_stopped_by_user());
    }
}
