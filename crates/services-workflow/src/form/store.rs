//! Forms of runs: made when a node begins to wait, found when its run goes on.

use async_trait::async_trait;
use boxed::boxed;
use chrono::{DateTime, NaiveDateTime, Utc};
use db::{
    PgConnection,
    human_input_form::{self, NewForm as NewRow},
    human_input_recipient::{self, Member, NewDelivery, NewRecipient, Recipient},
};
use graph::{
    Object, RunInfo, UserFrom, Value,
    pause::{Form, FormStatus, Forms, NewForm},
};
use serde_json::{Map, Value as Json, json};
use services_core::{Ctx, Fault};
use types::{AppId, TenantId, WorkflowRunId};
use uuid::Uuid;

use crate::{WorkflowError, queue};

/// The forms in the database.
#[derive(Clone)]
pub struct StoredForms {
    ctx: Ctx,
}

impl StoredForms {
    /// The forms of this server.
    #[must_use]
    pub fn new(ctx: Ctx) -> Self {
        Self { ctx }
    }

    /// When forms of a workspace time out, in Unix seconds by form id.
    ///
    /// # Errors
    /// The database's.
    #[boxed]
    pub async fn expirations(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<(String, i64)>, Fault> {
        let mut conn = self.ctx.db.acquire().await?;
        let found = human_input_form::find_many(&mut conn, tenant, ids).await?;
        let time = |form: &human_input_form::Form| form.expiration_time.and_utc().timestamp();
        Ok(found.iter().map(|form| (form.id.to_string(), time(form))).collect())
    }
}

#[async_trait]
impl Forms for StoredForms {
    async fn find(
        &self,
        run: &RunInfo,
        node_id: &str,
        execution_id: &str,
    ) -> Result<Option<Form>, String> {
        find(&self.ctx, run, node_id, execution_id).await.map_err(|err| shown(&err))
    }

    async fn create(&self, run: &RunInfo, form: NewForm) -> Result<Form, String> {
        create_for_run(&self.ctx, run, form).await.map_err(|err| shown(&err))
    }

    async fn time_out(&self, run: &RunInfo, form_id: &str) -> Result<bool, String> {
        time_out(&self.ctx, run, form_id).await.map_err(|err| shown(&err))
    }
}

/// What a node says of an error; of faults the log has the rest.
fn shown(err: &WorkflowError) -> String {
    if let WorkflowError::Fault(fault) = err {
        tracing::error!(error = %fault, "a form could not be read or stored");
        return "The form could not be stored.".to_owned();
    }
    err.to_string()
}

async fn time_out(ctx: &Ctx, run: &RunInfo, form: &str) -> Result<bool, WorkflowError> {
    let form = form.parse().map_err(|_| WorkflowError::not_found("Form not found"))?;
    let mut conn = ctx.db.acquire().await?;
    let now = ctx.now_naive();
    Ok(human_input_form::end(&mut conn, run.tenant_id, form, "timeout", now).await?)
}

async fn find(
    ctx: &Ctx,
    run: &RunInfo,
    node: &str,
    execution: &str,
) -> Result<Option<Form>, WorkflowError> {
    let id = run_id(run)?;
    let (row, recipients) = {
        let mut conn = ctx.db.acquire().await?;
        let row =
            human_input_form::find_of_node(&mut conn, run.tenant_id, id, node, execution).await?;
        let Some(row) = row else { return Ok(None) };
        let recipients = human_input_recipient::list(&mut conn, run.tenant_id, &[row.id]).await?;
        (row, recipients)
    };
    let data = row.submitted_data.as_deref().unwrap_or("{}");
    let data: Map<String, Json> = serde_json::from_str(data).unwrap_or_default();
    Ok(Some(Form {
        id: row.id.to_string(),
        token: token(&recipients),
        rendered_content: row.rendered_content,
        status: match row.status.as_str() {
            "submitted" => FormStatus::Submitted,
            "timeout" => FormStatus::Timeout,
            "expired" => FormStatus::Expired,
            _ => FormStatus::Waiting,
        },
        expiration_time: row.expiration_time.and_utc(),
        selected_action_id: row.selected_action_id,
        submitted_data: data.into_iter().map(|(key, it)| (key, Value::from_json(it))).collect(),
    }))
}

fn run_id(run: &RunInfo) -> Result<WorkflowRunId, WorkflowError> {
    run.workflow_run_id.parse().map_err(|_| WorkflowError::not_found("Workflow run not found"))
}

/// The token events tell: the console's, else the web app's.
fn token(recipients: &[Recipient]) -> Option<String> {
    ["console", "standalone_web_app"].into_iter().find_map(|kind| {
        let fitting = recipients.iter().find(|it| it.recipient_type == kind);
        fitting.map(|it| it.access_token.clone())
    })
}

/// A form to be made.
pub(super) struct Draft<'a> {
    pub tenant: TenantId,
    pub app: AppId,
    pub run: Option<WorkflowRunId>,
    /// Who runs it in the console.
    pub account: Option<String>,
    pub form: &'a NewForm,
    pub backstage: bool,
}

