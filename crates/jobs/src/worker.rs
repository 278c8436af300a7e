//! Runs jobs: takes what it has room for, extends leases, retries, buries, and stops in order.

use boxed::boxed;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error::JobsError;
use crate::queue::{JobQueue, Taken};

mod registry;
mod running;

pub use registry::{JobContext, Registry};
use running::Running;

/// What a worker works on.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Queues, and how many jobs of each may run at once.
    pub queues: Vec<(String, usize)>,
    /// Jobs that may run at once over all queues.
    pub total: usize,
    /// How often queues are asked when nothing announces itself (jobs of Python producers, jobs for later).
    pub poll: Duration,
    /// How long running jobs may go on after a stop is asked for; then they are cancelled and given back.
    pub stop_within: Duration,
    /// Time, for retries.
    pub clock: Clock,
}

impl WorkerOptions {
    /// The same limit for every queue, twice that in total.
    #[must_use]
    pub fn new<S: Into<String>>(queues: impl IntoIterator<Item = S>, per_queue: usize) -> Self {
        Self {
            queues: queues.into_iter().map(|queue| (queue.into(), per_queue.max(1))).collect(),
            total: per_queue.max(1) * 2,
            poll: Duration::from_millis(500),
            stop_within: Duration::from_secs(30),
            clock: Clock::default(),
        }
    }
}

/// A process's worker. Several, here or elsewhere, share the work.
#[derive(Debug)]
pub struct Worker {
    queue: Arc<dyn JobQueue>,
    registry: Arc<Registry>,
    options: WorkerOptions,
}

impl Worker {
    /// A worker with its handlers.
    #[must_use]
    pub fn new(queue: Arc<dyn JobQueue>, registry: Registry, options: WorkerOptions) -> Self {
        Self { queue, registry: Arc::new(registry), options }
    }

    /// Works until `stop`; returns when every job is finished, buried, or given back.
    #[boxed]
    pub async fn run(self, stop: CancellationToken) {
        let mut changes = self.queue.changes();
        let mut running =
            Running::new(self.queue.clone(), self.registry.clone(), self.options.clock.clone());
        let mut renew = interval((self.queue.lease() / 3).max(Duration::from_millis(10)));
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut poll = interval(self.options.poll.max(Duration::from_millis(1)));
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sample = interval(Duration::from_secs(15));
        sample.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut turn = 0_usize;
        tracing::info!(worker.queues = self.options.queues.len(), "the worker takes jobs");

        while !stop.is_cancelled() {
            turn = turn.wrapping_add(1);
            changes.borrow_and_update();
            match self.fill(&mut running, turn).await {
                // There may be more, and there may be room.
                Ok(taken) if taken > 0 => continue,
                Ok(_) => {}
                Err(err) => {
                    tracing::warn!(error = %err, "could not take jobs");
                    tokio::select! {
                        () = tokio::time::sleep(Duration::from_secs(1)) => {}
                        () = stop.cancelled() => break,
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = changes.changed() => {}
                Some(ended) = running.ended(), if !running.is_empty() => running.settle(ended).await,
                _ = renew.tick() => running.extend_leases().await,
                _ = sample.tick() => self.sample(&running),
                _ = poll.tick() => match self.queue.reclaim().await {
                    Ok(_) => {}
                    Err(err) => tracing::warn!(error = %err, "could not put jobs back"),
                },
            }
        }
        self.stop(running, &mut renew).await;
    }

    /// Takes as many jobs as there is room for; how many were taken.
    async fn fill(&self, running: &mut Running, turn: usize) -> Result<usize, JobsError> {
        let mut room = self.options.total.saturating_sub(running.len());
        let count = self.options.queues.len().max(1);
        let mut wanted = Vec::new();
        // A different queue is first each time, so that none starves when room is short.
        for (queue, most) in self.options.queues.iter().cycle().skip(turn % count).take(count) {
            let free = most.saturating_sub(running.on_queue(queue)).min(room);
            room -= free;
            if free > 0 {
                wanted.push((queue.as_str(), free));
            }
        }
        if wanted.is_empty() {
            return Ok(0);
        }
        let taken = self.queue.take(&wanted).await?;
        let count = taken.len();
        for Taken { lease, job } in taken {
            match job {
                Ok(job) => running.start(lease, job),
                Err(err) => {
                    tracing::error!(queue = lease.queue, error = %err, "buried an unreadable message");
                    if let Err(err) = self.queue.bury(&lease, &err.to_string()).await {
                        // Its lease runs out, and it is buried then.
                        tracing::warn!(error = %err, "could not bury a message");
                    }
                }
            }
        }
        Ok(count)
    }

    async fn stop(&self, mut running: Running, renew: &mut tokio::time::Interval) {
        tracing::info!(worker.running = running.len(), "the worker takes no more jobs");
        running.ask_to_stop();
        let deadline = Instant::now() + self.options.stop_within;
        while !running.is_empty() {
            tokio::select! {
                Some(ended) = running.ended() => running.settle(ended).await,
                _ = renew.tick() => running.extend_leases().await,
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        running.give_back().await;
        tracing::info!("the worker has stopped");
    }

    /// How much is being worked on. (How much waits is read from the queue by whoever is asked for metrics.)
    fn sample(&self, running: &Running) {
        let mut on_queue: HashMap<&str, usize> = HashMap::new();
        for (queue, _) in &self.options.queues {
            on_queue.insert(queue, running.on_queue(queue));
        }
        for (queue, n) in on_queue {
            metrics::gauge!("dify_jobs_running", "queue" => queue.to_owned()).set(n as f64);
        }
    }
}
