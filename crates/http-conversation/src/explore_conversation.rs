//! `/console/api/installed-apps/{installed_app_id}/conversations`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Query, Valid, extract::NoContent,
};
use services_conversation::{
    Engine,
    talk::{Participant, conversation},
};
use types::ConversationId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    guard::Installed,
    mode,
    own::{self, ConversationListQuery, ConversationRenamePayload},
    wire::{Done, Scroll, SimpleConversation},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_conversations))
        .routes(routes!(rename_conversation))
        .routes(routes!(pin_conversation))
        .routes(routes!(unpin_conversation))
        .routes(routes!(delete_conversation))
}

/// One's own conversations.
#[utoipa::path(
    get,
    path = "/console/api/installed-apps/{installed_app_id}/conversations",
    operation_id = "explore_list_conversations",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ConversationListQuery),
    responses((status = 200, body = Scroll<SimpleConversation>), (status = "4XX", body = ErrorBody)),
)]
async fn list_conversations(
    State(state): State<AppState>,
    installed: Installed,
    Query(query): Query<ConversationListQuery>,
) -> Result<Json<Scroll<SimpleConversation>>, ApiError> {
    let (app, who) = (&installed.app, Participant::Account(installed.user.account.id));
    mode::chat(app)?;
    own::conversations(&state, app, who, "explore", &query).await
}

/// Give a conversation another title, or let a model find one.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps/{installed_app_id}/conversations/{c_id}/name",
    operation_id = "explore_rename_conversation",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ("c_id" = ConversationId, Path)),
    request_body = ConversationRenamePayload,
    responses((status = 200, body = SimpleConversation), (status = "4XX", body = ErrorBody)),
)]
async fn rename_conversation(
    State(state): State<AppState>,
    engine: Part<Engine>,
    installed: Installed,
    Path((_parent, id)): Path<(Uuid, ConversationId)>,
    Valid(body): Valid<ConversationRenamePayload>,
) -> Result<Json<SimpleConversation>, ApiError> {
    let (app, who) = (&installed.app, Participant::Account(installed.user.account.id));
    mode::chat(app)?;
    own::rename(&state, &engine, app, who, id, body).await
}

/// Pin a conversation.
#[utoipa::path(
    patch,
    path = "/console/api/installed-apps/{installed_app_id}/conversations/{c_id}/pin",
    operation_id = "explore_pin_conversation",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ("c_id" = ConversationId, Path)),
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn pin_conversation(
    State(state): State<AppState>,
    installed: Installed,
    Path((_parent, id)): Path<(Uuid, ConversationId)>,
) -> Result<Json<Done>, ApiError> {
    let (app, who) = (&installed.app, Participant::Account(installed.user.account.id));
    mode::chat(app)?;
    conversation::set_pinned(&state.ctx, app, who, id, true).await?;
    Ok(Json(Done::SUCCESS))
}

/// Unpin a conversation.
#[utoipa::path(
    patch,
    path = "/console/api/installed-apps/{installed_app_id}/conversations/{c_id}/unpin",
    operation_id = "explore_unpin_conversation",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ("c_id" = ConversationId, Path)),
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn unpin_conversation(
    State(state): State<AppState>,
    installed: Installed,
    Path((_parent, id)): Path<(Uuid, ConversationId)>,
) -> Result<Json<Done>, ApiError> {
    let (app, who) = (&installed.app, Participant::Account(installed.user.account.id));
    mode::chat(app)?;
    conversation::set_pinned(&state.ctx, app, who, id, false).await?;
    Ok(Json(Done::SUCCESS))
}

/// Delete a conversation.
#[utoipa::path(
    delete,
    path = "/console/api/installed-apps/{installed_app_id}/conversations/{c_id}",
    operation_id = "explore_delete_conversation",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ("c_id" = ConversationId, Path)),
    responses((status = 204, description = "Deleted"), (status = "4XX", body = ErrorBody)),
)]
async fn delete_conversation(
    State(state): State<AppState>,
    installed: Installed,
    Path((_parent, id)): Path<(Uuid, ConversationId)>,
) -> Result<NoContent, ApiError> {
    let (app, who) = (&installed.app, Participant::Account(installed.user.account.id));
    mode::chat(app)?;
    conversation::delete(&state.ctx, app, who, id).await?;
    Ok(NoContent)
}
