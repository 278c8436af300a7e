//! What of a graph belongs to its workspace and does not travel.

use serde_json::{Value, json};
use types::{DatasetId, TenantId};

use crate::json::{Object, text};

/// Settings of a schedule trigger that was never set up.
fn schedule() -> Value {
    json!({
        "mode": "visual",
        "frequency": "daily",
        "visual_config": {"time": "12:00 AM", "on_minute": 0, "weekdays": ["sun"], "monthly_days": [1]},
        "timezone": "UTC",
    })
}

/// How a graph leaves its workspace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaving {
    pub tenant: TenantId,
    /// Credentials stay in the text.
    pub with_secrets: bool,
    /// Ids of knowledge bases are made unreadable to others.
    pub hide_datasets: bool,
}

/// Takes out of a graph what only means something in its workspace.
pub(super) fn leave(graph: &mut Object, leaving: Leaving) {
    for data in nodes(graph) {
        let kind = text(data, "type").unwrap_or_default().to_owned();
        match kind.as_str() {
            "knowledge-retrieval" if leaving.hide_datasets => {
                datasets(data, |id| {
                    let id: Option<DatasetId> = id.parse().ok();
                    id.map(|id| crypto::dataset_id::encrypt(id, leaving.tenant))
                });
            }
            "tool" if !leaving.with_secrets => {
                data.remove("credential_id");
            }
            "agent" if !leaving.with_secrets => forget_agent_credentials(data),
            "trigger-schedule" => {
                data.insert("config".to_owned(), schedule());
            }
            "trigger-webhook" => {
                data.insert("webhook_url".to_owned(), json!(""));
                data.insert("webhook_debug_url".to_owned(), json!(""));
            }
            "trigger-plugin" => {
                data.insert("subscription_id".to_owned(), json!(""));
            }
            _ => {}
        }
    }
}

/// Makes ids of knowledge bases readable again; those of other workspaces are left out.
pub(super) fn arrive(graph: &mut Object, tenant: TenantId) {
    for data in nodes(graph) {
        if text(data, "type") == Some("knowledge-retrieval") {
            datasets(data, |id| crypto::dataset_id::decrypt(id, tenant).map(|id| id.to_string()));
        }
    }
}

fn nodes(graph: &mut Object) -> impl Iterator<Item = &mut Object> {
    graph
        .get_mut("nodes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(|node| node.get_mut("data")?.as_object_mut())
}

fn datasets(data: &mut Object, convert: impl Fn(&str) -> Option<String>) {
    let ids = data.get("dataset_ids").and_then(Value::as_array);
    let converted: Vec<Value> = ids
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(|id| convert(id).map(Value::String))
        .collect();
    data.insert("dataset_ids".to_owned(), Value::Array(converted));
}

fn forget_agent_credentials(data: &mut Object) {
    let tools = data
        .get_mut("agent_parameters")
        .and_then(|parameters| parameters.get_mut("tools")?.get_mut("value")?.as_array_mut());
    for tool in tools.into_iter().flatten().filter_map(Value::as_object_mut) {
        tool.remove("credential_id");
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn knowledge_travels_within_its_workspace_only() {
        let (home, abroad) = (TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2)));
        let id = Uuid::from_u128(7).to_string();
        let original = object(
            json!({"nodes": [{"data": {"type": "knowledge-retrieval", "dataset_ids": [id]}}]}),
        );
        let leaving = Leaving { tenant: home, with_secrets: false, hide_datasets: true };

        let mut out = original.clone();
        leave(&mut out, leaving);
        assert_ne!(out, original);
        let mut back = out.clone();
        arrive(&mut back, home);
        assert_eq!(back, original);
        arrive(&mut out, abroad);
        assert_eq!(
            out,
            object(
                json!({"nodes": [{"data": {"type": "knowledge-retrieval", "dataset_ids": []}}]})
            )
        );
    }

    #[test]
    fn credentials_and_addresses_stay_at_home() {
        let mut graph = object(json!({"nodes": [
            {"data": {"type": "tool", "credential_id": "c", "x": 1}},
            {"data": {"type": "agent", "agent_parameters": {"tools": {"value": [{"credential_id": "c"}]}}}},
            {"data": {"type": "trigger-webhook", "webhook_url": "http://x"}},
            {"data": {"type": "trigger-plugin", "subscription_id": "s"}},
        ]}));
        let tenant = TenantId(Uuid::from_u128(1));
        leave(&mut graph, Leaving { tenant, with_secrets: false, hide_datasets: true });
        assert_eq!(
            graph,
            object(json!({"nodes": [
                {"data": {"type": "tool", "x": 1}},
                {"data": {"type": "agent", "agent_parameters": {"tools": {"value": [{}]}}}},
                {"data": {"type": "trigger-webhook", "webhook_url": "", "webhook_debug_url": ""}},
                {"data": {"type": "trigger-plugin", "subscription_id": ""}},
            ]}))
        );
    }
}
