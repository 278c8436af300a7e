//! Triggers: what starts runs from outside. Rows follow the graph: webhooks and plugin triggers the draft, switches and
//! schedules the published version.

use boxed::boxed;
use chrono::NaiveDateTime;
use db::{
    PgConnection, app::App, app_trigger::AppTrigger, app_trigger::NewTrigger,
    workflow_plugin_trigger::NewPluginTrigger, workflow_webhook_trigger::WebhookTrigger,
};
use serde_json::Value;
use services_core::Ctx;
use types::AppId;
use uuid::Uuid;

use crate::{
    WorkflowError,
    graph_check::{self, GraphNode, TRIGGER_PLUGIN, TRIGGER_WEBHOOK},
};

pub mod debug;
pub mod dispatch;
pub mod plugin;
pub mod schedule;
pub mod webhook;

/// How many nodes of one kind may listen in a workflow.
const MAX_LISTENERS: usize = 5;

/// Checks what a draft's trigger nodes ask for.
///
/// # Errors
/// [`WorkflowError::Invalid`] for too many of them.
pub fn check_draft(graph: &Value) -> Result<(), WorkflowError> {
    let webhooks = webhooks(graph).count();
    if webhooks > MAX_LISTENERS {
        return Err(WorkflowError::invalid(format!(
            "Workflow exceeds maximum webhook node limit. Found {webhooks} webhook nodes, maximum allowed is \
             {MAX_LISTENERS}"
        )));
    }
    let plugins = subscribed(graph).count();
    if plugins > MAX_LISTENERS {
        return Err(WorkflowError::invalid(format!(
            "Workflow exceeds maximum plugin trigger node limit. Found {plugins} plugin trigger nodes, maximum allowed \
             is {MAX_LISTENERS}"
        )));
    }
    Ok(())
}

fn webhooks(graph: &Value) -> impl Iterator<Item = GraphNode<'_>> {
    graph_check::nodes(graph).filter(|node| node.kind == TRIGGER_WEBHOOK)
}

/// Plugin triggers that have a subscription.
fn subscribed(graph: &Value) -> impl Iterator<Item = GraphNode<'_>> {
    let plugins = graph_check::nodes(graph).filter(|node| node.kind == TRIGGER_PLUGIN);
    plugins.filter(|node| !node.text("subscription_id").is_empty())
}

/// Gives new webhook nodes of a draft their addresses, lets its plugin triggers listen, and drops what the draft no
/// longer has. Answers the webhook nodes that are gone.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn sync_draft(
    db: &mut PgConnection,
    app: &App,
    graph: &Value,
    now: NaiveDateTime,
) -> Result<Vec<String>, WorkflowError> {
    let by = app.created_by.unwrap_or_default();
    let nodes: Vec<String> = webhooks(graph).map(|node| node.id.to_owned()).collect();
    for node in &nodes {
        let id = crypto::token::webhook_id();
        db::workflow_webhook_trigger::insert_missing(db, app.tenant_id, app.id, node, &id, by, now)
            .await?;
    }
    let gone = db::workflow_webhook_trigger::retain(db, app.tenant_id, app.id, &nodes).await?;
    let mut listening = Vec::new();
    for node in subscribed(graph) {
        listening.push(node.id.to_owned());
        let new = NewPluginTrigger {
            node_id: node.id,
            provider_id: node.text("provider_id"),
            event_name: node.text("event_name"),
            subscription_id: node.text("subscription_id"),
        };
        db::workflow_plugin_trigger::upsert(db, app.tenant_id, app.id, new, now).await?;
    }
    db::workflow_plugin_trigger::retain(db, app.tenant_id, app.id, &listening).await?;
    Ok(gone)
}

/// Forgets what Python servers beside us remember of webhook nodes that are gone: they would not make them again.
#[boxed]
pub async fn forget_webhooks(ctx: &Ctx, app: AppId, nodes: &[String]) {
    for node in nodes {
        if let Err(err) = ctx.redis.del(&[&format!("webhook_nodes:{app}:{node}")]).await {
            tracing::warn!(error = %err, "a cached webhook could not be forgotten");
        }
    }
}

