//! Forms of human-input nodes, in the database.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use crypto::token::form_token;
use db::{
    PgConnection,
    human_input_form::{self as rows, NewForm as NewRow},
    human_input_recipient::{self as recipients, NewDelivery, NewRecipient},
};
use graph::{
    RunInfo, UserFrom,
    pause::{Form, FormStatus, Forms, NewForm},
    value::{Object, object_to_json},
};
use serde_json::{Map, Value, json};
use services_core::{Ctx, Fault};
use types::{TenantId, WorkflowRunId};
use uuid::Uuid;

/// Tokens are shown to clients by the kind of their holder, these first.
const SHOWN_FIRST: [&str; 3] = ["backstage", "console", "standalone_web_app"];

/// Keeps forms of runs.
#[derive(Clone)]
pub struct StoredForms {
    ctx: Ctx,
}

impl StoredForms {
    /// Forms in the database of `ctx`.
    #[must_use]
    pub fn new(ctx: Ctx) -> Self {
        Self { ctx }
    }

    async fn find_row(&self, run: &RunInfo, node_id: &str) -> Result<Option<Form>, Fault> {
        let Some(id) = run_id(run) else { return Ok(None) };
        let mut conn = self.ctx.db.acquire().await?;
        let Some(row) = rows::find_of_node(&mut conn, run.tenant_id, id, node_id).await? else {
            return Ok(None);
        };
        let token = shown_token(&mut conn, run.tenant_id, row.id).await?;
        let submitted: Map<String, Value> = row
            .submitted_data
            .as_deref()
            .and_then(|data| serde_json::from_str(data).ok())
            .unwrap_or_default();
        let inputs =
            submitted.get("inputs").and_then(Value::as_object).cloned().unwrap_or(submitted);
        Ok(Some(Form {
            id: row.id.to_string(),
            token,
            rendered_content: row.rendered_content,
            status: status(&row.status),
            expiration_time: row.expiration_time.and_utc(),
            selected_action_id: row.selected_action_id,
            submitted_data: inputs
                .into_iter()
                .map(|(name, value)| (name, graph::Value::from_json(value)))
                .collect(),
        }))
    }

    async fn insert(&self, run: &RunInfo, form: &NewForm) -> Result<Form, Fault> {
        let id = Uuid::now_v7();
        let now = self.ctx.now_naive();
        let definition = definition(form).to_string();
        let row = NewRow {
            id,
            tenant: run.tenant_id,
            app: run.app_id,
            run: run_id(run),
            kind: "runtime",
            node: &form.node_id,
            definition: &definition,
            rendered_content: &form.rendered_content,
            expiration_time: form.expiration_time.naive_utc(),
            now,
        };
        let mut tx = self.ctx.db.begin().await?;
        rows::insert(&mut tx, row).await?;
        let mut writer = Recipients { tenant: run.tenant_id, form: id, now };
        for method in &form.delivery_methods {
            writer.deliver(&mut tx, method).await?;
        }
        let account = (run.user_from == UserFrom::Account).then_some(run.user_id.as_str());
        if form.console_recipient_required {
            writer
                .hold(&mut tx, "console", json!({"TYPE": "console", "account_id": account}))
                .await?;
        }
        writer
            .hold(&mut tx, "backstage", json!({"TYPE": "backstage", "account_id": account}))
            .await?;
        let token = shown_token(&mut tx, run.tenant_id, id).await?;
        tx.commit().await?;
        Ok(Form {
            id: id.to_string(),
            token,
            rendered_content: form.rendered_content.clone(),
            status: FormStatus::Waiting,
            expiration_time: form.expiration_time,
            selected_action_id: None,
            submitted_data: Object::new(),
        })
    }

    /// When forms of a workspace time out, in Unix seconds by form id.
    ///
    /// # Errors
    /// The database's.
    pub async fn expirations(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<(String, i64)>, Fault> {
        let mut conn = self.ctx.db.acquire().await?;
        let found = rows::find_many(&mut conn, tenant, ids).await?;
        Ok(found
            .into_iter()
            .map(|form| (form.id.to_string(), form.expiration_time.and_utc().timestamp()))
            .collect())
    }
}

#[async_trait]
impl Forms for StoredForms {
    async fn find(&self, run: &RunInfo, node_id: &str) -> Result<Option<Form>, String> {
        self.find_row(run, node_id).await.map_err(|err| shown(&err))
    }

