//! Jobs in Redis, where kombu has them.
//!
//! Queues are lists, filled on the left and emptied on the right. What is handed out lies in the hash `unacked`, with
//! a score in `unacked_index`. kombu puts a message back when its score is an hour old; we use the same rule with
//! scores of our choice: `deadline - 1 hour`. So a lease of ours ends when we want, a job for later is "leased" until
//! its time, a Python worker takes part in all of that, and if one side is switched off the other side's jobs return.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use redis::{Limit, Redis};
use tokio::sync::watch;
use uuid::Uuid;

use crate::clock::Clock;
use crate::error::JobsError;
use crate::job::Job;
use crate::message::{decode, encode};
use crate::queue::{DeadLetter, Depth, JobQueue, Lease, Taken};

mod listener;
mod scripts;

/// kombu's keys.
const UNACKED: &str = "unacked";
const INDEX: &str = "unacked_index";
/// kombu's `visibility_timeout`, to which scores are relative.
const VISIBILITY: Duration = Duration::from_secs(3600);
/// Ours: jobs given up, newest first.
const DEAD: &str = "dify_rs:dead_letters";
const MAX_DEAD: usize = 10_000;
/// Ours: tells other processes which queue got something.
const CHANNEL: &str = "dify_rs:jobs";
/// Jobs put back at once.
const BATCH: usize = 100;
/// After this many processes died over a job it is the job's fault.
const MAX_REDELIVERIES: u32 = 5;

/// A queue in a Redis, or in this process for `Redis::in_process()`.
#[derive(Debug)]
pub struct RedisQueue {
    redis: Redis,
    clock: Clock,
    lease: Duration,
    changes: watch::Sender<u64>,
    /// Queues whose binding was written already.
    bound: Mutex<HashSet<String>>,
    listener: listener::Listener,
}

impl RedisQueue {
    /// A queue with leases of five minutes.
    ///
    /// # Errors
    /// [`JobsError::Config`] for a cluster: queues and leases lie in different slots there, as they do for Celery.
    pub fn new(redis: Redis) -> Result<Self, JobsError> {
        Self::with(redis, Clock::default(), Duration::from_secs(300))
    }

    /// A queue with a clock and a lease of one's own.
    ///
    /// # Errors
    /// As [`RedisQueue::new`].
    pub fn with(redis: Redis, clock: Clock, lease: Duration) -> Result<Self, JobsError> {
        if redis.is_cluster() {
            return Err(JobsError::Config(
                "CELERY_BROKER_URL must be a single Redis or Sentinel, not a cluster".to_owned(),
            ));
        }
        Ok(Self {
            redis,
            clock,
            lease,
            changes: watch::Sender::new(0),
            bound: Mutex::default(),
            listener: listener::Listener::default(),
        })
    }

    /// The score with which something returns to its queue `after` from now.
    fn score(&self, after: Duration) -> f64 {
        (self.clock.since_epoch() + after).as_secs_f64() - VISIBILITY.as_secs_f64()
    }

    /// The pipe that publishes a message.
    fn publish(&self, queue: &str, message: &str) -> redis::Pipe {
        let mut pipe = self.redis.atomic();
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        if bound.insert(queue.to_owned()) {
            // Without its binding kombu would not find the queue when it puts something back.
            let member = format!("{queue}\x06\x16\x06\x16{queue}");
            pipe = pipe.add("SADD", &format!("_kombu.binding.{queue}"), &[member.as_bytes()]);
        }
        pipe.add("LPUSH", queue, &[message.as_bytes()])
    }

    /// Tells workers here, and elsewhere.
    async fn announce(&self, queue: &str) {
        self.changes.send_modify(|n| *n += 1);
        if !self.redis.is_in_process()
            && let Err(err) = self.redis.publish(CHANNEL, queue).await
        {
            // Other processes ask every now and then anyway.
            tracing::debug!(error = %err, "could not announce a job");
        }
    }

