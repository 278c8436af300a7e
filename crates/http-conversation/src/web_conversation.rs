//! `/api/conversations`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Query, Valid, extract::NoContent,
    guard::Visitor,
};
use services_conversation::{
    Engine,
    talk::{Participant, conversation},
};
use types::ConversationId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
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
    path = "/api/conversations",
    operation_id = "web_list_conversations",
    tag = "web app",
    params(ConversationListQuery),
    responses((status = 200, body = Scroll<SimpleConversation>), (status = "4XX", body = ErrorBody)),
)]
async fn list_conversations(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    Query(query): Query<ConversationListQuery>,
) -> Result<Json<Scroll<SimpleConversation>>, ApiError> {
    let (app, who) = (&visitor.app, Participant::EndUser(visitor.end_user.id));
    mode::chat(app)?;
    own::conversations(&state, app, who, "web-app", &query).await
}

/// Give a conversation another title, or let a model find one.
#[utoipa::path(
    post,
    path = "/api/conversations/{c_id}/name",
    operation_id = "web_rename_conversation",
    tag = "web app",
    params(("c_id" = ConversationId, Path)),
    request_body = ConversationRenamePayload,
    responses((status = 200, body = SimpleConversation), (status = "4XX", body = ErrorBody)),
)]
async fn rename_conversation(
    State(state): State<AppState>,
    engine: Part<Engine>,
    Visitor(visitor): Visitor,
    Path(id): Path<ConversationId>,
    Valid(body): Valid<ConversationRenamePayload>,
) -> Result<Json<SimpleConversation>, ApiError> {
    let (app, who) = (&visitor.app, Participant::EndUser(visitor.end_user.id));
    mode::chat(app)?;
    own::rename(&state, &engine, app, who, id, body).await
}

/// Pin a conversation.
#[utoipa::path(
    patch,
    path = "/api/conversations/{c_id}/pin",
    operation_id = "web_pin_conversation",
    tag = "web app",
    params(("c_id" = ConversationId, Path)),
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn pin_conversation(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    Path(id): Path<ConversationId>,
) -> Result<Json<Done>, ApiError> {
    let (app, who) = (&visitor.app, Participant::EndUser(visitor.end_user.id));
    mode::chat(app)?;
    conversation::set_pinned(&state.ctx, app, who, id, true).await?;
    Ok(Json(Done::SUCCESS))
}

/// Unpin a conversation.
#[utoipa::path(
    patch,
    path = "/api/conversations/{c_id}/unpin",
    operation_id = "web_unpin_conversation",
    tag = "web app",
    params(("c_id" = ConversationId, Path)),
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn unpin_conversation(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    Path(id): Path<ConversationId>,
) -> Result<Json<Done>, ApiError> {
    let (app, who) = (&visitor.app, Participant::EndUser(visitor.end_user.id));
    mode::chat(app)?;
    conversation::set_pinned(&state.ctx, app, who, id, false).await?;
    Ok(Json(Done::SUCCESS))
}

/// Delete a conversation.
#[utoipa::path(
    delete,
    path = "/api/conversations/{c_id}",
    operation_id = "web_delete_conversation",
    tag = "web app",
    params(("c_id" = ConversationId, Path)),
    responses((status = 204, description = "Deleted"), (status = "4XX", body = ErrorBody)),
)]
async fn delete_conversation(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    Path(id): Path<ConversationId>,
) -> Result<NoContent, ApiError> {
    let (app, who) = (&visitor.app, Participant::EndUser(visitor.end_user.id));
    mode::chat(app)?;
    conversation::delete(&state.ctx, app, who, id).await?;
    Ok(NoContent)
}
