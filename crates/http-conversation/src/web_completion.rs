//! `/api/completion-messages`, `/api/chat-messages`: a web app's questions.

use app_engine::basic::{Caller, InvokeFrom};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Query, Valid, guard::Visitor,
    validation::JsonObject,
};
use serde::Deserialize;
use services_account::App;
use services_conversation::{Engine, generate::Ask, stop};
use types::{ConversationId, MessageId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::answer::{self, Position, ResponseMode, Stopped};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(complete))
        .routes(routes!(stop_completion))
        .routes(routes!(completion_events))
        .routes(routes!(chat))
        .routes(routes!(stop_chat))
        .routes(routes!(chat_events))
}

/// A question to a completion app.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
#[schema(as = WebCompletion)]
struct CompletionMessagePayload {
    /// Values of the app's form.
    #[schema(value_type = Object)]
    inputs: JsonObject,
    /// The question, for apps that take one beside their form.
    #[serde(default)]
    query: String,
    #[schema(value_type = Option<Vec<Object>>)]
    files: Option<Vec<JsonObject>>,
    response_mode: Option<ResponseMode>,
    /// Has no effect.
    #[serde(default, rename = "retriever_from")]
    _retriever_from: Option<String>,
}

/// A question to a chat app.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
#[schema(as = WebChat)]
struct ChatMessagePayload {
    /// Values of the app's form.
    #[schema(value_type = Object)]
    inputs: JsonObject,
    query: String,
    #[schema(value_type = Option<Vec<Object>>)]
    files: Option<Vec<JsonObject>>,
    response_mode: Option<ResponseMode>,
    /// The conversation to go on in; empty: a new one.
    #[garde(custom(answer::blank_or_uuid))]
    conversation_id: Option<String>,
    /// The message this one follows.
    #[garde(custom(answer::blank_or_uuid))]
    parent_message_id: Option<String>,
    /// Has no effect.
    #[serde(default, rename = "retriever_from")]
    _retriever_from: Option<String>,
}

fn question(visitor: &services_account::web_passport::Visitor) -> Ask {
    Ask {
        app: visitor.app.clone(),
        caller: Caller::EndUser(visitor.end_user.id),
        invoke_from: InvokeFrom::WebApp,
        inputs: JsonObject::new(),
        query: String::new(),
        files: Vec::new(),
        conversation: None,
        parent: None,
        names_conversation: false,
        stream: false,
        debug_config: None,
    }
}

fn need_completion(app: &App) -> Result<(), ApiError> {
    if app.mode == "completion" {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::BAD_REQUEST,
        "not_completion_app",
        "Please check if your Completion app mode matches the right API route.",
    ))
}

fn need_chat(app: &App) -> Result<(), ApiError> {
    if answer::is_chat(app) { Ok(()) } else { Err(answer::not_chat()) }
}

/// Ask a completion app.
#[utoipa::path(
    post,
    path = "/api/completion-messages",
    operation_id = "web_complete",
    tag = "completion",
    request_body = CompletionMessagePayload,
    responses((status = 200, description = "The answer, or a stream of it"), (status = "4XX", body = ErrorBody)),
)]
async fn complete(
    engine: Part<Engine>,
    headers: HeaderMap,
    Visitor(visitor): Visitor,
    Valid(body): Valid<CompletionMessagePayload>,
) -> Result<Response, ApiError> {
    need_completion(&visitor.app)?;
    let ask = Ask {
        inputs: body.inputs,
        query: body.query,
        files: body.files.unwrap_or_default(),
        stream: body.response_mode == Some(ResponseMode::Streaming),
        ..question(&visitor)
    };
    answer::ask(&engine, &headers, ask).await
}

