//! Calling tools of every kind.

pub mod argument;
mod mcp;
pub mod message;
mod native;
mod workflow;

use boxed::boxed;
use std::pin::Pin;

use db::{tool_builtin_provider, tool_workflow_provider::WorkflowTool};
use futures::{Stream, StreamExt};
use graph::{File, InvokeFrom, NoUrls, Object, UserFrom, Value as Argument};
use model_runtime::ProviderId;
use plugin::{
    CredentialType, DaemonError, ToolMessage, ToolPayload,
    entity::{I18n, Tool, ToolDescription, ToolIdentity, ToolParameter},
    oauth::OAuthClient,
    tool::{ToolContext, ToolInvocation},
};
use serde_json::{Map, Value};
use types::{TenantId, pyjson};
use uuid::Uuid;

use crate::{
    ToolError,
    api::Bundle,
    builtin::{Tools, merge, names},
    credential, secret,
};

/// On whose behalf a tool is called.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// Account or end user.
    pub user: &'a str,
    /// Which of the two.
    pub user_from: UserFrom,
    /// The app, if there is one.
    pub app: Option<&'a str>,
    /// The conversation, if there is one.
    pub conversation: Option<&'a str>,
    /// The message, if there is one.
    pub message: Option<&'a str>,
    /// How the app was called.
    pub invoke_from: InvokeFrom,
    /// How many workflows called each other to get here.
    pub call_depth: u32,
}

/// What a tool says.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// As tools of plugins say it.
    Message(ToolMessage),
    /// A file that is kept already.
    File(File),
}

impl Said {
    fn new(payload: ToolPayload) -> Self {
        Self::Message(ToolMessage { payload, meta: None })
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::new(ToolPayload::Text(text.into()))
    }

    pub(crate) fn json(value: Value, suppress_output: bool) -> Self {
        Self::new(ToolPayload::Json { value, suppress_output })
    }

    pub(crate) fn blob(data: bytes::Bytes, mime_type: &str) -> Self {
        let mut meta = Map::new();
        meta.insert("mime_type".to_owned(), mime_type.into());
        Self::Message(ToolMessage { payload: ToolPayload::Blob(data), meta: Some(meta) })
    }
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The tool says so.
    #[error("{0}")]
    Tool(String),
    /// The plugin daemon, or a plugin through it, says so.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
}

impl From<ToolError> for CallError {
    fn from(err: ToolError) -> Self {
        match err {
            ToolError::Fault(fault) => {
                tracing::error!(error = &fault as &dyn std::error::Error, "a tool failed");
                Self::Tool("the tool could not be called".to_owned())
            }
            other => Self::Tool(other.to_string()),
        }
    }
}

/// What a tool says, as it says it. Dropping it ends the call.
pub type Speech = Pin<Box<dyn Stream<Item = Result<Said, CallError>> + Send>>;

pub(crate) fn speech(said: Vec<Said>) -> Speech {
    Box::pin(futures::stream::iter(said.into_iter().map(Ok)))
}

/// A tool that can be called.
pub struct Ready {
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub parameters: Vec<ToolParameter>,
    /// The name models see it under, and what it is good for.
    pub description: String,
    /// Its icon, as it is kept of calls: file name or object.
    pub icon: Value,
    about: About,
    runner: Runner,
}

/// What people are told of a tool.
struct About {
    identity: ToolIdentity,
    description: Option<I18n>,
    output_schema: Map<String, Value>,
    has_runtime_parameters: bool,
}

impl About {
    fn new(name: &str, provider: &str, description: &str) -> Self {
        let identity = ToolIdentity {
            author: String::new(),
            name: name.to_owned(),
            label: I18n::same(name),
            provider: provider.to_owned(),
            icon: None,
        };
        Self {
            identity,
            description: Some(I18n::same(description)),
            output_schema: Map::new(),
            has_runtime_parameters: false,
        }
    }

    fn of(tool: &Tool) -> Self {
        Self {
            identity: tool.identity.clone(),
            description: tool.description.as_ref().map(|it| it.human.clone()),
            output_schema: tool.output_schema.clone(),
            has_runtime_parameters: tool.has_runtime_parameters,
        }
    }
}

impl Ready {
    /// The tool as plugins are told of it.
    #[must_use]
    pub fn declared(&self) -> Tool {
        let About { identity, description, output_schema, has_runtime_parameters } = &self.about;
        let human = description.clone();
        Tool {
            identity: identity.clone(),
            parameters: self.parameters.clone(),
            description: human
                .map(|human| ToolDescription { human, llm: self.description.clone() }),
            output_schema: output_schema.clone(),
            has_runtime_parameters: *has_runtime_parameters,
        }
    }

