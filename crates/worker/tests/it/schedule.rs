//! Schedules.

use chrono::{NaiveDateTime, TimeDelta};
use jobs::{Job, tasks};
use serde_json::{Value, json};
use services_workflow::trigger::{dispatch, schedule};
use uuid::Uuid;

use crate::Lab;

fn every_minute() -> Value {
    json!({"type": "trigger-schedule", "title": "Go", "mode": "cron", "cron_expression": "* * * * *",
           "timezone": "UTC"})
}

/// A time at which the plan is due for the first time.
fn due(lab: &Lab) -> NaiveDateTime {
    lab.server.ctx().now_naive() + TimeDelta::minutes(1)
}

fn of_task(jobs: Vec<Job>, task: jobs::Task) -> Vec<Job> {
    jobs.into_iter().filter(|job| job.task == task.name).collect()
}

#[tokio::test]
async fn a_tick_fires_once_however_many_nodes_look() {
    let lab = Lab::new(every_minute(), "now", &[]).await;
    let ctx = lab.server.ctx();
    assert_eq!(schedule::fire_due(ctx, ctx.now_naive() - TimeDelta::minutes(1)).await.unwrap(), 0);
    let now = due(&lab);
    let (one, two, three) = tokio::join!(
        schedule::fire_due(ctx, now),
        schedule::fire_due(ctx, now),
        schedule::fire_due(ctx, now)
    );
    assert_eq!(one.unwrap() + two.unwrap() + three.unwrap(), 1);
    let jobs = of_task(lab.server.jobs().await, tasks::RUN_SCHEDULE_TRIGGER);
    assert_eq!(jobs.len(), 1);
    // Ticks that were missed count once.
    assert_eq!(schedule::fire_due(ctx, now + TimeDelta::hours(5)).await.unwrap(), 1);
    assert_eq!(schedule::fire_due(ctx, now + TimeDelta::hours(5)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_job_that_comes_twice_starts_one_run() {
    let lab = Lab::new(every_minute(), "now", &[]).await;
    let ctx = lab.server.ctx();
    schedule::fire_due(ctx, due(&lab)).await.unwrap();
    let jobs = of_task(lab.server.jobs().await, tasks::RUN_SCHEDULE_TRIGGER);
    let plan: Uuid = jobs[0].get("schedule_id").unwrap();
    let line = dispatch::schedule_due(ctx, plan, &jobs[0].id).await.unwrap();
    assert_eq!(dispatch::schedule_due(ctx, plan, &jobs[0].id).await.unwrap(), line);
    let queued = of_task(lab.server.jobs().await, tasks::EXECUTE_WORKFLOW_TEAM);
    assert_eq!(queued.len(), 1);

    let line = line.unwrap();
    dispatch::run(&lab.runs(), line, false).await.unwrap();
    // Handed out again although it is done.
    dispatch::run(&lab.runs(), line, true).await.unwrap();
    let logged = lab.logged().await;
    assert_eq!(logged.len(), 1, "{logged:?}");
    let run = &logged[0];
    assert_eq!(run["workflow_run"]["status"], "succeeded");
    assert_eq!(run["workflow_run"]["triggered_from"], "schedule");
    assert_eq!(run["created_by_role"], "account");
    assert_eq!(lab.outputs(run).await, json!({"out": "now"}));
}

#[tokio::test]
async fn a_schedule_that_is_off_does_not_fire() {
    let lab = Lab::new(every_minute(), "now", &[]).await;
    let triggers = lab.owner.get(&format!("{}/triggers", lab.path)).await.expect(200);
    let switch = json!({"trigger_id": triggers["data"][0]["id"], "enable_trigger": false});
    lab.owner.post(&format!("{}/trigger-enable", lab.path), switch).await.expect(200);
    let ctx = lab.server.ctx();
    assert_eq!(schedule::fire_due(ctx, due(&lab)).await.unwrap(), 0);
}
