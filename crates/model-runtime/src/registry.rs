//! Finds providers: the native ones, and those of another source such as the plugin daemon.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use types::TenantId;

use crate::{id::ProviderId, model::ModelProvider};

/// A source of providers that differ by workspace.
#[async_trait]
pub trait ProviderSource: Send + Sync {
    /// The providers of a workspace. A source that is away answers within its own short time limit, with what it knew
    /// or with nothing.
    async fn providers(&self, tenant: TenantId) -> Vec<Arc<dyn ModelProvider>>;
}

/// Who is asked first for a provider that several know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precedence {
    /// The native one wins; the source is not asked for it.
    #[default]
    NativeFirst,
    /// The source's wins; the native one serves when the source does not have it or is away.
    SourceFirst,
}

/// There is no such provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid provider: {0}")]
pub struct UnknownProvider(pub String);

/// All providers. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    native: Arc<[Arc<dyn ModelProvider>]>,
    source: Option<Arc<dyn ProviderSource>>,
    precedence: Precedence,
}

impl Registry {
    /// A registry of these providers alone.
    #[must_use]
    pub fn new(native: Vec<Arc<dyn ModelProvider>>) -> Self {
        Self { native: native.into(), source: None, precedence: Precedence::default() }
    }

    /// Adds a source.
    #[must_use]
    pub fn with_source(mut self, source: Arc<dyn ProviderSource>, precedence: Precedence) -> Self {
        self.source = Some(source);
        self.precedence = precedence;
        self
    }

    /// Every provider of a workspace, each id once: the source's in its order, then the native ones that it does not
    /// have (or, native first, the other way round).
    pub async fn providers(&self, tenant: TenantId) -> Vec<Arc<dyn ModelProvider>> {
        let theirs = match &self.source {
            Some(source) => source.providers(tenant).await,
            None => Vec::new(),
        };
        let ours = self.native.iter().cloned();
        let all: Vec<_> = match self.precedence {
            Precedence::NativeFirst => ours.chain(theirs).collect(),
            Precedence::SourceFirst => theirs.into_iter().chain(ours).collect(),
        };
        let mut seen = HashSet::new();
        all.into_iter().filter(|one| seen.insert(one.schema().provider.clone())).collect()
    }

    /// The provider with an id; a name without slashes is one of Dify's own (`openai` → `langgenius/openai/openai`).
    ///
    /// # Errors
    /// When nobody has it.
    pub async fn resolve(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<Arc<dyn ModelProvider>, UnknownProvider> {
        let unknown = || UnknownProvider(provider.to_owned());
        let id = ProviderId::model(provider).map_err(|_| unknown())?.to_string();
        let native = self.native.iter().find(|one| one.schema().provider == id).cloned();
        if let (Precedence::NativeFirst, Some(native)) = (self.precedence, &native) {
            return Ok(Arc::clone(native));
        }
        if let Some(source) = &self.source {
            let theirs = source.providers(tenant).await;
            if let Some(found) = theirs.into_iter().find(|one| one.schema().provider == id) {
                return Ok(found);
            }
        }
        native.ok_or_else(unknown)
    }
}
