//! `/console/api/workspaces/current/trigger…`: providers of events that plugins bring, and subscriptions with them.

use axum::response::{IntoResponse, Response};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Valid,
    guard::{Admin, Console, Editor},
    validation::JsonObject,
};
use serde::{Deserialize, Serialize};
use services_workflow::trigger::plugin::{
    Events, ProviderView,
    builder::{At, BuilderChange, BuilderView, RequestLog},
    subscription::{Change, SubscriptionView},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_trigger_providers))
        .routes(routes!(find_trigger_provider))
        .routes(routes!(find_trigger_provider_icon))
        .routes(routes!(list_trigger_subscriptions))
        .routes(routes!(create_trigger_builder))
        .routes(routes!(find_trigger_builder))
        .routes(routes!(update_trigger_builder))
        .routes(routes!(verify_trigger_builder))
        .routes(routes!(list_trigger_builder_logs))
        .routes(routes!(build_trigger_subscription))
        .routes(routes!(update_trigger_subscription))
        .routes(routes!(delete_trigger_subscription))
        .routes(routes!(verify_trigger_subscription))
}

/// `{"result": "success"}`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TriggerSuccess {
    result: &'static str,
}

impl TriggerSuccess {
    pub(super) const fn new() -> Json<Self> {
        Json(Self { result: "success" })
    }
}

/// The reference answers the number 200 where there is nothing to say.
const DONE: Json<u16> = Json(200);

/// The installed providers of events.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/triggers",
    tag = "trigger provider",
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_trigger_providers(
    events: Part<Events>,
    Console(user): Console,
) -> Result<Json<Vec<ProviderView>>, ApiError> {
    Ok(Json(events.list(user.tenant).await?))
}

/// A provider of events.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/info",
    tag = "trigger provider",
    params(("provider" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn find_trigger_provider(
    events: Part<Events>,
    Console(user): Console,
    Path(provider): Path<String>,
) -> Result<Json<ProviderView>, ApiError> {
    Ok(Json(events.show(user.tenant, &provider).await?))
}

/// The address of a provider's icon.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/icon",
    tag = "trigger provider",
    params(("provider" = String, Path)),
    responses((status = 200, body = String), (status = "4XX", body = ErrorBody)),
)]
async fn find_trigger_provider_icon(
    events: Part<Events>,
    Console(user): Console,
    Path(provider): Path<String>,
) -> Result<Json<String>, ApiError> {
    Ok(Json(events.icon(user.tenant, &provider).await?))
}

