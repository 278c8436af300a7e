use std::time::Duration;

use jobs::tasks::{CLEAN_DOCUMENT, DOCUMENT_INDEXING_UPDATE, PRIORITY_DOCUMENT_INDEXING};
use jobs::{Job, JobQueue, JobsError};

use crate::support::{LEASE, benches};

fn job(name: &str) -> Job {
    Job::new(DOCUMENT_INDEXING_UPDATE).set("dataset_id", "d").set("document_id", name)
}

fn name(taken: &jobs::Taken) -> String {
    taken.job.as_ref().unwrap().get("document_id").unwrap()
}

#[tokio::test]
async fn jobs_come_out_in_order_and_once() {
    for bench in benches() {
        let q = &bench.queue;
        for n in ["1", "2", "3"] {
            q.enqueue(job(n)).await.unwrap();
        }
        let first = q.take(&[("dataset", 2)]).await.unwrap();
        assert_eq!(first.iter().map(name).collect::<Vec<_>>(), ["1", "2"]);
        let rest = q.take(&[("dataset", 9)]).await.unwrap();
        assert_eq!(rest.iter().map(name).collect::<Vec<_>>(), ["3"]);
        assert!(q.take(&[("dataset", 9)]).await.unwrap().is_empty());
        assert!(q.finish(&first[0].lease).await.unwrap());
        assert!(!q.finish(&first[0].lease).await.unwrap());
        assert_eq!(bench.redis.hlen("unacked").await.unwrap(), 2);
        assert_eq!(bench.redis.zcard("unacked_index").await.unwrap(), 2);
    }
}

#[tokio::test]
async fn queues_are_apart() {
    for bench in benches() {
        let q = &bench.queue;
        q.enqueue(job("1")).await.unwrap();
        q.enqueue(Job::new(PRIORITY_DOCUMENT_INDEXING)).await.unwrap();
        q.enqueue(Job::new(CLEAN_DOCUMENT).on_queue("special")).await.unwrap();
        let taken = q.take(&[("priority_dataset", 5), ("special", 5)]).await.unwrap();
        let tasks: Vec<&str> =
            taken.iter().map(|t| t.job.as_ref().unwrap().task.as_str()).collect();
        assert_eq!(tasks, [PRIORITY_DOCUMENT_INDEXING.name, CLEAN_DOCUMENT.name]);
        assert_eq!(taken[1].job.as_ref().unwrap().queue, "special");
        assert_eq!(q.depth("dataset").await.unwrap().ready, 1);
        let binding = bench.redis.smembers("_kombu.binding.special").await.unwrap();
        assert_eq!(binding, [b"special\x06\x16\x06\x16special"]);
    }
}

#[tokio::test]
async fn a_lease_that_ran_out_is_handed_out_again() {
    for bench in benches() {
        let q = &bench.queue;
        q.enqueue(job("1")).await.unwrap();
        q.enqueue(job("2")).await.unwrap();
        let taken = q.take(&[("dataset", 1)]).await.unwrap();
        bench.clock.advance(LEASE / 2);
        assert_eq!(q.reclaim().await.unwrap(), 0);
        assert_eq!(q.extend(&[taken[0].lease.clone()]).await.unwrap().len(), 1);
        bench.clock.advance(LEASE * 2 / 3);
        assert_eq!(q.reclaim().await.unwrap(), 0, "extended");
        bench.clock.advance(LEASE);
        assert_eq!(q.reclaim().await.unwrap(), 1);
        let again = q.take(&[("dataset", 1)]).await.unwrap();
        assert_eq!(name(&again[0]), "1", "before what came later");
        assert_eq!(again[0].job.as_ref().unwrap().redeliveries, 1);
        assert!(!q.finish(&taken[0].lease).await.unwrap(), "the old lease is worth nothing");
        assert!(q.extend(&[taken[0].lease.clone()]).await.unwrap().is_empty());
        assert!(q.finish(&again[0].lease).await.unwrap());
    }
}

#[tokio::test]
async fn a_job_that_kills_its_workers_is_buried() {
    for bench in benches() {
        let q = &bench.queue;
        q.enqueue(job("poison")).await.unwrap();
        let mut deaths = 0;
        while !q.take(&[("dataset", 1)]).await.unwrap().is_empty() {
            deaths += 1;
            bench.clock.advance(LEASE * 2);
            q.reclaim().await.unwrap();
        }
        assert_eq!(deaths, 6);
        let dead = q.dead_letters(0, 10).await.unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!(dead[0].reason, "its worker died or hung 6 times");
    }
}

#[tokio::test]
async fn jobs_for_later_wait() {
    for bench in benches() {
        let q = &bench.queue;
        q.enqueue(job("later").countdown(Duration::from_secs(600))).await.unwrap();
        q.enqueue(job("now")).await.unwrap();
        let taken = q.take(&[("dataset", 9)]).await.unwrap();
        assert_eq!(taken.iter().map(name).collect::<Vec<_>>(), ["now"]);
        bench.clock.advance(Duration::from_secs(500));
        q.finish(&taken[0].lease).await.unwrap();
        assert_eq!(q.reclaim().await.unwrap(), 0);
        bench.clock.advance(Duration::from_secs(101));
        assert_eq!(q.reclaim().await.unwrap(), 1);
        let taken = q.take(&[("dataset", 9)]).await.unwrap();
        assert_eq!(name(&taken[0]), "later");
        assert_eq!(taken[0].job.as_ref().unwrap().redeliveries, 0, "waiting is no failure");
    }
}

