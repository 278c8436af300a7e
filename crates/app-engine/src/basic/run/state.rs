//! What has come of a run so far.

use std::{sync::Arc, time::Duration};

use model_runtime::{InvokeError, PromptMessage, Usage};
use serde_json::Value;

use super::{Job, Outcome};
use crate::{
    basic::{
        agent::Thought,
        config::{self, Config},
        moderation::Watcher,
        saved,
        speech::Publisher,
    },
    event::{AppEvent, Chunk, ChunkKind, RunError},
    hub::Run,
    ports::{KeptFile, LlmModel, Ports, RunContext},
};

/// What has come of a run so far. What is in here is what is left of a run that is ended early.
pub(in crate::basic) struct State {
    /// What was said.
    pub answer: String,
    /// The prompt of the model's last call, or the one a preset answer stands in for.
    pub prompt: Vec<PromptMessage>,
    /// Whether the model takes one text instead of messages.
    pub completion_model: bool,
    /// What kind of text the answer is.
    pub kind: ChunkKind,
    /// The annotation that answered.
    pub annotation: Option<Value>,
    /// Sources.
    pub sources: Vec<Value>,
    /// Files the run made.
    pub files: Vec<KeptFile>,
    /// The thought that is under way and not on record as it stands.
    pub thought: Option<Thought>,
    /// Calls of tools.
    pub calls: Vec<ToolUse>,
    /// Watches the answer while it grows.
    pub watcher: Option<Watcher>,
    /// How answers are moderated.
    pub rule: Option<(RunContext, Arc<config::Moderation>)>,
    /// Whether the client wants the answer piece by piece.
    pub stream: bool,
    /// What all calls of the model cost.
    usage: Usage,
    /// What those before the one under way cost.
    spent: Usage,
    /// Where the answer to the call begins that is under way and has not told its cost.
    open: Option<usize>,
    model: Arc<dyn LlmModel>,
    speech: Option<Publisher>,
}

/// A call of a tool, for who counts them.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolUse {
    /// The tool.
    pub name: String,
    /// What the model gave it.
    pub arguments: Value,
    /// What is kept of the call: `time_cost`, `error`, `tool_config`.
    pub meta: Value,
}

impl State {
    pub fn new(ports: &Ports, job: &Job, run: &Run) -> Self {
        let config = &job.config;
        let rule = config.moderation.clone().map(|rule| (job.context.clone(), Arc::new(rule)));
        let speech = config.speech.as_ref().filter(|_| job.stream).map(|speech| {
            Publisher::start(ports.speaker.clone(), job.context.tenant, speech, run.log.clone())
        });
        // Only answers that are shown while they grow are judged while they grow.
        let watcher = rule.clone().filter(|_| job.stream).map(|(context, rule)| {
            Watcher::new(ports.moderator.clone(), context, rule, job.moderation_step)
        });
        Self {
            answer: String::new(),
            prompt: Vec::new(),
            completion_model: is_completion(config, &*job.model),
            kind: ChunkKind::Answer,
            annotation: None,
            sources: Vec::new(),
            files: Vec::new(),
            thought: None,
            calls: Vec::new(),
            watcher,
            rule,
            stream: job.stream,
            usage: Usage::empty(),
            spent: Usage::empty(),
            open: None,
            model: job.model.clone(),
            speech,
        }
    }

    /// Says a piece of the answer.
    pub fn say(&mut self, run: &Run, piece: &str) {
        if piece.is_empty() {
            return;
        }
        self.answer.push_str(piece);
        self.show(run, piece);
        if let Some(speech) = &mut self.speech {
            speech.add(piece);
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.added(piece, &self.answer);
        }
    }

    /// Shows a piece, also one without letters, which tells clients that an answer begins.
    pub fn show(&self, run: &Run, piece: &str) {
        if self.stream {
            run.log.push_text(&Chunk { kind: self.kind, selector: None }, piece);
        }
    }

    /// Puts another text in the place of what was said.
    pub fn replace(&mut self, run: &Run, text: String) {
        run.log.push(AppEvent::MessageReplace { answer: text.clone(), reason: String::new() });
        self.answer = text;
    }

    /// The model is called with a prompt.
    pub fn calls_with(&mut self, prompt: &[PromptMessage]) {
        self.prompt = prompt.to_vec();
        self.spent = self.usage.clone();
        self.open = Some(self.answer.len());
    }

    /// The model told what its answer cost.
    pub fn costs(&mut self, usage: &Usage) {
        self.usage = self.spent.plus(usage);
        self.open = None;
    }

    /// A provider that was cut off tells no usage, so it is estimated.
    pub async fn estimate(&mut self) {
        let Some(begin) = self.open.take() else { return };
        let said = self.answer.get(begin..).unwrap_or(&self.answer).to_owned();
        let count = async {
            let prompt = self.model.count_tokens(&self.prompt, &[]).await?;
            let answer = PromptMessage::assistant(said, Vec::new());
            let answer = self.model.count_tokens(std::slice::from_ref(&answer), &[]).await?;
            Ok::<_, InvokeError>((prompt, answer))
        };
        // The user is waiting for the end of the stream.
        let (prompt, answer) = match tokio::time::timeout(Duration::from_secs(2), count).await {
            Ok(Ok(counts)) => counts,
            Ok(Err(_)) | Err(_) => (0, 0),
        };
        let pricing = self.model.schema().pricing.as_ref();
        let usage = Usage::priced(prompt, answer, pricing, Duration::ZERO);
        self.usage = self.spent.plus(&usage);
    }

    /// How the run ended.
    pub fn into_outcome(
        self,
        error: Option<RunError>,
        stopped: bool,
        took: Duration,
    ) -> (Outcome, Option<Publisher>) {
        let latency = took.as_secs_f64();
        let mut usage = self.usage;
        usage.latency = latency;
        let outcome = Outcome {
            answer: self.answer,
            prompt: saved::prompt(self.completion_model, &self.prompt),
            usage,
            annotation: self.annotation,
            sources: self.sources,
            files: self.files,
            calls: self.calls,
            latency,
            error,
            stopped,
        };
        (outcome, self.speech)
    }
}

fn is_completion(config: &Config, model: &dyn LlmModel) -> bool {
    match config.model.mode.as_deref() {
        Some(mode) => mode == "completion",
        None => model.schema().is_completion(),
    }
}
