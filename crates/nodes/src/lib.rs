//! Workflow nodes that call out: models, HTTP, code, documents, tools, knowledge.
//!
//! Invariant: a node reaches the world through [`Ports`] only; it knows neither SQL nor the graph it stands in.

mod code;
mod common;
#[cfg(test)]
mod fake;
mod http_request;
mod llm;
pub mod ports;

use std::sync::Arc;

use graph::{GraphError, Node, NodeConfig, NodeFactory};

pub use code::{CodeError, CodeLimits, CodeRunner, Embedded, Language, SandboxService};
pub use http_request::HttpLimits;
pub use ports::{
    AgentPort, DatasourcePort, Files, History, NewFile, PortError, Ports, RetrievalPort, ToolPort,
};

/// Builds the nodes of this crate.
#[derive(Clone)]
pub struct CallingNodes {
    ports: Arc<Ports>,
}

impl CallingNodes {
    /// Nodes that call out through `ports`.
    #[must_use]
    pub fn new(ports: Arc<Ports>) -> Self {
        Self { ports }
    }
}

impl NodeFactory for CallingNodes {
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError> {
        let ports = Arc::clone(&self.ports);
        Ok(Some(match &*config.node_type {
            "llm" => Arc::new(llm::Llm::new(config, ports)?),
            "http-request" => Arc::new(http_request::HttpRequest::new(config, ports)?),
            "code" => Arc::new(code::Code::new(config, ports)?),
            _ => return Ok(None),
        }))
    }
}
