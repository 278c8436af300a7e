//! Tools of plugins.

use boxed::boxed;
use model_runtime::ProviderId;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use types::TenantId;

use crate::{
    client::{Daemon, Dispatch},
    entity::{CredentialType, ToolParameter, ToolProvider, or_default},
    error::DaemonError,
    message::{MessageStream, merge_blobs},
};

/// On whose behalf a tool is called.
#[derive(Debug, Clone, Copy)]
pub struct ToolContext<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// The user.
    pub user: &'a str,
    /// The conversation, if there is one.
    pub conversation: Option<&'a str>,
    /// The app, if there is one.
    pub app: Option<&'a str>,
    /// The message, if there is one.
    pub message: Option<&'a str>,
}

/// A call of a tool.
#[derive(Debug, Clone, Copy)]
pub struct ToolInvocation<'a> {
    /// The provider.
    pub provider: &'a ProviderId,
    /// The tool's name.
    pub tool: &'a str,
    /// Decrypted credentials.
    pub credentials: &'a Map<String, Value>,
    /// How they were given.
    pub credential_type: CredentialType,
    /// Arguments.
    pub parameters: &'a Map<String, Value>,
}

/// An answer of yes or no, with credentials that a plugin may have changed.
#[derive(Debug, Deserialize)]
pub(crate) struct YesNo {
    pub result: bool,
    #[serde(default)]
    pub credentials: Option<Map<String, Value>>,
}

impl Daemon {
    /// All installed providers of tools, with names in full.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn list_tool_providers(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<ToolProvider>, DaemonError> {
        let query = [("page", "1"), ("page_size", "256")];
        let listed: Vec<ToolProvider> = self.get(tenant, "management/tools", &query).await?;
        Ok(listed.into_iter().map(named).collect())
    }

    /// An installed provider of tools, with names in full.
    ///
    /// # Errors
    /// When it is not installed.
    #[boxed]
    pub async fn find_tool_provider(
        &self,
        tenant: TenantId,
        provider: &ProviderId,
    ) -> Result<ToolProvider, DaemonError> {
        let plugin = provider.plugin_id();
        let query = [("provider", provider.provider_name()), ("plugin_id", &plugin)];
        Ok(named(self.get(tenant, "management/tool", &query).await?))
    }

    /// Calls a tool. Dropping the stream ends the call.
    ///
    /// # Errors
    /// When the daemon is not reached.
    #[boxed]
    pub async fn invoke_tool(
        &self,
        ctx: ToolContext<'_>,
        call: ToolInvocation<'_>,
    ) -> Result<MessageStream, DaemonError> {
        let plugin = call.provider.plugin_id();
        let mut dispatch = Dispatch::new(
            ctx.tenant,
            &plugin,
            "tool/invoke",
            ctx.user,
            json!({
                "provider": call.provider.provider_name(), "tool": call.tool,
                "credentials": call.credentials, "credential_type": call.credential_type,
                "tool_parameters": call.parameters,
            }),
        );
        ctx.describe(&mut dispatch.body);
        let messages = self.stream(dispatch).await?;
        Ok(merge_blobs(messages, self.options().max_file_size))
    }

    /// Whether a provider accepts the credentials.
    ///
    /// # Errors
    /// What the plugin raises.
    #[boxed]
    pub async fn check_tool_credentials(
        &self,
        tenant: TenantId,
        user: &str,
        provider: &ProviderId,
        credentials: &Map<String, Value>,
    ) -> Result<bool, DaemonError> {
        let data = json!({"provider": provider.provider_name(), "credentials": credentials});
        let plugin = provider.plugin_id();
        let dispatch = Dispatch::new(tenant, &plugin, "tool/validate_credentials", user, data);
        let first: Option<YesNo> = self.first(dispatch).await?;
        Ok(first.is_some_and(|answer| answer.result))
    }

    /// Further parameters of a tool, which depend on the credentials.
    ///
    /// # Errors
    /// What the plugin raises.
    #[boxed]
    pub async fn tool_runtime_parameters(
        &self,
        ctx: ToolContext<'_>,
        provider: &ProviderId,
        tool: &str,
        credentials: &Map<String, Value>,
    ) -> Result<Vec<ToolParameter>, DaemonError> {
        #[derive(Deserialize)]
        struct Parameters {
            #[serde(deserialize_with = "or_default")]
            parameters: Vec<ToolParameter>,
        }
        let plugin = provider.plugin_id();
        let data = json!({
            "provider": provider.provider_name(), "tool": tool, "credentials": credentials,
        });
        let path = "tool/get_runtime_parameters";
        let mut dispatch = Dispatch::new(ctx.tenant, &plugin, path, ctx.user, data);
        ctx.describe(&mut dispatch.body);
        let first: Option<Parameters> = self.first(dispatch).await?;
        Ok(first.map(|first| first.parameters).unwrap_or_default())
    }
}

impl ToolContext<'_> {
    /// Puts the surroundings into a call's body.
    pub(crate) fn describe(&self, body: &mut Value) {
        if let Some(body) = body.as_object_mut() {
            body.insert("conversation_id".to_owned(), self.conversation.into());
            body.insert("app_id".to_owned(), self.app.into());
            body.insert("message_id".to_owned(), self.message.into());
        }
    }
}

fn named(mut provider: ToolProvider) -> ToolProvider {
    let identity = &mut provider.declaration.entry.identity;
    identity.name = format!("{}/{}", provider.plugin_id, identity.name);
    for tool in &mut provider.declaration.tools {
        tool.identity.provider.clone_from(&identity.name);
    }
    provider
}
