//! Forms of runs: mailed, and ended when nobody fills them in.

use chrono::{NaiveDateTime, TimeDelta};
use db::{
    human_input_form::{self, NewForm},
    run_record::{self, NewRun, Owner, RunEnd},
};
use graph::pause::Forms;
use jobs::tasks;
use serde_json::{Value, json};
use services_workflow::form;
use types::{AppId, TenantId, WorkflowId, WorkflowRunId};
use uuid::Uuid;

use crate::Lab;

struct Waiting {
    tenant: TenantId,
    app: AppId,
    run: WorkflowRunId,
    form: Uuid,
}

fn start() -> Value {
    json!({"type": "start", "title": "Start", "variables": []})
}

/// A run that waits for a form since `since`, whose node waits until `until`.
async fn waiting(lab: &Lab, since: NaiveDateTime, until: NaiveDateTime) -> Waiting {
    let ctx = lab.server.ctx();
    let app: AppId = lab.path.rsplit('/').next().unwrap().parse().unwrap();
    let mut conn = ctx.db.acquire().await.unwrap();
    let row = db::app::find_by_credential(&mut conn, app).await.unwrap().unwrap();
    let (tenant, run, form) = (row.tenant_id, WorkflowRunId::random(), Uuid::new_v4());
    let workflow: WorkflowId = row.workflow_id.unwrap();
    let owner = Owner { tenant, app, workflow, role: "account", user: Uuid::new_v4() };
    let new = NewRun {
        id: run,
        kind: "workflow",
        triggered_from: "app-run",
        version: "1",
        graph: "{}",
        inputs: "{}",
        created_at: since,
    };
    run_record::insert_run(&mut conn, owner, new).await.unwrap();
    let end = RunEnd {
        status: "paused",
        outputs: None,
        error: None,
        elapsed_time: 0.0,
        total_tokens: 0,
        total_steps: 1,
        exceptions_count: 0,
        finished_at: None,
    };
    run_record::finish_run(&mut conn, tenant, run, end).await.unwrap();
    let new = NewForm {
        id: form,
        tenant,
        app,
        run: Some(run),
        kind: "runtime",
        node: "ask",
        definition: "{}",
        rendered_content: "",
        expiration_time: until,
        now: since,
    };
    human_input_form::insert(&mut conn, new).await.unwrap();
    Waiting { tenant, app, run, form }
}

async fn status(lab: &Lab, waiting: &Waiting) -> (String, String) {
    let mut conn = lab.server.ctx().db.acquire().await.unwrap();
    let form = human_input_form::find_for_task(&mut conn, waiting.form).await.unwrap().unwrap();
    let run = db::workflow_run::find_of_tenant(&mut conn, waiting.tenant, waiting.run).await;
    (form.status, run.unwrap().unwrap().status)
}

#[tokio::test]
async fn a_node_that_gave_up_waiting_lets_its_run_go_on() {
    let lab = Lab::new(start(), "x", &[]).await;
    let ctx = lab.server.ctx();
    let now = ctx.now_naive();
    let waiting = waiting(&lab, now, now + TimeDelta::hours(1)).await;
    assert_eq!(form::sweep(ctx, now, 100).await.unwrap(), 0);
    let later = now + TimeDelta::hours(2);
    assert_eq!(form::sweep(ctx, later, 100).await.unwrap(), 1);
    assert_eq!(form::sweep(ctx, later, 100).await.unwrap(), 0);
    assert_eq!(status(&lab, &waiting).await, ("timeout".to_owned(), "paused".to_owned()));
    let jobs = lab.server.jobs().await;
    let resumed: Vec<_> =
        jobs.iter().filter(|job| job.task == tasks::RESUME_APP_EXECUTION.name).collect();
    assert_eq!(resumed.len(), 1);
    let payload: Value = resumed[0].get("payload").unwrap();
    assert_eq!(payload["workflow_run_id"], waiting.run.to_string());
}

#[tokio::test]
async fn a_form_beyond_the_limit_for_all_ends_its_run() {
    let lab = Lab::new(start(), "x", &[("HUMAN_INPUT_GLOBAL_TIMEOUT_SECONDS", "3600")]).await;
    let ctx = lab.server.ctx();
    let now = ctx.now_naive();
    let waiting = waiting(&lab, now, now + TimeDelta::days(9)).await;
    assert_eq!(form::sweep(ctx, now + TimeDelta::hours(2), 100).await.unwrap(), 1);
    assert_eq!(status(&lab, &waiting).await, ("expired".to_owned(), "stopped".to_owned()));
    let jobs = lab.server.jobs().await;
    assert!(jobs.iter().all(|job| job.task != tasks::RESUME_APP_EXECUTION.name));
}

#[tokio::test]
async fn every_recipient_gets_a_letter_with_a_link_of_his_own() {
    let lab = Lab::new(start(), "x", &[("APP_WEB_URL", "http://web.test/")]).await;
    let ctx = lab.server.ctx();
    let now = ctx.now();
    let waiting = waiting(&lab, now.naive_utc(), now.naive_utc() + TimeDelta::hours(1)).await;
    let info = graph::RunInfo {
        tenant_id: waiting.tenant,
        app_id: waiting.app,
        user_id: Uuid::new_v4().to_string(),
        user_from: graph::UserFrom::EndUser,
        invoke_from: graph::InvokeFrom::ServiceApi,
        workflow_id: Uuid::new_v4().to_string(),
        workflow_run_id: waiting.run.to_string(),
        call_depth: 0,
    };
    let new = graph::pause::NewForm {
        node_id: "mail".to_owned(),
        execution_id: Uuid::new_v4().to_string(),
        node_title: "Ask".to_owned(),
        config: serde_json::Map::new(),
        inputs: Vec::new(),
        user_actions: Vec::new(),
        form_content: String::new(),
        rendered_content: String::new(),
        expiration_time: now + TimeDelta::hours(1),
        delivery_methods: vec![json!({"type": "email", "enabled": true, "config": {
            "subject": "Please\r\n<b>look</b>",
            "body": "ignored",
            "rendered_body": "**{{#url#}}**\n<script>x</script>",
            "recipients": {"whole_workspace": false, "items": [
                {"type": "external", "email": "a@example.com"}, {"type": "external", "email": "b@example.com"}]},
        }})],
        display_in_ui: false,
        resolved_default_values: graph::Object::new(),
        console_recipient_required: false,
    };
    let made = form::store::StoredForms::new(ctx.clone()).create(&info, new).await.unwrap();
    let letters = form::letter::of_form(ctx, made.id.parse().unwrap()).await.unwrap();
    let to: Vec<&str> = letters.iter().map(|letter| letter.to.as_str()).collect();
    assert_eq!(to, ["a@example.com", "b@example.com"]);
    assert_eq!(letters[0].message.subject, "Please look");
    let html = &letters[0].message.html;
    assert!(html.starts_with("<p><strong>http://web.test/form/"), "{html}");
    assert!(!html.contains("script"), "{html}");
    assert_ne!(letters[0].message.html, letters[1].message.html);
}
