//! Parts of the world a server may be built without: knowledge and annotations.

use app_engine::{
    RunError,
    ports::{AnnotationMatch, AnnotationMatcher, Retrieval, Retrieved, Retriever, RunContext},
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

#[async_trait]
impl AnnotationMatcher for Absent {
    async fn find(&self, _: &RunContext, _: &str) -> Option<AnnotationMatch> {
        None
    }
}