    /// The kind of its provider and its id; `named` is how it was asked for.
    pub(crate) fn source(&self, named: &str) -> (&'static str, String) {
        match &self.runner {
            Runner::Native { provider } => ("builtin", provider.clone()),
            Runner::Plugin { id, .. } => ("plugin", id.to_string()),
            Runner::Api { .. } => ("api", named.to_owned()),
            Runner::Mcp { .. } => ("mcp", named.to_owned()),
            Runner::Workflow(_) => ("workflow", named.to_owned()),
        }
    }
}

enum Runner {
    Native { provider: String },
    Plugin { id: ProviderId, credentials: Map<String, Value>, kind: CredentialType },
    Api { bundle: Box<Bundle>, credentials: Map<String, Value> },
    Mcp { identifier: String, has_schema: bool },
    Workflow(Box<WorkflowTool>),
}

/// Which tool is meant.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// `builtin`, `plugin`, `api`, `workflow` or `mcp`.
    pub kind: &'a str,
    /// The provider's id.
    pub provider: &'a str,
    /// The tool's name.
    pub tool: &'a str,
    /// The credential to use instead of the default one.
    pub credential: Option<&'a str>,
}

impl Tools {
    /// A tool with the credentials it needs.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if there is no such tool, provider or credential.
    #[boxed]
    pub async fn ready(&self, caller: &Caller<'_>, wanted: Wanted<'_>) -> Result<Ready, ToolError> {
        let tenant = caller.tenant;
        match wanted.kind {
            "builtin" | "plugin" => self.ready_builtin(caller, wanted).await,
            "api" => {
                let (bundle, credentials) =
                    self.api_operation(tenant, wanted.provider, wanted.tool).await?;
                let summary = bundle.summary.as_deref().unwrap_or_default();
                let mut about = About::new(bundle.name(), wanted.provider, summary);
                about.identity.author.clone_from(&bundle.author);
                about.identity.icon.clone_from(&bundle.icon);
                Ok(Ready {
                    about,
                    name: bundle.name().to_owned(),
                    parameters: bundle.parameters.clone().unwrap_or_default(),
                    description: bundle.summary.clone().unwrap_or_default(),
                    icon: Value::Null,
                    runner: Runner::Api { bundle: Box::new(bundle), credentials },
                })
            }
            "mcp" => self.ready_mcp(tenant, wanted).await,
            "workflow" => self.ready_workflow(tenant, wanted).await,
            other => Err(ToolError::Invalid(format!("provider type {other} not found"))),
        }
    }

    async fn ready_builtin(
        &self,
        caller: &Caller<'_>,
        wanted: Wanted<'_>,
    ) -> Result<Ready, ToolError> {
        let tenant = caller.tenant;
        let provider = self.find_builtin(tenant, wanted.provider).await?;
        let tool = provider
            .tool(wanted.tool)
            .cloned()
            .ok_or_else(|| ToolError::Invalid(format!("builtin tool {} not found", wanted.tool)))?;
        let description = tool.description.as_ref().map(|it| it.llm.clone()).unwrap_or_default();
        let mut about = About::of(&tool);
        about.identity.provider = provider.name().to_owned();
        if provider.plugin.is_none() {
            return Ok(Ready {
                about,
                name: tool.identity.name,
                parameters: tool.parameters,
                description,
                icon: tool.identity.icon.into(),
                runner: Runner::Native { provider: provider.name().to_owned() },
            });
        }
        let id: ProviderId = provider
            .name()
            .parse()
            .map_err(|err: model_runtime::InvalidProviderId| ToolError::Invalid(err.to_string()))?;
        let (credentials, kind) = if provider.needs_credentials() {
            self.credential_in_use(tenant, wanted, &provider).await?
        } else {
            (Map::new(), CredentialType::Unauthorized)
        };
        let mut parameters = tool.parameters;
        if tool.has_runtime_parameters {
            let context = context(caller);
            let more = self
                .daemon()?
                .tool_runtime_parameters(context, &id, &tool.identity.name, &credentials)
                .await?;
            merge(&mut parameters, more);
        }
        Ok(Ready {
            about,
            name: tool.identity.name,
            parameters,
            description,
            icon: provider.declaration.entry.identity.icon.into(),
            runner: Runner::Plugin { id, credentials, kind },
        })
    }

