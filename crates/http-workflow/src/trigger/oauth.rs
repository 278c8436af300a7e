//! OAuth with the services that tell about events.

use axum::{
    extract::{OriginalUri, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Valid,
    guard::{Admin, Console, SetUp},
    validation::JsonObject,
};
use serde::{Deserialize, Serialize};
use services_workflow::trigger::plugin::{
    Events,
    builder::BuilderView,
    oauth::{self, ClientView},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::provider::TriggerSuccess;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(
            find_trigger_oauth_client,
            save_trigger_oauth_client,
            delete_trigger_oauth_client
        ))
        .routes(routes!(authorize_trigger))
        .routes(routes!(return_from_trigger_oauth))
}

/// What a provider's OAuth client needs, and what it has.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/oauth/client",
    tag = "trigger provider",
    params(("provider" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn find_trigger_oauth_client(
    events: Part<Events>,
    Admin(user): Admin,
    Path(provider): Path<String>,
) -> Result<Json<ClientView>, ApiError> {
    Ok(Json(events.client(user.tenant, &provider).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TriggerOAuthClientPayload {
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    client_params: Option<JsonObject>,
    #[serde(default)]
    enabled: Option<bool>,
}

/// Store the workspace's own OAuth client, or switch it.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/oauth/client",
    tag = "trigger provider",
    params(("provider" = String, Path)),
    request_body = TriggerOAuthClientPayload,
    responses((status = 200, body = TriggerSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn save_trigger_oauth_client(
    events: Part<Events>,
    Admin(user): Admin,
    Path(provider): Path<String>,
    Valid(body): Valid<TriggerOAuthClientPayload>,
) -> Result<Json<TriggerSuccess>, ApiError> {
    events.save_client(user.tenant, &provider, body.client_params, body.enabled).await?;
    Ok(TriggerSuccess::new())
}

/// Remove the workspace's own OAuth client.
#[utoipa::path(
    delete,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/oauth/client",
    tag = "trigger provider",
    params(("provider" = String, Path)),
    responses((status = 200, body = TriggerSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn delete_trigger_oauth_client(
    events: Part<Events>,
    Admin(user): Admin,
    Path(provider): Path<String>,
) -> Result<Json<TriggerSuccess>, ApiError> {
    events.delete_client(user.tenant, &provider).await?;
    Ok(TriggerSuccess::new())
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TriggerAuthorization {
    authorization_url: String,
    subscription_builder_id: String,
    #[schema(value_type = Object)]
    subscription_builder: BuilderView,
}

/// Where somebody goes to allow events. The answer sets a cookie by which they are known when they come back.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/subscriptions/oauth/authorize",
    tag = "trigger provider",
    params(("provider" = String, Path)),
    responses((status = 200, body = TriggerAuthorization), (status = "4XX", body = ErrorBody)),
)]
async fn authorize_trigger(
    State(state): State<AppState>,
    events: Part<Events>,
    Console(user): Console,
    Path(provider): Path<String>,
) -> Result<Response, ApiError> {
    let gone = events.depart(user.tenant, user.account.id, &provider).await?;
    let age = oauth::PATIENCE.as_secs();
    let expires = (state.ctx.now() + oauth::PATIENCE).format("%a, %d %b %Y %H:%M:%S GMT");
    let cookie = format!(
        "context_id={}; Expires={expires}; Max-Age={age}; HttpOnly; Path=/; SameSite=Lax",
        gone.note
    );
    let answer = TriggerAuthorization {
        authorization_url: gone.authorization_url,
        subscription_builder_id: gone.builder.id.clone(),
        subscription_builder: gone.builder,
    };
    Ok(([(header::SET_COOKIE, cookie)], Json(answer)).into_response())
}

/// Back from the service with leave to hear of events.
#[utoipa::path(
    get,
    path = "/console/api/oauth/plugin/{provider}/trigger/callback",
    tag = "trigger provider",
    params(("provider" = String, Path)),
    responses((status = 302), (status = "4XX", body = ErrorBody)),
)]
async fn return_from_trigger_oauth(
    State(state): State<AppState>,
    _: SetUp,
    events: Part<Events>,
    Path(provider): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let jar = CookieJar::from_headers(&headers);
    let Some(note) = jar.get("context_id").map(|cookie| cookie.value().to_owned()) else {
        let message = "context_id not found";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message));
    };
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let request = services_workflow::trigger::plugin::Returned {
        method: &Method::GET,
        target,
        headers: &headers,
        body: b"",
    };
    events.come_back(&provider, &note, request).await?;
    let base = state.ctx.config.feature.console_web_url.trim_end_matches('/');
    let place = format!("{base}/oauth-callback");
    let kind = "text/html; charset=utf-8".to_owned();
    let headers = [(header::LOCATION, place), (header::CONTENT_TYPE, kind)];
    Ok((StatusCode::FOUND, headers).into_response())
}
