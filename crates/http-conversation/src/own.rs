//! What the service API, web apps and installed apps let those who talk do with what is theirs.

use garde::Validate;
use http_core::{ApiError, AppState, Json, validation::lax};
use serde::{Deserialize, Serialize};
use services_conversation::{
    Engine, assist,
    talk::{App, Participant, conversation, feedback, message},
};
use types::{ConversationId, MessageId};

use crate::wire::{self, Done, Rating, Scroll, SimpleConversation, SortBy};

/// Which part of a list of conversations.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
pub(crate) struct ConversationListQuery {
    #[serde(default, deserialize_with = "wire::optional_id")]
    pub last_id: Option<ConversationId>,
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "wire::twenty")]
    pub limit: i64,
    #[serde(default, deserialize_with = "lax::optional_flag")]
    pub pinned: Option<bool>,
    #[serde(default)]
    #[param(inline)]
    pub sort_by: SortBy,
}

/// A new title.
#[derive(Debug, Clone, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct ConversationRenamePayload {
    name: Option<String>,
    /// Let a model find one.
    #[serde(default, deserialize_with = "lax::flag")]
    auto_generate: bool,
}

/// Which messages of a conversation.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
pub(crate) struct MessageListQuery {
    #[serde(deserialize_with = "wire::id")]
    conversation_id: ConversationId,
    #[serde(default, deserialize_with = "wire::optional_id")]
    first_id: Option<MessageId>,
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "wire::twenty")]
    limit: i64,
}

impl MessageListQuery {
    pub(crate) fn wish(&self) -> message::Wish {
        message::Wish {
            conversation: self.conversation_id,
            before: self.first_id,
            limit: self.limit,
            newest_first: false,
        }
    }
}

/// An opinion about an answer.
#[derive(Debug, Clone, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct MessageFeedbackPayload {
    rating: Option<Rating>,
    content: Option<String>,
}

/// Which part of a list of saved messages.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
pub(crate) struct SavedMessageListQuery {
    #[serde(default, deserialize_with = "wire::optional_id")]
    pub last_id: Option<MessageId>,
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "wire::twenty")]
    pub limit: i64,
}

/// A message to keep.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct SavedMessageCreatePayload {
    #[serde(deserialize_with = "wire::id")]
    pub message_id: MessageId,
}

/// Questions that could follow.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SuggestedQuestions {
    pub data: Vec<String>,
}

pub(crate) async fn conversations(
    state: &AppState,
    app: &App,
    who: Participant,
    invoke_from: &str,
    query: &ConversationListQuery,
) -> Result<Json<Scroll<SimpleConversation>>, ApiError> {
    let wish = conversation::Wish {
        invoke_from,
        pinned: query.pinned,
        sort: query.sort_by.sort(),
        after: query.last_id,
        limit: query.limit,
    };
    Ok(Json(Scroll::of(conversation::list(&state.ctx, app, who, wish).await?)))
}

pub(crate) async fn rename(
    state: &AppState,
    engine: &Engine,
    app: &App,
    who: Participant,
    id: ConversationId,
    body: ConversationRenamePayload,
) -> Result<Json<SimpleConversation>, ApiError> {
    if body.auto_generate {
        return Ok(Json(assist::name(engine, app, who, id).await?.into()));
    }
    let name = body.name.filter(|name| !name.trim().is_empty()).ok_or_else(|| {
        ApiError::invalid_param(
            "1 validation error for ConversationRenamePayload\n  Value error, name is required when auto_generate is \
             false [type=value_error]",
        )
    })?;
    Ok(Json(conversation::rename(&state.ctx, app, who, id, &name).await?.into()))
}

pub(crate) async fn rate(
    state: &AppState,
    app: &App,
    who: Participant,
    id: MessageId,
    body: &MessageFeedbackPayload,
) -> Result<Json<Done>, ApiError> {
    let opinion = feedback::Opinion {
        rating: body.rating.map(Rating::as_str),
        content: body.content.as_deref(),
    };
    feedback::give(&state.ctx, app, who, id, opinion).await?;
    Ok(Json(Done::SUCCESS))
}
