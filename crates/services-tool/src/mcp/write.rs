//! What a user says of a server, made ready to be stored.

use boxed::boxed;
use serde_json::{Map, Value, json};
use services_core::tenant_secret;
use types::{TenantId, pyjson};

use super::{
    provider::McpContent,
    row::{Server, texts},
};
use crate::{ToolError, builtin::Tools, secret};

pub(super) fn plain_headers(headers: &Map<String, Value>) -> Vec<(String, String)> {
    let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    headers.iter().filter_map(text).collect()
}

/// `given` with the stored value of each header that arrives masked as it was shown.
pub(super) fn kept_headers(given: Map<String, Value>, known: &Server) -> Map<String, Value> {
    let masked = known.masked_headers();
    let kept = |(name, value): (String, Value)| {
        let stored = known.headers.get(&name).filter(|_| masked.get(&name) == Some(&value));
        let value = stored.cloned().unwrap_or(value);
        (name, value)
    };
    given.into_iter().map(kept).collect()
}

/// The texts of a row that are encrypted.
pub(super) struct Sealed {
    pub url: String,
    pub icon: String,
    pub headers: Option<String>,
    pub credentials: Option<String>,
}

impl Sealed {
    #[boxed]
    pub async fn of(
        tools: &Tools,
        tenant: TenantId,
        content: &McpContent,
    ) -> Result<Self, ToolError> {
        let ctx = &tools.ctx;
        let headers = if content.headers.is_empty() {
            None
        } else {
            let names = content.headers.clone();
            let sealed = secret::seal(ctx, tenant, &texts(&names), content.headers.clone()).await?;
            Some(pyjson::dumps(&sealed)?)
        };
        let credentials = match content.client.as_ref().filter(|client| !client.id.is_empty()) {
            Some(client) => {
                let mut values = json!({
                    "client_id": client.id, "client_name": "Dify", "is_dynamic_registration": false,
                });
                if let (Some(secret), Some(values)) = (&client.secret, values.as_object_mut()) {
                    let sealed = tenant_secret::encrypt(ctx, tenant, secret).await?;
                    values.insert("encrypted_client_secret".to_owned(), sealed.into());
                }
                Some(pyjson::dumps(&json!({ "client_information": values }))?)
            }
            None => None,
        };
        let icon = if content.icon_type == "emoji" {
            let (content, background) = (&content.icon, &content.icon_background);
            pyjson::dumps(&json!({"content": content, "background": background}))?
        } else {
            content.icon.clone()
        };
        let url = tenant_secret::encrypt(ctx, tenant, &content.server_url).await?;
        Ok(Self { url, icon, headers, credentials })
    }
}
