//! `agent`: runs an agent strategy.

use std::sync::Arc;

use async_trait::async_trait;
use graph::{Node, NodeConfig, NodeCtx, NodeError, Outcome, StartInfo, pool::Selector};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::{common::template_entries, ports::Ports};

/// A node that runs an agent strategy.
pub(crate) struct Agent {
    config: NodeConfig,
    ports: Arc<Ports>,
}

impl Agent {
    pub(crate) fn new(config: &NodeConfig, ports: Arc<Ports>) -> Self {
        Self { config: config.clone(), ports }
    }
}

#[async_trait]
impl Node for Agent {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        self.ports.agents.run(ctx, &self.config).await
    }

    fn start_info(&self) -> StartInfo {
        let name = self.config.data.get("agent_strategy_name").and_then(Json::as_str);
        StartInfo {
            agent_strategy: name.map(|name| json!({"name": name, "icon": null})),
            ..StartInfo::default()
        }
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let mut mapping = IndexMap::new();
        let parameters = self.config.data.get("agent_parameters").and_then(Json::as_object);
        for parameter in parameters.into_iter().flat_map(|parameters| parameters.values()) {
            let value = parameter.get("value");
            match (parameter.get("type").and_then(Json::as_str), value) {
                (Some("mixed" | "constant"), Some(Json::String(text))) => {
                    mapping.extend(template_entries(node_id, text));
                }
                (Some("variable"), Some(Json::Array(items))) => {
                    let parts = items.iter().filter_map(|item| item.as_str().map(str::to_owned));
                    let selector: Selector = parts.collect();
                    mapping.insert(format!("{node_id}.#{}#", selector.join(".")), selector);
                }
                _ => {}
            }
        }
        mapping
    }
}
