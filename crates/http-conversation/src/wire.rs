//! What several of these APIs send and take.

use chrono::NaiveDateTime;
use db::{
    conversation_list::ConversationRow,
    message_list::{FeedbackRow, NoteRow},
};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};
use services_conversation::{
    shown::{Shown, ShownFile, Thought},
    talk::{Part, Sort},
};
use types::{AccountId, AnnotationId, ConversationId, EndUserId, MessageId, WorkflowRunId};
use uuid::Uuid;

/// What answers say that have nothing else to say.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Done {
    result: &'static str,
}

impl Done {
    pub(crate) const SUCCESS: Self = Self { result: "success" };
}

/// Part of a list without page numbers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Scroll<T> {
    limit: i64,
    has_more: bool,
    data: Vec<T>,
}

impl<T> Scroll<T> {
    pub(crate) fn of<U>(part: Part<U>) -> Self
    where
        T: From<U>,
    {
        let part = part.map(T::from);
        Self { limit: part.limit, has_more: part.has_more, data: part.data }
    }
}

/// Unix seconds.
pub(crate) fn seconds(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp()
}

/// An id, or nothing for an empty text.
pub(crate) fn optional_id<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
{
    match Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => match text.parse() {
            Ok(id) => Ok(Some(id)),
            Err(_) => Err(de::Error::custom(format!("{text} is not a valid uuid."))),
        },
    }
}

/// An id.
pub(crate) fn id<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| de::Error::custom(format!("{text} is not a valid uuid.")))
}

pub(crate) fn twenty() -> i64 {
    20
}

pub(crate) fn one() -> i64 {
    1
}

/// In which order a list of conversations is.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
pub(crate) enum SortBy {
    #[serde(rename = "created_at")]
    Created,
    #[serde(rename = "-created_at")]
    CreatedDown,
    #[serde(rename = "updated_at")]
    Updated,
    #[default]
    #[serde(rename = "-updated_at")]
    UpdatedDown,
}

impl SortBy {
    pub(crate) fn sort(self) -> Sort {
        Sort {
            by_creation: matches!(self, Self::Created | Self::CreatedDown),
            descending: matches!(self, Self::CreatedDown | Self::UpdatedDown),
        }
    }
}

/// `like` or `dislike`.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rating {
    Like,
    Dislike,
}

impl Rating {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Like => "like",
            Self::Dislike => "dislike",
        }
    }
}

/// A conversation, as those who talk see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SimpleConversation {
    id: ConversationId,
    name: String,
    #[schema(value_type = Object)]
    inputs: Value,
    status: String,
    introduction: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl From<ConversationRow> for SimpleConversation {
    fn from(row: ConversationRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            inputs: row.inputs,
            status: row.status,
            introduction: row.introduction,
            created_at: seconds(row.created_at),
            updated_at: seconds(row.updated_at),
        }
    }
}

/// A file of a message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MessageFile {
    id: Uuid,
    filename: String,
    r#type: String,
    url: Option<String>,
    mime_type: Option<String>,
    size: i64,
    transfer_method: String,
    belongs_to: String,
    upload_file_id: Option<Uuid>,
}

impl From<ShownFile> for MessageFile {
    fn from(file: ShownFile) -> Self {
        Self {
            id: file.id,
            filename: file.filename,
            r#type: file.kind,
            url: file.url,
            mime_type: file.mime_type,
            size: file.size,
            transfer_method: file.transfer_method,
            belongs_to: file.belongs_to,
            upload_file_id: file.upload_file_id,
        }
    }
}

/// One thing an agent did.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AgentThought {
    id: Uuid,
    /// Kept for old clients.
    chain_id: Option<Uuid>,
    message_id: MessageId,
    position: i32,
    thought: Option<String>,
    tool: Option<String>,
    #[schema(value_type = Object)]
    tool_labels: Value,
    tool_input: Option<String>,
    created_at: i64,
    observation: Option<String>,
    files: Vec<String>,
}

impl From<Thought> for AgentThought {
    fn from(thought: Thought) -> Self {
        Self {
            id: thought.id,
            chain_id: None,
            message_id: thought.message_id,
            position: thought.position,
            thought: thought.thought,
            tool: thought.tool,
            tool_labels: thought.tool_labels,
            tool_input: thought.tool_input,
            created_at: thought.created_at,
            observation: thought.observation,
            files: thought.files,
        }
    }
}

/// What the user thinks of an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SimpleFeedback {
    rating: String,
}

fn feedback(shown: &Shown) -> Option<SimpleFeedback> {
    shown.user_rating().map(|rating| SimpleFeedback { rating: rating.to_owned() })
}

/// A message, as those who talk see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MessageItem {
    id: MessageId,
    conversation_id: ConversationId,
    parent_message_id: Option<MessageId>,
    #[schema(value_type = Object)]
    inputs: Value,
    query: String,
    answer: String,
    feedback: Option<SimpleFeedback>,
    #[schema(value_type = Vec<Object>)]
    retriever_resources: Vec<Value>,
    created_at: i64,
    agent_thoughts: Vec<AgentThought>,
    message_files: Vec<MessageFile>,
    status: String,
    error: Option<String>,
    #[schema(value_type = Vec<Object>)]
    extra_contents: Vec<Value>,
}

