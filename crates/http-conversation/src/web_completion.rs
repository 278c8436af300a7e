//! `/api/completion-messages`, `/api/chat-messages`: a web app's questions.

use app_engine::basic::{Caller, InvokeFrom};
use axum::{extract::State, http::HeaderMap, response::Response};
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Query, Valid, guard::Visitor};
use services_conversation::{
    Engine,
    generate::{Ask, like::Like},
    stop,
};
use types::MessageId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    answer, mode,
    request::{ChatMessagePayload, CompletionMessagePayload, LikeQuery, Position, Stopped},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(complete))
        .routes(routes!(stop_completion))
        .routes(routes!(completion_events))
        .routes(routes!(more_like_this))
        .routes(routes!(chat))
        .routes(routes!(stop_chat))
        .routes(routes!(chat_events))
}

fn question(visitor: &services_account::web_passport::Visitor) -> Ask {
    Ask::new(visitor.app.clone(), Caller::EndUser(visitor.end_user.id), InvokeFrom::WebApp)
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
    mode::completion(&visitor.app)?;
    let ask = body.ask(question(&visitor));
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
    mode::completion(&visitor.app)?;
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

/// Ask for another answer like one.
#[utoipa::path(
    get,
    path = "/api/messages/{message_id}/more-like-this",
    operation_id = "web_more_like_this",
    tag = "completion",
    params(("message_id" = MessageId, Path), LikeQuery),
    responses((status = 200, description = "The answer, or a stream of it"), (status = "4XX", body = ErrorBody)),
)]
async fn more_like_this(
    engine: Part<Engine>,
    headers: HeaderMap,
    Visitor(visitor): Visitor,
    Path(message): Path<MessageId>,
    Query(query): Query<LikeQuery>,
) -> Result<Response, ApiError> {
    mode::completion(&visitor.app)?;
    let like = Like {
        app: visitor.app,
        message,
        caller: Caller::EndUser(visitor.end_user.id),
        invoke_from: InvokeFrom::WebApp,
        stream: query.response_mode.streams(),
    };
    answer::more_like(&engine, &headers, like).await
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
    mode::chat(&visitor.app)?;
    // Web apps ask for a name themselves.
    answer::ask(&engine, &headers, body.ask(question(&visitor))).await
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
    mode::chat(&visitor.app)?;
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
