use std::time::Duration;

use jobs::tasks::{POLL_WORKFLOW_SCHEDULES, QUEUE_MONITOR};
use jobs::{Beat, BeatEntry, JobQueue, Schedule};

use crate::support::{Bench, benches};

fn beat(bench: &Bench) -> Beat {
    let entry =
        |name, minutes, task| BeatEntry { name, schedule: Schedule::minutes(minutes), task };
    let entries = vec![
        entry("often", 1, POLL_WORKFLOW_SCHEDULES),
        entry("seldom", 60 * 24 * 365, QUEUE_MONITOR),
    ];
    Beat::new(entries, bench.queue.clone(), bench.redis.clone(), bench.clock.clone())
}

async fn fired(bench: &Bench) -> u64 {
    bench.queue.depth(POLL_WORKFLOW_SCHEDULES.queue).await.unwrap().ready
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn each_tick_fires_once_however_many_run() {
    for bench in benches() {
        let mut beats: Vec<Beat> = (0..3).map(|_| beat(&bench.neighbour())).collect();
        for beat in &mut beats {
            beat.step().await;
        }
        assert_eq!(fired(&bench).await, 0, "ticks before the start are not made up for");
        for n in 1..=3 {
            bench.clock.advance(MINUTE);
            for beat in &mut beats {
                beat.step().await;
                beat.step().await;
            }
            assert_eq!(fired(&bench).await, n);
        }
        assert_eq!(bench.queue.depth(QUEUE_MONITOR.queue).await.unwrap().ready, 0);
    }
}

#[tokio::test]
async fn a_claim_nobody_makes_good_is_taken_over() {
    for bench in benches() {
        let mut survivor = beat(&bench);
        bench.clock.advance(MINUTE);
        let tick = bench.clock.now().timestamp() / 60 * 60;
        let key = format!("dify_rs:beat:often:{tick}");
        // Somebody claims the tick and dies.
        bench.redis.set_ex(&key, "claimed", MINUTE).await.unwrap();
        survivor.step().await;
        assert_eq!(fired(&bench).await, 0);
        bench.redis.del(&[&key]).await.unwrap();
        survivor.step().await;
        assert_eq!(fired(&bench).await, 1);
        assert_eq!(bench.redis.get(&key).await.unwrap().unwrap(), b"fired");
    }
}
