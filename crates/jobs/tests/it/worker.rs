use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jobs::tasks::{CLEAN_DOCUMENT, DOCUMENT_INDEXING_UPDATE};
use jobs::{Job, JobFailure, JobQueue, Registry, RetryPolicy, Worker, WorkerOptions};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Bench, benches};

struct Started {
    stop: CancellationToken,
    done: JoinHandle<()>,
}

impl Started {
    async fn stop(self) {
        self.stop.cancel();
        self.done.await.unwrap();
    }
}

fn start_with(
    bench: &Bench,
    registry: Registry,
    change: impl FnOnce(&mut WorkerOptions),
) -> Started {
    let mut options = WorkerOptions::new(["dataset"], 2);
    options.poll = Duration::from_millis(5);
    options.clock = bench.clock.clone();
    change(&mut options);
    let stop = CancellationToken::new();
    let worker = Worker::new(bench.queue.clone(), registry, options);
    let done = tokio::spawn(worker.run(stop.clone()));
    Started { stop, done }
}

fn start(bench: &Bench, registry: Registry) -> Started {
    start_with(bench, registry, |_| ())
}

fn channel() -> (UnboundedSender<Job>, UnboundedReceiver<Job>) {
    unbounded_channel()
}

fn job() -> Job {
    Job::new(DOCUMENT_INDEXING_UPDATE).set("dataset_id", "d").set("document_id", "x")
}

/// Until the condition holds; the condition changes by work already under way.
async fn eventually<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    let wait = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("it never happened");
}

#[tokio::test]
async fn jobs_run_with_the_request_that_caused_them() {
    for bench in benches() {
        let (seen, mut jobs) = unbounded_channel();
        let registry = Registry::new().on(DOCUMENT_INDEXING_UPDATE, move |job, context| {
            let seen = seen.clone();
            async move {
                seen.send((job, net::request_id(), context.is_last_attempt)).unwrap();
                Ok(())
            }
        });
        let worker = start(&bench, registry);
        let context = net::RequestContext { request_id: "req-1".into(), traceparent: None };
        // Enqueued by another process: heard of without being told.
        let other = bench.neighbour();
        net::with_context(context, async { other.queue.enqueue(job()).await.unwrap() }).await;
        let (job, request, is_last) = jobs.recv().await.unwrap();
        assert_eq!(job.get::<String>("document_id").unwrap(), "x");
        assert_eq!((request.as_deref(), is_last), (Some("req-1"), false));
        worker.stop().await;
        assert_eq!(bench.redis.hlen("unacked").await.unwrap(), 0);
    }
}

#[tokio::test]
async fn failures_are_retried_then_buried() {
    for bench in benches() {
        let (seen, mut attempts) = channel();
        let policy = RetryPolicy {
            max_retries: 2,
            first_pause: Duration::from_secs(100),
            ..RetryPolicy::default()
        };
        let registry =
            Registry::new().on_with(DOCUMENT_INDEXING_UPDATE, policy, move |job, context| {
                let seen = seen.clone();
                async move {
                    assert_eq!(context.is_last_attempt, job.retries == 2);
                    seen.send(job.clone()).unwrap();
                    match job.retries {
                        1 => panic!("a bug"),
                        n => Err(JobFailure::retry(format!("failure {n}"))),
                    }
                }
            });
        let worker = start(&bench, registry);
        bench.queue.enqueue(job()).await.unwrap();
        for (retry, pause) in [(0, 100), (1, 200), (2, 0)] {
            assert_eq!(attempts.recv().await.unwrap().retries, retry);
            if pause == 0 {
                break;
            }
            // The retry is written under a new tag; then time may pass.
            eventually(|| async {
                let due = bench.redis.zrange_with_scores("unacked_index", 0, 0).await.unwrap();
                let now = bench.clock.since_epoch().as_secs_f64() - 3600.0;
                due.first().is_some_and(|(_, score)| *score > now + 80.0)
            })
            .await;
            bench.clock.advance(Duration::from_secs(pause + 1));
        }
        eventually(|| async { !bench.queue.dead_letters(0, 1).await.unwrap().is_empty() }).await;
        worker.stop().await;
        let dead = bench.queue.dead_letters(0, 9).await.unwrap();
        assert_eq!((dead.len(), dead[0].reason.as_str(), dead[0].retries), (1, "failure 2", 2));
    }
}

