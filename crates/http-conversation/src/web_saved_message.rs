//! `/api/saved-messages`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Path, Query, Valid, extract::NoContent, guard::Visitor,
};
use services_conversation::talk::{Participant, saved};
use types::MessageId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    mode,
    own::{SavedMessageCreatePayload, SavedMessageListQuery},
    wire::{Done, SavedMessageItem, Scroll},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_saved_messages, save_message))
        .routes(routes!(delete_saved_message))
}

/// Answers one keeps.
#[utoipa::path(
    get,
    path = "/api/saved-messages",
    operation_id = "web_list_saved_messages",
    tag = "web app",
    params(SavedMessageListQuery),
    responses((status = 200, body = Scroll<SavedMessageItem>), (status = "4XX", body = ErrorBody)),
)]
async fn list_saved_messages(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    Query(query): Query<SavedMessageListQuery>,
) -> Result<Json<Scroll<SavedMessageItem>>, ApiError> {
    let (app, who) = (&visitor.app, Participant::EndUser(visitor.end_user.id));
    mode::completion(app)?;
    Ok(Json(Scroll::of(saved::list(&state.ctx, app, who, query.last_id, query.limit).await?)))
}

/// Keep an answer.
#[utoipa::path(
    post,
    path = "/api/saved-messages",
    operation_id = "web_save_message",
    tag = "web app",
    request_body = SavedMessageCreatePayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn save_message(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    Valid(body): Valid<SavedMessageCreatePayload>,
) -> Result<Json<Done>, ApiError> {
    let (app, who) = (&visitor.app, Participant::EndUser(visitor.end_user.id));
    mode::completion(app)?;
    saved::save(&state.ctx, app, who, body.message_id).await?;
    Ok(Json(Done::SUCCESS))
}

/// Keep an answer no longer.
#[utoipa::path(
    delete,
    path = "/api/saved-messages/{message_id}",
    operation_id = "web_delete_saved_message",
    tag = "web app",
    params(("message_id" = MessageId, Path)),
    responses((status = 204, description = "Done"), (status = "4XX", body = ErrorBody)),
)]
async fn delete_saved_message(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    Path(id): Path<MessageId>,
) -> Result<NoContent, ApiError> {
    let (app, who) = (&visitor.app, Participant::EndUser(visitor.end_user.id));
    mode::completion(app)?;
    saved::delete(&state.ctx, app, who, id).await?;
    Ok(NoContent)
}
