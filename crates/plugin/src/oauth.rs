//! OAuth with services that plugins connect to, and options that depend on credentials.

use boxed::boxed;
use http::{HeaderMap, Method};
use model_runtime::ProviderId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::TenantId;

use crate::{
    client::{Daemon, Dispatch},
    entity::{CredentialType, ParameterOption, or_default},
    error::DaemonError,
    http_message,
};

/// Credentials that came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OAuthCredentials {
    /// Name and picture of the account, and what else is known.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Map<String, Value>,
    /// Unix seconds; -1: never.
    #[serde(default = "never")]
    pub expires_at: i64,
    /// The credentials.
    #[serde(deserialize_with = "or_default")]
    pub credentials: Map<String, Value>,
}

fn never() -> i64 {
    -1
}

/// Whom OAuth is for.
#[derive(Debug, Clone, Copy)]
pub struct OAuthClient<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// The user.
    pub user: &'a str,
    /// The provider.
    pub provider: &'a ProviderId,
    /// Where the service sends the user back to.
    pub redirect_uri: &'a str,
    /// Settings of the client, decrypted.
    pub system_credentials: &'a Map<String, Value>,
}

/// The request with which the service sent the user back.
#[derive(Debug, Clone, Copy)]
pub struct IncomingRequest<'a> {
    /// Method.
    pub method: &'a Method,
    /// Path and query.
    pub target: &'a str,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// Body.
    pub body: &'a [u8],
}

impl IncomingRequest<'_> {
    /// The whole request in hexadecimal digits, as plugins take it.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(http_message::request(self.method, self.target, self.headers, self.body))
    }
}

impl Daemon {
    /// Where to send the user.
    ///
    /// # Errors
    /// [`DaemonError::Value`] with the reference's words before the cause.
    #[boxed]
    pub async fn oauth_authorization_url(
        &self,
        client: OAuthClient<'_>,
    ) -> Result<String, DaemonError> {
        #[derive(Deserialize)]
        struct Url {
            authorization_url: String,
        }
        let url: Result<Url, _> =
            self.oauth(client, "get_authorization_url", Map::new(), "authorization URL").await;
        url.map(|url| url.authorization_url).map_err(|error| {
            DaemonError::Value(format!("Error getting authorization URL: {error}"))
        })
    }

    /// The credentials that the user's return is worth.
    ///
    /// # Errors
    /// [`DaemonError::Value`] with the reference's words before the cause.
    #[boxed]
    pub async fn oauth_credentials(
        &self,
        client: OAuthClient<'_>,
        request: IncomingRequest<'_>,
    ) -> Result<OAuthCredentials, DaemonError> {
        let mut more = Map::new();
        more.insert("raw_http_request".to_owned(), request.hex().into());
        self.oauth(client, "get_credentials", more, "authorization URL")
            .await
            .map_err(|error| DaemonError::Value(format!("Error getting credentials: {error}")))
    }

    /// Fresh credentials for old ones.
    ///
    /// # Errors
    /// [`DaemonError::Value`] with the reference's words before the cause.
    #[boxed]
    pub async fn oauth_refresh(
        &self,
        client: OAuthClient<'_>,
        credentials: &Map<String, Value>,
    ) -> Result<OAuthCredentials, DaemonError> {
        let mut more = Map::new();
        more.insert("credentials".to_owned(), credentials.clone().into());
        self.oauth(client, "refresh_credentials", more, "refresh credentials")
            .await
            .map_err(|error| DaemonError::Value(format!("Error refreshing credentials: {error}")))
    }

    async fn oauth<T: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        client: OAuthClient<'_>,
        action: &str,
        more: Map<String, Value>,
        what: &str,
    ) -> Result<T, DaemonError> {
        let mut data = json!({
            "provider": client.provider.provider_name(), "redirect_uri": client.redirect_uri,
            "system_credentials": client.system_credentials,
        });
        if let Some(data) = data.as_object_mut() {
            data.extend(more);
        }
        let plugin = client.provider.plugin_id();
        let action = format!("oauth/{action}");
        let first =
            self.first(Dispatch::new(client.tenant, &plugin, &action, client.user, data)).await?;
        first.ok_or_else(|| {
            DaemonError::Value(format!(
                "No response received from plugin daemon for {what} request."
            ))
        })
    }

    /// The choices of a parameter, which depend on the credentials. `action` is the tool or event it belongs to.
    ///
    /// # Errors
    /// Those of the daemon and the plugin.
    #[allow(clippy::too_many_arguments, reason = "each is a field of the call")]
    #[boxed]
    pub async fn dynamic_options(
        &self,
        tenant: TenantId,
        user: &str,
        plugin_id: &str,
        provider: &ProviderId,
        action: &str,
        credentials: &Map<String, Value>,
        credential_type: CredentialType,
        parameter: &str,
    ) -> Result<Vec<ParameterOption>, DaemonError> {
        #[derive(Deserialize)]
        struct Options {
            #[serde(deserialize_with = "or_default")]
            options: Vec<ParameterOption>,
        }
        let data = json!({
            "provider": provider.provider_name(), "credentials": credentials,
            "credential_type": credential_type, "provider_action": action, "parameter": parameter,
        });
        let path = "dynamic_select/fetch_parameter_options";
        let first: Option<Options> =
            self.first(Dispatch::new(tenant, plugin_id, path, user, data)).await?;
        first.map(|options| options.options).ok_or_else(|| {
            DaemonError::Value(format!(
                "Plugin service returned no options for parameter '{parameter}' in provider '{provider}'"
            ))
        })
    }
}
