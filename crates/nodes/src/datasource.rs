//! `datasource`: where a pipeline's documents come from.

use std::sync::Arc;

use async_trait::async_trait;
use graph::{
    ExecutionKind, GraphError, Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Outcome, Outputs,
    StartInfo, Value,
};
use serde::Deserialize;

use crate::{common::object, ports::Ports};

/// A node that brings documents.
pub(crate) struct Datasource {
    settings: Settings,
    config: NodeConfig,
    ports: Arc<Ports>,
}

#[derive(Deserialize)]
struct Settings {
    plugin_id: String,
    provider_name: String,
    provider_type: String,
}

impl Datasource {
    pub(crate) fn new(config: &NodeConfig, ports: Arc<Ports>) -> Result<Self, GraphError> {
        Ok(Self { settings: config.parse()?, config: config.clone(), ports })
    }
}

#[async_trait]
impl Node for Datasource {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let system = ctx.pool.system();
        let Some(kind) = system.datasource_type.clone() else {
            return Err(NodeError::uncaught("Datasource type is not set"));
        };
        let Some(info) = system.datasource_info.clone() else {
            return Err(NodeError::uncaught("Datasource info is not set"));
        };
        let file = info.values().find_map(|value| value.as_file().cloned());
        let info = Value::object(info);
        let mut outputs = Outputs::new();
        match kind.as_str() {
            "local_file" => {
                let file = file.ok_or_else(|| NodeError::uncaught("File is not exist"))?;
                outputs.insert("file".to_owned(), Value::File(file).into());
            }
            "website_crawl" => {
                for (name, value) in info.as_object().into_iter().flatten() {
                    outputs.insert(name.clone(), value.clone().into());
                }
            }
            _ => return self.ports.datasources.run(ctx, &self.config).await,
        }
        outputs.insert("datasource_type".to_owned(), kind.into());
        let metadata = graph::Metadata::default().with("datasource_info", info.clone());
        let inputs = info.as_object().cloned().unwrap_or_else(|| object([]));
        Ok(NodeOutput { inputs, outputs, metadata, ..NodeOutput::default() }.into())
    }

    fn kind(&self) -> ExecutionKind {
        ExecutionKind::Root
    }

    fn start_info(&self) -> StartInfo {
        StartInfo {
            provider_type: Some(self.settings.provider_type.clone()),
            provider_id: Some(format!(
                "{}/{}",
                self.settings.plugin_id, self.settings.provider_name
            )),
            agent_strategy: None,
        }
    }
}
