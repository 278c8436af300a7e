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
#[cfg(test)]
mod port_tests;
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

type Build = fn(&NodeConfig, Arc<Ports>) -> Result<Arc<dyn Node>, GraphError>;

/// Every type of node this factory knows.
const TYPES: [(&str, Build); 10] = [
    ("llm", |config, ports| Ok(Arc::new(llm::Llm::new(config, ports)?))),
    ("http-request", |config, ports| Ok(Arc::new(http_request::HttpRequest::new(config, ports)?))),
    ("code", |config, ports| Ok(Arc::new(code::Code::new(config, ports)?))),
    ("question-classifier", |config, ports| {
        Ok(Arc::new(question_classifier::Classifier::new(config, ports)?))
    }),
    ("parameter-extractor", |config, ports| {
        Ok(Arc::new(parameter_extractor::Extractor::new(config, ports)?))
    }),
    ("document-extractor", |config, ports| {
        Ok(Arc::new(document_extractor::DocumentExtractor::new(config, ports)?))
    }),
    ("tool", |config, ports| Ok(Arc::new(tool::Tool::new(config, ports)?))),
    ("agent", |config, ports| Ok(Arc::new(agent::Agent::new(config, ports)?))),
    ("knowledge-retrieval", |config, ports| {
        Ok(Arc::new(knowledge_retrieval::KnowledgeRetrieval::new(config, ports)?))
    }),
    ("datasource", |config, ports| Ok(Arc::new(datasource::Datasource::new(config, ports)?))),
];

impl CallingNodes {
    /// The types of nodes this factory knows.
    pub fn types() -> impl Iterator<Item = &'static str> {
        TYPES.iter().map(|(name, _)| *name)
    }
}

impl NodeFactory for CallingNodes {
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError> {
        let known = TYPES.iter().find(|(name, _)| *name == &*config.node_type);
        known.map(|(_, build)| build(config, Arc::clone(&self.ports))).transpose()
    }
}
