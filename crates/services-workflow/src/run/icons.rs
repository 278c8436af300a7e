//! Icons of what a run calls, looked up before it starts: events are made without asking anybody.

use std::{collections::HashMap, sync::Arc};

use app_engine::workflow::present::Lookup;
use graph::StartInfo;
use serde_json::{Map, Value, json};
use services_core::Ctx;
use types::TenantId;

use crate::node_execution::tool_icon;

/// Icons by kind and id of their provider.
#[derive(Debug, Default)]
struct Icons(HashMap<(String, String), Value>);

impl Lookup for Icons {
    fn extras(&self, info: &StartInfo) -> Map<String, Value> {
        let key = info.provider_type.clone().zip(info.provider_id.clone());
        let icon = key.and_then(|key| self.0.get(&key));
        icon.map(|icon| ("icon".to_owned(), icon.clone())).into_iter().collect()
    }
}

/// The icons of the tools in a graph. One that cannot be had is left out, as in the reference.
pub(super) async fn of(ctx: &Ctx, tenant: TenantId, graph: &Value) -> Arc<dyn Lookup> {
    let mut icons = Icons::default();
    let nodes = graph.get("nodes").and_then(Value::as_array).into_iter().flatten();
    for data in nodes.filter_map(|node| node.get("data")) {
        let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("type") != "tool" {
            continue;
        }
        let key = (text("provider_type").to_owned(), text("provider_id").to_owned());
        if icons.0.contains_key(&key) {
            continue;
        }
        let info = json!({"provider_type": key.0, "provider_id": key.1});
        match tool_icon(ctx, tenant, &info).await {
            Ok(icon) => {
                icons.0.insert(key, icon);
            }
            Err(err) => tracing::debug!(error = %err, "a tool is shown without its icon"),
        }
    }
    Arc::new(icons)
}
