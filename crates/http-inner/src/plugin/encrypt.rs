//! `/inner/api/invoke/encrypt`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, validation::JsonObject};
use serde::{Deserialize, Serialize};
use services_model::plugin_call::{self, Operation};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Outcome, PluginCall};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(invoke_encrypt))
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Opt {
    Encrypt,
    Decrypt,
    Clear,
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Namespace {
    Endpoint,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct FieldKind {
    /// `secret-input` fields are encrypted.
    r#type: String,
    name: String,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeEncrypt {
    opt: Opt,
    #[serde(rename = "namespace")]
    _namespace: Namespace,
    /// Whose settings they are: an endpoint's id.
    identity: String,
    #[serde(default)]
    #[schema(value_type = Object)]
    data: JsonObject,
    #[serde(default)]
    config: Vec<FieldKind>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Settings {
    #[schema(value_type = Object)]
    data: JsonObject,
}

/// Encrypt or decrypt the settings of a plugin's endpoint with the workspace's keys.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/encrypt",
    tag = "plugin",
    request_body = RequestInvokeEncrypt,
    responses((status = 200, body = Outcome<Settings>), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_encrypt(
    State(state): State<AppState>,
    call: PluginCall<RequestInvokeEncrypt>,
) -> Result<Json<Outcome<Settings>>, ApiError> {
    let PluginCall { caller, body } = call;
    let operation = match body.opt {
        Opt::Encrypt => Operation::Encrypt,
        Opt::Decrypt => Operation::Decrypt,
        Opt::Clear => Operation::Clear,
    };
    let secrets: Vec<String> = body
        .config
        .into_iter()
        .filter(|field| field.r#type == "secret-input")
        .map(|field| field.name)
        .collect();
    let data = plugin_call::endpoint_settings(
        &state.ctx,
        caller.tenant,
        operation,
        &body.identity,
        body.data,
        &secrets,
    )
    .await?;
    Ok(Outcome::of(Ok::<_, std::convert::Infallible>(Settings { data })))
}
