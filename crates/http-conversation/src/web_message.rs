//! `/api/messages`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Query, Valid, guard::Visitor};
use services_conversation::{
    assist,
    talk::{Participant, message},
};
use services_model::Models;
use types::MessageId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    mode,
    own::{self, MessageFeedbackPayload, MessageListQuery, SuggestedQuestions},
    wire::{Done, Scroll, WebMessageItem},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_messages))
        .routes(routes!(rate_message))
        .routes(routes!(suggest_questions))
}

/// Messages of one's own conversation.
#[utoipa::path(
    get,
    path = "/api/messages",
    operation_id = "web_list_messages",
    tag = "web app",
    params(MessageListQuery),
    responses((status = 200, body = Scroll<WebMessageItem>), (status = "4XX", body = ErrorBody)),
)]
async fn list_messages(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    Query(query): Query<MessageListQuery>,
) -> Result<Json<Scroll<WebMessageItem>>, ApiError> {
    let (app, who) = (&visitor.app, Participant::EndUser(visitor.end_user.id));
    mode::chat(app)?;
    Ok(Json(Scroll::of(message::list(&state.ctx, app, who, query.wish()).await?)))
}

/// Say what one thinks of an answer.
#[utoipa::path(
    post,
    path = "/api/messages/{message_id}/feedbacks",
    operation_id = "web_rate_message",
    tag = "web app",
    params(("message_id" = MessageId, Path)),
    request_body = MessageFeedbackPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn rate_message(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    Path(id): Path<MessageId>,
    Valid(body): Valid<MessageFeedbackPayload>,
) -> Result<Json<Done>, ApiError> {
    let (app, who) = (&visitor.app, Participant::EndUser(visitor.end_user.id));
    own::rate(&state, app, who, id, &body).await
}

/// Questions that could follow.
#[utoipa::path(
    get,
    path = "/api/messages/{message_id}/suggested-questions",
    operation_id = "web_suggest_questions",
    tag = "web app",
    params(("message_id" = MessageId, Path)),
    responses((status = 200, body = SuggestedQuestions), (status = "4XX", body = ErrorBody)),
)]
async fn suggest_questions(
    models: Part<Models>,
    Visitor(visitor): Visitor,
    Path(id): Path<MessageId>,
) -> Result<Json<SuggestedQuestions>, ApiError> {
    let (app, who) = (&visitor.app, Participant::EndUser(visitor.end_user.id));
    mode::chat(app)?;
    let data = assist::questions(&models, app, who, id, false).await?;
    Ok(Json(SuggestedQuestions { data }))
}
