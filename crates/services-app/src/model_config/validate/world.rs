//! What the checks ask about the workspace.

use services_core::{Ctx, Fault};
use types::{DatasetId, TenantId};
use uuid::Uuid;

use crate::ports::{Llm, Ports};

/// What the checks ask about the workspace: the workspace itself, or a test's idea of one.
pub trait World: Sync {
    /// Full ids of the model providers.
    fn providers(&self) -> impl Future<Output = Result<Vec<String>, Fault>> + Send;

    /// The LLMs configured with a provider.
    fn llms(&self, provider: &str) -> impl Future<Output = Result<Vec<Llm>, Fault>> + Send;

    /// Whether a knowledge base is the workspace's.
    fn has_dataset(&self, id: DatasetId) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Whether an API extension is the workspace's.
    fn has_extension(&self, id: Uuid) -> impl Future<Output = Result<bool, Fault>> + Send;
}

/// A workspace.
#[derive(Clone, Copy)]
pub struct Workspace<'a> {
    /// The context.
    pub ctx: &'a Ctx,
    /// Models.
    pub ports: &'a Ports,
    /// The workspace.
    pub tenant: TenantId,
}

impl World for Workspace<'_> {
    async fn providers(&self) -> Result<Vec<String>, Fault> {
        self.ports.models.providers(self.tenant).await
    }

    async fn llms(&self, provider: &str) -> Result<Vec<Llm>, Fault> {
        self.ports.models.llms(self.tenant, provider).await
    }

    async fn has_dataset(&self, id: DatasetId) -> Result<bool, Fault> {
        let mut conn = self.ctx.db.acquire().await?;
        Ok(db::dataset::exists(&mut conn, self.tenant, id).await?)
    }

    async fn has_extension(&self, id: Uuid) -> Result<bool, Fault> {
        let mut conn = self.ctx.db.acquire().await?;
        Ok(db::extension::find(&mut conn, self.tenant, id).await?.is_some())
    }
}
