//! What is stored of a server, decrypted.

use boxed::boxed;
use crypto::mask;
use db::tool_mcp_provider::McpProvider;
use plugin::entity::I18n;
use serde_json::{Map, Value};
use services_core::{Ctx, tenant_secret};
use types::TenantId;
use url::Url;

use super::{client::Target, schema};
use crate::{
    ToolError, secret,
    view::{McpClientView, McpTimes, McpView, ProviderView, plain_icon},
};

type Values = Map<String, Value>;

/// A server, decrypted.
pub(super) struct Server {
    pub row: McpProvider,
    pub url: String,
    pub headers: Values,
    /// The client and the tokens of OAuth.
    pub credentials: Values,
}

/// Every text of an object at its top.
pub(super) fn texts(values: &Values) -> Vec<&str> {
    let is_text = |(_, value): &(&String, &Value)| value.as_str().is_some_and(|it| !it.is_empty());
    values.iter().filter(is_text).map(|(name, _)| name.as_str()).collect()
}

async fn opened(ctx: &Ctx, tenant: TenantId, values: Values) -> Result<Values, ToolError> {
    let copy = values.clone();
    Ok(secret::open(ctx, tenant, &texts(&copy), values).await?)
}

impl Server {
    #[boxed]
    pub async fn open(ctx: &Ctx, tenant: TenantId, row: McpProvider) -> Result<Self, ToolError> {
        let url = tenant_secret::decrypt(ctx, tenant, &row.server_url).await?;
        let headers = secret::parsed(row.encrypted_headers.as_deref());
        let headers = opened(ctx, tenant, headers).await?;
        let stored = secret::parsed(row.encrypted_credentials.as_deref());
        let mut credentials = opened(ctx, tenant, stored).await?;
        if let Some(Value::Object(client)) = credentials.get_mut("client_information")
            && let Some(Value::String(sealed)) = client.get("encrypted_client_secret").cloned()
            && let Some(plain) = tenant_secret::decrypt(ctx, tenant, &sealed).await?
        {
            client.insert("client_secret".to_owned(), plain.into());
        }
        Ok(Self { url: url.unwrap_or_default(), headers, credentials, row })
    }

    pub fn client(&self) -> Option<&Values> {
        self.credentials.get("client_information").and_then(Value::as_object)
    }

    fn token(&self) -> Option<String> {
        let text = |name: &str| self.credentials.get(name).and_then(Value::as_str);
        let token = text("access_token").filter(|token| !token.is_empty())?;
        let kind = text("token_type").unwrap_or("Bearer");
        let mut letters = kind.chars();
        let kind: String = letters
            .next()
            .map(|first| first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect())
            .unwrap_or_default();
        Some(format!("{kind} {token}"))
    }

    /// How to ask it; `with_token` also where there are headers.
    pub fn target(&self, with_token: bool) -> Target {
        let mut headers: Vec<(String, String)> = self
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect();
        if (with_token || headers.is_empty())
            && let Some(token) = self.token()
        {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            headers.push(("Authorization".to_owned(), token));
        }
        Target {
            url: self.url.clone(),
            headers,
            timeout: self.row.timeout,
            sse_read_timeout: self.row.sse_read_timeout,
        }
    }

    /// Its headers, masked.
    pub fn masked_headers(&self) -> Values {
        let names: Vec<&str> = self.headers.keys().map(String::as_str).collect();
        secret::masked(&names, self.headers.clone())
    }

    /// Its OAuth client, masked.
    pub fn masked_client(&self) -> Option<McpClientView> {
        let client = self.client()?;
        let text = |name: &str| {
            let text = client.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(mask::provider_secret)
        };
        let client_id = text("client_id")?;
        Some(McpClientView { client_id, client_secret: text("client_secret") })
    }

    /// As the console shows it.
    pub fn view(&self, icon: Value, author: Option<&str>, with_secrets: bool) -> ProviderView {
        let author = author.unwrap_or("Anonymous");
        let row = &self.row;
        let tools: Vec<Values> = serde_json::from_str(&row.tools).unwrap_or_default();
        let is_dynamic = self
            .client()
            .and_then(|client| client.get("is_dynamic_registration")?.as_bool())
            .unwrap_or(true);
        ProviderView {
            id: row.id.to_string(),
            author: author.to_owned(),
            name: row.name.clone(),
            description: I18n::default(),
            icon,
            icon_dark: Value::from(""),
            label: I18n::same(row.name.as_str()),
            kind: "mcp",
            masked_credentials: Map::new(),
            is_team_authorization: row.authed,
            allow_delete: true,
            plugin_id: Some(String::new()),
            plugin_unique_identifier: Some(String::new()),
            tools: tools.iter().filter_map(|tool| schema::view(tool, author)).collect(),
            labels: Vec::new(),
            mcp: Some(McpView {
                server_url: masked_url(&self.url),
                updated_at: row.updated_at.and_utc().timestamp(),
                server_identifier: row.server_identifier.clone(),
                masked_headers: if with_secrets { self.masked_headers() } else { Map::new() },
                authentication: self.masked_client().filter(|_| with_secrets),
                is_dynamic_registration: !with_secrets || is_dynamic,
                configuration: McpTimes {
                    timeout: row.timeout,
                    sse_read_timeout: row.sse_read_timeout,
                },
            }),
            workflow_app_id: None,
        }
    }
}

/// An address whose path nobody sees.
fn masked_url(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if !matches!(url.path(), "" | "/") => {
            url.set_path("/******");
            url.into()
        }
        _ => text.to_owned(),
    }
}

/// The icon of a row: an emoji, or the address of a picture that was uploaded.
pub(super) fn icon(ctx: &Ctx, text: Option<&str>) -> Value {
    let text = text.unwrap_or_default();
    match serde_json::from_str(text) {
        Ok(icon @ Value::Object(_)) => icon,
        _ => match text.parse() {
            Ok(id) => services_platform::links::upload(ctx, id).into(),
            Err(_) => plain_icon(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_addresses_are_masked() {
        for (url, shown) in [
            ("http://a:1/mcp", "http://a:1/******"),
            ("http://a:1/x/y?key=v", "http://a:1/******?key=v"),
            ("http://a:1", "http://a:1"),
        ] {
            assert_eq!(masked_url(url), shown);
        }
    }
}