/// The subscriptions with a provider, newest first.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/subscriptions/list",
    tag = "trigger provider",
    params(("provider" = String, Path)),
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_trigger_subscriptions(
    events: Part<Events>,
    Editor(user): Editor,
    Path(provider): Path<String>,
) -> Result<Json<Vec<SubscriptionView>>, ApiError> {
    Ok(Json(events.subscriptions(user.tenant, &provider).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TriggerSubscriptionBuilderCreatePayload {
    /// `unauthorized`, `api-key` or `oauth2`.
    #[serde(default = "unauthorized")]
    credential_type: String,
}

fn unauthorized() -> String {
    "unauthorized".to_owned()
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct BegunSubscription {
    #[schema(value_type = Object)]
    subscription_builder: BuilderView,
}

/// Begin a subscription.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/subscriptions/builder/create",
    tag = "trigger provider",
    params(("provider" = String, Path)),
    request_body = TriggerSubscriptionBuilderCreatePayload,
    responses((status = 200, body = BegunSubscription), (status = "4XX", body = ErrorBody)),
)]
async fn create_trigger_builder(
    events: Part<Events>,
    Editor(user): Editor,
    Path(provider): Path<String>,
    Valid(body): Valid<TriggerSubscriptionBuilderCreatePayload>,
) -> Result<Json<BegunSubscription>, ApiError> {
    let begun = events.begin(user.tenant, user.account.id, &provider, &body.credential_type);
    Ok(Json(BegunSubscription { subscription_builder: begun.await? }))
}

/// A subscription that is being made.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/subscriptions/builder/{builder_id}",
    tag = "trigger provider",
    params(("provider" = String, Path), ("builder_id" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn find_trigger_builder(
    events: Part<Events>,
    Editor(user): Editor,
    Path((_provider, builder)): Path<(String, String)>,
) -> Result<Json<BuilderView>, ApiError> {
    Ok(Json(events.builder(user.tenant, &builder).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TriggerSubscriptionBuilderUpdatePayload {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    parameters: Option<JsonObject>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    properties: Option<JsonObject>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    credentials: Option<JsonObject>,
}

impl TriggerSubscriptionBuilderUpdatePayload {
    /// Refuses a body that changes nothing.
    fn check(self) -> Result<Self, ApiError> {
        let is_empty = self.name.is_none()
            && [&self.parameters, &self.properties, &self.credentials]
                .into_iter()
                .all(Option::is_none);
        if !is_empty {
            return Ok(self);
        }
        Err(ApiError::invalid_param(
            "1 validation error for TriggerSubscriptionBuilderUpdatePayload\n  Value error, At least one of name, \
             credentials, parameters, or properties must be provided",
        ))
    }

    fn change(self) -> BuilderChange {
        let Self { name, parameters, properties, credentials } = self;
        BuilderChange { name, parameters, properties, credentials, credential_expires_at: None }
    }
}

/// Change a subscription that is being made.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/subscriptions/builder/update/{builder_id}",
    tag = "trigger provider",
    params(("provider" = String, Path), ("builder_id" = String, Path)),
    request_body = TriggerSubscriptionBuilderUpdatePayload,
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn update_trigger_builder(
    events: Part<Events>,
    Editor(user): Editor,
    Path((provider, builder)): Path<(String, String)>,
    Valid(body): Valid<TriggerSubscriptionBuilderUpdatePayload>,
) -> Result<Json<BuilderView>, ApiError> {
    let at = At { tenant: user.tenant, user: user.account.id, provider: &provider, id: &builder };
    Ok(Json(events.update_builder(at, body.check()?.change()).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TriggerSubscriptionBuilderVerifyPayload {
    #[schema(value_type = Object)]
    credentials: JsonObject,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TriggerVerified {
    verified: bool,
}

/// Change the credentials of a subscription that is being made, and ask the service whether they are good.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/subscriptions/builder/verify-and-update/{builder_id}",
    tag = "trigger provider",
    params(("provider" = String, Path), ("builder_id" = String, Path)),
    request_body = TriggerSubscriptionBuilderVerifyPayload,
    responses((status = 200, body = TriggerVerified), (status = "4XX", body = ErrorBody)),
)]
async fn verify_trigger_builder(
    events: Part<Events>,
    Editor(user): Editor,
    Path((provider, builder)): Path<(String, String)>,
    Valid(body): Valid<TriggerSubscriptionBuilderVerifyPayload>,
) -> Result<Json<TriggerVerified>, ApiError> {
    let at = At { tenant: user.tenant, user: user.account.id, provider: &provider, id: &builder };
    Ok(Json(TriggerVerified { verified: events.verify_builder(at, body.credentials).await? }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct BuilderLogs {
    #[schema(value_type = Vec<Object>)]
    logs: Vec<RequestLog>,
}

/// The requests that came to the address of a subscription that is being made.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/subscriptions/builder/logs/{builder_id}",
    tag = "trigger provider",
    params(("provider" = String, Path), ("builder_id" = String, Path)),
    responses((status = 200, body = BuilderLogs), (status = "4XX", body = ErrorBody)),
)]
async fn list_trigger_builder_logs(
    events: Part<Events>,
    Editor(user): Editor,
    Path((_provider, builder)): Path<(String, String)>,
) -> Result<Json<BuilderLogs>, ApiError> {
    Ok(Json(BuilderLogs { logs: events.logs(user.tenant, &builder).await? }))
}

/// Make the subscription.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/subscriptions/builder/build/{builder_id}",
    tag = "trigger provider",
    params(("provider" = String, Path), ("builder_id" = String, Path)),
    request_body = TriggerSubscriptionBuilderUpdatePayload,
    responses((status = 200, body = u16), (status = "4XX", body = ErrorBody)),
)]
async fn build_trigger_subscription(
    events: Part<Events>,
    Editor(user): Editor,
    Path((provider, builder)): Path<(String, String)>,
    Valid(body): Valid<TriggerSubscriptionBuilderUpdatePayload>,
) -> Result<Json<u16>, ApiError> {
    let at = At { tenant: user.tenant, user: user.account.id, provider: &provider, id: &builder };
    let change = BuilderChange { credentials: None, ..body.check()?.change() };
    events.build(at, change).await?;
    Ok(DONE)
}

/// Change a subscription.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/trigger-provider/{subscription_id}/subscriptions/update",
    tag = "trigger provider",
    params(("subscription_id" = String, Path)),
    request_body = TriggerSubscriptionBuilderUpdatePayload,
    responses((status = 200, body = u16), (status = "4XX", body = ErrorBody)),
)]
async fn update_trigger_subscription(
    events: Part<Events>,
    Editor(user): Editor,
    Path(subscription): Path<String>,
    Valid(body): Valid<TriggerSubscriptionBuilderUpdatePayload>,
) -> Result<Json<u16>, ApiError> {
    let BuilderChange { name, parameters, properties, credentials, .. } = body.check()?.change();
    let change = Change { name, parameters, properties, credentials };
    events.change(user.tenant, &subscription, change).await?;
    Ok(DONE)
}

/// End a subscription.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/trigger-provider/{subscription_id}/subscriptions/delete",
    tag = "trigger provider",
    params(("subscription_id" = String, Path)),
    responses((status = 200, body = TriggerSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn delete_trigger_subscription(
    events: Part<Events>,
    Admin(user): Admin,
    Path(subscription): Path<String>,
) -> Result<Response, ApiError> {
    events.unsubscribe(user.tenant, &subscription).await?;
    Ok(TriggerSuccess::new().into_response())
}

/// Ask the service whether other credentials for a subscription are good.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/trigger-provider/{provider}/subscriptions/verify/{subscription_id}",
    tag = "trigger provider",
    params(("provider" = String, Path), ("subscription_id" = String, Path)),
    request_body = TriggerSubscriptionBuilderVerifyPayload,
    responses((status = 200, body = TriggerVerified), (status = "4XX", body = ErrorBody)),
)]
async fn verify_trigger_subscription(
    events: Part<Events>,
    Editor(user): Editor,
    Path((provider, subscription)): Path<(String, String)>,
    Valid(body): Valid<TriggerSubscriptionBuilderVerifyPayload>,
) -> Result<Json<TriggerVerified>, ApiError> {
    let (tenant, user) = (user.tenant, user.account.id);
    events.verify(tenant, user, &provider, &subscription, body.credentials).await?;
    Ok(Json(TriggerVerified { verified: true }))
}