impl From<Shown> for MessageItem {
    fn from(shown: Shown) -> Self {
        Self {
            feedback: feedback(&shown),
            retriever_resources: shown.sources().to_vec(),
            id: shown.row.id,
            conversation_id: shown.row.conversation_id,
            parent_message_id: shown.row.parent_message_id,
            inputs: shown.row.inputs,
            query: shown.row.query,
            answer: shown.row.answer,
            created_at: seconds(shown.row.created_at),
            agent_thoughts: shown.thoughts.into_iter().map(Into::into).collect(),
            message_files: shown.files.into_iter().map(Into::into).collect(),
            status: shown.row.status,
            error: shown.row.error,
            extra_contents: shown.extra,
        }
    }
}

/// A message of the web app: with what is known of how it was answered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct WebMessageItem {
    #[serde(flatten)]
    message: MessageItem,
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
}

impl From<Shown> for WebMessageItem {
    fn from(shown: Shown) -> Self {
        Self { metadata: shown.metadata.clone(), message: shown.into() }
    }
}

/// A message somebody kept.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SavedMessageItem {
    id: MessageId,
    #[schema(value_type = Object)]
    inputs: Value,
    query: String,
    answer: String,
    message_files: Vec<MessageFile>,
    feedback: Option<SimpleFeedback>,
    created_at: i64,
}

impl From<Shown> for SavedMessageItem {
    fn from(shown: Shown) -> Self {
        Self {
            feedback: feedback(&shown),
            id: shown.row.id,
            inputs: shown.row.inputs,
            query: shown.row.query,
            answer: shown.row.answer,
            message_files: shown.files.into_iter().map(Into::into).collect(),
            created_at: seconds(shown.row.created_at),
        }
    }
}

/// A console user.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SimpleAccount {
    id: AccountId,
    name: String,
    email: String,
}

fn account(
    id: Option<AccountId>,
    name: Option<String>,
    email: Option<String>,
) -> Option<SimpleAccount> {
    Some(SimpleAccount { id: id?, name: name?, email: email? })
}

/// What somebody thinks of an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Feedback {
    rating: String,
    content: Option<String>,
    from_source: String,
    from_end_user_id: Option<EndUserId>,
    from_account: Option<SimpleAccount>,
}

impl From<FeedbackRow> for Feedback {
    fn from(row: FeedbackRow) -> Self {
        Self {
            rating: row.rating,
            content: row.content,
            from_source: row.from_source,
            from_end_user_id: row.from_end_user_id,
            from_account: account(row.from_account_id, row.account_name, row.account_email),
        }
    }
}

/// An annotation of a message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = MessageAnnotation)]
pub(crate) struct Note {
    id: AnnotationId,
    question: String,
    content: String,
    account: Option<SimpleAccount>,
    created_at: i64,
}

impl From<NoteRow> for Note {
    fn from(row: NoteRow) -> Self {
        Self {
            id: row.id,
            question: row.question,
            content: row.content,
            account: account(Some(row.account_id), row.account_name, row.account_email),
            created_at: seconds(row.created_at),
        }
    }
}

/// The annotation that answered a message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = MessageAnnotationHit)]
pub(crate) struct NoteHit {
    annotation_id: AnnotationId,
    annotation_create_account: Option<SimpleAccount>,
    created_at: i64,
}

impl From<NoteRow> for NoteHit {
    fn from(row: NoteRow) -> Self {
        Self {
            annotation_id: row.id,
            annotation_create_account: account(
                Some(row.account_id),
                row.account_name,
                row.account_email,
            ),
            created_at: seconds(row.created_at),
        }
    }
}

/// A message, as builders see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MessageDetail {
    id: MessageId,
    conversation_id: ConversationId,
    #[schema(value_type = Object)]
    inputs: Value,
    query: String,
    /// The prompt.
    #[schema(value_type = Object)]
    message: Value,
    message_tokens: i32,
    answer: String,
    answer_tokens: i32,
    /// Seconds.
    provider_response_latency: f64,
    from_source: String,
    from_end_user_id: Option<EndUserId>,
    from_account_id: Option<AccountId>,
    feedbacks: Vec<Feedback>,
    workflow_run_id: Option<WorkflowRunId>,
    annotation: Option<Note>,
    annotation_hit_history: Option<NoteHit>,
    created_at: i64,
    agent_thoughts: Vec<AgentThought>,
    message_files: Vec<MessageFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    extra_contents: Option<Vec<Value>>,
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    status: String,
    error: Option<String>,
    parent_message_id: Option<MessageId>,
}

impl MessageDetail {
    /// The message of a completion, which has nothing beside its answer.
    pub(crate) fn of_completion(shown: Shown) -> Self {
        Self { extra_contents: None, ..shown.into() }
    }
}

impl From<Shown> for MessageDetail {
    fn from(shown: Shown) -> Self {
        let row = shown.row;
        Self {
            id: row.id,
            conversation_id: row.conversation_id,
            inputs: row.inputs,
            query: row.query,
            message: row.message,
            message_tokens: row.message_tokens,
            answer: row.answer,
            answer_tokens: row.answer_tokens,
            provider_response_latency: row.provider_response_latency,
            from_source: row.from_source,
            from_end_user_id: row.from_end_user_id,
            from_account_id: row.from_account_id,
            feedbacks: shown.feedbacks.into_iter().map(Into::into).collect(),
            workflow_run_id: row.workflow_run_id,
            annotation: shown.annotation.map(Into::into),
            annotation_hit_history: shown.annotation_hit.map(Into::into),
            created_at: seconds(row.created_at),
            agent_thoughts: shown.thoughts.into_iter().map(Into::into).collect(),
            message_files: shown.files.into_iter().map(Into::into).collect(),
            extra_contents: Some(shown.extra),
            metadata: shown.metadata,
            status: row.status,
            error: row.error,
            parent_message_id: row.parent_message_id,
        }
    }
}
