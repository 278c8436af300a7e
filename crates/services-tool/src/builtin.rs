//! Providers that come with the server or with plugins.

use boxed::boxed;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use db::tool_builtin_provider::ToolCredential;
use model_runtime::ProviderId;
use nodes::{CodeRunner, Files};
use plugin::{
    CredentialType, Daemon, DaemonError, DaemonFault,
    entity::{I18n, ToolParameter},
    tool::ToolContext,
};
use serde_json::{Map, Value};
use services_core::Ctx;
use services_model::Models;
use services_workflow::run::Runs;
use types::TenantId;

use crate::{
    ToolError, native, secret,
    view::{ProviderView, ToolView},
};

mod provider;

use provider::full;
pub(crate) use provider::names;
pub use provider::{Origin, Provider};

/// How long lists wait for the plugin daemon before they do without it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The tools of all workspaces: the part of the server's state that knows and calls them. Cheap to clone.
#[derive(Clone)]
pub struct Tools(Arc<Inner>);

struct Inner {
    parts: Parts,
    runs: OnceLock<Runs>,
}

/// What tools are made of.
pub struct Parts {
    /// The context.
    pub ctx: Ctx,
    /// The plugin daemon, if one is configured.
    pub daemon: Option<Daemon>,
    /// Models, for tools that use some.
    pub models: Models,
    /// Files that tools are given.
    pub files: Arc<dyn Files>,
    /// Runs code.
    pub code: Arc<dyn CodeRunner>,
}

impl std::ops::Deref for Tools {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl Tools {
    /// The tools of a server.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner { parts, runs: OnceLock::new() }))
    }

    /// Lets workflows be called as tools. Workflows call tools themselves, so whoever wires the server makes the tools
    /// first and says this afterwards, once.
    pub fn run_workflows_with(&self, runs: Runs) {
        if self.0.runs.set(runs).is_err() {
            tracing::warn!("tools know already what runs workflows");
        }
    }

    pub(crate) fn runs(&self) -> Option<&Runs> {
        self.0.runs.get()
    }

    /// The plugin daemon.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if none is configured: then no plugin is installed.
    pub fn daemon(&self) -> Result<&Daemon, ToolError> {
        self.daemon.as_ref().ok_or_else(|| {
            let fault = DaemonFault {
                class: "PluginNotFoundError",
                description: "plugin not found".to_owned(),
                request_id: uuid::Uuid::new_v4().simple().to_string().chars().take(10).collect(),
            };
            ToolError::from(DaemonError::Fault(fault))
        })
    }

