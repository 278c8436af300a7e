//! Parts of the world a server may be built without: knowledge, tools.

use std::sync::Arc;

use app_engine::{
    RunError,
    basic::config::ToolChoice,
    ports::{KnowledgeBase, Retrieval, Retrieved, Retriever, RunContext, Tool, Toolbox},
};
use async_trait::async_trait;
use serde_json::Value;

/// A part that is not there.
#[derive(Debug, Clone, Copy)]
pub struct Absent;

#[async_trait]
impl Retriever for Absent {
    async fn bases(&self, _: &RunContext, _: &[String]) -> Vec<KnowledgeBase> {
        Vec::new()
    }

    async fn retrieve(&self, _: Retrieval<'_>) -> Result<Retrieved, RunError> {
        Err(RunError::invalid_param("This server has no knowledge bases."))
    }
}

#[async_trait]
impl Toolbox for Absent {
    async fn open(&self, _: &RunContext, _: &ToolChoice) -> Option<Arc<dyn Tool>> {
        None
    }

    fn label(&self, _: &str) -> Option<Value> {
        None
    }
}
