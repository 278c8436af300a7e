//! The jobs that run now.

use boxed::boxed;
use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::registry::{JobContext, Outcome, Registry};
use crate::clock::Clock;
use crate::error::{JobFailure, JobsError};
use crate::job::Job;
use crate::queue::{JobQueue, Lease};
use crate::retry::RetryPolicy;

pub(super) struct Running {
    queue: Arc<dyn JobQueue>,
    registry: Arc<Registry>,
    clock: Clock,
    stop: CancellationToken,
    tasks: JoinSet<Outcome>,
    jobs: HashMap<Id, Work>,
    on_queue: HashMap<String, usize>,
}

struct Work {
    lease: Lease,
    job: Job,
    policy: RetryPolicy,
    started: Instant,
}

/// A job that ended and is not settled yet.
pub(super) struct Ended((Id, Outcome));

impl Running {
    pub fn new(queue: Arc<dyn JobQueue>, registry: Arc<Registry>, clock: Clock) -> Self {
        Self {
            queue,
            registry,
            clock,
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
            jobs: HashMap::new(),
            on_queue: HashMap::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub fn on_queue(&self, queue: &str) -> usize {
        self.on_queue.get(queue).copied().unwrap_or(0)
    }

    pub fn start(&mut self, lease: Lease, job: Job) {
        let entry = self.registry.find(&job.task);
        let policy = entry.as_ref().map(|entry| entry.policy).unwrap_or_default();
        let context = JobContext {
            stop: self.stop.clone(),
            is_last_attempt: job.retries >= policy.max_retries,
        };
        let span = tracing::info_span!(
            "job",
            job.task = job.task,
            job.id = job.id,
            job.retries = job.retries,
            request.id = job.request_id,
        );
        let request = net::RequestContext {
            request_id: job.request_id.clone().unwrap_or_else(|| job.id.clone()),
            traceparent: None,
        };
        let given = job.clone();
        let work = async move {
            let Some(entry) = entry else {
                return Err(JobFailure::fatal("no handler for this task in this release"));
            };
            match timeout(policy.time_limit, (entry.handler)(given, context)).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    Err(JobFailure::retry(format!("took longer than {:?}", policy.time_limit)))
                }
            }
        };
        let handle = self.tasks.spawn(net::with_context(request, work.instrument(span)));
        *self.on_queue.entry(lease.queue.clone()).or_default() += 1;
        let work = Work { lease, job, policy, started: Instant::now() };
        self.jobs.insert(handle.id(), work);
    }

    /// Waits for a job to end; `None` when none runs. Dropping the future loses nothing.
    #[boxed]
    pub async fn ended(&mut self) -> Option<Ended> {
        let outcome = match self.tasks.join_next_with_id().await? {
            Ok((id, outcome)) => (id, outcome),
            Err(err) if err.is_panic() => {
                (err.id(), Err(JobFailure::retry("the handler panicked")))
            }
            Err(err) => (err.id(), Err(JobFailure::retry("the handler was cancelled"))),
        };
        Some(Ended(outcome))
    }

    /// Tells the queue how a job ended. Must be awaited to its end.
    #[boxed]
    pub async fn settle(&mut self, Ended((id, outcome)): Ended) {
        let Some(work) = self.forget(id) else { return };
        let seconds = work.started.elapsed().as_secs_f64();
        let task = work.job.task.clone();
        let outcome = match self.tell(work, outcome).await {
            Ok(outcome) => outcome,
            Err(err) => {
                // The lease runs out by itself and the job comes again.
                tracing::warn!(job.task = task, error = %err, "could not settle a job");
                "unsettled"
            }
        };
        metrics::counter!("dify_jobs_total", "task" => task.clone(), "outcome" => outcome)
            .increment(1);
        metrics::histogram!("dify_job_seconds", "task" => task).record(seconds);
    }

    fn forget(&mut self, id: Id) -> Option<Work> {
        let work = self.jobs.remove(&id)?;
        if let Some(n) = self.on_queue.get_mut(&work.lease.queue) {
            *n = n.saturating_sub(1);
        }
        Some(work)
    }

    async fn tell(&self, work: Work, outcome: Outcome) -> Result<&'static str, JobsError> {
        let Work { lease, mut job, policy, .. } = work;
        match outcome {
            Ok(()) => {
                if !self.queue.finish(&lease).await? {
                    tracing::warn!(job.task, job.id, "a job took longer than its lease");
                }
                Ok("done")
            }
            Err(JobFailure::Retry { reason, after }) if job.retries < policy.max_retries => {
                let pause = after.unwrap_or_else(|| policy.pause(job.retries));
                job.retries += 1;
                job.eta = Some(self.clock.now() + pause);
                let pause_ms = pause.as_millis() as u64;
                tracing::warn!(job.task, job.id, job.retries, pause_ms, reason, "will retry a job");
                self.queue.retry(&lease, &job).await?;
                Ok("retried")
            }
            Err(failure) => {
                let reason = failure.to_string();
                tracing::error!(job.task, job.id, job.retries, reason, "gave up a job");
                self.queue.bury(&lease, &reason).await?;
                Ok("dead")
            }
        }
    }

    #[boxed]
    pub async fn extend_leases(&self) {
        let leases: Vec<Lease> = self.jobs.values().map(|work| work.lease.clone()).collect();
        match self.queue.extend(&leases).await {
            Ok(kept) if kept.len() == leases.len() => {}
            Ok(kept) => {
                let lost = leases.len() - kept.len();
                tracing::warn!(worker.lost = lost, "lost leases: jobs may run twice");
            }
            Err(err) => tracing::warn!(error = %err, "could not extend leases"),
        }
    }

    pub fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Cuts off what still runs and gives it back to its queue.
    #[boxed]
    pub async fn give_back(mut self) {
        self.tasks.shutdown().await;
        for (_, work) in self.jobs.drain() {
            tracing::warn!(work.job.task, work.job.id, "gave back an unfinished job");
            if let Err(err) = self.queue.release(&work.lease, &work.job).await {
                tracing::warn!(error = %err, "could not give back a job, its lease will run out");
            }
        }
    }
}
