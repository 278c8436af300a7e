//! Agent strategies of plugins.

use boxed::boxed;
use model_runtime::ProviderId;
use serde_json::{Map, Value, json};
use types::TenantId;

use crate::{
    client::{Daemon, Dispatch},
    entity::AgentProvider,
    error::DaemonError,
    message::{MessageStream, merge_blobs},
    tool::ToolContext,
};

/// Most bytes of a file that a strategy makes.
const MAX_FILE: usize = 30 << 20;

impl Daemon {
    /// All installed providers of strategies, with names in full.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn list_agent_providers(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<AgentProvider>, DaemonError> {
        let query = [("page", "1"), ("page_size", "256")];
        let listed: Vec<AgentProvider> =
            self.get(tenant, "management/agent_strategies", &query).await?;
        Ok(listed.into_iter().map(named).collect())
    }

    /// An installed provider of strategies, with names in full.
    ///
    /// # Errors
    /// When it is not installed.
    #[boxed]
    pub async fn find_agent_provider(
        &self,
        tenant: TenantId,
        provider: &ProviderId,
    ) -> Result<AgentProvider, DaemonError> {
        let plugin = provider.plugin_id();
        let query = [("provider", provider.provider_name()), ("plugin_id", &plugin)];
        Ok(named(self.get(tenant, "management/agent_strategy", &query).await?))
    }

    /// Starts a strategy. `tool_credentials` are credential ids by tool provider, for the calls it makes back. Dropping
    /// the stream ends it.
    ///
    /// # Errors
    /// When the daemon is not reached.
    #[boxed]
    pub async fn invoke_agent_strategy(
        &self,
        ctx: ToolContext<'_>,
        provider: &ProviderId,
        strategy: &str,
        parameters: &Map<String, Value>,
        tool_credentials: &Map<String, Value>,
    ) -> Result<MessageStream, DaemonError> {
        let plugin = provider.plugin_id();
        let data = json!({
            "agent_strategy_provider": provider.provider_name(), "agent_strategy": strategy,
            "agent_strategy_params": parameters,
        });
        let path = "agent_strategy/invoke";
        let mut dispatch = Dispatch::new(ctx.tenant, &plugin, path, ctx.user, data);
        ctx.describe(&mut dispatch.body);
        if let Some(body) = dispatch.body.as_object_mut() {
            let context = json!({"credentials": {"tool_credentials": tool_credentials}});
            body.insert("context".to_owned(), context);
        }
        Ok(merge_blobs(self.stream(dispatch).await?, MAX_FILE))
    }
}

fn named(mut provider: AgentProvider) -> AgentProvider {
    let identity = &mut provider.declaration.entry.identity;
    identity.name = format!("{}/{}", provider.plugin_id, identity.name);
    for strategy in &mut provider.declaration.strategies {
        strategy.identity.provider.clone_from(&identity.name);
    }
    provider
}