/// Stop a completion.
#[utoipa::path(
    post,
    path = "/api/completion-messages/{task_id}/stop",
    operation_id = "web_stop_completion",
    tag = "completion",
    params(("task_id" = String, Path)),
    responses((status = 200, body = Stopped), (status = "4XX", body = ErrorBody)),
)]
async fn stop_completion(
    State(state): State<AppState>,
    engine: Part<Engine>,
    Visitor(visitor): Visitor,
    Path(task): Path<String>,
) -> Result<Json<Stopped>, ApiError> {
    need_completion(&visitor.app)?;
    stop::stop(&state.ctx, engine.hub(), &task, Caller::EndUser(visitor.end_user.id)).await;
    Ok(Stopped::success())
}

/// Come back to a completion that is streaming.
#[utoipa::path(
    get,
    path = "/api/completion-messages/{task_id}/events",
    operation_id = "web_completion_events",
    tag = "completion",
    params(("task_id" = Uuid, Path), ("last_event_id" = Option<u64>, Query)),
    responses((status = 200, description = "The events behind the last one seen"), (status = "4XX", body = ErrorBody)),
)]
async fn completion_events(
    engine: Part<Engine>,
    headers: HeaderMap,
    Visitor(visitor): Visitor,
    Path(task): Path<Uuid>,
    Query(position): Query<Position>,
) -> Result<Response, ApiError> {
    let caller = Caller::EndUser(visitor.end_user.id);
    answer::come_back(&engine, &headers, task, caller, InvokeFrom::WebApp, position).await
}

/// Ask a chat app.
#[utoipa::path(
    post,
    path = "/api/chat-messages",
    operation_id = "web_chat",
    tag = "chat",
    request_body = ChatMessagePayload,
    responses((status = 200, description = "The answer, or a stream of it"), (status = "4XX", body = ErrorBody)),
)]
async fn chat(
    engine: Part<Engine>,
    headers: HeaderMap,
    Visitor(visitor): Visitor,
    Valid(body): Valid<ChatMessagePayload>,
) -> Result<Response, ApiError> {
    need_chat(&visitor.app)?;
    let ask = Ask {
        inputs: body.inputs,
        query: body.query,
        files: body.files.unwrap_or_default(),
        conversation: answer::id(body.conversation_id).map(ConversationId),
        parent: answer::id(body.parent_message_id).map(MessageId),
        names_conversation: true,
        stream: body.response_mode == Some(ResponseMode::Streaming),
        ..question(&visitor)
    };
    answer::ask(&engine, &headers, ask).await
}

/// Stop an answer.
#[utoipa::path(
    post,
    path = "/api/chat-messages/{task_id}/stop",
    operation_id = "web_stop_chat",
    tag = "chat",
    params(("task_id" = String, Path)),
    responses((status = 200, body = Stopped), (status = "4XX", body = ErrorBody)),
)]
async fn stop_chat(
    State(state): State<AppState>,
    engine: Part<Engine>,
    Visitor(visitor): Visitor,
    Path(task): Path<String>,
) -> Result<Json<Stopped>, ApiError> {
    need_chat(&visitor.app)?;
    stop::stop(&state.ctx, engine.hub(), &task, Caller::EndUser(visitor.end_user.id)).await;
    Ok(Stopped::success())
}

/// Come back to an answer that is streaming.
#[utoipa::path(
    get,
    path = "/api/chat-messages/{task_id}/events",
    operation_id = "web_chat_events",
    tag = "chat",
    params(("task_id" = Uuid, Path), ("last_event_id" = Option<u64>, Query)),
    responses((status = 200, description = "The events behind the last one seen"), (status = "4XX", body = ErrorBody)),
)]
async fn chat_events(
    engine: Part<Engine>,
    headers: HeaderMap,
    Visitor(visitor): Visitor,
    Path(task): Path<Uuid>,
    Query(position): Query<Position>,
) -> Result<Response, ApiError> {
    let caller = Caller::EndUser(visitor.end_user.id);
    answer::come_back(&engine, &headers, task, caller, InvokeFrom::WebApp, position).await
}
