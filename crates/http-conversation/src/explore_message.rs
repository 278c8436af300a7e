//! `/console/api/installed-apps/{installed_app_id}/messages`, and follow-up questions of `/console/api/trial-apps/{app_id}`.

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Query, Valid, guard::Console};
use services_conversation::{
    assist,
    talk::{Participant, message},
};
use services_model::Models;
use services_platform::explore::trial;
use types::{AppId, MessageId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    explore_completion::need_chat,
    guard::Installed,
    mode,
    own::{self, MessageFeedbackPayload, MessageListQuery, SuggestedQuestions},
    wire::{Done, MessageItem, Scroll},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_messages))
        .routes(routes!(rate_message))
        .routes(routes!(suggest_questions))
        .routes(routes!(suggest_trial_questions))
}

/// Messages of one's own conversation.
#[utoipa::path(
    get,
    path = "/console/api/installed-apps/{installed_app_id}/messages",
    operation_id = "explore_list_messages",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), MessageListQuery),
    responses((status = 200, body = Scroll<MessageItem>), (status = "4XX", body = ErrorBody)),
)]
async fn list_messages(
    State(state): State<AppState>,
    installed: Installed,
    Query(query): Query<MessageListQuery>,
) -> Result<Json<Scroll<MessageItem>>, ApiError> {
    let (app, who) = (&installed.app, Participant::Account(installed.user.account.id));
    mode::chat(app)?;
    Ok(Json(Scroll::of(message::list(&state.ctx, app, who, query.wish()).await?)))
}

/// Say what one thinks of an answer.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps/{installed_app_id}/messages/{message_id}/feedbacks",
    operation_id = "explore_rate_message",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ("message_id" = MessageId, Path)),
    request_body = MessageFeedbackPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn rate_message(
    State(state): State<AppState>,
    installed: Installed,
    Path((_parent, id)): Path<(Uuid, MessageId)>,
    Valid(body): Valid<MessageFeedbackPayload>,
) -> Result<Json<Done>, ApiError> {
    let (app, who) = (&installed.app, Participant::Account(installed.user.account.id));
    own::rate(&state, app, who, id, &body).await
}

/// Questions that could follow.
#[utoipa::path(
    get,
    path = "/console/api/installed-apps/{installed_app_id}/messages/{message_id}/suggested-questions",
    operation_id = "explore_suggest_questions",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ("message_id" = MessageId, Path)),
    responses((status = 200, body = SuggestedQuestions), (status = "4XX", body = ErrorBody)),
)]
async fn suggest_questions(
    models: Part<Models>,
    installed: Installed,
    Path((_parent, id)): Path<(Uuid, MessageId)>,
) -> Result<Json<SuggestedQuestions>, ApiError> {
    let (app, who) = (&installed.app, Participant::Account(installed.user.account.id));
    mode::chat(app)?;
    let data = assist::questions(&models, app, who, id, false).await?;
    Ok(Json(SuggestedQuestions { data }))
}

/// Questions that could follow in a chat with an app of the catalogue.
#[utoipa::path(
    get,
    path = "/console/api/trial-apps/{app_id}/messages/{message_id}/suggested-questions",
    operation_id = "trial_suggest_questions",
    tag = "explore",
    params(("app_id" = AppId, Path), ("message_id" = MessageId, Path)),
    responses((status = 200, body = SuggestedQuestions), (status = "4XX", body = ErrorBody)),
)]
async fn suggest_trial_questions(
    State(state): State<AppState>,
    models: Part<Models>,
    Console(user): Console,
    Path((id, message)): Path<(AppId, MessageId)>,
) -> Result<Json<SuggestedQuestions>, ApiError> {
    let app = trial::begin(&state.ctx, user.account.id, id).await?;
    need_chat(&app)?;
    let who = Participant::Account(user.account.id);
    let data = assist::questions(&models, &app, who, message, false).await?;
    Ok(Json(SuggestedQuestions { data }))
}
