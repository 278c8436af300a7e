//! Webhooks: which node an address belongs to, what a request must have, what it is answered.

use boxed::boxed;
use db::{app::App, workflow::Workflow, workflow_webhook_trigger::WebhookTrigger};
use graph::SegmentType;
use serde_json::{Map, Value, json};
use services_core::Ctx;

use crate::{
    WorkflowError,
    graph_check::{self, TRIGGER_WEBHOOK},
    view,
};

mod check;
mod file;
mod request;

pub use check::process;
pub use file::keep as keep_files;
pub use request::{Body, Request, UploadedFile};

/// An address that was called, and the node behind it.
#[derive(Debug, Clone)]
pub struct Called {
    /// The address.
    pub trigger: WebhookTrigger,
    /// The app.
    pub app: App,
    /// The version whose node answers.
    pub workflow: Workflow,
    /// What the node asks for.
    pub settings: Settings,
}

/// What a webhook node asks of requests, and what it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Small letters.
    pub method: String,
    /// The media type bodies must have.
    pub content_type: String,
    /// Headers it knows.
    pub headers: Vec<Parameter>,
    /// Query parameters it knows.
    pub params: Vec<Parameter>,
    /// Members of the body it knows.
    pub body: Vec<Parameter>,
    /// The status of the answer.
    pub status_code: u16,
    /// The answer: JSON, or a text.
    pub response_body: String,
}

/// A header, query parameter or member of the body a node knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: SegmentType,
    /// Whether a request without it is refused.
    pub required: bool,
}

/// The answer of a webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Value,
}

/// Finds the node behind an address: of the newest published version, or of the draft for `debug`.
///
/// # Errors
/// [`WorkflowError::NotFound`] for an unknown address, a trigger that is off, an app without such a version.
#[boxed]
pub async fn find(ctx: &Ctx, webhook: &str, debug: bool) -> Result<Called, WorkflowError> {
    let missing = |what: String| WorkflowError::NotFound(what);
    let mut conn = ctx.db.acquire().await?;
    let trigger = db::workflow_webhook_trigger::find_by_credential(&mut conn, webhook)
        .await?
        .ok_or_else(|| missing(format!("Webhook not found: {webhook}")))?;
    let (tenant, app_id) = (trigger.tenant_id, trigger.app_id);
    let no_workflow = || missing(format!("Workflow not found for app {app_id}"));
    let app = db::app::find(&mut conn, tenant, app_id).await?.ok_or_else(no_workflow)?;
    let workflow = if debug {
        db::workflow::find_draft(&mut conn, tenant, app_id).await?
    } else {
        let switch = db::app_trigger::find_of_node(
            &mut conn,
            tenant,
            app_id,
            &trigger.node_id,
            TRIGGER_WEBHOOK,
        );
        match switch.await?.map(|it| it.status).as_deref() {
            None => return Err(missing(format!("App trigger not found for webhook {webhook}"))),
            Some("enabled") => {}
            Some("rate_limited") => {
                return Err(missing(format!(
                    "Webhook trigger is rate limited for webhook {webhook}, please upgrade your plan."
                )));
            }
            Some(_) => {
                return Err(missing(format!("Webhook trigger is disabled for webhook {webhook}")));
            }
        }
        db::workflow::version::newest_version(&mut conn, tenant, app_id).await?
    };
    drop(conn);
    let workflow = workflow.ok_or_else(no_workflow)?;
    let graph = view::parsed(&workflow.graph);
    let node = graph_check::node(&graph, &trigger.node_id)
        .map_err(|err| WorkflowError::NotFound(err.to_string()))?;
    let settings = Settings::read(node.data);
    Ok(Called { trigger, app, workflow, settings })
}

impl Settings {
    /// Reads the settings of a webhook node. What cannot be read counts as its default.
    #[must_use]
    pub fn read(data: &Map<String, Value>) -> Self {
        let text = |key: &str, default: &str| {
            data.get(key).and_then(Value::as_str).unwrap_or(default).to_owned()
        };
        let status = data.get("status_code").and_then(|code| match code {
            Value::String(text) => text.trim().parse().ok(),
            code => code.as_u64(),
        });
        Self {
            method: text("method", "get").to_lowercase(),
            content_type: text("content_type", "application/json"),
            headers: parameters(data.get("headers")),
            params: parameters(data.get("params")),
            body: parameters(data.get("body")),
            status_code: status
                .and_then(|code| u16::try_from(code).ok())
                .filter(|code| (200..600).contains(code))
                .unwrap_or(200),
            response_body: text("response_body", ""),
        }
    }

    /// What a request that fits is answered.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let text = self.response_body.as_str();
        let body = if text.is_empty() {
            json!({"status": "success", "message": "Webhook processed successfully"})
        } else if text.trim_start().starts_with(['{', '[']) {
            serde_json::from_str(text).unwrap_or_else(|_| json!({"message": text}))
        } else {
            json!({"message": text})
        };
        Answer { status: self.status_code, body }
    }
}

fn parameters(list: Option<&Value>) -> Vec<Parameter> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = |it: &Value| {
        Some(Parameter {
            name: it.get("name")?.as_str()?.to_owned(),
            kind: it
                .get("type")
                .and_then(Value::as_str)
                .and_then(|kind| kind.parse().ok())
                .unwrap_or(SegmentType::String),
            required: it.get("required").and_then(Value::as_bool).unwrap_or(false),
        })
    };
    list.iter().filter_map(read).collect()
}

/// What a run starts with, of a processed request `{method, headers, query_params, body, files}`.
#[must_use]
pub fn inputs(data: &Value) -> Map<String, Value> {
    let part = |key: &str| data.get(key).cloned().unwrap_or_else(|| json!({}));
    let mut inputs = Map::new();
    inputs.insert("webhook_data".to_owned(), data.clone());
    inputs.insert("webhook_headers".to_owned(), part("headers"));
    inputs.insert("webhook_query_params".to_owned(), part("query_params"));
    inputs.insert("webhook_body".to_owned(), part("body"));
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(data: Value) -> Settings {
        let Value::Object(data) = data else { panic!("an object") };
        Settings::read(&data)
    }

    #[test]
    fn answers_are_json_or_a_message() {
        for (text, expected) in [
            ("", json!({"status": "success", "message": "Webhook processed successfully"})),
            ("thanks", json!({"message": "thanks"})),
            (" {\"ok\": 1}", json!({"ok": 1})),
            ("[1]", json!([1])),
            ("{broken", json!({"message": "{broken"})),
        ] {
            assert_eq!(settings(json!({"response_body": text})).answer().body, expected);
        }
        assert_eq!(settings(json!({"status_code": 201})).answer().status, 201);
        assert_eq!(settings(json!({"status_code": 99_999})).answer().status, 200);
    }
}
