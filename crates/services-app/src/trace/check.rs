//! Trying credentials of a tracing provider before they are saved.

use std::time::Duration;

use net::Method;
use serde_json::json;
use services_core::Ctx;

use super::Provider;
use crate::json::{Object, text};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Whether the provider takes the credentials. Providers without an endpoint to ask are trusted to say so later.
pub(super) async fn accepts(ctx: &Ctx, provider: &Provider, clear: &Object) -> bool {
    let at = |key: &str| text(clear, key).unwrap_or_default().trim_end_matches('/').to_owned();
    let secret = |key: &str| text(clear, key).unwrap_or_default().to_owned();
    let http = ctx.http.guarded();
    let call = match provider.name {
        "langfuse" => {
            let pair = format!("{}:{}", secret("public_key"), secret("secret_key"));
            let basic = crypto::base64::encode(pair.as_bytes());
            http.get(format!("{}/api/public/projects", at("host")))
                .header("authorization", format!("Basic {basic}"))
        }
        "langsmith" => http
            .get(format!("{}/api/v1/sessions?limit=1", at("endpoint")))
            .header("x-api-key", secret("api_key")),
        "opik" => {
            let call = http.get(format!("{}/v1/private/projects?size=1", at("url")));
            let call = call.header("authorization", secret("api_key"));
            match text(clear, "workspace").filter(|name| !name.is_empty()) {
                Some(workspace) => call.header("comet-workspace", workspace),
                None => call,
            }
        }
        "weave" => http
            .request(Method::POST, format!("{}/calls/stream_query", at("endpoint")))
            .header("authorization", {
                let pair = format!("api:{}", secret("api_key"));
                format!("Basic {}", crypto::base64::encode(pair.as_bytes()))
            })
            .json(&json!({"project_id": format!("{}/{}", secret("entity"), secret("project")), "limit": 1})),
        "mlflow" => http.get(format!("{}/health", at("tracking_uri"))),
        // The others speak OTLP, which has nothing to ask without sending a trace.
        _ => return true,
    };
    match call.timeout(TIMEOUT).retries(0).send().await {
        Ok(answer) => answer.is_success(),
        Err(err) => {
            tracing::info!(error = %err, provider = provider.name, "tracing credentials were not accepted");
            false
        }
    }
}
