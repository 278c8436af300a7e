//! Workflow nodes that call out: models, HTTP, code, documents, tools, knowledge.
//!
//! Invariant: a node reaches the world through [`Ports`] only; it knows neither SQL nor the graph it stands in.

mod agent;
mod code;
mod common;
mod datasource;
mod document_extractor;
#[cfg(test)]
mod fake;
mod http_request;
mod knowledge_retrieval;
mod llm;
mod parameter_extractor;
pub mod ports;
mod question_classifier;
mod tool;

use std::sync::Arc;

use graph::{GraphError, Node, NodeConfig, NodeFactory};

pub use code::{CodeError, CodeLimits, CodeRunner, Embedded, Language, SandboxService};
pub use http_request::HttpLimits;
pub use llm::structured;
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
            "question-classifier" => Arc::new(question_classifier::Classifier::new(config, ports)?),
            "parameter-extractor" => Arc::new(parameter_extractor::Extractor::new(config, ports)?),
            "document-extractor" => {
                Arc::new(document_extractor::DocumentExtractor::new(config, ports)?)
            }
            "tool" => Arc::new(tool::Tool::new(config, ports)?),
            "agent" => Arc::new(agent::Agent::new(config, ports)),
            "knowledge-retrieval" => {
                Arc::new(knowledge_retrieval::KnowledgeRetrieval::new(config, ports)?)
            }
            "datasource" => Arc::new(datasource::Datasource::new(config, ports)?),
            _ => return Ok(None),
        }))
    }
}