#[tokio::test]
async fn expired_jobs_are_dropped() {
    for bench in benches() {
        let q = &bench.queue;
        let mut late = job("late");
        late.expires = Some(bench.clock.now());
        q.enqueue(late).await.unwrap();
        assert!(q.take(&[("dataset", 9)]).await.unwrap().is_empty());
        assert_eq!(bench.redis.hlen("unacked").await.unwrap(), 0);
    }
}

#[tokio::test]
async fn retries_wait_and_count() {
    for bench in benches() {
        let q = &bench.queue;
        q.enqueue(job("1")).await.unwrap();
        let taken = q.take(&[("dataset", 1)]).await.unwrap().remove(0);
        let mut again = taken.job.unwrap();
        let id = again.id.clone();
        again.retries += 1;
        again.eta = Some(bench.clock.now() + Duration::from_secs(60));
        assert!(q.retry(&taken.lease, &again).await.unwrap());
        assert!(!q.retry(&taken.lease, &again).await.unwrap(), "once");
        assert!(q.take(&[("dataset", 1)]).await.unwrap().is_empty());
        bench.clock.advance(Duration::from_secs(61));
        q.reclaim().await.unwrap();
        let taken = q.take(&[("dataset", 1)]).await.unwrap().remove(0).job.unwrap();
        assert_eq!((taken.id, taken.retries), (id, 1));
    }
}

#[tokio::test]
async fn dead_letters_are_read_and_revived() {
    for bench in benches() {
        let q = &bench.queue;
        for n in ["1", "2"] {
            q.enqueue(job(n)).await.unwrap();
            let taken = q.take(&[("dataset", 1)]).await.unwrap().remove(0);
            assert!(q.bury(&taken.lease, &format!("reason {n}")).await.unwrap());
            assert!(!q.bury(&taken.lease, "again").await.unwrap());
        }
        let dead = q.dead_letters(0, 1).await.unwrap();
        assert_eq!((dead.len(), dead[0].reason.as_str()), (1, "reason 2"));
        let older = q.dead_letters(1, 5).await.unwrap().remove(0);
        assert_eq!(older.task.as_deref(), Some(DOCUMENT_INDEXING_UPDATE.name));
        assert!(q.revive(&older.id).await.unwrap());
        assert!(!q.revive(&older.id).await.unwrap());
        let taken = q.take(&[("dataset", 9)]).await.unwrap();
        assert_eq!(name(&taken[0]), "1");
        assert_eq!(q.dead_letters(0, 9).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn messages_of_others_in_the_list_do_no_harm() {
    for bench in benches() {
        let q = &bench.queue;
        bench.redis.lpush("dataset", &[b"not a job", b"{}"]).await.unwrap();
        q.enqueue(job("1")).await.unwrap();
        let taken = q.take(&[("dataset", 9)]).await.unwrap();
        assert!(matches!(taken[0].job, Err(JobsError::Malformed(_))));
        assert!(taken[1].job.is_err());
        assert_eq!(name(&taken[2]), "1");
        assert!(q.bury(&taken[0].lease, "what is this").await.unwrap());
        assert_eq!(q.dead_letters(0, 1).await.unwrap()[0].message, "not a job");
        bench.clock.advance(LEASE * 2);
        q.reclaim().await.unwrap();
        let dead = q.dead_letters(0, 9).await.unwrap();
        assert_eq!(dead.len(), 2, "the one nobody buried is buried when its lease runs out");
    }
}

#[tokio::test]
async fn depth_and_age_are_known() {
    for bench in benches() {
        let q = &bench.queue;
        assert_eq!(q.depth("dataset").await.unwrap(), jobs::Depth::default());
        q.enqueue(job("1")).await.unwrap();
        bench.clock.advance(Duration::from_secs(100));
        q.enqueue(job("2")).await.unwrap();
        let depth = q.depth("dataset").await.unwrap();
        assert_eq!(depth.ready, 2);
        assert!(depth.oldest.unwrap() >= Duration::from_secs(100));
    }
}

#[tokio::test]
async fn released_jobs_are_next() {
    for bench in benches() {
        let q = &bench.queue;
        q.enqueue(job("1")).await.unwrap();
        q.enqueue(job("2")).await.unwrap();
        let taken = q.take(&[("dataset", 1)]).await.unwrap().remove(0);
        q.release(&taken.lease, &taken.job.unwrap()).await.unwrap();
        let taken = q.take(&[("dataset", 1)]).await.unwrap().remove(0);
        assert_eq!(name(&taken), "1");
        assert_eq!(taken.job.unwrap().redeliveries, 0);
    }
}

#[tokio::test]
async fn what_cannot_be_enqueued_is_refused() {
    for bench in benches() {
        let q = &bench.queue;
        assert!(q.enqueue(Job::new(CLEAN_DOCUMENT).set("nonsense", 1)).await.is_err());
        assert!(q.enqueue(Job::new(CLEAN_DOCUMENT).on_queue("a\"b")).await.is_err());
        assert!(q.enqueue(Job::new(CLEAN_DOCUMENT).on_queue("")).await.is_err());
    }
}
