//! What a run tells.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

/// An event of a run. Texts come as [`Chunk`]s, which the log keeps joined.
#[derive(Debug, Clone, PartialEq)]
pub enum AppEvent {
    /// A file belongs to the message.
    MessageFile(MessageFile),
    /// What was shown so far is replaced.
    MessageReplace {
        /// The text in its place.
        answer: String,
        /// Why; only workflow-based chats say it.
        reason: String,
    },
    /// A thought of an agent, new or changed.
    AgentThought(Box<AgentThought>),
    /// The message is complete.
    MessageEnd(Box<MessageEnd>),
    /// A piece of speech: base64 of MP3.
    Tts(String),
    /// No more speech follows.
    TtsEnd,
    /// The run failed; nothing follows.
    Error(RunError),
    /// A step of a workflow: event name and `data`.
    Workflow(Arc<WorkflowEvent>),
}

/// What a [`Chunk`] is a piece of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkKind {
    /// The answer of a chat or completion, or of a workflow.
    Answer,
    /// The answer of an agent.
    Agent,
}

/// Where a piece of text comes from. Pieces that follow each other from the same place share one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// What it is a piece of.
    pub kind: ChunkKind,
    /// The variable it comes from, in workflows.
    pub selector: Option<Vec<String>>,
}

/// `message_file`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageFile {
    /// The row.
    pub id: String,
    /// `image`, `document` …
    pub r#type: String,
    /// `user` or `assistant`.
    pub belongs_to: String,
    /// Signed.
    pub url: String,
}

/// `agent_thought`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentThought {
    /// The row.
    pub id: String,
    /// From 1.
    pub position: i32,
    /// What the model thought.
    pub thought: String,
    /// What the tools answered.
    pub observation: String,
    /// Names, joined by `;`.
    pub tool: String,
    /// Label by name.
    pub tool_labels: Value,
    /// JSON.
    pub tool_input: String,
    /// Rows of files.
    pub message_files: Vec<String>,
}

/// What [`AppEvent::MessageEnd`] says.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageEnd {
    /// Usage, sources, annotation.
    pub metadata: MessageMetadata,
    /// Files of the message: `None` where the reference sends `null`.
    pub files: Option<Vec<Value>>,
}

/// The `metadata` of a message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MessageMetadata {
    /// The annotation that answered; `None` is `null`.
    pub annotation_reply: Option<Value>,
    /// Whether the key `annotation_reply` is there at all.
    pub omit_annotation_reply: bool,
    /// Sources.
    pub retriever_resources: Vec<Value>,
    /// Tokens, prices, times; `null` when there was no model call.
    pub usage: Value,
}

/// Why a run failed, as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RunError {
    /// Machine-readable.
    pub code: &'static str,
    /// The HTTP status a blocking answer has.
    pub status: u16,
    /// For people.
    pub message: String,
}

impl RunError {
    /// A value the run cannot use.
    pub fn invalid_param(message: impl Into<String>) -> Self {
        Self { code: "invalid_param", status: 400, message: message.into() }
    }

    /// A model that refused or failed.
    pub fn model(message: impl Into<String>) -> Self {
        Self { code: "completion_request_error", status: 400, message: message.into() }
    }

    /// A fault of ours: the log has the rest.
    #[must_use]
    pub fn internal() -> Self {
        Self {
            code: "internal_server_error",
            status: 500,
            message: "Internal Server Error, please contact support.".to_owned(),
        }
    }
}

/// A step of a workflow as it goes to clients.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowEvent {
    /// `workflow_started`, `node_finished` …
    pub name: &'static str,
    /// The run; `None` before there is one.
    pub workflow_run_id: Option<String>,
    /// `data` as console and service API see it.
    pub full: Value,
    /// `data` as web apps see it, where that differs.
    pub simple: Option<Value>,
}

impl WorkflowEvent {
    /// Whether the stream of a workflow ends with this event.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self.name, "workflow_finished" | "workflow_paused")
    }
}
