//! One turn of a chatflow: the message beside the run. It hears what the run says, and becomes the message's row.

mod rows;

use std::sync::Arc;

use app_engine::{
    Chunk, RunError, RunLog,
    basic::{
        InvokeFrom,
        config::Features,
        moderation::{self, Watcher},
        run::merge_sources,
        speech::Publisher,
    },
    event::AppEvent,
    ports::{OutputVerdict, RunContext},
    wire::Prefix,
};
use chrono::NaiveDateTime;
use db::message::Begun;
use graph::{File, FileUrls, GraphEvent, NodeResult, RunStats};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_conversation::{
    Engine,
    generate::{Answered, limit::Slot},
    idempotency,
};
use tokio::{sync::oneshot, time::Instant};
use types::{ConversationId, MessageId};
use uuid::Uuid;

use super::variables::Variables;

/// Why clients read `message_replace` in chatflows.
const MODERATED: &str = "output_moderation";

/// What waits for the end of a turn.
pub(in crate::run) struct Waiting {
    /// A place among the app's runs.
    pub(in crate::run) slot: Option<Slot>,
    /// Who wants the whole answer.
    pub(in crate::run) tell: oneshot::Sender<Result<Answered, RunError>>,
    /// The key under which the answer is kept.
    pub(in crate::run) key: Option<idempotency::Key>,
}

/// What a turn was begun with, and what a pause keeps of it.
#[derive(Clone)]
pub(in crate::run) struct Asked {
    pub(in crate::run) context: RunContext,
    /// The message as it began.
    pub(in crate::run) begun: Begun,
    pub(in crate::run) features: Features,
    /// Whether the client wants the answer piece by piece.
    pub(in crate::run) stream: bool,
    pub(super) variables: Variables,
}

/// A turn whose run waits, as the run's state keeps it.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::run) struct SavedTurn {
    pub(in crate::run) message: MessageId,
    pub(in crate::run) conversation: ConversationId,
    pub(in crate::run) query: String,
    pub(in crate::run) created_at: NaiveDateTime,
    pub(in crate::run) copied: Option<Value>,
    stream: bool,
    /// What was said so far.
    answer: String,
    sources: Vec<Value>,
}

impl SavedTurn {
    /// What the turn was begun with.
    pub(in crate::run) fn asked(
        &self,
        context: RunContext,
        begun: Begun,
        features: &serde_json::Map<String, Value>,
        variables: Variables,
    ) -> Asked {
        let mut features = Features::read(features);
        features.shows_sources |= context.invoke_from == InvokeFrom::Debugger;
        Asked { context, begun, features, stream: self.stream, variables }
    }
}

impl Asked {
    /// Adds the conversation's variables that have no row yet.
    pub(in crate::run) async fn insert_variables(
        &self,
        tx: &mut db::PgConnection,
        now: NaiveDateTime,
    ) -> Result<(), services_core::Fault> {
        let (app, conversation) = (self.begun.app_id, self.begun.conversation_id);
        self.variables.insert(tx, app, conversation, now).await
    }
}

/// How a run that answers a message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::run) enum Ending {
    /// With an answer.
    Done,
    /// Because somebody, or moderation, ended it early.
    Stopped,
    /// With an error.
    Failed(String),
    /// Not yet.
    Paused,
}

/// A turn on its way.
pub(in crate::run) struct Turn {
    engine: Engine,
    pub(in crate::run) asked: Asked,
    urls: Arc<dyn FileUrls>,
    waiting: Waiting,
    watcher: Option<Watcher>,
    speech: Option<Publisher>,
    answer: String,
    /// Set by moderation: what is said from now on is not heard.
    is_replaced: bool,
    sources: Vec<Value>,
    files: Vec<File>,
    /// Provider and name of the model that spoke last.
    model: Option<(String, String)>,
    began: Instant,
    first_word: Option<Instant>,
    last_word: Option<Instant>,
}

