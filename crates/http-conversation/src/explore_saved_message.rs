//! `/console/api/installed-apps/{installed_app_id}/saved-messages`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Query, Valid, extract::NoContent};
use services_conversation::talk::{Participant, saved};
use types::MessageId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    explore_completion::need_completion,
    guard::Installed,
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
    path = "/console/api/installed-apps/{installed_app_id}/saved-messages",
    operation_id = "explore_list_saved_messages",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), SavedMessageListQuery),
    responses((status = 200, body = Scroll<SavedMessageItem>), (status = "4XX", body = ErrorBody)),
)]
async fn list_saved_messages(
    State(state): State<AppState>,
    installed: Installed,
    Query(query): Query<SavedMessageListQuery>,
) -> Result<Json<Scroll<SavedMessageItem>>, ApiError> {
    let (app, who) = (&installed.app, Participant::Account(installed.user.account.id));
    need_completion(app)?;
    Ok(Json(Scroll::of(saved::list(&state.ctx, app, who, query.last_id, query.limit).await?)))
}

/// Keep an answer.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps/{installed_app_id}/saved-messages",
    operation_id = "explore_save_message",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path)),
    request_body = SavedMessageCreatePayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn save_message(
    State(state): State<AppState>,
    installed: Installed,
    Valid(body): Valid<SavedMessageCreatePayload>,
) -> Result<Json<Done>, ApiError> {
    let (app, who) = (&installed.app, Participant::Account(installed.user.account.id));
    need_completion(app)?;
    saved::save(&state.ctx, app, who, body.message_id).await?;
    Ok(Json(Done::SUCCESS))
}

/// Keep an answer no longer.
#[utoipa::path(
    delete,
    path = "/console/api/installed-apps/{installed_app_id}/saved-messages/{message_id}",
    operation_id = "explore_delete_saved_message",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ("message_id" = MessageId, Path)),
    responses((status = 204, description = "Done"), (status = "4XX", body = ErrorBody)),
)]
async fn delete_saved_message(
    State(state): State<AppState>,
    installed: Installed,
    Path((_parent, id)): Path<(Uuid, MessageId)>,
) -> Result<NoContent, ApiError> {
    let (app, who) = (&installed.app, Participant::Account(installed.user.account.id));
    need_completion(app)?;
    saved::delete(&state.ctx, app, who, id).await?;
    Ok(NoContent)
}
