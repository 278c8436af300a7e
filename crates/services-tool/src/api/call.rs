//! Calling and trying operations of APIs.

use boxed::boxed;
use std::time::Duration;

use db::tool_api_provider;
use serde_json::{Map, Value};
use types::TenantId;

use super::{
    form::Auth,
    provider::bundles,
    request::{Answer, Caller},
    schema::{self, Bundle},
};
use crate::{ToolError, builtin::Tools, secret};

/// Most bytes of a schema.
const MAX_SCHEMA: usize = 16 << 20;

/// A trial of a tool whose API need not be stored.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct Trial {
    pub provider_name: String,
    pub tool_name: String,
    pub credentials: Map<String, Value>,
    pub parameters: Map<String, Value>,
    pub schema: String,
}

impl Tools {
    /// A schema from elsewhere, if it reads.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] without saying more: the address may be anything.
    #[boxed]
    pub async fn remote_schema(
        &self,
        url: &str,
        environment: Option<&str>,
    ) -> Result<String, ToolError> {
        let invalid = |reason: String| {
            tracing::info!(reason, "a schema from elsewhere does not read");
            ToolError::invalid("invalid schema, please check the url you provided")
        };
        let call = self.ctx.http.guarded().get(url).header("accept", "*/*");
        let response = call.timeout(Duration::from_secs(10)).send().await;
        let response = response.map_err(|err| invalid(err.to_string()))?;
        if response.status().as_u16() != 200 {
            return Err(invalid(format!("status {}", response.status())));
        }
        let text = response.text(MAX_SCHEMA).await.map_err(|err| invalid(err.to_string()))?;
        schema::parse(&text, environment).map_err(|err| invalid(err.to_string()))?;
        Ok(text)
    }

    /// Tries a tool. What went wrong with the call is part of the outcome.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for a trial that makes no sense.
    #[boxed]
    pub async fn try_api(
        &self,
        tenant: TenantId,
        trial: Trial,
        environment: Option<&str>,
    ) -> Result<Result<String, String>, ToolError> {
        let parsed = schema::parse(&trial.schema, environment)
            .map_err(|_| ToolError::invalid("invalid schema"))?;
        let bundle = parsed.bundles.iter().find(|it| it.name() == trial.tool_name);
        let Some(bundle) = bundle else {
            return Err(ToolError::Invalid(format!("invalid tool name {}", trial.tool_name)));
        };
        let auth = Auth::of(&trial.credentials)?;
        let known = {
            let mut conn = self.ctx.db.acquire().await?;
            tool_api_provider::find_by_name(&mut conn, tenant, &trial.provider_name).await?
        };
        let mut credentials = trial.credentials;
        if let Some(known) = &known {
            let stored = secret::parsed(Some(&known.credentials_str));
            let stored = secret::open(&self.ctx, tenant, auth.secrets(), stored).await?;
            credentials = unmasked(credentials, stored, auth.secrets());
        }
        let name = known.as_ref().map_or("", |known| known.name.as_str());
        if let Err(err) = secret::check(name, &auth.form(), &mut credentials) {
            return Ok(Err(err.to_string()));
        }
        let arguments = graph::Value::from_json(Value::Object(trial.parameters));
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let caller = Caller { ctx: &self.ctx, tenant, files: self.files.as_ref() };
        Ok(match caller.call(bundle, &credentials, arguments).await {
            Ok(answer) => {
                let shown = answer.shown();
                Ok(if shown.is_empty() { "empty response".to_owned() } else { shown })
            }
            Err(err) => Err(err.to_string()),
        })
    }

    /// An operation of a stored API, and its credentials.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if there is no such API or operation.
    pub(crate) async fn api_operation(
        &self,
        tenant: TenantId,
        provider: &str,
        tool: &str,
    ) -> Result<(Bundle, Map<String, Value>), ToolError> {
        let row = match provider.parse() {
            Ok(id) => {
                let mut conn = self.ctx.db.acquire().await?;
                tool_api_provider::find(&mut conn, tenant, id).await?
            }
            Err(_) => None,
        };
        let Some(row) = row else {
            return Err(ToolError::Invalid(format!("api provider {provider} not found")));
        };
        let bundle = bundles(&row).into_iter().find(|bundle| bundle.name() == tool);
        let mut bundle =
            bundle.ok_or_else(|| ToolError::Invalid(format!("tool {tool} not found")))?;
        bundle.icon = Some(row.icon.clone());
        let stored = secret::parsed(Some(&row.credentials_str));
        let secrets = Auth::of_stored(&stored).secrets();
        Ok((bundle, secret::open(&self.ctx, tenant, secrets, stored).await?))
    }

    /// Calls an operation.
    ///
    /// # Errors
    /// What the API answers instead.
    pub(crate) async fn call_api(
        &self,
        tenant: TenantId,
        bundle: &Bundle,
        credentials: &Map<String, Value>,
        arguments: graph::Object,
    ) -> Result<Answer, ToolError> {
        let caller = Caller { ctx: &self.ctx, tenant, files: self.files.as_ref() };
        caller.call(bundle, credentials, arguments).await
    }
}

/// `given` with the stored secret wherever it is masked as it was shown.
pub(super) fn unmasked(
    mut given: Map<String, Value>,
    stored: Map<String, Value>,
    secrets: &[&str],
) -> Map<String, Value> {
    let shown = secret::masked(secrets, stored.clone());
    for (name, value) in &mut given {
        if shown.get(name) == Some(value)
            && let Some(stored) = stored.get(name)
        {
            *value = stored.clone();
        }
    }
    given
}