    async fn create(&self, run: &RunInfo, form: NewForm) -> Result<Form, String> {
        self.insert(run, &form).await.map_err(|err| shown(&err))
    }
}

/// What a node says of a fault; the log has the rest.
fn shown(fault: &Fault) -> String {
    tracing::error!(error = %fault, "a form could not be read or stored");
    "The form could not be stored.".to_owned()
}

struct Recipients {
    tenant: TenantId,
    form: Uuid,
    now: chrono::NaiveDateTime,
}

impl Recipients {
    /// A delivery as the node configures it, and whom it goes to.
    async fn deliver(&mut self, db: &mut PgConnection, method: &Value) -> Result<(), Fault> {
        let kind = method.get("type").and_then(Value::as_str).unwrap_or_default();
        let config = method.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let delivery = self.delivery(db, kind, config, &method.to_string()).await?;
        match kind {
            "webapp" => {
                let payload = json!({"TYPE": "standalone_web_app"});
                self.recipient(db, delivery, "standalone_web_app", &payload).await
            }
            "email" => self.mail(db, delivery, method).await,
            _ => Ok(()),
        }
    }

    async fn mail(
        &mut self,
        db: &mut PgConnection,
        delivery: Uuid,
        method: &Value,
    ) -> Result<(), Fault> {
        let to = method.pointer("/config/recipients").cloned().unwrap_or_default();
        let items: Vec<Value> =
            to.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let whole = to.get("whole_workspace").and_then(Value::as_bool).unwrap_or(false);
        let named: Vec<Uuid> =
            items.iter().filter_map(|item| item.get("user_id")?.as_str()?.parse().ok()).collect();
        let members = if whole {
            recipients::members(db, self.tenant, None).await?
        } else if named.is_empty() {
            Vec::new()
        } else {
            recipients::members(db, self.tenant, Some(&named)).await?
        };
        let mut seen = Vec::new();
        for member in members {
            if member.email.is_empty() || seen.contains(&member.email) {
                continue;
            }
            let payload =
                json!({"TYPE": "email_member", "user_id": member.id, "email": member.email});
            self.recipient(db, delivery, "email_member", &payload).await?;
            seen.push(member.email);
        }
        for email in items.iter().filter_map(|item| item.get("email")?.as_str()) {
            if email.is_empty() || seen.iter().any(|known| known == email) {
                continue;
            }
            let payload = json!({"TYPE": "email_external", "email": email});
            self.recipient(db, delivery, "email_external", &payload).await?;
            seen.push(email.to_owned());
        }
        Ok(())
    }

    /// A token for somebody who needs no delivery.
    async fn hold(
        &mut self,
        db: &mut PgConnection,
        kind: &str,
        payload: Value,
    ) -> Result<(), Fault> {
        let delivery = self.delivery(db, "webapp", None, r#"{"internal":true}"#).await?;
        self.recipient(db, delivery, kind, &payload).await
    }

    async fn delivery(
        &mut self,
        db: &mut PgConnection,
        method: &str,
        config: Option<Uuid>,
        payload: &str,
    ) -> Result<Uuid, Fault> {
        let id = Uuid::now_v7();
        let new = NewDelivery { id, form: self.form, method, config, payload, now: self.now };
        recipients::insert_delivery(db, self.tenant, new).await?;
        Ok(id)
    }

    async fn recipient(
        &mut self,
        db: &mut PgConnection,
        delivery: Uuid,
        kind: &str,
        payload: &Value,
    ) -> Result<(), Fault> {
        let payload = payload.to_string();
        let token = form_token();
        let new = NewRecipient {
            form: self.form,
            delivery,
            recipient_type: kind,
            payload: &payload,
            access_token: &token,
            now: self.now,
        };
        recipients::insert(db, self.tenant, new).await?;
        Ok(())
    }
}

async fn shown_token(
    db: &mut PgConnection,
    tenant: TenantId,
    form: Uuid,
) -> Result<Option<String>, Fault> {
    let holders = recipients::list(db, tenant, &[form]).await?;
    Ok(SHOWN_FIRST
        .iter()
        .find_map(|kind| holders.iter().find(|holder| holder.recipient_type == *kind))
        .map(|holder| holder.access_token.clone()))
}

fn definition(form: &NewForm) -> Value {
    json!({
        "form_content": form.form_content,
        "inputs": form.inputs,
        "user_actions": form.user_actions,
        "rendered_content": form.rendered_content,
        "expiration_time": iso(form.expiration_time),
        "default_values": object_to_json(&form.resolved_default_values, &graph::NoUrls),
        "display_in_ui": form.display_in_ui,
        "node_title": form.node_title,
    })
}

fn iso(at: DateTime<Utc>) -> String {
    at.naive_utc().format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

fn status(text: &str) -> FormStatus {
    match text {
        "submitted" => FormStatus::Submitted,
        "timeout" => FormStatus::Timeout,
        "expired" => FormStatus::Expired,
        _ => FormStatus::Waiting,
    }
}

fn run_id(run: &RunInfo) -> Option<WorkflowRunId> {
    run.workflow_run_id.parse().ok()
}