impl Turn {
    /// A turn whose message is on record.
    pub(in crate::run) fn new(
        engine: &Engine,
        asked: Asked,
        urls: Arc<dyn FileUrls>,
        waiting: Waiting,
    ) -> Self {
        Self {
            engine: engine.clone(),
            asked,
            urls,
            waiting,
            watcher: None,
            speech: None,
            answer: String::new(),
            is_replaced: false,
            sources: Vec::new(),
            files: Vec::new(),
            model: None,
            began: Instant::now(),
            first_word: None,
            last_word: None,
        }
    }

    /// The turn as it was when its run paused.
    #[must_use]
    pub(in crate::run) fn going_on(mut self, saved: SavedTurn) -> Self {
        self.answer = saved.answer;
        self.sources = saved.sources;
        self
    }

    /// What a pause keeps.
    pub(in crate::run) fn saved(&self) -> SavedTurn {
        let begun = &self.asked.begun;
        SavedTurn {
            message: begun.id,
            conversation: begun.conversation_id,
            query: begun.query.clone(),
            created_at: begun.created_at,
            copied: begun.copied.clone(),
            stream: self.asked.stream,
            answer: self.answer.clone(),
            sources: self.sources.clone(),
        }
    }

    /// What every event of the turn begins with.
    pub(in crate::run) fn prefix(&self) -> Prefix {
        let begun = &self.asked.begun;
        Prefix::Chat {
            conversation_id: begun.conversation_id.to_string(),
            message_id: begun.id.to_string(),
            created_at: begun.created_at.and_utc().timestamp(),
        }
    }

    /// Begins to listen: moderation and speech, where the app has them.
    pub(in crate::run) fn open(&mut self, log: &Arc<RunLog>) {
        let (ports, ctx) = (self.engine.ports(), self.engine.ctx());
        let Asked { context, features, stream, .. } = &self.asked;
        if !stream {
            return;
        }
        self.watcher = features.moderation.clone().map(|rule| {
            let step = usize::try_from(ctx.config.feature.moderation_buffer_size).unwrap_or(300);
            Watcher::new(ports.moderator.clone(), context.clone(), Arc::new(rule), step)
        });
        self.speech = features.speech.as_ref().map(|speech| {
            Publisher::start(ports.speaker.clone(), context.tenant, speech, log.clone())
        });
    }

    /// Takes note of what the run does; conversation variables are written before anybody sees that they changed.
    pub(in crate::run) async fn hear(&mut self, event: &GraphEvent) {
        match event {
            GraphEvent::NodeSucceeded { node, result } => match &*node.node_type {
                "answer" | "end" | "llm" => {
                    self.note_files(result);
                    self.note_model(result);
                }
                "assigner" => self.keep_variables(result).await,
                _ => {}
            },
            GraphEvent::RetrieverResources { resources, .. }
                if self.asked.features.shows_sources =>
            {
                merge_sources(&mut self.sources, resources);
            }
            _ => {}
        }
    }

    fn note_files(&mut self, result: &NodeResult) {
        for segment in result.outputs.values() {
            let items = segment.value.as_array().unwrap_or(std::slice::from_ref(&segment.value));
            self.files
                .extend(items.iter().filter_map(graph::Value::as_file).map(|it| (**it).clone()));
        }
    }

    fn note_model(&mut self, result: &NodeResult) {
        let said = |key| result.process_data.get(key).and_then(graph::Value::as_str);
        if let (Some(provider), Some(name)) = (said("model_provider"), said("model_name")) {
            self.model = Some((provider.to_owned(), name.to_owned()));
        }
    }

    async fn keep_variables(&mut self, result: &NodeResult) {
        let at = (self.asked.begun.app_id, self.asked.begun.conversation_id);
        let (ctx, data) = (self.engine.ctx(), &result.process_data);
        if let Err(err) = self.asked.variables.keep(ctx, at, data, &*self.urls).await {
            tracing::error!(
                error = &err as &dyn std::error::Error,
                "a variable of a conversation was not kept"
            );
        }
    }

