//! `/console/api/installed-apps/{installed_app_id}/…`, `/console/api/trial-apps/{app_id}/…`: apps used in the console.

use app_engine::basic::{Caller, InvokeFrom};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Query, Valid, guard::Console};
use services_account::{App, session::SignedIn};
use services_conversation::{
    Engine,
    generate::{Ask, like::Like},
    stop,
};
use services_platform::explore::{installed, trial};
use types::{AppId, MessageId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    answer,
    guard::Installed,
    mode,
    request::{ChatMessagePayload, CompletionMessagePayload, LikeQuery, Stopped},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(complete))
        .routes(routes!(stop_completion))
        .routes(routes!(more_like_this))
        .routes(routes!(chat))
        .routes(routes!(stop_chat))
        .routes(routes!(try_completion))
        .routes(routes!(try_chat))
}

fn question(app: App, user: &SignedIn) -> Ask {
    Ask::new(app, Caller::Account(user.account.id), InvokeFrom::Explore)
}

/// Answers in chats always stream here, whatever the client says.
fn chat_question(app: App, user: &SignedIn, body: ChatMessagePayload) -> Ask {
    Ask { stream: true, ..body.ask(question(app, user)) }
}

/// 400 unless the app is a completion app, in Explore's words.
pub(crate) fn need_completion(app: &App) -> Result<(), ApiError> {
    if app.mode == "completion" {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::BAD_REQUEST, "not_completion_app", "Not Completion App"))
}

pub(crate) fn need_chat(app: &App) -> Result<(), ApiError> {
    if mode::is_chat(app) {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::BAD_REQUEST, "not_chat_app", "App mode is invalid."))
}

/// Ask an installed completion app.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps/{installed_app_id}/completion-messages",
    operation_id = "explore_complete",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path)),
    request_body = CompletionMessagePayload,
    responses((status = 200, description = "The answer, or a stream of it"), (status = "4XX", body = ErrorBody)),
)]
async fn complete(
    State(state): State<AppState>,
    engine: Part<Engine>,
    headers: HeaderMap,
    Installed { user, app }: Installed,
    Path(id): Path<Uuid>,
    Valid(body): Valid<CompletionMessagePayload>,
) -> Result<Response, ApiError> {
    need_completion(&app)?;
    installed::note_use(&state.ctx, user.tenant, id).await?;
    answer::ask(&engine, &headers, body.ask(question(app, &user))).await
}

/// Stop a completion.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps/{installed_app_id}/completion-messages/{task_id}/stop",
    operation_id = "explore_stop_completion",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ("task_id" = String, Path)),
    responses((status = 200, body = Stopped), (status = "4XX", body = ErrorBody)),
)]
async fn stop_completion(
    State(state): State<AppState>,
    engine: Part<Engine>,
    Installed { user, app }: Installed,
    Path((_id, task)): Path<(Uuid, String)>,
) -> Result<Json<Stopped>, ApiError> {
    need_completion(&app)?;
    stop::stop(&state.ctx, engine.hub(), &task, Caller::Account(user.account.id)).await;
    Ok(Stopped::success())
}

/// Ask for another answer like one.
#[utoipa::path(
    get,
    path = "/console/api/installed-apps/{installed_app_id}/messages/{message_id}/more-like-this",
    operation_id = "explore_more_like_this",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ("message_id" = MessageId, Path), LikeQuery),
    responses((status = 200, description = "The answer, or a stream of it"), (status = "4XX", body = ErrorBody)),
)]
async fn more_like_this(
    engine: Part<Engine>,
    headers: HeaderMap,
    Installed { user, app }: Installed,
    Path((_id, message)): Path<(Uuid, MessageId)>,
    Query(query): Query<LikeQuery>,
) -> Result<Response, ApiError> {
    need_completion(&app)?;
    let like = Like {
        app,
        message,
        caller: Caller::Account(user.account.id),
        invoke_from: InvokeFrom::Explore,
        stream: query.response_mode.streams(),
    };
    answer::more_like(&engine, &headers, like).await
}

/// Ask an installed chat app.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps/{installed_app_id}/chat-messages",
    operation_id = "explore_chat",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path)),
    request_body = ChatMessagePayload,
    responses((status = 200, description = "A stream of the answer"), (status = "4XX", body = ErrorBody)),
)]
async fn chat(
    State(state): State<AppState>,
    engine: Part<Engine>,
    headers: HeaderMap,
    Installed { user, app }: Installed,
    Path(id): Path<Uuid>,
    Valid(body): Valid<ChatMessagePayload>,
) -> Result<Response, ApiError> {
    need_chat(&app)?;
    installed::note_use(&state.ctx, user.tenant, id).await?;
    answer::ask(&engine, &headers, chat_question(app, &user, body)).await
}

/// Stop an answer.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps/{installed_app_id}/chat-messages/{task_id}/stop",
    operation_id = "explore_stop_chat",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ("task_id" = String, Path)),
    responses((status = 200, body = Stopped), (status = "4XX", body = ErrorBody)),
)]
async fn stop_chat(
    State(state): State<AppState>,
    engine: Part<Engine>,
    Installed { user, app }: Installed,
    Path((_id, task)): Path<(Uuid, String)>,
) -> Result<Json<Stopped>, ApiError> {
    need_chat(&app)?;
    stop::stop(&state.ctx, engine.hub(), &task, Caller::Account(user.account.id)).await;
    Ok(Stopped::success())
}

/// Try a completion app of the catalogue.
#[utoipa::path(
    post,
    path = "/console/api/trial-apps/{app_id}/completion-messages",
    operation_id = "trial_completion",
    tag = "explore",
    params(("app_id" = AppId, Path)),
    request_body = CompletionMessagePayload,
    responses((status = 200, description = "The answer, or a stream of it"), (status = "4XX", body = ErrorBody)),
)]
async fn try_completion(
    State(state): State<AppState>,
    engine: Part<Engine>,
    headers: HeaderMap,
    Console(user): Console,
    Path(id): Path<AppId>,
    Valid(body): Valid<CompletionMessagePayload>,
) -> Result<Response, ApiError> {
    let app = trial::begin(&state.ctx, user.account.id, id).await?;
    need_completion(&app)?;
    let answer = answer::ask(&engine, &headers, body.ask(question(app, &user))).await?;
    trial::count(&state.ctx, user.account.id, id).await?;
    Ok(answer)
}

/// Try a chat app of the catalogue.
#[utoipa::path(
    post,
    path = "/console/api/trial-apps/{app_id}/chat-messages",
    operation_id = "trial_chat",
    tag = "explore",
    params(("app_id" = AppId, Path)),
    request_body = ChatMessagePayload,
    responses((status = 200, description = "The answer, or a stream of it"), (status = "4XX", body = ErrorBody)),
)]
async fn try_chat(
    State(state): State<AppState>,
    engine: Part<Engine>,
    headers: HeaderMap,
    Console(user): Console,
    Path(id): Path<AppId>,
    Valid(body): Valid<ChatMessagePayload>,
) -> Result<Response, ApiError> {
    let app = trial::begin(&state.ctx, user.account.id, id).await?;
    need_chat(&app)?;
    let answer = answer::ask(&engine, &headers, chat_question(app, &user, body)).await?;
    trial::count(&state.ctx, user.account.id, id).await?;
    Ok(answer)
}
