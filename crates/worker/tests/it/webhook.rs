//! Webhooks.

use jobs::tasks;
use serde_json::{Value, json};
use services_workflow::trigger::dispatch;
use uuid::Uuid;

use crate::Lab;

fn hook() -> Value {
    json!({"type": "trigger-webhook", "title": "Go", "method": "post", "content_type": "application/json",
           "status_code": 202, "response_body": "{\"ok\": true}", "headers": [], "params": [],
           "body": [{"name": "a", "type": "string", "required": true}]})
}

async fn address(lab: &Lab) -> String {
    let path = format!("{}/workflows/triggers/webhook?node_id=go", lab.path);
    let found = lab.owner.get(&path).await.expect(200);
    format!("/triggers/webhook/{}", found["webhook_id"].as_str().unwrap())
}

#[tokio::test]
async fn a_call_is_answered_at_once_and_runs_later() {
    let lab = Lab::new(hook(), "got {{ a }}", &[]).await;
    let address = address(&lab).await;
    let outside = lab.server.client();
    let refused = outside.post(&address, json!({})).await;
    assert_eq!(refused.status, 400);
    let answer = outside.post(&address, json!({"a": "it"})).await;
    assert_eq!((answer.status.as_u16(), &answer.json), (202, &json!({"ok": true})));
    assert!(lab.logged().await.is_empty());

    let jobs = lab.server.jobs().await;
    let jobs: Vec<_> =
        jobs.iter().filter(|job| job.task == tasks::EXECUTE_WORKFLOW_TEAM.name).collect();
    assert_eq!(jobs.len(), 1);
    let line: Uuid =
        serde_json::from_value(jobs[0].kwargs["task_data_dict"]["workflow_trigger_log_id"].clone())
            .unwrap();
    dispatch::run(&lab.runs(), line, false).await.unwrap();
    let logged = lab.logged().await;
    assert_eq!(logged[0]["workflow_run"]["triggered_from"], "webhook");
    assert_eq!(logged[0]["created_by_end_user"]["type"], "trigger");
    assert_eq!(lab.outputs(&logged[0]).await, json!({"out": "got it"}));

    let mut conn = lab.server.ctx().db.acquire().await.unwrap();
    let line = db::workflow_trigger_log::find_for_task(&mut conn, line).await.unwrap().unwrap();
    assert_eq!(line.status, "succeeded");
    assert!(line.finished_at.is_some());
}

#[tokio::test]
async fn a_run_whose_process_died_ends_in_its_log() {
    let lab = Lab::new(hook(), "{{ a }}", &[]).await;
    lab.server.client().post(&address(&lab).await, json!({"a": "x"})).await.expect(202);
    let line: Uuid = {
        let data = lab.server.job_argument("task_data_dict").await;
        serde_json::from_value(data["workflow_trigger_log_id"].clone()).unwrap()
    };
    let ctx = lab.server.ctx();
    let tenant = {
        let mut conn = ctx.db.acquire().await.unwrap();
        let log = db::workflow_trigger_log::find_for_task(&mut conn, line).await.unwrap().unwrap();
        // As the process left it that died.
        assert!(db::workflow_trigger_log::claim(&mut conn, log.tenant_id, line).await.unwrap());
        log.tenant_id
    };
    // Somebody has it: not ours to judge yet.
    assert!(dispatch::run(&lab.runs(), line, false).await.is_err());
    dispatch::run(&lab.runs(), line, true).await.unwrap();
    let mut conn = ctx.db.acquire().await.unwrap();
    let log = db::workflow_trigger_log::find_for_task(&mut conn, line).await.unwrap().unwrap();
    assert_eq!((log.tenant_id, log.status.as_str()), (tenant, "failed"));
}