    /// Takes a piece of the answer and says it, unless moderation has spoken.
    pub(in crate::run) fn say(&mut self, log: &RunLog, chunk: &Chunk, piece: &str) {
        if self.is_replaced {
            return;
        }
        if !piece.trim().is_empty() {
            let now = Instant::now();
            self.first_word.get_or_insert(now);
            self.last_word = Some(now);
        }
        self.answer.push_str(piece);
        log.push_text(chunk, piece);
        if let Some(speech) = &mut self.speech {
            speech.add(piece);
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.added(piece, &self.answer);
        }
    }

    /// Waits until moderation ends the run: what was said is replaced by then.
    pub(in crate::run) async fn moderated(&mut self, log: &RunLog) {
        let Some(watcher) = &mut self.watcher else { return std::future::pending().await };
        loop {
            let (about, verdict) = watcher.verdict().await;
            match verdict {
                OutputVerdict::Clean => {}
                OutputVerdict::Overridden(text) => {
                    let rest = self.answer.get(about..).unwrap_or_default();
                    self.answer = format!("{text}{rest}");
                    log.push(replaced(&self.answer));
                }
                OutputVerdict::Preset(text) => {
                    log.push(replaced(&text));
                    self.answer = text;
                    self.is_replaced = true;
                    break;
                }
            }
        }
        self.watcher = None;
    }

    /// Judges the whole answer of a run that ended well.
    pub(in crate::run) async fn judge(&mut self, log: &RunLog) {
        self.watcher = None;
        let Some(rule) = self.asked.features.moderation.as_ref().filter(|_| !self.is_replaced)
        else {
            return;
        };
        let (moderator, context) = (&self.engine.ports().moderator, &self.asked.context);
        match moderation::check_output(&**moderator, context, rule, &self.answer).await {
            OutputVerdict::Clean => {}
            OutputVerdict::Preset(text) | OutputVerdict::Overridden(text) => {
                log.push(replaced(&text));
                self.answer = text;
            }
        }
    }

    /// Tells who waits, and finishes the speech. `fault` says that the rows could not be written.
    pub(in crate::run) async fn close(
        self,
        task: Uuid,
        ending: Ending,
        stats: Option<&RunStats>,
        annotation: Option<Value>,
        fault: bool,
    ) {
        let answered = Answered {
            usage: self.usage(stats),
            answer: self.answer,
            annotation,
            sources: self.sources,
        };
        let is_paused = ending == Ending::Paused && !fault;
        let told = match ending {
            _ if fault => Err(RunError::internal()),
            Ending::Done | Ending::Stopped => Ok(answered),
            Ending::Failed(error) => Err(failed(&error)),
            Ending::Paused => Err(RunError::invalid_param("queue listening stopped unexpectedly.")),
        };
        let Waiting { slot, tell, key } = self.waiting;
        if let Some(key) = key {
            match &told {
                Ok(answered) => {
                    let mode = app_engine::basic::Mode::Chatflow;
                    let (ctx, begun) = (self.engine.ctx(), &self.asked.begun);
                    idempotency::answered(ctx, &key, task, begun, mode, answered.clone()).await;
                }
                // The first attempt still waits for somebody: a second one is none of its repetitions.
                Err(_) if is_paused => {}
                Err(_) => idempotency::free(self.engine.ctx(), &key).await,
            }
        }
        // Nobody listens when the client streams.
        let _ = tell.send(told);
        if let Some(slot) = slot {
            slot.leave().await;
        }
        if let Some(speech) = self.speech {
            speech.finish().await;
        }
    }
}

fn replaced(answer: &str) -> AppEvent {
    AppEvent::MessageReplace { answer: answer.to_owned(), reason: MODERATED.to_owned() }
}

fn failed(error: &str) -> RunError {
    RunError::invalid_param(format!("Run failed: {error}"))
}