async fn create_for_run(ctx: &Ctx, run: &RunInfo, form: NewForm) -> Result<Form, WorkflowError> {
    let draft = Draft {
        tenant: run.tenant_id,
        app: run.app_id,
        run: Some(run_id(run)?),
        account: (run.user_from == UserFrom::Account).then(|| run.user_id.clone()),
        form: &form,
        backstage: true,
    };
    let (id, recipients) = create(ctx, &draft).await?;
    if recipients.iter().any(|it| it.recipient_type.starts_with("email_")) {
        // The form is open in any case; a mail that is not sent is no reason to fail the run.
        if let Err(err) = queue::mail_form(ctx, id, &form.node_title).await {
            tracing::warn!(error = %err, form.id = %id, "a form is not mailed");
        }
    }
    Ok(Form {
        id: id.to_string(),
        token: token(&recipients),
        rendered_content: form.rendered_content,
        status: FormStatus::Waiting,
        expiration_time: form.expiration_time,
        selected_action_id: None,
        submitted_data: Object::new(),
    })
}

/// Makes a form with its deliveries and tokens in one transaction.
pub(super) async fn create(
    ctx: &Ctx,
    draft: &Draft<'_>,
) -> Result<(Uuid, Vec<Recipient>), WorkflowError> {
    let form = draft.form;
    let id = Uuid::now_v7();
    let now = ctx.now_naive();
    let expires = expiration(form.expiration_time);
    let definition = json!({
        "form_content": form.form_content,
        "inputs": form.inputs,
        "user_actions": form.user_actions,
        "rendered_content": form.rendered_content,
        "expiration_time": expires.format("%Y-%m-%dT%H:%M:%S%.6f").to_string(),
        "default_values": form.resolved_default_values,
        "node_title": form.node_title,
        "display_in_ui": form.display_in_ui,
        "node_execution_id": form.execution_id,
    });
    let mut tx = ctx.db.begin().await?;
    let new = NewRow {
        id,
        tenant: draft.tenant,
        app: draft.app,
        run: draft.run,
        kind: if draft.run.is_some() { "runtime" } else { "delivery_test" },
        node: &form.node_id,
        definition: &definition.to_string(),
        rendered_content: &form.rendered_content,
        expiration_time: expires,
        now,
    };
    human_input_form::insert(&mut tx, new).await?;
    for method in &form.delivery_methods {
        deliver(&mut tx, draft, id, method, now).await?;
    }
    for (kind, wanted) in
        [("console", form.console_recipient_required), ("backstage", draft.backstage)]
    {
        if wanted {
            let internal = json!({"type": "console", "internal": true});
            let delivery = add_delivery(&mut tx, draft, id, "webapp", None, &internal, now).await?;
            let payload = json!({"TYPE": kind, "account_id": draft.account});
            add_recipient(&mut tx, draft, id, delivery, kind, &payload, now).await?;
        }
    }
    let recipients = human_input_recipient::list(&mut tx, draft.tenant, &[id]).await?;
    tx.commit().await?;
    Ok((id, recipients))
}