    /// The provider of an id, long or short.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if there is none.
    #[boxed]
    pub async fn find_builtin(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<Provider, ToolError> {
        if let Some(declaration) = native::find(provider) {
            let mut declaration = declaration.clone();
            native::complete(self, tenant, &mut declaration).await;
            return Ok(Provider { declaration, plugin: None });
        }
        let id = ProviderId::tool(provider).map_err(|err| ToolError::invalid(err.to_string()))?;
        Ok(self.daemon()?.find_tool_provider(tenant, &id).await?.into())
    }

    /// All providers of a workspace: those of the server, then those of its plugins. A plugin daemon that is away
    /// has none.
    #[boxed]
    pub async fn list_builtin(&self, tenant: TenantId) -> Vec<Provider> {
        let settings = &self.ctx.config.feature;
        let names = |text: &str| {
            text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
        };
        let excluded: Vec<String> = names(&settings.position_tool_excludes);
        let included: Vec<String> = names(&settings.position_tool_includes);
        let mut all = Vec::new();
        for declaration in native::all() {
            let mut declaration = declaration.clone();
            native::complete(self, tenant, &mut declaration).await;
            all.push(Provider { declaration, plugin: None });
        }
        if let Some(daemon) = &self.daemon {
            match tokio::time::timeout(PATIENCE, daemon.list_tool_providers(tenant)).await {
                Ok(Ok(listed)) => all.extend(listed.into_iter().map(Provider::from)),
                Ok(Err(error)) => tracing::warn!(%error, "the plugin daemon lists no tools"),
                Err(_) => tracing::warn!("the plugin daemon does not list tools in time"),
            }
        }
        all.retain(|provider| {
            let name = provider.name().to_owned();
            !excluded.contains(&name) && (included.is_empty() || included.contains(&name))
        });
        all
    }

    /// The address of an icon of a plugin.
    #[must_use]
    pub fn plugin_icon(&self, tenant: TenantId, file: &str) -> String {
        let base = self.ctx.config.feature.console_api_url.trim_end_matches('/');
        let file = percent_encoding::utf8_percent_encode(file, percent_encoding::NON_ALPHANUMERIC);
        let file = file.to_string().replace("%2E", ".").replace("%5F", "_").replace("%2D", "-");
        format!(
            "{base}/console/api/workspaces/current/plugin/icon?tenant_id={tenant}&filename={file}"
        )
    }

    /// The addresses of a provider's icons, for light and dark themes; the second is empty where there is none.
    pub(crate) fn icons(&self, tenant: TenantId, provider: &Provider) -> (String, String) {
        let identity = &provider.declaration.entry.identity;
        let address = |file: &str| match &provider.plugin {
            Some(_) => self.plugin_icon(tenant, file),
            None => self.native_icon(&identity.name),
        };
        let dark = identity.icon_dark.as_deref().filter(|file| !file.is_empty());
        (address(&identity.icon), dark.map(address).unwrap_or_default())
    }

    fn native_icon(&self, provider: &str) -> String {
        let base = self.ctx.config.feature.console_api_url.trim_end_matches('/');
        format!("{base}/console/api/workspaces/current/tool-provider/builtin/{provider}/icon")
    }

    /// A provider as the console shows it, with the credential in use if there is one.
    pub(crate) async fn view(
        &self,
        tenant: TenantId,
        provider: &Provider,
        credential: Option<&ToolCredential>,
        with: Shown,
    ) -> Result<ProviderView, ToolError> {
        let identity = &provider.declaration.entry.identity;
        let kind = credential.and_then(|it| CredentialType::of(&it.credential_type));
        let form = provider.form(kind.unwrap_or(CredentialType::ApiKey));
        let needs = provider.needs_credentials();
        let mut masked: Map<String, Value> =
            form.iter().map(|field| (field.name.clone(), Value::from(""))).collect();
        if let Some(credential) = credential.filter(|_| needs && with.credentials) {
            let secrets = secret::secrets(form);
            let stored = secret::parsed(credential.encrypted_credentials.as_deref());
            masked =
                secret::masked(&secrets, secret::open(&self.ctx, tenant, &secrets, stored).await?);
        }
        let icon = |file: &str| match &provider.plugin {
            _ if !with.addresses => Value::from(file),
            Some(_) => Value::from(self.plugin_icon(tenant, file)),
            None => Value::from(self.native_icon(&identity.name)),
        };
        let dark = identity.icon_dark.as_deref().filter(|file| !file.is_empty());
        let tools = provider.declaration.tools.iter().filter(|_| with.tools);
        Ok(ProviderView {
            id: identity.name.clone(),
            author: identity.author.clone(),
            name: identity.name.clone(),
            description: identity.description.clone(),
            icon: icon(&identity.icon),
            icon_dark: dark.map_or_else(|| Value::from(""), icon),
            label: identity.label.clone(),
            kind: "builtin",
            masked_credentials: masked,
            is_team_authorization: !needs || credential.is_some(),
            allow_delete: needs,
            plugin_id: provider.plugin.as_ref().map(|plugin| plugin.plugin_id.clone()),
            plugin_unique_identifier: Some(
                provider
                    .plugin
                    .as_ref()
                    .map(|plugin| plugin.unique_identifier.clone())
                    .unwrap_or_default(),
            ),
            tools: tools.map(|tool| ToolView::of(tool, provider.labels())).collect(),
            labels: provider.labels().to_vec(),
            mcp: None,
            workflow_app_id: None,
        })
    }

    /// All of them as the console shows them.
    ///
    /// # Errors
    /// Faults of the ground.
    #[boxed]
    pub async fn builtin_views(
        &self,
        tenant: TenantId,
        with_tools: bool,
    ) -> Result<Vec<ProviderView>, ToolError> {
        let credentials = {
            let mut conn = self.ctx.db.acquire().await?;
            db::tool_builtin_provider::list_all(&mut conn, tenant).await?
        };
        let mut views = Vec::new();
        let with = Shown { tools: with_tools, credentials: with_tools, addresses: true };
        for mut provider in self.list_builtin(tenant).await {
            if with_tools {
                self.complete(tenant, &mut provider).await;
            }
            // The first is the default one, or the one made last.
            let credential = credentials.iter().find(|it| full(&it.provider) == provider.name());
            views.push(self.view(tenant, &provider, credential, with).await?);
        }
        Ok(views)
    }

    /// Adds the parameters that plugins tell of without credentials. What a plugin does not tell is left out.
    async fn complete(&self, tenant: TenantId, provider: &mut Provider) {
        let (Some(_), Some(daemon)) = (&provider.plugin, &self.daemon) else { return };
        let Ok(id) = provider.name().parse::<ProviderId>() else { return };
        let context =
            ToolContext { tenant, user: "", conversation: None, app: None, message: None };
        let nothing = Map::new();
        let asked = provider.declaration.tools.iter_mut().filter(|it| it.has_runtime_parameters);
        for tool in asked {
            let name = &tool.identity.name;
            let more = daemon.tool_runtime_parameters(context, &id, name, &nothing);
            match tokio::time::timeout(PATIENCE, more).await {
                Ok(Ok(more)) => merge(&mut tool.parameters, more),
                Ok(Err(error)) => tracing::info!(%error, "a tool does not tell its parameters"),
                Err(_) => tracing::info!("a tool does not tell its parameters in time"),
            }
        }
    }

    /// A provider with the credential in use.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if there is no such provider, or the workspace has no credential of it.
    #[boxed]
    pub async fn builtin_info(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<ProviderView, ToolError> {
        let found = self.find_builtin(tenant, provider).await?;
        let credentials = {
            let mut conn = self.ctx.db.acquire().await?;
            db::tool_builtin_provider::list(&mut conn, tenant, &names(provider)).await?
        };
        let Some(credential) = credentials.first() else {
            return Err(ToolError::Invalid(format!("you have not added provider {provider}")));
        };
        let with = Shown { tools: false, credentials: true, addresses: false };
        self.view(tenant, &found, Some(credential), with).await
    }

    /// The tools of a provider.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if there is no such provider.
    #[boxed]
    pub async fn builtin_tools(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<Vec<ToolView>, ToolError> {
        let mut provider = self.find_builtin(tenant, provider).await?;
        self.complete(tenant, &mut provider).await;
        let tools = provider.declaration.tools.iter();
        Ok(tools.map(|tool| ToolView::of(tool, provider.labels())).collect())
    }
}

/// Puts parameters a plugin told in place of those declared; others are added if a form can hold them.
pub(crate) fn merge(known: &mut Vec<ToolParameter>, told: Vec<ToolParameter>) {
    for parameter in told {
        let same = |it: &&mut ToolParameter| it.name == parameter.name && it.form == parameter.form;
        match known.iter_mut().find(same) {
            Some(it) => *it = parameter,
            None if parameter.form == "form" => known.push(parameter),
            None => {}
        }
    }
}

/// What of a provider is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    /// Its tools.
    pub tools: bool,
    /// The values of the credential in use.
    pub credentials: bool,
    /// The address of its icon rather than the file's name.
    pub addresses: bool,
}

/// A text in two languages, the Chinese one also where it is empty.
pub(crate) fn text(english: &str, chinese: &str) -> I18n {
    I18n { zh_Hans: chinese.to_owned(), ..I18n::same(english) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_may_carry_short_and_long_names() {
        assert_eq!(names("time"), ["time", "langgenius/time/time"]);
        assert_eq!(
            names("langgenius/jina/jina"),
            ["langgenius/jina/jina", "jina", "langgenius/jina_tool/jina"]
        );
        assert_eq!(names("me/x/y"), ["me/x/y"]);
    }
}
