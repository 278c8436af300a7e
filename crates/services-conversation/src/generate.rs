//! Asking a basic app: checks, one write, then a run that goes on by itself.

mod answer;
mod config;
mod error;
pub mod like;
pub mod limit;
pub mod naming;
mod prepare;

use boxed::boxed;
use std::sync::Arc;

use app_engine::{
    Run,
    basic::{Caller, InvokeFrom, Mode},
    event::RunError,
    hub::RunGuard,
    ports::RunContext,
    wire::Prefix,
};
use db::{app::App, running::Kind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use types::{ConversationId, MessageId, WorkflowRunId};
use uuid::Uuid;

pub use error::GenerateError;
pub use prepare::{first_name, introduction, owner};

use crate::{Engine, idempotency, record::NotRecorded};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The app.
    pub app: App,
    /// Who asks.
    pub caller: Caller,
    /// Where the call came in.
    pub invoke_from: InvokeFrom,
    /// Values of the form as the client sent them.
    pub inputs: Map<String, Value>,
    /// The question.
    pub query: String,
    /// Files as the client named them.
    pub files: Vec<Map<String, Value>>,
    /// The conversation it goes on in.
    pub conversation: Option<ConversationId>,
    /// The message it follows; the service API says none and means the last one.
    pub parent: Option<MessageId>,
    /// Whether a new conversation gets a name by itself.
    pub names_conversation: bool,
    /// Whether the client wants the answer piece by piece.
    pub stream: bool,
    /// The configuration the debugger tries, checked already.
    pub debug_config: Option<Map<String, Value>>,
    /// The published version to run, in apps drawn as a graph; the one in use if the client names none.
    pub version: Option<String>,
    /// Where the end is told, in apps drawn as a graph.
    pub webhook: Option<Webhook>,
    /// The key under which the answer is kept for clients that ask again.
    pub idempotency: Option<idempotency::Key>,
}

/// Where a client wants to be told that a run has ended.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// An address outside.
    pub url: String,
    /// What the message is signed with.
    pub secret: String,
}

impl Ask {
    /// A question without anything in it.
    #[must_use]
    pub fn new(app: App, caller: Caller, invoke_from: InvokeFrom) -> Self {
        Self {
            app,
            caller,
            invoke_from,
            inputs: Map::new(),
            query: String::new(),
            files: Vec::new(),
            conversation: None,
            parent: None,
            names_conversation: false,
            stream: false,
            debug_config: None,
            version: None,
            webhook: None,
            idempotency: None,
        }
    }
}

/// A run that began.
pub struct Started {
    /// The run, to read its log and to stop it.
    pub run: Arc<Run>,
    /// The message.
    pub message: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The kind of app.
    pub mode: Mode,
    /// The run of the graph, in apps that have one.
    pub workflow_run: Option<WorkflowRunId>,
    /// Unix seconds.
    pub created_at: i64,
    /// How it ends. Comes once the end is on record.
    pub answered: oneshot::Receiver<Result<Answered, RunError>>,
}

/// An answer on record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The text as the model gave it.
    pub answer: String,
    /// The annotation that answered.
    pub annotation: Option<Value>,
    /// Sources.
    pub sources: Vec<Value>,
    /// What it cost.
    pub usage: model_runtime::Usage,
}

impl Started {
    /// What every event of the run begins with.
    #[must_use]
    pub fn prefix(&self) -> Prefix {
        let message_id = self.message.to_string();
        let created_at = self.created_at;
        match self.mode {
            Mode::Completion => Prefix::Completion { message_id, created_at },
            Mode::Chat | Mode::Agent | Mode::Chatflow => Prefix::Chat {
                conversation_id: self.conversation.to_string(),
                message_id,
                created_at,
            },
        }
    }
}

/// Asks a chat, agent or completion app. When this returns, the message is on record and the run goes on by itself: whoever
/// drops [`Started`] does not end it.
///
/// # Errors
/// [`GenerateError`] for what is refused before anything is written. What goes wrong later is in the run's log.
#[tracing::instrument(skip_all, fields(app.id = %ask.app.id, mode = ask.app.mode))]
#[boxed]
pub async fn start(engine: &Engine, ask: Ask) -> Result<Started, GenerateError> {
    let key = ask.idempotency.clone();
    match begin(engine, ask).await {
        Ok(started) => Ok(started),
        Err(err) => {
            if let Some(key) = key {
                idempotency::free(engine.ctx(), &key).await;
            }
            Err(err)
        }
    }
}

async fn begin(engine: &Engine, ask: Ask) -> Result<Started, GenerateError> {
    if ask.app.mode == Mode::Chatflow.as_str() {
        // A server without an engine for graphs cannot answer for such apps.
        let chatflows = engine.chatflows().ok_or(GenerateError::NoConfig)?;
        return chatflows.start(engine, ask).await;
    }
    let slot = limit::take(engine.ctx(), &ask.app).await?;
    let prepared = match prepare::prepare(engine, ask).await {
        Ok(prepared) => Box::new(prepared),
        Err(err) => {
            slot.leave().await;
            return Err(err);
        }
    };
    let task = Uuid::new_v4();
    let guard = engine.hub().register(task);
    let (tell, answered) = oneshot::channel();
    let (tell_begun, begun) = oneshot::channel();
    let started = Started {
        run: guard.run().clone(),
        message: prepared.row.id,
        conversation: prepared.row.conversation_id,
        workflow_run: None,
        mode: prepared.job.mode,
        created_at: prepared.row.created_at.and_utc().timestamp(),
        answered,
    };
    // Set once: the run is new.
    let _ = started.run.prefix.set(started.prefix());
    let held = engine.ctx().leases().hold(Kind::Message, prepared.row.id.0);
    let course =
        answer::Course { engine: engine.clone(), prepared, guard, slot, held, tell_begun, tell };
    // The run is on its way before its message is on record, so that the model need not wait for the disk; nobody is
    // told anything before it is. It goes on if the client leaves meanwhile: the message would have nobody else.
    engine.ctx().spawn(answer::follow(course));
    begun.await.map_err(|_| NotRecorded(None))??;
    Ok(started)
}
