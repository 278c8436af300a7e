//! `/v1/completion-messages`, `/v1/chat-messages`: asking, stopping, coming back to a run.

use app_engine::basic::{Caller, InvokeFrom};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Query,
    guard::{QueryUser, ServiceCall},
    validation::{JsonObject, lax},
};
use serde::Deserialize;
use services_account::{App, EndUser};
use services_conversation::{
    Engine,
    generate::{Ask, Webhook},
    stop,
};
use types::ConversationId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    answer, mode,
    request::{self, CompletionMessagePayload, Position, ResponseMode, Stopped},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(complete))
        .routes(routes!(stop_completion))
        .routes(routes!(completion_events))
        .routes(routes!(chat))
        .routes(routes!(stop_chat))
        .routes(routes!(chat_events))
}

/// A question to a chat app.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ChatRequestPayload {
    /// Values of the app's form.
    #[schema(value_type = Object)]
    inputs: JsonObject,
    query: String,
    #[schema(value_type = Option<Vec<Object>>)]
    files: Option<Vec<JsonObject>>,
    response_mode: Option<ResponseMode>,
    /// The conversation to go on in; empty: a new one.
    #[garde(custom(request::blank_or_uuid))]
    conversation_id: Option<String>,
    /// Has no effect.
    #[serde(default, rename = "retriever_from")]
    _retriever_from: Option<String>,
    /// Whether a model names a new conversation.
    #[serde(default = "yes", deserialize_with = "lax::flag")]
    auto_generate_name: bool,
    /// A published version, in apps drawn as a graph.
    #[serde(default)]
    workflow_id: Option<String>,
    /// With `async`, in apps drawn as a graph: where the end of the run is told.
    #[serde(default)]
    webhook_url: Option<String>,
    /// With `webhook_url`: what the message is signed with.
    #[serde(default)]
    webhook_secret: Option<String>,
}

/// A body of which only the user counts.
#[derive(Debug, Deserialize, garde::Validate)]
#[garde(allow_unvalidated)]
struct Nothing {}

/// What all questions of the service API have in common.
fn question(app: App, end_user: &EndUser) -> Ask {
    Ask::new(app, Caller::EndUser(end_user.id), InvokeFrom::ServiceApi)
}

fn unavailable() -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "app_unavailable",
        "App unavailable, please check your app configurations.",
    )
}

fn yes() -> bool {
    true
}

/// Ask a completion app.
#[utoipa::path(
    post,
    path = "/v1/completion-messages",
    operation_id = "service_complete",
    tag = "completion",
    request_body = CompletionMessagePayload,
    responses((status = 200, description = "The answer, or a stream of it"), (status = "4XX", body = ErrorBody)),
)]
async fn complete(
    engine: Part<Engine>,
    headers: HeaderMap,
    call: ServiceCall<CompletionMessagePayload>,
) -> Result<Response, ApiError> {
    let ServiceCall { app, end_user, body } = call;
    if app.mode != "completion" {
        return Err(unavailable());
    }
    let ask = body.ask(question(app, &end_user));
    answer::ask(&engine, &headers, ask).await
}

/// Stop a completion.
#[utoipa::path(
    post,
    path = "/v1/completion-messages/{task_id}/stop",
    operation_id = "service_stop_completion",
    tag = "completion",
    params(("task_id" = String, Path)),
    responses((status = 200, body = Stopped), (status = "4XX", body = ErrorBody)),
)]
async fn stop_completion(
    State(state): State<AppState>,
    engine: Part<Engine>,
    Path(task): Path<String>,
    call: ServiceCall<Nothing>,
) -> Result<Json<Stopped>, ApiError> {
    if call.app.mode != "completion" {
        return Err(unavailable());
    }
    stop::stop(&state.ctx, engine.hub(), &task, Caller::EndUser(call.end_user.id)).await;
    Ok(Stopped::success())
}

/// Come back to a completion that is streaming.
#[utoipa::path(
    get,
    path = "/v1/completion-messages/{task_id}/events",
    operation_id = "service_completion_events",
    tag = "completion",
    params(("task_id" = Uuid, Path), ("last_event_id" = Option<u64>, Query), ("user" = Option<String>, Query)),
    responses((status = 200, description = "The events behind the last one seen"), (status = "4XX", body = ErrorBody)),
)]
async fn completion_events(
    engine: Part<Engine>,
    headers: HeaderMap,
    Path(task): Path<Uuid>,
    user: QueryUser,
    Query(position): Query<Position>,
) -> Result<Response, ApiError> {
    let caller = Caller::EndUser(user.end_user.id);
    answer::come_back(&engine, &headers, task, caller, InvokeFrom::ServiceApi, position).await
}

/// Ask a chat app.
#[utoipa::path(
    post,
    path = "/v1/chat-messages",
    operation_id = "service_chat",
    tag = "chat",
    request_body = ChatRequestPayload,
    responses((status = 200, description = "The answer, or a stream of it"), (status = "4XX", body = ErrorBody)),
)]
async fn chat(
    engine: Part<Engine>,
    headers: HeaderMap,
    call: ServiceCall<ChatRequestPayload>,
) -> Result<Response, ApiError> {
    let ServiceCall { app, end_user, body } = call;
    mode::chat(&app)?;
    let conversation = request::id(body.conversation_id).map(ConversationId);
    let is_async = body.response_mode == Some(ResponseMode::Async);
    let webhook = body
        .webhook_url
        .filter(|_| is_async)
        .map(|url| Webhook { url, secret: body.webhook_secret.unwrap_or_default() });
    let ask = Ask {
        inputs: body.inputs,
        query: body.query,
        files: body.files.unwrap_or_default(),
        conversation,
        webhook,
        names_conversation: body.auto_generate_name,
        stream: body.response_mode == Some(ResponseMode::Streaming),
        version: body.workflow_id.filter(|id| !id.is_empty()),
        ..question(app, &end_user)
    };
    if is_async {
        return answer::accept(&engine, &headers, ask).await;
    }
    answer::ask(&engine, &headers, ask).await
}

/// Stop an answer.
#[utoipa::path(
    post,
    path = "/v1/chat-messages/{task_id}/stop",
    operation_id = "service_stop_chat",
    tag = "chat",
    params(("task_id" = String, Path)),
    responses((status = 200, body = Stopped), (status = "4XX", body = ErrorBody)),
)]
async fn stop_chat(
    State(state): State<AppState>,
    engine: Part<Engine>,
    Path(task): Path<String>,
    call: ServiceCall<Nothing>,
) -> Result<Json<Stopped>, ApiError> {
    mode::chat(&call.app)?;
    stop::stop(&state.ctx, engine.hub(), &task, Caller::EndUser(call.end_user.id)).await;
    Ok(Stopped::success())
}

/// Come back to an answer that is streaming.
#[utoipa::path(
    get,
    path = "/v1/chat-messages/{task_id}/events",
    operation_id = "service_chat_events",
    tag = "chat",
    params(("task_id" = Uuid, Path), ("last_event_id" = Option<u64>, Query), ("user" = Option<String>, Query)),
    responses((status = 200, description = "The events behind the last one seen"), (status = "4XX", body = ErrorBody)),
)]
async fn chat_events(
    engine: Part<Engine>,
    headers: HeaderMap,
    Path(task): Path<Uuid>,
    user: QueryUser,
    Query(position): Query<Position>,
) -> Result<Response, ApiError> {
    let caller = Caller::EndUser(user.end_user.id);
    answer::come_back(&engine, &headers, task, caller, InvokeFrom::ServiceApi, position).await
}