    /// Puts one entry back into its queue, unless its lease changed meanwhile.
    async fn put_back(&self, tag: &str, score: f64) -> Result<bool, JobsError> {
        let Some(entry) = self.redis.hget(UNACKED, tag).await? else {
            self.redis.zrem(INDEX, &[tag.as_bytes()]).await?;
            return Ok(false);
        };
        let Some((message, queue)) = scripts::parse_entry(&entry) else {
            let lease = Lease { tag: tag.to_owned(), queue: String::new(), message: entry };
            self.bury(&lease, "not an entry of kombu").await?;
            return Ok(false);
        };
        let lease = Lease { tag: tag.to_owned(), queue, message };
        let returned = match decode(&lease.message, &lease.queue) {
            // A job for later: its time has come, nobody failed.
            Ok(mut job) if job.eta.is_some() => {
                job.eta = None;
                encode(&job)
            }
            Ok(job) if job.redeliveries >= MAX_REDELIVERIES => {
                let reason = format!("its worker died or hung {} times", job.redeliveries + 1);
                self.bury(&lease, &reason).await?;
                return Ok(false);
            }
            Ok(mut job) => {
                job.redeliveries += 1;
                encode(&job)
            }
            Err(err) => {
                self.bury(&lease, &err.to_string()).await?;
                return Ok(false);
            }
        };
        let score = Some(score);
        Ok(scripts::put_back(&self.redis, tag, score, &lease.queue, &returned).await?)
    }
}

#[async_trait]
impl JobQueue for RedisQueue {
    async fn enqueue(&self, job: Job) -> Result<String, JobsError> {
        let job = job.ready(self.clock.now())?;
        if job.queue.is_empty() || job.queue.contains(['"', '\\']) {
            return Err(JobsError::InvalidJob(format!("queue {:?}", job.queue)));
        }
        let sent = self.publish(&job.queue, &encode(&job)).exec().await;
        if let Err(err) = sent {
            self.bound.lock().unwrap_or_else(PoisonError::into_inner).remove(&job.queue);
            return Err(err.into());
        }
        self.announce(&job.queue).await;
        Ok(job.id)
    }

    async fn take(&self, wanted: &[(&str, usize)]) -> Result<Vec<Taken>, JobsError> {
        let wanted: Vec<(&str, usize)> =
            wanted.iter().copied().filter(|(_, most)| *most > 0).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let prefix = Uuid::new_v4().to_string();
        let found = scripts::take(&self.redis, self.score(self.lease), &prefix, &wanted).await?;
        let now = self.clock.now();
        let mut taken = Vec::new();
        for (tag, queue, message) in found {
            let job = decode(&message, &queue);
            let lease = Lease { tag, queue, message };
            match &job {
                Ok(job) if job.expires.is_some_and(|at| at <= now) => {
                    tracing::info!(job.task, job.id, "dropped a job that came too late");
                    self.finish(&lease).await?;
                }
                Ok(Job { eta: Some(eta), .. }) if *eta > now => {
                    let after = (*eta - now).to_std().unwrap_or_default();
                    scripts::extend(&self.redis, self.score(after), &[&lease.tag]).await?;
                }
                _ => taken.push(Taken { lease, job }),
            }
        }
        Ok(taken)
    }

    fn lease(&self) -> Duration {
        self.lease
    }

    async fn extend(&self, leases: &[Lease]) -> Result<Vec<Lease>, JobsError> {
        if leases.is_empty() {
            return Ok(Vec::new());
        }
        let tags: Vec<&str> = leases.iter().map(|lease| lease.tag.as_str()).collect();
        let kept = scripts::extend(&self.redis, self.score(self.lease), &tags).await?;
        let kept: HashSet<String> = kept.into_iter().collect();
        Ok(leases.iter().filter(|lease| kept.contains(&lease.tag)).cloned().collect())
    }

    async fn finish(&self, lease: &Lease) -> Result<bool, JobsError> {
        Ok(scripts::finish(&self.redis, &lease.tag).await?)
    }