#[tokio::test]
async fn fatal_failures_and_unknown_tasks_are_buried_at_once() {
    for bench in benches() {
        let registry = Registry::new().on(DOCUMENT_INDEXING_UPDATE, async |job: Job, _| {
            job.get::<u8>("document_id").map(drop)
        });
        let worker = start(&bench, registry);
        bench.queue.enqueue(job()).await.unwrap();
        bench.queue.enqueue(Job::new(CLEAN_DOCUMENT)).await.unwrap();
        bench.redis.lpush("dataset", &[b"garbage"]).await.unwrap();
        eventually(|| async { bench.queue.dead_letters(0, 9).await.unwrap().len() == 3 }).await;
        worker.stop().await;
        let reasons: Vec<String> =
            bench.queue.dead_letters(0, 9).await.unwrap().into_iter().map(|l| l.reason).collect();
        assert!(reasons.iter().any(|reason| reason.contains("argument document_id")));
        assert!(reasons.iter().any(|reason| reason.contains("no handler")));
        assert!(reasons.iter().any(|reason| reason.contains("not a job message")));
    }
}

#[tokio::test]
async fn no_more_run_at_once_than_allowed() {
    for bench in benches() {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(Semaphore::new(0));
        let (seen, mut started) = channel();
        let registry = {
            let (running, most, gate) = (running.clone(), most.clone(), gate.clone());
            Registry::new().on(DOCUMENT_INDEXING_UPDATE, move |job, _| {
                let (running, most, gate, seen) =
                    (running.clone(), most.clone(), gate.clone(), seen.clone());
                async move {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    seen.send(job).unwrap();
                    gate.acquire().await.unwrap().forget();
                    running.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                }
            })
        };
        for _ in 0..10 {
            bench.queue.enqueue(job()).await.unwrap();
        }
        let worker = start(&bench, registry);
        for n in 0..10 {
            started.recv().await.unwrap();
            if n > 0 {
                gate.add_permits(1);
            }
        }
        gate.add_permits(1);
        worker.stop().await;
        assert_eq!(most.load(Ordering::SeqCst), 2);
        assert_eq!(bench.redis.hlen("unacked").await.unwrap(), 0);
    }
}

#[tokio::test]
async fn stopping_waits_and_then_gives_back() {
    for bench in benches() {
        let (seen, mut started) = channel();
        let hang = Arc::new(Notify::new());
        let registry = {
            let hang = hang.clone();
            Registry::new().on(DOCUMENT_INDEXING_UPDATE, move |job, context| {
                let (seen, hang) = (seen.clone(), hang.clone());
                async move {
                    let heeds = job.get::<String>("document_id")? == "heeds";
                    seen.send(job).unwrap();
                    if heeds {
                        context.stop.cancelled().await;
                    } else {
                        hang.notified().await;
                    }
                    Ok(())
                }
            })
        };
        bench.queue.enqueue(job().set("document_id", "heeds")).await.unwrap();
        bench.queue.enqueue(job().set("document_id", "hangs")).await.unwrap();
        let worker =
            start_with(&bench, registry, |options| options.stop_within = Duration::from_secs(3));
        started.recv().await.unwrap();
        started.recv().await.unwrap();
        worker.stop().await;
        let left = bench.queue.take(&[("dataset", 9)]).await.unwrap();
        assert_eq!(left.len(), 1);
        let left = left[0].job.as_ref().unwrap();
        assert_eq!(left.get::<String>("document_id").unwrap(), "hangs");
        assert_eq!((left.retries, left.redeliveries), (0, 0));
    }
}

#[tokio::test]
async fn jobs_of_a_dead_process_are_taken_over() {
    for bench in benches() {
        bench.queue.enqueue(job()).await.unwrap();
        // A process takes the job and is never heard of again.
        assert_eq!(bench.queue.take(&[("dataset", 1)]).await.unwrap().len(), 1);
        let (seen, mut started) = channel();
        let registry = Registry::new().on(DOCUMENT_INDEXING_UPDATE, move |job, _| {
            let seen = seen.clone();
            async move {
                seen.send(job).unwrap();
                Ok(())
            }
        });
        let neighbour = bench.neighbour();
        let worker = start(&neighbour, registry);
        bench.clock.advance(Duration::from_secs(61));
        assert_eq!(started.recv().await.unwrap().redeliveries, 1);
        worker.stop().await;
    }
}

#[tokio::test]
async fn attempts_have_a_time_limit() {
    for bench in benches() {
        let policy = RetryPolicy { time_limit: Duration::from_millis(10), ..RetryPolicy::none() };
        let registry = Registry::new().on_with(DOCUMENT_INDEXING_UPDATE, policy, async |_, _| {
            std::future::pending::<()>().await;
            Ok(())
        });
        let worker = start(&bench, registry);
        bench.queue.enqueue(job()).await.unwrap();
        eventually(|| async { !bench.queue.dead_letters(0, 1).await.unwrap().is_empty() }).await;
        worker.stop().await;
        let dead = bench.queue.dead_letters(0, 1).await.unwrap();
        assert_eq!(dead[0].reason, "took longer than 10ms");
    }
}