/// Makes the switches and the schedule of an app those of a version that is being published.
///
/// # Errors
/// [`WorkflowError::Invalid`] for a schedule that has no next time.
#[boxed]
pub async fn sync_published(
    db: &mut PgConnection,
    app: &App,
    graph: &Value,
    now: NaiveDateTime,
) -> Result<(), WorkflowError> {
    schedule::sync(db, app, graph, now).await?;
    let known = db::app_trigger::list(db, app.tenant_id, app.id).await?;
    let mut nodes = Vec::new();
    for node in graph_check::nodes(graph).filter(|node| graph_check::is_trigger(node.kind)) {
        nodes.push(node.id.to_owned());
        let title = node.text("title");
        match known.iter().find(|trigger| trigger.node_id == node.id) {
            Some(trigger) if !title.is_empty() && trigger.title != title => {
                db::app_trigger::rename(db, app.tenant_id, trigger.id, title, now).await?;
            }
            Some(_) => {}
            None => {
                let new = NewTrigger {
                    node_id: node.id,
                    trigger_type: node.kind,
                    title,
                    provider_name: Some(node.text("provider_name")),
                };
                db::app_trigger::insert(db, app.tenant_id, app.id, new, now).await?;
            }
        }
    }
    db::app_trigger::retain(db, app.tenant_id, app.id, &nodes).await?;
    Ok(())
}

/// A trigger and its icon.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The trigger.
    pub trigger: AppTrigger,
    /// A link for plugin triggers; empty for others.
    pub icon: String,
}

/// The triggers of an app, newest first.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn list(ctx: &Ctx, app: &App) -> Result<Vec<Shown>, WorkflowError> {
    let mut conn = ctx.db.acquire().await?;
    let triggers = db::app_trigger::list(&mut conn, app.tenant_id, app.id).await?;
    Ok(triggers.into_iter().map(|trigger| shown(ctx, trigger)).collect())
}

/// Switches a trigger on or off.
///
/// # Errors
/// [`WorkflowError::NotFound`].
#[boxed]
pub async fn switch(ctx: &Ctx, app: &App, id: &str, on: bool) -> Result<Shown, WorkflowError> {
    let missing = || WorkflowError::not_found("Trigger not found");
    let id: Uuid = id.parse().map_err(|_| missing())?;
    let status = if on { "enabled" } else { "disabled" };
    let now = ctx.now_naive();
    let mut conn = ctx.db.acquire().await?;
    let switched =
        db::app_trigger::set_status(&mut conn, app.tenant_id, app.id, id, status, now).await?;
    switched.map(|trigger| shown(ctx, trigger)).ok_or_else(missing)
}

fn shown(ctx: &Ctx, trigger: AppTrigger) -> Shown {
    let icon = if trigger.trigger_type == TRIGGER_PLUGIN {
        let base = &ctx.config.feature.console_api_url;
        let provider = trigger.provider_name.as_deref().unwrap_or_default();
        format!("{base}/console/api/workspaces/current/tool-provider/builtin/{provider}/icon")
    } else {
        String::new()
    };
    Shown { trigger, icon }
}

/// The address of a webhook node of an app.
///
/// # Errors
/// [`WorkflowError::NotFound`].
#[boxed]
pub async fn webhook_of_node(
    ctx: &Ctx,
    app: &App,
    node: &str,
) -> Result<WebhookTrigger, WorkflowError> {
    let mut conn = ctx.db.acquire().await?;
    db::workflow_webhook_trigger::find_of_node(&mut conn, app.tenant_id, app.id, node)
        .await?
        .ok_or_else(|| WorkflowError::not_found("Webhook trigger not found for this node"))
}

/// Where a webhook is called.
#[must_use]
pub fn webhook_url(ctx: &Ctx, webhook: &str) -> String {
    format!("{}/triggers/webhook/{webhook}", ctx.config.feature.trigger_url)
}

/// Where a webhook is called while somebody builds the workflow.
#[must_use]
pub fn webhook_debug_url(ctx: &Ctx, webhook: &str) -> String {
    format!("{}/triggers/webhook-debug/{webhook}", ctx.config.feature.trigger_url)
}
