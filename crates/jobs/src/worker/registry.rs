//! Handlers by task.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::error::JobFailure;
use crate::job::Job;
use crate::retry::RetryPolicy;
use crate::tasks::Task;

/// What a handler knows besides its job.
#[derive(Debug, Clone)]
pub struct JobContext {
    /// Cancelled when the worker is to stop: long work should come to a safe point, and return or be cut off.
    pub stop: CancellationToken,
    /// True if this is the last attempt, so that a failure will not be tried again.
    pub is_last_attempt: bool,
}

pub(super) type Outcome = Result<(), JobFailure>;
type Handler =
    dyn Fn(Job, JobContext) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync;

#[derive(Clone)]
pub(super) struct Entry {
    pub handler: Arc<Handler>,
    pub policy: RetryPolicy,
}

/// The handlers of a worker.
#[derive(Default)]
pub struct Registry {
    entries: HashMap<&'static str, Entry>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("tasks", &self.entries.len()).finish()
    }
}

impl Registry {
    /// No handlers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler with the default retries. **It must be idempotent**: a job may come twice, also after it was
    /// done, if the worker died in between.
    #[must_use]
    pub fn on<F, W>(self, task: Task, handler: F) -> Self
    where
        F: Fn(Job, JobContext) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), JobFailure>> + Send + 'static,
    {
        self.on_with(task, RetryPolicy::default(), handler)
    }

    /// Adds a handler with retries of its own. It must be idempotent.
    #[must_use]
    pub fn on_with<F, W>(mut self, task: Task, policy: RetryPolicy, handler: F) -> Self
    where
        F: Fn(Job, JobContext) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), JobFailure>> + Send + 'static,
    {
        let handler = Arc::new(move |job, context| {
            let work: Pin<Box<dyn Future<Output = Outcome> + Send>> =
                Box::pin(handler(job, context));
            work
        });
        self.entries.insert(task.name, Entry { handler, policy });
        self
    }

    /// True if there is a handler.
    #[must_use]
    pub fn knows(&self, task: Task) -> bool {
        self.entries.contains_key(task.name)
    }

    pub(super) fn find(&self, name: &str) -> Option<Entry> {
        self.entries.get(name).cloned()
    }
}
