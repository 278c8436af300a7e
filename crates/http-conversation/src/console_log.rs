//! `/console/api/apps/{app_id}/chat-conversations`, `…/completion-conversations`, `…/conversation-variables`

use std::collections::HashMap;

use axum::extract::State;
use db::{conversation_log::Logged, message_list::NoteRow};
use garde::Validate;
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Query, extract::NoContent};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_conversation::{
    log,
    talk::{Participant, TalkError, conversation, variable},
    time_range::TimeRange,
};
use types::{AccountId, AppId, ConversationId, EndUserId, Limit, MessageId, Page};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    guard::{AppOf, CHAT, CHATFLOW, COMPLETION, EditAppOf},
    service_conversation::ConversationVariable,
    wire::{self, MessageDetail, Note, SortBy, seconds},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_chat_conversations))
        .routes(routes!(get_chat_conversation, delete_chat_conversation))
        .routes(routes!(list_completion_conversations))
        .routes(routes!(get_completion_conversation, delete_completion_conversation))
        .routes(routes!(list_app_conversation_variables))
}

#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum AnnotationStatus {
    Annotated,
    NotAnnotated,
    #[default]
    All,
}

/// Which conversations a page shows.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct ConversationLogQuery {
    keyword: Option<String>,
    /// `YYYY-MM-DD HH:MM` in the account's time zone.
    start: Option<String>,
    end: Option<String>,
    #[serde(default)]
    #[param(inline)]
    annotation_status: AnnotationStatus,
    #[garde(range(min = 1, max = 99999))]
    #[serde(default = "wire::one")]
    page: i64,
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "wire::twenty")]
    limit: i64,
    #[serde(default)]
    #[param(inline)]
    sort_by: SortBy,
}

impl ConversationLogQuery {
    fn wish(&self, zone: Option<&str>) -> Result<log::Wish<'_>, ApiError> {
        Ok(log::Wish {
            keyword: self.keyword.as_deref(),
            range: TimeRange::parse(self.start.as_deref(), self.end.as_deref(), zone)?,
            annotated: match self.annotation_status {
                AnnotationStatus::Annotated => Some(true),
                AnnotationStatus::NotAnnotated => Some(false),
                AnnotationStatus::All => None,
            },
            sort: self.sort_by.sort(),
            window: Limit { page: self.page, limit: self.limit },
        })
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct FeedbackStat {
    like: i64,
    dislike: i64,
}

/// How runs of a chatflow ended; all `null` without runs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct StatusCount {
    success: Option<i64>,
    failed: Option<i64>,
    partial_success: Option<i64>,
    paused: Option<i64>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SimpleModelConfig {
    /// Always `null`: the reference looks for it under a name it does not have.
    #[schema(value_type = Object)]
    model: Value,
    pre_prompt: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = LoggedModelConfig)]
struct ModelConfig {
    opening_statement: Option<String>,
    #[schema(value_type = Object)]
    suggested_questions: Value,
    #[schema(value_type = Object)]
    model: Value,
    #[schema(value_type = Object)]
    user_input_form: Value,
    pre_prompt: Option<String>,
    #[schema(value_type = Object)]
    agent_mode: Value,
}

fn text(config: &Map<String, Value>, name: &str) -> Option<String> {
    config.get(name).and_then(Value::as_str).map(str::to_owned)
}

impl From<Map<String, Value>> for ModelConfig {
    fn from(mut config: Map<String, Value>) -> Self {
        let mut take = |name: &str| config.remove(name).unwrap_or_default();
        let text = |value: Value| value.as_str().map(str::to_owned);
        Self {
            opening_statement: text(take("opening_statement")),
            suggested_questions: take("suggested_questions"),
            model: take("model"),
            user_input_form: take("user_input_form"),
            pre_prompt: text(take("pre_prompt")),
            agent_mode: take("agent_mode"),
        }
    }
}

/// What chats and completions have in common.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Talker {
    id: ConversationId,
    status: String,
    from_source: String,
    from_end_user_id: Option<EndUserId>,
    from_account_id: Option<AccountId>,
    created_at: i64,
}

impl Talker {
    fn of(row: &Logged) -> Self {
        Self {
            id: row.id,
            status: row.status.clone(),
            from_source: row.from_source.clone(),
            from_end_user_id: row.from_end_user_id,
            from_account_id: row.from_account_id,
            created_at: seconds(row.created_at),
        }
    }
}

/// What the lists have in common.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Line {
    #[serde(flatten)]
    talker: Talker,
    from_end_user_session_id: Option<String>,
    from_account_name: Option<String>,
    read_at: Option<i64>,
    updated_at: i64,
    model_config: SimpleModelConfig,
    user_feedback_stats: FeedbackStat,
    admin_feedback_stats: FeedbackStat,
}

