//! Parts of the world a server may be built without: knowledge.

use app_engine::{
    RunError,
    ports::{Retrieval, Retrieved, Retriever},
};
use async_trait::async_trait;

/// A part that is not there.
#[derive(Debug, Clone, Copy)]
pub struct Absent;

#[async_trait]
impl Retriever for Absent {
    async fn retrieve(&self, _: Retrieval<'_>) -> Result<Retrieved, RunError> {
        Err(RunError::invalid_param("This server has no knowledge bases."))
    }
}
