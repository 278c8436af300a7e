//! `/console/api/apps/{app_id}/chat-messages`, `…/messages`, `…/feedbacks`

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use garde::Validate;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Query, Valid, validation::lax};
use serde::Deserialize;
use services_conversation::{
    assist, feedback_export as export, log,
    talk::{Participant, feedback},
};
use services_model::Models;
use types::{AppId, ConversationId, MessageId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    guard::{ANY, AppOf, CHAT, EditAppOf},
    own::SuggestedQuestions,
    wire::{self, Done, MessageDetail, Rating, Scroll},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_app_messages))
        .routes(routes!(get_app_message))
        .routes(routes!(suggest_app_questions))
        .routes(routes!(judge_message))
        .routes(routes!(export_feedbacks))
}

/// Which messages of a conversation.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct ChatMessagesQuery {
    #[serde(deserialize_with = "wire::id")]
    conversation_id: ConversationId,
    #[serde(default, deserialize_with = "wire::optional_id")]
    first_id: Option<MessageId>,
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "wire::twenty")]
    limit: i64,
}

/// Messages of any chat of an app.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/chat-messages",
    tag = "log",
    params(("app_id" = AppId, Path), ChatMessagesQuery),
    responses((status = 200, body = Scroll<MessageDetail>), (status = "4XX", body = ErrorBody)),
)]
async fn list_app_messages(
    State(state): State<AppState>,
    EditAppOf { app, .. }: EditAppOf<CHAT>,
    Query(query): Query<ChatMessagesQuery>,
) -> Result<Json<Scroll<MessageDetail>>, ApiError> {
    let (id, first, limit) = (query.conversation_id, query.first_id, query.limit);
    match log::messages(&state.ctx, &app, id, first, limit).await {
        Ok(part) => Ok(Json(Scroll::of(part))),
        Err(services_conversation::talk::TalkError::NoFirstMessage) => {
            Err(ApiError::not_found("First message not found"))
        }
        Err(err) => Err(err.into()),
    }
}

/// Any message of an app.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/messages/{message_id}",
    tag = "log",
    params(("app_id" = AppId, Path), ("message_id" = MessageId, Path)),
    responses((status = 200, body = MessageDetail), (status = "4XX", body = ErrorBody)),
)]
async fn get_app_message(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<ANY>,
    Path((_parent, id)): Path<(AppId, MessageId)>,
) -> Result<Json<MessageDetail>, ApiError> {
    Ok(Json(log::message(&state.ctx, &app, id).await?.into()))
}

/// Questions that could follow in the editor.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/chat-messages/{message_id}/suggested-questions",
    tag = "log",
    params(("app_id" = AppId, Path), ("message_id" = MessageId, Path)),
    responses((status = 200, body = SuggestedQuestions), (status = "4XX", body = ErrorBody)),
)]
async fn suggest_app_questions(
    models: Part<Models>,
    AppOf { user, app }: AppOf<CHAT>,
    Path((_parent, id)): Path<(AppId, MessageId)>,
) -> Result<Json<SuggestedQuestions>, ApiError> {
    let who = Participant::Account(user.account.id);
    let data = assist::questions(&models, &app, who, id, true).await?;
    Ok(Json(SuggestedQuestions { data }))
}

/// A builder's opinion about an answer.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct AppFeedbackPayload {
    #[serde(deserialize_with = "wire::id")]
    message_id: MessageId,
    rating: Option<Rating>,
    content: Option<String>,
}

/// Say what one thinks of an answer of an app.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/feedbacks",
    tag = "log",
    params(("app_id" = AppId, Path)),
    request_body = AppFeedbackPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn judge_message(
    State(state): State<AppState>,
    AppOf { user, app }: AppOf<ANY>,
    Valid(body): Valid<AppFeedbackPayload>,
) -> Result<Json<Done>, ApiError> {
    let opinion = feedback::Opinion {
        rating: body.rating.map(Rating::as_str),
        content: body.content.as_deref(),
    };
    feedback::judge(&state.ctx, &app, user.account.id, body.message_id, opinion).await?;
    Ok(Json(Done::SUCCESS))
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Source {
    User,
    Admin,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Csv,
    Json,
}

/// Which opinions, and as what.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct FeedbackExportQuery {
    #[param(inline)]
    from_source: Option<Source>,
    #[param(inline)]
    rating: Option<Rating>,
    #[serde(default, deserialize_with = "lax::optional_flag")]
    has_comment: Option<bool>,
    /// `YYYY-MM-DD`
    start_date: Option<String>,
    end_date: Option<String>,
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// What users and builders think of an app, as a file.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/feedbacks/export",
    tag = "log",
    params(("app_id" = AppId, Path), FeedbackExportQuery),
    responses((status = 200, description = "CSV or JSON"), (status = "4XX", body = ErrorBody)),
)]
async fn export_feedbacks(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<ANY>,
    Query(query): Query<FeedbackExportQuery>,
) -> Result<Response, ApiError> {
    let wish = export::Wish {
        source: query.from_source.map(|source| match source {
            Source::User => "user",
            Source::Admin => "admin",
        }),
        rating: query.rating.map(Rating::as_str),
        has_comment: query.has_comment,
        start_date: query.start_date.as_deref().filter(|date| !date.is_empty()),
        end_date: query.end_date.as_deref().filter(|date| !date.is_empty()),
        as_json: matches!(query.format, Format::Json),
    };
    let file = export::export(&state.ctx, &app, wish).await?;
    let disposition = format!("attachment; filename={}", file.name);
    let headers = [
        (header::CONTENT_TYPE, file.media_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, file.content).into_response())
}
