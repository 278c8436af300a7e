//! Parts of the world a server may be built without: no knowledge, no annotations, no files.

use app_engine::{
    RunError,
    basic::config::ExternalVariable,
    ports::{
        AnnotationMatch, AnnotationMatcher, ExternalData, FileStore, KeptFile, Retrieval,
        Retrieved, Retriever, RunContext,
    },
};
use async_trait::async_trait;
use graph::file::File;
use model_runtime::{ContentPart, ImageDetail};
use serde_json::{Map, Value};
use types::TenantId;

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

#[async_trait]
impl ExternalData for Absent {
    async fn fetch(
        &self,
        _: &RunContext,
        variable: &ExternalVariable,
        _: &Map<String, Value>,
        _: &str,
    ) -> Result<String, RunError> {
        Err(RunError::invalid_param(format!(
            "[External data tool] API query failed, variable: {}, error: this server has no extensions",
            variable.name
        )))
    }
}

#[async_trait]
impl FileStore for Absent {
    async fn part(&self, _: TenantId, _: &File, _: ImageDetail) -> Result<ContentPart, RunError> {
        Err(RunError::invalid_param("This server keeps no files."))
    }

    async fn keep(&self, _: &RunContext, _: &ContentPart) -> Option<KeptFile> {
        None
    }
}
