//! What requests of all surfaces have in common.

use http_core::{Json, validation::JsonObject};
use serde::{Deserialize, Serialize};
use services_conversation::generate::Ask;
use types::{ConversationId, MessageId};
use uuid::Uuid;

/// How a client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ResponseMode {
    /// One JSON object at the end.
    #[default]
    Blocking,
    /// Server-sent events.
    Streaming,
    /// At once (service API); elsewhere like blocking.
    Async,
}

impl ResponseMode {
    pub(crate) fn streams(self) -> bool {
        self == Self::Streaming
    }
}

/// What stopping says.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Stopped {
    /// Always `success`, also when there was nothing to stop.
    result: &'static str,
}

impl Stopped {
    pub(crate) fn success() -> Json<Self> {
        Json(Self { result: "success" })
    }
}

/// A question to a completion app.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct CompletionMessagePayload {
    /// Values of the app's form.
    #[schema(value_type = Object)]
    inputs: JsonObject,
    /// The question, for apps that take one beside their form.
    #[serde(default)]
    query: String,
    #[schema(value_type = Option<Vec<Object>>)]
    files: Option<Vec<JsonObject>>,
    response_mode: Option<ResponseMode>,
    /// Has no effect.
    #[serde(default, rename = "retriever_from")]
    _retriever_from: Option<String>,
}

impl CompletionMessagePayload {
    /// The question, on top of what the surface knows.
    pub(crate) fn ask(self, base: Ask) -> Ask {
        Ask {
            inputs: self.inputs,
            query: self.query,
            files: self.files.unwrap_or_default(),
            stream: self.response_mode.unwrap_or_default().streams(),
            ..base
        }
    }
}

/// A question to a chat app.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct ChatMessagePayload {
    /// Values of the app's form.
    #[schema(value_type = Object)]
    inputs: JsonObject,
    query: String,
    #[schema(value_type = Option<Vec<Object>>)]
    files: Option<Vec<JsonObject>>,
    /// Has no effect where answers always stream.
    response_mode: Option<ResponseMode>,
    /// The conversation to go on in; empty: a new one.
    #[garde(custom(blank_or_uuid))]
    conversation_id: Option<String>,
    /// The message this one follows.
    #[garde(custom(blank_or_uuid))]
    parent_message_id: Option<String>,
    /// Has no effect.
    #[serde(default, rename = "retriever_from")]
    _retriever_from: Option<String>,
}

impl ChatMessagePayload {
    /// The question, on top of what the surface knows.
    pub(crate) fn ask(self, base: Ask) -> Ask {
        Ask {
            inputs: self.inputs,
            query: self.query,
            files: self.files.unwrap_or_default(),
            conversation: id(self.conversation_id).map(ConversationId),
            parent: id(self.parent_message_id).map(MessageId),
            stream: self.response_mode.unwrap_or_default().streams(),
            ..base
        }
    }
}

/// How another answer like one is wanted.
#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
pub(crate) struct LikeQuery {
    /// Required.
    pub(crate) response_mode: ResponseMode,
}

/// Where a client stopped reading.
#[derive(Debug, Deserialize, garde::Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Position {
    /// Like the header `Last-Event-ID`, which wins.
    pub(crate) last_event_id: Option<u64>,
}

/// Checks an id that may be left out or empty.
pub(crate) fn blank_or_uuid(id: &Option<String>, (): &()) -> garde::Result {
    let id = id.as_deref().map(str::trim).filter(|id| !id.is_empty());
    match id.map(str::parse::<Uuid>) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(_)) => Err(garde::Error::new("Value error, conversation_id must be a valid UUID")),
    }
}

/// An id that [`blank_or_uuid`] has let pass.
pub(crate) fn id(text: Option<String>) -> Option<Uuid> {
    text.and_then(|text| text.trim().parse().ok())
}
