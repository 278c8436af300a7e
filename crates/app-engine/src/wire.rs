//! Events as JSON on the wire. Nothing else writes it.
//!
//! Debugger and service API see everything (*full*); web apps see less (*simple*).

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    event::{AppEvent, ChunkKind, MessageMetadata, RunError},
    log::Item,
};

/// How much a client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Debugger and service API.
    Full,
    /// Web apps and installed apps.
    Simple,
}

/// The members that every event of a run begins with.
#[derive(Debug, Clone, PartialEq)]
pub enum Prefix {
    /// Chats: conversation, message, time.
    Chat {
        /// The conversation.
        conversation_id: String,
        /// The message.
        message_id: String,
        /// Unix seconds.
        created_at: i64,
    },
    /// Completions: message, time.
    Completion {
        /// The message.
        message_id: String,
        /// Unix seconds.
        created_at: i64,
    },
    /// Workflows: the run.
    Workflow {
        /// The run.
        workflow_run_id: String,
    },
}

/// Writes the events of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Writer {
    /// What each event begins with.
    pub prefix: Prefix,
    /// The task.
    pub task_id: String,
    /// How much the client sees.
    pub detail: Detail,
}

/// An event ready to be written. Pieces of text, which are nearly all, borrow everything.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Line<'a> {
    /// A piece of an answer.
    Answer {
        /// What it begins with.
        #[serde(flatten)]
        head: Head<'a>,
        /// The text.
        answer: &'a str,
        /// The variable it comes from, in workflows.
        from_variable_selector: Option<&'a [String]>,
    },
    /// A piece of an agent's answer.
    Agent {
        /// What it begins with.
        #[serde(flatten)]
        head: Head<'a>,
        /// The text.
        answer: &'a str,
    },
    /// Anything else.
    Other(Map<String, Value>),
}

/// What a piece of an answer begins with.
#[derive(Debug, Serialize)]
pub struct Head<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<&'a str>,
    message_id: &'a str,
    created_at: i64,
    task_id: &'a str,
    id: &'a str,
}

impl Writer {
    /// The event as it stands behind `data:`, without building it as a value first where that can be avoided.
    #[must_use]
    pub fn line<'a>(&'a self, item: &'a Item) -> Line<'a> {
        let (chunk, answer) = match item {
            Item::Text(chunk, answer) => (chunk, answer.as_str()),
            Item::Event(_) => return Line::Other(self.event(item)),
        };
        let (conversation_id, message_id, created_at) = match &self.prefix {
            Prefix::Chat { conversation_id, message_id, created_at } => {
                (Some(conversation_id.as_str()), message_id.as_str(), *created_at)
            }
            Prefix::Completion { message_id, created_at } => {
                (None, message_id.as_str(), *created_at)
            }
            Prefix::Workflow { .. } => return Line::Other(self.event(item)),
        };
        let head = |event| Head {
            event,
            conversation_id,
            message_id,
            created_at,
            task_id: &self.task_id,
            id: message_id,
        };
        match chunk.kind {
            ChunkKind::Answer => Line::Answer {
                head: head("message"),
                answer,
                from_variable_selector: chunk.selector.as_deref(),
            },
            ChunkKind::Agent => Line::Agent { head: head("agent_message"), answer },
        }
    }

    /// The event as it stands behind `data:`.
    #[must_use]
    pub fn event(&self, item: &Item) -> Map<String, Value> {
        match item {
            Item::Text(chunk, text) => match (&self.prefix, chunk.kind) {
                (Prefix::Workflow { .. }, _) => self.frame(
                    "text_chunk",
                    json!({"data": {"text": text, "from_variable_selector": chunk.selector}}),
                ),
                (_, ChunkKind::Agent) => {
                    self.frame("agent_message", json!({"id": self.message_id(), "answer": text}))
                }
                (_, ChunkKind::Answer) => self.frame(
                    "message",
                    json!({"id": self.message_id(), "answer": text, "from_variable_selector": chunk.selector}),
                ),
            },
            Item::Event(event) => self.app_event(event),
        }
    }

    fn app_event(&self, event: &AppEvent) -> Map<String, Value> {
        match event {
            AppEvent::MessageFile(file) => self.frame("message_file", to_value(file)),
            AppEvent::MessageReplace { answer, reason } => {
                self.frame("message_replace", json!({"answer": answer, "reason": reason}))
            }
            AppEvent::AgentThought(thought) => self.frame("agent_thought", to_value(thought)),
            AppEvent::MessageEnd(end) => self.frame(
                "message_end",
                json!({
                    "id": self.message_id(),
                    "metadata": metadata(&end.metadata, self.detail),
                    "files": end.files,
                }),
            ),
            AppEvent::Tts(audio) => self.frame("tts_message", json!({"audio": audio})),
            AppEvent::TtsEnd => self.frame("tts_message_end", json!({"audio": ""})),
            AppEvent::Error(error) => {
                let mut frame = self.begin("error");
                frame.extend(error_members(error));
                frame
            }
            AppEvent::Workflow(event) => {
                let data = match (&event.simple, self.detail) {
                    (Some(simple), Detail::Simple) => simple.clone(),
                    _ => event.full.clone(),
                };
                let mut frame = self.begin(event.name);
                frame.insert("task_id".into(), json!(self.task_id));
                if event.workflow_run_id.is_some() || matches!(self.prefix, Prefix::Workflow { .. })
                {
                    frame.insert("workflow_run_id".into(), json!(event.workflow_run_id));
                }
                frame.insert("data".into(), data);
                frame
            }
        }
    }