    async fn retry(&self, lease: &Lease, job: &Job) -> Result<bool, JobsError> {
        let after = job.eta.map(|eta| (eta - self.clock.now()).to_std().unwrap_or_default());
        let score = self.score(after.unwrap_or_default());
        let tag = Uuid::new_v4().to_string();
        let entry = scripts::entry(encode(job).as_bytes(), &job.queue);
        Ok(scripts::replace(&self.redis, &lease.tag, &tag, &entry, score).await?)
    }

    async fn release(&self, lease: &Lease, job: &Job) -> Result<bool, JobsError> {
        let message = encode(job);
        let back = scripts::put_back(&self.redis, &lease.tag, None, &lease.queue, &message).await?;
        self.announce(&lease.queue).await;
        Ok(back)
    }

    async fn bury(&self, lease: &Lease, reason: &str) -> Result<bool, JobsError> {
        let job = decode(&lease.message, &lease.queue).ok();
        let letter = DeadLetter {
            id: job.as_ref().map_or_else(|| lease.tag.clone(), |job| job.id.clone()),
            task: job.as_ref().map(|job| job.task.clone()),
            queue: lease.queue.clone(),
            reason: reason.to_owned(),
            failed_at: self.clock.now(),
            retries: job.as_ref().map_or(0, |job| job.retries),
            message: String::from_utf8_lossy(&lease.message).into_owned(),
        };
        let letter =
            serde_json::to_vec(&letter).map_err(|err| JobsError::InvalidJob(err.to_string()))?;
        Ok(scripts::bury(&self.redis, &lease.tag, DEAD, &letter, MAX_DEAD).await?)
    }

    async fn reclaim(&self) -> Result<usize, JobsError> {
        let now = Limit::Including(self.score(Duration::ZERO));
        let due = self.redis.zrangebyscore(INDEX, Limit::Lowest, now, BATCH).await?;
        let mut back = 0;
        for tag in due {
            let tag = String::from_utf8_lossy(&tag).into_owned();
            let Some(score) = self.redis.zscore(INDEX, tag.as_bytes()).await? else { continue };
            if self.put_back(&tag, score).await? {
                back += 1;
            }
        }
        if back > 0 {
            self.changes.send_modify(|n| *n += 1);
        }
        Ok(back)
    }

    async fn depth(&self, queue: &str) -> Result<Depth, JobsError> {
        let ready = self.redis.llen(queue).await?;
        let next = self.redis.lindex(queue, -1).await?;
        let since = next.and_then(|message| decode(&message, queue).ok()?.enqueued_at);
        let age = since.map(|since: DateTime<_>| self.clock.now() - since);
        Ok(Depth { ready, oldest: age.map(|age| age.to_std().unwrap_or_default()) })
    }

    async fn dead_letters(&self, skip: usize, most: usize) -> Result<Vec<DeadLetter>, JobsError> {
        let first = i64::try_from(skip).unwrap_or(i64::MAX);
        let last = i64::try_from((skip + most).saturating_sub(1)).unwrap_or(i64::MAX);
        if most == 0 {
            return Ok(Vec::new());
        }
        let found = self.redis.lrange(DEAD, first, last).await?;
        Ok(found.iter().filter_map(|letter| serde_json::from_slice(letter).ok()).collect())
    }

    async fn revive(&self, id: &str) -> Result<bool, JobsError> {
        for raw in self.redis.lrange(DEAD, 0, -1).await? {
            let Ok(letter) = serde_json::from_slice::<DeadLetter>(&raw) else { continue };
            if letter.id != id {
                continue;
            }
            let mut job = decode(letter.message.as_bytes(), &letter.queue)?;
            (job.retries, job.redeliveries, job.eta) = (0, 0, None);
            let moved =
                scripts::revive(&self.redis, DEAD, &raw, &letter.queue, &encode(&job)).await?;
            self.announce(&letter.queue).await;
            return Ok(moved);
        }
        Ok(false)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.listener.start(&self.redis, &self.changes, CHANNEL);
        self.changes.subscribe()
    }
}