    /// The credential that is named, or the default one; refreshed if it ended.
    async fn credential_in_use(
        &self,
        tenant: TenantId,
        wanted: Wanted<'_>,
        provider: &crate::Provider,
    ) -> Result<(Map<String, Value>, CredentialType), ToolError> {
        let named = wanted.credential.filter(|id| !id.is_empty());
        let row = {
            let mut conn = self.ctx.db.acquire().await?;
            match named.and_then(|id| id.parse::<Uuid>().ok()) {
                Some(id) => tool_builtin_provider::find(&mut conn, tenant, id).await?,
                None => {
                    let names = names(wanted.provider);
                    let rows = tool_builtin_provider::list(&mut conn, tenant, &names).await?;
                    rows.into_iter().next()
                }
            }
        };
        let row = row.ok_or_else(|| match named {
            Some(id) => ToolError::Invalid(format!("provider has been deleted: {id}")),
            None => ToolError::Invalid(format!("no default provider for {}", wanted.provider)),
        })?;
        let kind = credential::kind(&row);
        let secrets = secret::secrets(provider.form(kind));
        let stored = secret::parsed(row.encrypted_credentials.as_deref());
        let values = secret::open(&self.ctx, tenant, &secrets, stored).await?;
        let now = self.ctx.now().timestamp();
        if kind != CredentialType::Oauth2 || row.expires_at < 0 || now < row.expires_at - 60 {
            return Ok((values, kind));
        }
        let id =
            ProviderId::tool(provider.name()).map_err(|err| ToolError::Invalid(err.to_string()))?;
        let client = OAuthClient {
            tenant,
            user: &row.user_id.to_string(),
            provider: &id,
            redirect_uri: &self.redirect_uri(provider.name()),
            system_credentials: &self.client_params(tenant, provider.name()).await?,
        };
        let fresh = self.daemon()?.oauth_refresh(client, &values).await?;
        let sealed = secret::seal(&self.ctx, tenant, &secrets, fresh.credentials.clone()).await?;
        let sealed = pyjson::dumps(&sealed)?;
        {
            let mut conn = self.ctx.db.acquire().await?;
            let (sealed, until) = (Some(sealed.as_str()), Some(fresh.expires_at));
            let now = self.ctx.now_naive();
            tool_builtin_provider::update(&mut conn, tenant, row.id, sealed, None, until, now)
                .await?;
        }
        self.forget_credential(tenant, &row.provider, row.id).await?;
        Ok((fresh.credentials, kind))
    }

    /// Calls a tool with arguments in the types of its parameters.
    ///
    /// # Errors
    /// [`CallError`]; what goes wrong later is part of the speech.
    #[boxed]
    pub async fn call(
        &self,
        caller: &Caller<'_>,
        ready: &Ready,
        arguments: Object,
    ) -> Result<Speech, CallError> {
        match &ready.runner {
            Runner::Native { provider } => {
                let said = native::call(self, caller, provider, &ready.name, &arguments).await?;
                Ok(speech(said))
            }
            Runner::Plugin { id, credentials, kind } => {
                let parameters = self.for_plugin(&arguments);
                let invocation = ToolInvocation {
                    provider: id,
                    tool: &ready.name,
                    credentials,
                    credential_type: *kind,
                    parameters: &parameters,
                };
                let messages = self.daemon()?.invoke_tool(context(caller), invocation).await?;
                Ok(Box::pin(messages.map(|message| Ok(Said::Message(message?)))))
            }
            Runner::Api { bundle, credentials } => {
                let answer = self.call_api(caller.tenant, bundle, credentials, arguments).await?;
                let mut said = Vec::new();
                if let Some(value @ Value::Object(_)) = &answer.json {
                    said.push(Said::json(value.clone(), false));
                }
                said.push(Said::text(answer.text));
                Ok(speech(said))
            }
            Runner::Mcp { identifier, has_schema } => {
                let plain = plain(&arguments);
                let result = self.call_mcp(caller.tenant, identifier, &ready.name, plain).await?;
                Ok(speech(mcp::said(&result, *has_schema)?))
            }
            Runner::Workflow(row) => Ok(speech(self.call_workflow(caller, row, arguments).await?)),
        }
    }

    /// Arguments as plugins take them: files with an address they can be fetched from.
    fn for_plugin(&self, arguments: &Object) -> Map<String, Value> {
        let urls = services_workflow::run::SignedUrls(self.ctx.clone());
        graph::value::object_to_json(arguments, &urls)
    }
}

fn context<'a>(caller: &Caller<'a>) -> ToolContext<'a> {
    ToolContext {
        tenant: caller.tenant,
        user: caller.user,
        conversation: caller.conversation,
        app: caller.app,
        message: caller.message,
    }
}

/// Arguments as JSON.
pub(crate) fn plain(arguments: &Object) -> Map<String, Value> {
    graph::value::object_to_json(arguments, &NoUrls)
}

/// An argument as text.
pub(crate) fn argument_text(arguments: &Object, name: &str) -> Option<String> {
    match arguments.get(name)? {
        Argument::Null => None,
        value => Some(value.py_str()),
    }
}
