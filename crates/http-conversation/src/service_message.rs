//! `/v1/messages`, `/v1/app/feedbacks`

use axum::{extract::State, http::StatusCode};
use garde::Validate;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Query,
    guard::service::{KeyedApp, QueryUser, ServiceCall},
};
use serde::{Deserialize, Serialize};
use services_conversation::{
    assist::{self, AssistError},
    talk::{Participant, feedback, message},
};
use services_model::Models;
use types::{AccountId, AppId, ConversationId, EndUserId, Limit, MessageId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    mode,
    own::{self, MessageFeedbackPayload, MessageListQuery},
    wire::{self, Done, MessageItem, Scroll},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_messages))
        .routes(routes!(rate_message))
        .routes(routes!(suggest_questions))
        .routes(routes!(list_feedbacks))
}

/// Messages of the user's conversation.
#[utoipa::path(
    get,
    path = "/v1/messages",
    operation_id = "service_list_messages",
    tag = "message",
    params(MessageListQuery, ("user" = Option<String>, Query)),
    responses((status = 200, body = Scroll<MessageItem>), (status = "4XX", body = ErrorBody)),
)]
async fn list_messages(
    State(state): State<AppState>,
    QueryUser { app, end_user }: QueryUser,
    Query(query): Query<MessageListQuery>,
) -> Result<Json<Scroll<MessageItem>>, ApiError> {
    mode::chat(&app)?;
    let who = Participant::EndUser(end_user.id);
    Ok(Json(Scroll::of(message::list(&state.ctx, &app, who, query.wish()).await?)))
}

/// Say what the user thinks of an answer.
#[utoipa::path(
    post,
    path = "/v1/messages/{message_id}/feedbacks",
    operation_id = "service_rate_message",
    tag = "message",
    params(("message_id" = MessageId, Path)),
    request_body = MessageFeedbackPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn rate_message(
    State(state): State<AppState>,
    Path(id): Path<MessageId>,
    call: ServiceCall<MessageFeedbackPayload>,
) -> Result<Json<Done>, ApiError> {
    let who = Participant::EndUser(call.end_user.id);
    own::rate(&state, &call.app, who, id, &call.body).await
}

/// Questions that could follow, and that they were found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ServiceSuggestedQuestions {
    #[serde(flatten)]
    done: Done,
    data: Vec<String>,
}

#[derive(Debug, Deserialize, Validate)]
#[garde(allow_unvalidated)]
struct UserQuery {
    user: Option<String>,
}

/// Questions that could follow.
#[utoipa::path(
    get,
    path = "/v1/messages/{message_id}/suggested",
    operation_id = "service_suggest_questions",
    tag = "message",
    params(("message_id" = MessageId, Path), ("user" = String, Query)),
    responses((status = 200, body = ServiceSuggestedQuestions), (status = "4XX", body = ErrorBody)),
)]
async fn suggest_questions(
    models: Part<Models>,
    QueryUser { app, end_user }: QueryUser,
    Path(id): Path<MessageId>,
    Query(query): Query<UserQuery>,
) -> Result<Json<ServiceSuggestedQuestions>, ApiError> {
    if query.user.is_none_or(|user| user.is_empty()) {
        return Err(ApiError::invalid_param("Arg user must be provided."));
    }
    mode::chat(&app)?;
    let who = Participant::EndUser(end_user.id);
    match assist::questions(&models, &app, who, id, false).await {
        Ok(data) => Ok(Json(ServiceSuggestedQuestions { done: Done::SUCCESS, data })),
        // This API has other words for it than the others.
        Err(AssistError::Disabled) => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            "Suggested Questions Is Disabled.",
        )),
        Err(AssistError::NoMessage) => Err(ApiError::not_found("Message Not Exists.")),
        Err(err) => Err(err.into()),
    }
}

/// Which page of feedbacks.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
struct FeedbackListQuery {
    #[garde(range(min = 1))]
    #[serde(default = "wire::one")]
    page: i64,
    #[garde(range(min = 1, max = 101))]
    #[serde(default = "wire::twenty")]
    limit: i64,
}

/// What somebody thinks of an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppFeedback {
    id: Uuid,
    app_id: AppId,
    conversation_id: ConversationId,
    message_id: MessageId,
    rating: String,
    content: Option<String>,
    from_source: String,
    from_end_user_id: Option<EndUserId>,
    from_account_id: Option<AccountId>,
    /// ISO 8601, UTC, without a zone.
    created_at: String,
    updated_at: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppFeedbacks {
    data: Vec<AppFeedback>,
}

/// What users and builders think of the app's answers, newest first.
#[utoipa::path(
    get,
    path = "/v1/app/feedbacks",
    operation_id = "service_list_feedbacks",
    tag = "message",
    params(FeedbackListQuery),
    responses((status = 200, body = AppFeedbacks), (status = "4XX", body = ErrorBody)),
)]
async fn list_feedbacks(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
    Query(query): Query<FeedbackListQuery>,
) -> Result<Json<AppFeedbacks>, ApiError> {
    let window = Limit { page: query.page, limit: query.limit };
    let rows = feedback::list(&state.ctx, &app, window).await?;
    let iso = |time: chrono::NaiveDateTime| time.format("%Y-%m-%dT%H:%M:%S%.f").to_string();
    let data = rows.into_iter().map(|row| AppFeedback {
        id: row.id,
        app_id: row.app_id,
        conversation_id: row.conversation_id,
        message_id: row.message_id,
        rating: row.rating,
        content: row.content,
        from_source: row.from_source,
        from_end_user_id: row.from_end_user_id,
        from_account_id: row.from_account_id,
        created_at: iso(row.created_at),
        updated_at: iso(row.updated_at),
    });
    Ok(Json(AppFeedbacks { data: data.collect() }))
}
