//! Signing in at servers that want to know who asks: OAuth 2.1 with discovery, registration and PKCE.

use boxed::boxed;
use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use net::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use services_core::tenant_secret;
use sha2::{Digest, Sha256};
use types::{TenantId, pyjson};
use uuid::Uuid;

use super::{client::Challenge, row::Server};
use crate::{ToolError, builtin::Tools, secret};

/// How long a user may take at the server.
const PATIENCE: Duration = Duration::from_secs(300);
const TIMEOUT: Duration = Duration::from_secs(30);
/// Most bytes of an answer.
const MAX_ANSWER: usize = 1 << 20;

type Values = Map<String, Value>;

/// How signing in goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// It is done.
    Done,
    /// A person has to go there.
    Visit(String),
}

/// What a server says about who lets people in, and what to ask leave for.
struct Discovered {
    metadata: Values,
    scope: Option<String>,
}

/// Who went to a server, kept in Redis until he is back.
#[derive(Debug, Serialize, Deserialize)]
struct Journey {
    provider_id: Uuid,
    tenant_id: TenantId,
    server_url: String,
    metadata: Values,
    client_information: Values,
    code_verifier: String,
    redirect_uri: String,
}

fn text<'a>(values: &'a Values, name: &str) -> Option<&'a str> {
    values.get(name)?.as_str().filter(|text| !text.is_empty())
}

impl Tools {
    /// Signs in at a server, as far as that works without a person.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if the server does not say how, or refuses.
    pub(super) async fn sign_in(
        &self,
        tenant: TenantId,
        server: &Server,
        challenge: &Challenge,
    ) -> Result<SignIn, ToolError> {
        let id = server.row.id;
        let found = self.discover(&server.url, challenge).await?;
        let endpoint = |name: &str| {
            let endpoint = text(&found.metadata, name).map(str::to_owned);
            endpoint.ok_or_else(|| {
                ToolError::Invalid(format!("the authorization server names no {name}"))
            })
        };
        let client = match server.client() {
            Some(client) => client.clone(),
            None => self.register(tenant, id, &endpoint("registration_endpoint")?).await?,
        };
        if let Some(refresh) = text(&server.credentials, "refresh_token") {
            let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
            return match self.tokens(&endpoint("token_endpoint")?, &client, &form).await {
                Ok(tokens) => {
                    self.save_credentials(tenant, id, tokens, true).await?;
                    Ok(SignIn::Done)
                }
                Err(err) => {
                    self.forget_mcp(tenant, id).await?;
                    Err(ToolError::Invalid(format!(
                        "Failed to refresh token, please try to authorize again: {err}"
                    )))
                }
            };
        }
        if !takes(&found.metadata, "grant_types_supported", "authorization_code") {
            if text(&client, "client_secret").is_none() {
                return Err(ToolError::invalid(
                    "Client credentials flow requires client_id and client_secret to be provided",
                ));
            }
            let mut form = vec![("grant_type", "client_credentials")];
            form.extend(found.scope.as_deref().map(|scope| ("scope", scope)));
            let tokens = self.tokens(&endpoint("token_endpoint")?, &client, &form).await?;
            self.save_credentials(tenant, id, tokens, true).await?;
            return Ok(SignIn::Done);
        }
        let verifier = crypto::token::url_safe(40);
        let state = crypto::token::url_safe(32);
        let redirect_uri = self.mcp_redirect_uri();
        let mut url = Url::parse(&endpoint("authorization_endpoint")?)
            .map_err(|err| ToolError::Invalid(err.to_string()))?;
        {
            let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", text(&client, "client_id").unwrap_or_default())
                .append_pair("code_challenge", &digest)
                .append_pair("code_challenge_method", "S256")
                .append_pair("redirect_uri", &redirect_uri)
                .append_pair("state", &state);
            if let Some(scope) = &found.scope {
                query.append_pair("scope", scope);
            }
        }
        let journey = Journey {
            provider_id: id,
            tenant_id: tenant,
            server_url: server.url.clone(),
            metadata: found.metadata,
            client_information: client,
            code_verifier: verifier,
            redirect_uri,
        };
        let note = pyjson::dumps(&journey)?;
        self.ctx.redis.set_ex(&state_key(&state), note.as_bytes(), PATIENCE).await?;
        Ok(SignIn::Visit(url.into()))
    }

