//! Choices of parameters that depend on credentials.

use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Query, Valid, guard::Admin, validation::JsonObject,
};
use plugin::entity::ParameterOption;
use serde::{Deserialize, Serialize};
use services_tool::{Tools, option::Choice};
use services_workflow::trigger::plugin::Events;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What stands for a stored value that stays.
const HIDDEN: &str = "[__HIDDEN__]";

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_parameter_options))
        .routes(routes!(list_parameter_options_with_credentials))
}

/// What has the parameter.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum OptionOwner {
    Tool,
    Trigger,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct ParameterOptionQuery {
    plugin_id: String,
    provider: String,
    action: String,
    parameter: String,
    credential_id: Option<String>,
    #[param(inline)]
    provider_type: OptionOwner,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ParameterOptions {
    #[schema(value_type = Vec<Object>)]
    options: Vec<ParameterOption>,
}

/// The choices of a parameter.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/parameters/dynamic-options",
    tag = "plugins",
    params(ParameterOptionQuery),
    responses((status = 200, body = ParameterOptions), (status = "4XX", body = ErrorBody)),
)]
async fn list_parameter_options(
    Admin(user): Admin,
    Part(tools): Part<Tools>,
    Part(events): Part<Events>,
    Query(query): Query<ParameterOptionQuery>,
) -> Result<Json<ParameterOptions>, ApiError> {
    let choice = Choice {
        plugin_id: &query.plugin_id,
        provider: &query.provider,
        action: &query.action,
        parameter: &query.parameter,
    };
    let (tenant, account) = (user.tenant, user.account.id);
    let credential = query.credential_id.as_deref();
    let options = match query.provider_type {
        OptionOwner::Tool => tools.tool_options(tenant, account, choice, credential).await?,
        OptionOwner::Trigger => {
            let (values, kind) = events.credentials(tenant, credential.unwrap_or_default()).await?;
            tools.options(tenant, account, choice, &values, kind).await?
        }
    };
    Ok(Json(ParameterOptions { options }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ParameterOptionPayload {
    plugin_id: String,
    provider: String,
    action: String,
    parameter: String,
    credential_id: String,
    #[schema(value_type = Object)]
    credentials: JsonObject,
}

/// The choices of an event's parameter with credentials that are not stored yet.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/parameters/dynamic-options-with-credentials",
    tag = "plugins",
    request_body = ParameterOptionPayload,
    responses((status = 200, body = ParameterOptions), (status = "4XX", body = ErrorBody)),
)]
async fn list_parameter_options_with_credentials(
    Admin(user): Admin,
    Part(tools): Part<Tools>,
    Part(events): Part<Events>,
    Valid(body): Valid<ParameterOptionPayload>,
) -> Result<Json<ParameterOptions>, ApiError> {
    let (mut stored, kind) = events.credentials(user.tenant, &body.credential_id).await?;
    let mut values = body.credentials;
    for (name, value) in &mut values {
        if value.as_str() == Some(HIDDEN) {
            *value = stored.remove(name).unwrap_or_default();
        }
    }
    let choice = Choice {
        plugin_id: &body.plugin_id,
        provider: &body.provider,
        action: &body.action,
        parameter: &body.parameter,
    };
    let account = user.account.id;
    let options = tools.options(user.tenant, account, choice, &values, kind).await?;
    Ok(Json(ParameterOptions { options }))
}