fn expiration(time: DateTime<Utc>) -> NaiveDateTime {
    // A node that waits forever still has to fit the column.
    let latest = DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(time);
    time.min(latest).naive_utc()
}

async fn deliver(
    tx: &mut PgConnection,
    draft: &Draft<'_>,
    form: Uuid,
    method: &Json,
    now: NaiveDateTime,
) -> Result<(), WorkflowError> {
    let kind = method.get("type").and_then(Json::as_str).unwrap_or_default();
    let config = method.get("id").and_then(Json::as_str).and_then(|id| id.parse().ok());
    match kind {
        "webapp" => {
            let delivery = add_delivery(tx, draft, form, kind, config, method, now).await?;
            let payload = json!({"TYPE": "standalone_web_app"});
            add_recipient(tx, draft, form, delivery, "standalone_web_app", &payload, now).await
        }
        "email" => {
            let delivery = add_delivery(tx, draft, form, kind, config, method, now).await?;
            let recipients = method.pointer("/config/recipients").unwrap_or(&Json::Null);
            for (kind, payload) in addressees(tx, draft.tenant, recipients).await? {
                add_recipient(tx, draft, form, delivery, kind, &payload, now).await?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whom a mail goes to, each address once: members first.
async fn addressees(
    tx: &mut PgConnection,
    tenant: TenantId,
    recipients: &Json,
) -> Result<Vec<(&'static str, Json)>, WorkflowError> {
    let items = recipients.get("items").and_then(Json::as_array).cloned().unwrap_or_default();
    let of_kind = |kind: &str, key: &str| -> Vec<String> {
        let fitting = items.iter().filter(|it| it.get("type").and_then(Json::as_str) == Some(kind));
        fitting.filter_map(|it| it.get(key)?.as_str().map(str::to_owned)).collect()
    };
    let everybody = recipients.get("whole_workspace").and_then(Json::as_bool).unwrap_or(false);
    let ids: Vec<Uuid> =
        of_kind("member", "user_id").iter().filter_map(|id| id.parse().ok()).collect();
    let members = if everybody {
        human_input_recipient::members(tx, tenant, None).await?
    } else if ids.is_empty() {
        Vec::new()
    } else {
        human_input_recipient::members(tx, tenant, Some(&ids)).await?
    };
    let mut seen: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for Member { id, email } in members {
        if !email.is_empty() && !seen.contains(&email) {
            let payload = json!({"TYPE": "email_member", "user_id": id, "email": email});
            all.push(("email_member", payload));
            seen.push(email);
        }
    }
    for email in of_kind("external", "email") {
        if !email.is_empty() && !seen.contains(&email) {
            all.push(("email_external", json!({"TYPE": "email_external", "email": email})));
            seen.push(email);
        }
    }
    Ok(all)
}

async fn add_delivery(
    tx: &mut PgConnection,
    draft: &Draft<'_>,
    form: Uuid,
    method: &str,
    config: Option<Uuid>,
    payload: &Json,
    now: NaiveDateTime,
) -> Result<Uuid, WorkflowError> {
    let id = Uuid::now_v7();
    let payload = payload.to_string();
    let new = NewDelivery { id, form, method, config, payload: &payload, now };
    human_input_recipient::insert_delivery(tx, draft.tenant, new).await?;
    Ok(id)
}

async fn add_recipient(
    tx: &mut PgConnection,
    draft: &Draft<'_>,
    form: Uuid,
    delivery: Uuid,
    kind: &str,
    payload: &Json,
    now: NaiveDateTime,
) -> Result<(), WorkflowError> {
    let new = NewRecipient {
        form,
        delivery,
        recipient_type: kind,
        payload: &payload.to_string(),
        access_token: &crypto::token::form_token(),
        now,
    };
    human_input_recipient::insert(tx, draft.tenant, new).await?;
    Ok(())
}