impl Line {
    fn of(row: &Logged, config: &Map<String, Value>) -> Self {
        Self {
            talker: Talker::of(row),
            from_end_user_session_id: row.from_end_user_session_id.clone(),
            from_account_name: row.from_account_name.clone(),
            read_at: row.read_at.map(seconds),
            updated_at: seconds(row.updated_at),
            model_config: SimpleModelConfig {
                model: Value::Null,
                pre_prompt: text(config, "pre_prompt"),
            },
            user_feedback_stats: user_stats(row),
            admin_feedback_stats: admin_stats(row),
        }
    }
}

fn user_stats(row: &Logged) -> FeedbackStat {
    FeedbackStat { like: row.user_likes, dislike: row.user_dislikes }
}

fn admin_stats(row: &Logged) -> FeedbackStat {
    FeedbackStat { like: row.admin_likes, dislike: row.admin_dislikes }
}

/// A chat in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ConversationWithSummary {
    #[serde(flatten)]
    line: Line,
    name: String,
    summary: String,
    annotated: bool,
    message_count: i64,
    status_count: StatusCount,
}

impl ConversationWithSummary {
    fn of(row: Logged, config: &Map<String, Value>) -> Self {
        let counted = |count: i64| (0 < row.run_count).then_some(count);
        Self {
            line: Line::of(&row, config),
            status_count: StatusCount {
                success: counted(row.runs_succeeded),
                failed: counted(row.runs_failed),
                partial_success: counted(row.runs_partial),
                paused: counted(row.runs_paused),
            },
            name: row.name,
            summary: row
                .summary
                .filter(|summary| !summary.is_empty())
                .or(row.first_query)
                .unwrap_or_default(),
            annotated: row.annotated,
            message_count: row.message_count,
        }
    }
}

/// The chats of an app.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/chat-conversations",
    tag = "log",
    params(("app_id" = AppId, Path), ConversationLogQuery),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn list_chat_conversations(
    State(state): State<AppState>,
    EditAppOf { user, app }: EditAppOf<CHAT>,
    Query(query): Query<ConversationLogQuery>,
) -> Result<Json<Page<ConversationWithSummary>>, ApiError> {
    let page = log::list(&state.ctx, &app, query.wish(user.account.timezone.as_deref())?).await?;
    let configs = log::configs(&state.ctx, &app, &page.data).await?;
    Ok(Json(page.map(|row| {
        let config = configs.get(&row.id);
        ConversationWithSummary::of(row, config.unwrap_or(&Map::new()))
    })))
}

/// A chat with its configuration.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ConversationDetail {
    #[serde(flatten)]
    talker: Talker,
    updated_at: i64,
    annotated: bool,
    introduction: Option<String>,
    model_config: ModelConfig,
    message_count: i64,
    user_feedback_stats: FeedbackStat,
    admin_feedback_stats: FeedbackStat,
}

/// A chat of an app; it counts as read from now on.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/chat-conversations/{conversation_id}",
    tag = "log",
    params(("app_id" = AppId, Path), ("conversation_id" = ConversationId, Path)),
    responses((status = 200, body = ConversationDetail), (status = "4XX", body = ErrorBody)),
)]
async fn get_chat_conversation(
    State(state): State<AppState>,
    EditAppOf { user, app }: EditAppOf<CHAT>,
    Path((_parent, id)): Path<(AppId, ConversationId)>,
) -> Result<Json<ConversationDetail>, ApiError> {
    let (row, config) = log::find(&state.ctx, &app, user.account.id, id).await?;
    Ok(Json(ConversationDetail {
        talker: Talker::of(&row),
        updated_at: seconds(row.updated_at),
        annotated: row.annotated,
        model_config: config.into(),
        message_count: row.message_count,
        user_feedback_stats: user_stats(&row),
        admin_feedback_stats: admin_stats(&row),
        introduction: row.introduction,
    }))
}

/// Delete one's own chat.
#[utoipa::path(
    delete,
    path = "/console/api/apps/{app_id}/chat-conversations/{conversation_id}",
    tag = "log",
    params(("app_id" = AppId, Path), ("conversation_id" = ConversationId, Path)),
    responses((status = 204, description = "Deleted"), (status = "4XX", body = ErrorBody)),
)]
async fn delete_chat_conversation(
    State(state): State<AppState>,
    EditAppOf { user, app }: EditAppOf<CHAT>,
    Path((_parent, id)): Path<(AppId, ConversationId)>,
) -> Result<NoContent, ApiError> {
    conversation::delete(&state.ctx, &app, Participant::Account(user.account.id), id).await?;
    Ok(NoContent)
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SimpleMessageDetail {
    #[schema(value_type = Object)]
    inputs: Value,
    query: String,
    /// Text of the prompt's first message.
    message: String,
    answer: String,
}

/// A completion in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CompletionConversation {
    #[serde(flatten)]
    line: Line,
    annotation: Option<Note>,
    message: Option<SimpleMessageDetail>,
}