    fn frame(&self, name: &str, body: Value) -> Map<String, Value> {
        let mut frame = self.begin(name);
        frame.insert("task_id".into(), json!(self.task_id));
        if let Value::Object(body) = body {
            frame.extend(body);
        }
        frame
    }

    fn begin(&self, name: &str) -> Map<String, Value> {
        let mut frame = Map::new();
        frame.insert("event".into(), json!(name));
        match &self.prefix {
            Prefix::Chat { conversation_id, message_id, created_at } => {
                frame.insert("conversation_id".into(), json!(conversation_id));
                frame.insert("message_id".into(), json!(message_id));
                frame.insert("created_at".into(), json!(created_at));
            }
            Prefix::Completion { message_id, created_at } => {
                frame.insert("message_id".into(), json!(message_id));
                frame.insert("created_at".into(), json!(created_at));
            }
            Prefix::Workflow { workflow_run_id } => {
                frame.insert("workflow_run_id".into(), json!(workflow_run_id));
            }
        }
        frame
    }

    fn message_id(&self) -> &str {
        match &self.prefix {
            Prefix::Chat { message_id, .. } | Prefix::Completion { message_id, .. } => message_id,
            Prefix::Workflow { .. } => "",
        }
    }
}

/// The answer of a blocking chat or completion.
#[derive(Debug, Clone, Serialize)]
pub struct BlockingAnswer {
    /// `message`.
    pub event: &'static str,
    /// The task.
    pub task_id: String,
    /// The message.
    pub id: String,
    /// The message again.
    pub message_id: String,
    /// The conversation, in chats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// The app's mode.
    pub mode: String,
    /// The whole text.
    pub answer: String,
    /// Usage, sources, annotation.
    pub metadata: Value,
    /// Unix seconds.
    pub created_at: i64,
}

/// The `metadata` member for a client.
#[must_use]
pub fn metadata(metadata: &MessageMetadata, detail: Detail) -> Value {
    let mut shown = Map::new();
    let resources = match detail {
        Detail::Full => {
            if !metadata.omit_annotation_reply {
                shown.insert("annotation_reply".into(), json!(metadata.annotation_reply));
            }
            json!(metadata.retriever_resources)
        }
        Detail::Simple => metadata.retriever_resources.iter().map(reduced_resource).collect(),
    };
    shown.insert("retriever_resources".into(), resources);
    if detail == Detail::Full {
        shown.insert("usage".into(), metadata.usage.clone());
    }
    Value::Object(shown)
}

fn reduced_resource(resource: &Value) -> Value {
    ["segment_id", "position", "document_name", "score", "content", "summary"]
        .into_iter()
        .map(|key| (key.to_owned(), resource.get(key).cloned().unwrap_or(Value::Null)))
        .collect::<Map<_, _>>()
        .into()
}

/// The members of an `error` event behind the prefix.
#[must_use]
pub fn error_members(error: &RunError) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("code".into(), json!(error.code));
    members.insert("status".into(), json!(error.status));
    members.insert("message".into(), json!(error.message));
    members
}

fn to_value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{Chunk, MessageEnd};

    fn writer(detail: Detail) -> Writer {
        Writer {
            prefix: Prefix::Chat {
                conversation_id: "c".into(),
                message_id: "m".into(),
                created_at: 7,
            },
            task_id: "t".into(),
            detail,
        }
    }

    fn line(detail: Detail, item: &Item) -> String {
        let event = serde_json::to_string(&writer(detail).event(item)).unwrap();
        assert_eq!(serde_json::to_string(&writer(detail).line(item)).unwrap(), event);
        event
    }

    #[test]
    fn a_piece_of_an_answer() {
        let chunk = Arc::new(Chunk { kind: ChunkKind::Answer, selector: None });
        assert_eq!(
            line(Detail::Full, &Item::Text(chunk, "Hi".into())),
            r#"{"event":"message","conversation_id":"c","message_id":"m","created_at":7,"task_id":"t","id":"m","answer":"Hi","from_variable_selector":null}"#
        );
    }

    #[test]
    fn web_apps_see_no_usage() {
        let end = AppEvent::MessageEnd(Box::new(MessageEnd {
            metadata: MessageMetadata {
                retriever_resources: vec![json!({"segment_id": "s", "position": 1, "page": 3})],
                usage: json!({"total_tokens": 1}),
                ..MessageMetadata::default()
            },
            files: None,
        }));
        assert_eq!(
            line(Detail::Simple, &Item::Event(Arc::new(end))),
            r#"{"event":"message_end","conversation_id":"c","message_id":"m","created_at":7,"task_id":"t","id":"m","metadata":{"retriever_resources":[{"segment_id":"s","position":1,"document_name":null,"score":null,"content":null,"summary":null}]},"files":null}"#
        );
    }

    #[test]
    fn an_error_names_no_task() {
        let error = AppEvent::Error(RunError::model("broken"));
        assert_eq!(
            line(Detail::Full, &Item::Event(Arc::new(error))),
            r#"{"event":"error","conversation_id":"c","message_id":"m","created_at":7,"code":"completion_request_error","status":400,"message":"broken"}"#
        );
    }
}
