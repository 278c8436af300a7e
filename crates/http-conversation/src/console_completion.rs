//! `/console/api/apps/{app_id}/completion-messages`, `…/chat-messages`: the editor of an app tries it.

use app_engine::basic::{Caller, InvokeFrom};
use axum::{extract::State, http::HeaderMap, response::Response};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Valid, guard::Console, validation::JsonObject,
};
use serde::Deserialize;
use services_account::{App, session::SignedIn};
use services_app::{
    AppMode, Ports, app,
    model_config::validate::{self, Workspace},
};
use services_conversation::{Engine, generate::Ask, stop};
use types::{AppId, ConversationId, MessageId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    answer,
    request::{self, ResponseMode, Stopped},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(complete))
        .routes(routes!(stop_completion))
        .routes(routes!(chat))
        .routes(routes!(stop_chat))
}

/// A question to a completion app that is being edited.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DebugCompletionPayload {
    /// Values of the app's form.
    #[schema(value_type = Object)]
    inputs: JsonObject,
    /// The configuration to try.
    #[schema(value_type = Object)]
    model_config: JsonObject,
    /// The question, for apps that take one beside their form.
    #[serde(default)]
    query: String,
    #[schema(value_type = Option<Vec<Object>>)]
    files: Option<Vec<JsonObject>>,
    #[serde(default)]
    response_mode: ResponseMode,
    /// Has no effect.
    #[serde(default, rename = "retriever_from")]
    _retriever_from: Option<String>,
}

/// A question to a chat app that is being edited.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DebugChatPayload {
    /// Values of the app's form.
    #[schema(value_type = Object)]
    inputs: JsonObject,
    /// The configuration to try.
    #[schema(value_type = Object)]
    model_config: JsonObject,
    query: String,
    #[schema(value_type = Option<Vec<Object>>)]
    files: Option<Vec<JsonObject>>,
    #[serde(default)]
    response_mode: ResponseMode,
    /// The conversation to go on in; empty: a new one.
    #[garde(custom(request::blank_or_uuid))]
    conversation_id: Option<String>,
    /// The message this one follows.
    #[garde(custom(request::blank_or_uuid))]
    parent_message_id: Option<String>,
    /// Has no effect.
    #[serde(default, rename = "retriever_from")]
    _retriever_from: Option<String>,
}

fn question(app: App, user: &SignedIn) -> Ask {
    Ask::new(app, Caller::Account(user.account.id), InvokeFrom::Debugger)
}

/// The configuration the editor tries, if it says one, checked like one that is saved.
async fn checked(
    state: &AppState,
    ports: &Ports,
    app: &App,
    mode: AppMode,
    config: JsonObject,
) -> Result<Option<JsonObject>, ApiError> {
    if config.is_empty() {
        return Ok(None);
    }
    let world = Workspace { ctx: &state.ctx, ports, tenant: app.tenant_id };
    let mut config = validate::config(&world, mode, config).await?;
    if mode != AppMode::Completion {
        // Editors want to see where answers come from.
        let mut on = JsonObject::new();
        on.insert("enabled".to_owned(), true.into());
        config.insert("retriever_resource".to_owned(), on.into());
    }
    Ok(Some(config))
}

/// Try a completion app.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/completion-messages",
    operation_id = "debug_completion",
    tag = "debug",
    params(("app_id" = AppId, Path)),
    request_body = DebugCompletionPayload,
    responses((status = 200, description = "The answer, or a stream of it"), (status = "4XX", body = ErrorBody)),
)]
async fn complete(
    State(state): State<AppState>,
    engine: Part<Engine>,
    ports: Part<Ports>,
    headers: HeaderMap,
    Console(user): Console,
    Path(id): Path<AppId>,
    Valid(body): Valid<DebugCompletionPayload>,
) -> Result<Response, ApiError> {
    let app = app::find_of(&state.ctx, user.tenant, id, &[AppMode::Completion]).await?;
    let debug_config =
        checked(&state, &ports, &app, AppMode::Completion, body.model_config).await?;
    let ask = Ask {
        inputs: body.inputs,
        query: body.query,
        files: body.files.unwrap_or_default(),
        stream: body.response_mode.streams(),
        debug_config,
        ..question(app, &user)
    };
    answer::ask(&engine, &headers, ask).await
}

/// Stop a completion that is tried.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/completion-messages/{task_id}/stop",
    operation_id = "debug_stop_completion",
    tag = "debug",
    params(("app_id" = AppId, Path), ("task_id" = String, Path)),
    responses((status = 200, body = Stopped), (status = "4XX", body = ErrorBody)),
)]
async fn stop_completion(
    State(state): State<AppState>,
    engine: Part<Engine>,
    Console(user): Console,
    Path((id, task)): Path<(AppId, String)>,
) -> Result<Json<Stopped>, ApiError> {
    app::find_of(&state.ctx, user.tenant, id, &[AppMode::Completion]).await?;
    stop::stop(&state.ctx, engine.hub(), &task, Caller::Account(user.account.id)).await;
    Ok(Stopped::success())
}

/// Try a chat app.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/chat-messages",
    operation_id = "debug_chat",
    tag = "debug",
    params(("app_id" = AppId, Path)),
    request_body = DebugChatPayload,
    responses((status = 200, description = "The answer, or a stream of it"), (status = "4XX", body = ErrorBody)),
)]
async fn chat(
    State(state): State<AppState>,
    engine: Part<Engine>,
    ports: Part<Ports>,
    headers: HeaderMap,
    Console(user): Console,
    Path(id): Path<AppId>,
    Valid(body): Valid<DebugChatPayload>,
) -> Result<Response, ApiError> {
    let modes = [AppMode::Chat, AppMode::AgentChat];
    let app = app::find_of(&state.ctx, user.tenant, id, &modes).await?;
    if !user.role.is_editing() {
        return Err(ApiError::forbidden());
    }
    let mode = app::require(&app, &modes)?;
    let debug_config = checked(&state, &ports, &app, mode, body.model_config).await?;
    let ask = Ask {
        inputs: body.inputs,
        query: body.query,
        files: body.files.unwrap_or_default(),
        conversation: request::id(body.conversation_id).map(ConversationId),
        parent: request::id(body.parent_message_id).map(MessageId),
        stream: body.response_mode.streams(),
        debug_config,
        ..question(app, &user)
    };
    answer::ask(&engine, &headers, ask).await
}

/// Stop an answer that is tried.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/chat-messages/{task_id}/stop",
    operation_id = "debug_stop_chat",
    tag = "debug",
    params(("app_id" = AppId, Path), ("task_id" = String, Path)),
    responses((status = 200, body = Stopped), (status = "4XX", body = ErrorBody)),
)]
async fn stop_chat(
    State(state): State<AppState>,
    engine: Part<Engine>,
    Console(user): Console,
    Path((id, task)): Path<(AppId, String)>,
) -> Result<Json<Stopped>, ApiError> {
    let modes = [AppMode::Chat, AppMode::AgentChat, AppMode::AdvancedChat];
    app::find_of(&state.ctx, user.tenant, id, &modes).await?;
    stop::stop(&state.ctx, engine.hub(), &task, Caller::Account(user.account.id)).await;
    Ok(Stopped::success())
}