impl CompletionConversation {
    fn of(
        row: Logged,
        config: &Map<String, Value>,
        notes: &mut HashMap<MessageId, NoteRow>,
    ) -> Self {
        let line = Line::of(&row, config);
        let prompt = row.first_prompt.as_ref().and_then(|prompt| prompt.pointer("/0/text"));
        let prompt = prompt.and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            annotation: row.first_message_id.and_then(|id| notes.remove(&id)).map(Into::into),
            message: row.first_message_id.map(|_| SimpleMessageDetail {
                inputs: row.first_inputs.unwrap_or_default(),
                query: row.first_query.unwrap_or_default(),
                message: prompt,
                answer: row.first_answer.unwrap_or_default(),
            }),
            line,
        }
    }
}

/// The completions of an app, newest first.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/completion-conversations",
    tag = "log",
    params(("app_id" = AppId, Path), ConversationLogQuery),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn list_completion_conversations(
    State(state): State<AppState>,
    EditAppOf { user, app }: EditAppOf<COMPLETION>,
    Query(mut query): Query<ConversationLogQuery>,
) -> Result<Json<Page<CompletionConversation>>, ApiError> {
    query.sort_by = SortBy::CreatedDown;
    let page = log::list(&state.ctx, &app, query.wish(user.account.timezone.as_deref())?).await?;
    let configs = log::configs(&state.ctx, &app, &page.data).await?;
    let mut notes = log::first_annotations(&state.ctx, &app, &page.data).await?;
    Ok(Json(page.map(|row| {
        let config = configs.get(&row.id);
        CompletionConversation::of(row, config.unwrap_or(&Map::new()), &mut notes)
    })))
}

/// A completion with its configuration and its message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CompletionDetail {
    #[serde(flatten)]
    talker: Talker,
    model_config: ModelConfig,
    message: Option<MessageDetail>,
}

/// A completion of an app; it counts as read from now on.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/completion-conversations/{conversation_id}",
    tag = "log",
    params(("app_id" = AppId, Path), ("conversation_id" = ConversationId, Path)),
    responses((status = 200, body = CompletionDetail), (status = "4XX", body = ErrorBody)),
)]
async fn get_completion_conversation(
    State(state): State<AppState>,
    EditAppOf { user, app }: EditAppOf<COMPLETION>,
    Path((_parent, id)): Path<(AppId, ConversationId)>,
) -> Result<Json<CompletionDetail>, ApiError> {
    let (row, config) = log::find(&state.ctx, &app, user.account.id, id).await?;
    let message = match row.first_message_id {
        None => None,
        Some(id) => match log::message(&state.ctx, &app, id).await {
            Ok(shown) => Some(MessageDetail::of_completion(shown)),
            Err(TalkError::NoMessage) => None,
            Err(err) => return Err(err.into()),
        },
    };
    Ok(Json(CompletionDetail { talker: Talker::of(&row), model_config: config.into(), message }))
}

/// Delete one's own completion.
#[utoipa::path(
    delete,
    path = "/console/api/apps/{app_id}/completion-conversations/{conversation_id}",
    tag = "log",
    params(("app_id" = AppId, Path), ("conversation_id" = ConversationId, Path)),
    responses((status = 204, description = "Deleted"), (status = "4XX", body = ErrorBody)),
)]
async fn delete_completion_conversation(
    State(state): State<AppState>,
    EditAppOf { user, app }: EditAppOf<COMPLETION>,
    Path((_parent, id)): Path<(AppId, ConversationId)>,
) -> Result<NoContent, ApiError> {
    conversation::delete(&state.ctx, &app, Participant::Account(user.account.id), id).await?;
    Ok(NoContent)
}

#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct AppConversationVariablesQuery {
    #[serde(deserialize_with = "wire::id")]
    conversation_id: ConversationId,
}

/// Variables of a conversation of a chatflow, 100 at the most.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/conversation-variables",
    tag = "log",
    params(("app_id" = AppId, Path), AppConversationVariablesQuery),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn list_app_conversation_variables(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<CHATFLOW>,
    Query(query): Query<AppConversationVariablesQuery>,
) -> Result<Json<Page<ConversationVariable>>, ApiError> {
    let found = variable::of_app(&state.ctx, app.id, query.conversation_id).await?;
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let data = found.into_iter().map(Into::into).collect();
    Ok(Json(Page::new(Limit { page: 1, limit: 100 }, total, data)))
}
