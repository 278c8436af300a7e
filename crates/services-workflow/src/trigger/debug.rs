//! Listening to triggers while somebody builds a workflow: the editor polls, a call from outside leaves its data in the
//! editor's inbox. Keys and texts are the reference's, so that a call may arrive at either server.

use boxed::boxed;
use std::time::Duration;

use db::app::App;
use serde_json::{Map, Value, json};
use services_core::{Ctx, Fault};
use types::{AccountId, AppId, TenantId};

use crate::{
    WorkflowError, draft,
    graph_check::{self, GraphNode, TRIGGER_PLUGIN, TRIGGER_SCHEDULE, TRIGGER_WEBHOOK},
    trigger::{
        plugin::{EventError, Events},
        schedule::Schedule,
    },
    view,
};

/// How long an inbox and a waiting place last.
const TTL: Duration = Duration::from_secs(300);

/// What happened at a trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The trigger node.
    pub node_id: String,
    /// What the run starts with.
    pub inputs: Map<String, Value>,
}

/// Where editors wait for a webhook node.
#[must_use]
pub fn webhook_pool(tenant: TenantId, app: AppId, node: &str) -> String {
    format!("webhook_trigger_debug_waiting_pool:{{{tenant}}}:{app}:{node}")
}

/// Where editors wait for an event of a plugin.
#[must_use]
pub fn plugin_pool(tenant: TenantId, provider: &str, subscription: &str, event: &str) -> String {
    format!("plugin_trigger_debug_waiting_pool:{{{tenant}}}:{provider}:{subscription}:{event}")
}

/// Leaves `event` with everybody who waits in `pool`; answers how many did.
///
/// # Errors
/// Faults of Redis.
#[boxed]
pub async fn dispatch(
    ctx: &Ctx,
    tenant: TenantId,
    pool: &str,
    event: &Value,
) -> Result<usize, Fault> {
    let waiting = ctx.redis.smembers(pool).await?;
    ctx.redis.del(&[pool]).await?;
    let text = event.to_string();
    for address in &waiting {
        let inbox = inbox(tenant, &String::from_utf8_lossy(address));
        ctx.redis.set_ex(&inbox, &text, TTL).await?;
    }
    Ok(waiting.len())
}

fn inbox(tenant: TenantId, address: &str) -> String {
    format!("trigger_debug_inbox:{{{tenant}}}:{address}")
}

/// Looks whether something happened at one of some trigger nodes of the draft; waits for it if not.
///
/// # Errors
/// [`WorkflowError::Invalid`] without draft, for unknown nodes and for those that are no triggers.
#[boxed]
pub async fn poll(
    events: &Events,
    app: &App,
    by: AccountId,
    nodes: &[String],
) -> Result<Option<Event>, WorkflowError> {
    let row = draft::find_row(&events.ctx, app).await?;
    let row = row.ok_or_else(|| WorkflowError::invalid("Workflow not found"))?;
    let graph = view::parsed(&row.graph);
    for node in nodes {
        let node = graph_check::node(&graph, node)?;
        if let Some(event) = poll_node(events, app, by, node).await? {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// The same for a run of the node alone. A schedule does not wait then.
///
/// # Errors
/// As [`poll`].
#[boxed]
pub async fn poll_single(
    events: &Events,
    app: &App,
    by: AccountId,
    node: &str,
) -> Result<Option<Event>, WorkflowError> {
    let row = draft::find_row(&events.ctx, app).await?;
    let row = row.ok_or_else(|| WorkflowError::invalid("Workflow not found"))?;
    let graph = view::parsed(&row.graph);
    let node = graph_check::node(&graph, node)?;
    if node.kind == TRIGGER_SCHEDULE {
        return Ok(Some(Event { node_id: node.id.to_owned(), inputs: Map::new() }));
    }
    poll_node(events, app, by, node).await
}

async fn poll_node(
    events: &Events,
    app: &App,
    by: AccountId,
    node: GraphNode<'_>,
) -> Result<Option<Event>, WorkflowError> {
    let ctx = &events.ctx;
    let pool = match node.kind {
        TRIGGER_WEBHOOK => webhook_pool(app.tenant_id, app.id, node.id),
        TRIGGER_SCHEDULE => return poll_schedule(ctx, app, by, node).await,
        TRIGGER_PLUGIN => plugin_pool(
            app.tenant_id,
            node.text("provider_id"),
            node.text("subscription_id"),
            node.text("event_name"),
        ),
        other => {
            return Err(WorkflowError::invalid(format!(
                "unable to create event poller for node type {other}"
            )));
        }
    };
    let address = crypto::hash::sha256_hex(format!("{by}|{}|{}", app.id, node.id).as_bytes());
    let Some(told) = take(ctx, app.tenant_id, &address, &pool).await? else { return Ok(None) };
    let inputs = if node.kind == TRIGGER_PLUGIN {
        events.tried(app.tenant_id, node.data, &told).await.map_err(refused)?
    } else {
        Some(inputs_of(&told))
    };
    Ok(inputs.map(|inputs| Event { node_id: node.id.to_owned(), inputs }))
}

/// What the editor is told of a plugin that makes nothing of an event.
fn refused(err: EventError) -> WorkflowError {
    match err {
        EventError::Fault(fault) => WorkflowError::Fault(fault),
        other => WorkflowError::Body(400, json!({"status": "error", "error": other.to_string()})),
    }
}

async fn take(
    ctx: &Ctx,
    tenant: TenantId,
    address: &str,
    pool: &str,
) -> Result<Option<Value>, WorkflowError> {
    let inbox = inbox(tenant, address);
    let found = ctx.redis.take_or_pool(&inbox, pool, address, TTL).await?;
    Ok(found.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// The inputs an event brings: ready ones, or made of the request it holds.
fn inputs_of(event: &Value) -> Map<String, Value> {
    let payload = event.get("payload").unwrap_or(event);
    match payload.get("inputs").and_then(Value::as_object) {
        Some(inputs) => inputs.clone(),
        None => super::webhook::inputs(payload.get("webhook_data").unwrap_or(&Value::Null)),
    }
}

/// A schedule that is being tried out fires at its next time after the editor began to wait.
async fn poll_schedule(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    node: GraphNode<'_>,
) -> Result<Option<Event>, WorkflowError> {
    let schedule = Schedule::of_node(node.data)?;
    let hash = crypto::hash::sha256_hex(schedule.cron.as_bytes());
    let key =
        format!("schedule_debug_runtime:{}:{by}:{}:{}:{hash}", app.tenant_id, app.id, node.id);
    let known: Option<Value> = ctx.redis.get_json(&key).await.unwrap_or_default();
    let due = match known.as_ref().and_then(|it| it.get("next_run_at")?.as_str()) {
        Some(time) => time.trim_end_matches('Z').parse().ok(),
        None => None,
    };
    let Some(due) = due else {
        let next: chrono::NaiveDateTime = schedule.next(ctx.now())?;
        let runtime = json!({
            "cache_key": key,
            "timezone": schedule.timezone,
            "cron_expression": schedule.cron,
            "next_run_at": next.format("%Y-%m-%dT%H:%M:%S").to_string(),
        });
        ctx.redis.set_json_ex(&key, &runtime, TTL).await?;
        return Ok(None);
    };
    let due: chrono::NaiveDateTime = due;
    if due > ctx.now_naive() {
        ctx.redis.expire(&key, TTL).await?;
        return Ok(None);
    }
    ctx.redis.del(&[&key]).await?;
    Ok(Some(Event { node_id: node.id.to_owned(), inputs: Map::new() }))
}