    /// Takes in what a person brings back from a server.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if nobody knows of the journey, or the server refuses the code.
    #[boxed]
    pub async fn return_from_mcp(&self, state: &str, code: &str) -> Result<(), ToolError> {
        let kept = self.ctx.redis.getdel(&state_key(state)).await?;
        let journey: Option<Journey> = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
        let journey = journey
            .ok_or_else(|| ToolError::invalid("State parameter has expired or does not exist"))?;
        let endpoint = text(&journey.metadata, "token_endpoint").unwrap_or_default();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", &journey.code_verifier),
            ("redirect_uri", &journey.redirect_uri),
        ];
        let tokens = self.tokens(endpoint, &journey.client_information, &form).await?;
        self.save_credentials(journey.tenant_id, journey.provider_id, tokens, true).await
    }

    fn mcp_redirect_uri(&self) -> String {
        let base = self.ctx.config.feature.console_api_url.trim_end_matches('/');
        format!("{base}/console/api/mcp/oauth/callback")
    }

    async fn discover(&self, url: &str, challenge: &Challenge) -> Result<Discovered, ToolError> {
        let none = || ToolError::invalid("Failed to discover OAuth metadata from server");
        let server = Url::parse(url).map_err(|_| none())?;
        let mut places: Vec<String> = challenge.resource_metadata.iter().cloned().collect();
        places.extend(well_known(&server, "oauth-protected-resource"));
        let resource = self.first_object(&places).await.unwrap_or_default();
        let authority = resource.get("authorization_servers").and_then(Value::as_array);
        let authority = authority.and_then(|all| all.first()?.as_str());
        let authority = authority.and_then(|url| Url::parse(url).ok());
        let has_authority = authority.is_some();
        let authority = authority.unwrap_or_else(|| server.clone());
        let mut places = well_known(&authority, "oauth-authorization-server");
        places.extend(well_known(&authority, "openid-configuration"));
        let path = authority.path().trim_end_matches('/');
        if has_authority && !path.is_empty() {
            let origin = authority.origin().ascii_serialization();
            places.push(format!("{origin}{path}/.well-known/openid-configuration"));
        }
        let metadata = self.first_object(&places).await.ok_or_else(none)?;
        let listed = |values: &Values| {
            let scopes = values.get("scopes_supported")?.as_array()?;
            let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
            (!scopes.is_empty()).then(|| scopes.join(" "))
        };
        let scope =
            challenge.scope.clone().or_else(|| listed(&resource)).or_else(|| listed(&metadata));
        Ok(Discovered { metadata, scope })
    }

    /// The first of some documents that is there.
    async fn first_object(&self, places: &[String]) -> Option<Values> {
        for place in places {
            let call = self
                .ctx
                .http
                .guarded()
                .get(place)
                .header("mcp-protocol-version", "2025-06-18")
                .header("user-agent", "Dify")
                .any_status()
                .timeout(TIMEOUT);
            let Ok(response) = call.send().await else { continue };
            if !response.is_success() {
                continue;
            }
            if let Ok(Value::Object(found)) = response.json(MAX_ANSWER).await {
                return Some(found);
            }
        }
        None
    }

    /// Introduces this server to an authorization server.
    async fn register(
        &self,
        tenant: TenantId,
        id: Uuid,
        endpoint: &str,
    ) -> Result<Values, ToolError> {
        let about = json!({
            "redirect_uris": [self.mcp_redirect_uri()], "token_endpoint_auth_method": "none",
            "grant_types": ["refresh_token", "authorization_code"], "response_types": ["code"],
            "client_name": "Dify", "client_uri": "https://github.com/langgenius/dify",
        });
        let call = self.ctx.http.guarded().post(endpoint).json(&about).any_status();
        let mut client = self.answer(call.timeout(TIMEOUT)).await?;
        client.insert("is_dynamic_registration".to_owned(), true.into());
        let mut stored = client.clone();
        if let Some(Value::String(plain)) = stored.shift_remove("client_secret") {
            let sealed = tenant_secret::encrypt(&self.ctx, tenant, &plain).await?;
            stored.insert("encrypted_client_secret".to_owned(), sealed.into());
        }
        let mut values = Map::new();
        values.insert("client_information".to_owned(), Value::Object(stored));
        self.save_credentials(tenant, id, values, false).await?;
        Ok(client)
    }

    async fn tokens(
        &self,
        endpoint: &str,
        client: &Values,
        form: &[(&str, &str)],
    ) -> Result<Values, ToolError> {
        let mut form = form.to_vec();
        form.push(("client_id", text(client, "client_id").unwrap_or_default()));
        form.extend(text(client, "client_secret").map(|secret| ("client_secret", secret)));
        let call = self.ctx.http.guarded().post(endpoint).form(&form).any_status();
        let answer = self.answer(call.timeout(TIMEOUT)).await?;
        let mut tokens = Map::new();
        for name in ["access_token", "token_type", "expires_in", "refresh_token"] {
            let value = match answer.get(name) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => continue,
            };
            tokens.insert(name.to_owned(), value.into());
        }
        if text(&tokens, "access_token").is_none() {
            return Err(ToolError::invalid("the authorization server gives no token"));
        }
        Ok(tokens)
    }

    async fn answer(&self, call: net::Call) -> Result<Values, ToolError> {
        let response = call.send().await.map_err(|err| ToolError::Invalid(err.to_string()))?;
        let status = response.status().as_u16();
        let is_success = response.is_success();
        let body = response.text(MAX_ANSWER).await;
        let body = body.map_err(|err| ToolError::Invalid(err.to_string()))?;
        if !is_success {
            return Err(ToolError::Invalid(format!("HTTP {status}: {body}")));
        }
        serde_json::from_str(&body)
            .map_err(|_| ToolError::invalid("the authorization server's answer makes no sense"))
    }

    /// Adds to what is stored of a server; tokens are encrypted.
    async fn save_credentials(
        &self,
        tenant: TenantId,
        id: Uuid,
        more: Values,
        authed: bool,
    ) -> Result<(), ToolError> {
        let names: Vec<String> = super::row::texts(&more).into_iter().map(str::to_owned).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let sealed = secret::seal(&self.ctx, tenant, &names, more).await?;
        let mut tx = self.ctx.db.begin().await?;
        let row = db::tool_mcp_provider::find(&mut tx, tenant, id).await?;
        let row = row.ok_or_else(|| ToolError::invalid("MCP tool not found"))?;
        let mut stored = secret::parsed(row.encrypted_credentials.as_deref());
        stored.extend(sealed);
        let stored = pyjson::dumps(&stored)?;
        let now = self.ctx.now_naive();
        let authed = authed || row.authed;
        db::tool_mcp_provider::note(&mut tx, tenant, id, authed, None, Some(&stored), now).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn state_key(state: &str) -> String {
    format!("oauth_state:{state}")
}

/// Whether a list of `metadata` has `value`; without the list it does.
fn takes(metadata: &Values, list: &str, value: &str) -> bool {
    match metadata.get(list).and_then(Value::as_array) {
        Some(values) => values.iter().any(|it| it.as_str() == Some(value)),
        None => true,
    }
}

/// Where a server keeps a document: for its path first.
fn well_known(server: &Url, name: &str) -> Vec<String> {
    let origin = server.origin().ascii_serialization();
    let path = server.path().trim_end_matches('/');
    let mut places = Vec::new();
    if !path.is_empty() {
        places.push(format!("{origin}/.well-known/{name}{path}"));
    }
    places.push(format!("{origin}/.well-known/{name}"));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_looked_for_at_the_path_first() {
        let places = |url: &str| well_known(&Url::parse(url).unwrap(), "x");
        assert_eq!(
            places("http://a:1/p/mcp"),
            ["http://a:1/.well-known/x/p/mcp", "http://a:1/.well-known/x"]
        );
        assert_eq!(places("http://a"), ["http://a/.well-known/x"]);
    }

    #[test]
    fn grants_that_are_not_listed_are_taken() {
        let listed = json!({"grants": ["a"]}).as_object().cloned().unwrap();
        assert!(takes(&listed, "grants", "a"));
        assert!(!takes(&listed, "grants", "b"));
        assert!(takes(&listed, "other", "b"));
    }
}
