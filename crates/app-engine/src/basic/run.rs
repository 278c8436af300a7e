//! One run of a basic app: from a checked question to an answer.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures::{StreamExt, future::try_join_all};
use model_runtime::{ContentPart, ImageDetail, InvokeError, LlmStream, PromptMessage, Usage};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    Mode, budget,
    config::{self, Config},
    history::{self, Turn},
    moderation::{self, Watcher},
    prompt::{self, Built, Ingredients},
    saved,
    speech::Publisher,
};
use crate::{
    event::{AppEvent, Chunk, ChunkKind, RunError},
    hub::Run,
    ports::{
        InputVerdict, KeptFile, LlmCall, LlmModel, OutputVerdict, Ports, Retrieval, Retrieved,
        RunContext,
    },
};

/// A question, ready to be answered.
pub struct Job {
    /// Whose run it is.
    pub context: RunContext,
    /// The kind of app.
    pub mode: Mode,
    /// The app's configuration.
    pub config: Arc<Config>,
    /// The app's model.
    pub model: Arc<dyn LlmModel>,
    /// Checked values of the form.
    pub inputs: Map<String, Value>,
    /// The question.
    pub query: String,
    /// Its files.
    pub files: Vec<graph::file::File>,
    /// Earlier turns of the thread, oldest first; `None` in apps without memory.
    pub history: Option<Vec<Turn>>,
    /// Whether the client wants the answer piece by piece.
    pub stream: bool,
    /// New characters after which a growing answer is moderated again.
    pub moderation_step: usize,
    /// How long the run may take.
    pub time_limit: Duration,
}

/// How a run ended, for the records and for `message_end`.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The answer as the model gave it.
    pub answer: String,
    /// The prompt in its stored form.
    pub prompt: Value,
    /// What the answer cost.
    pub usage: Usage,
    /// The annotation that answered.
    pub annotation: Option<Value>,
    /// Sources.
    pub sources: Vec<Value>,
    /// Files the run made.
    pub files: Vec<KeptFile>,
    /// Seconds from the question to the end of the answer.
    pub latency: f64,
    /// Why there is no answer. What the model had said by then is in [`Outcome::answer`].
    pub error: Option<RunError>,
    /// Whether the run was ended early.
    pub stopped: bool,
}

/// Answers a question. Text goes to the log of `run` piece by piece when the client streams; the end is the caller's to
/// announce, once it is on record. A run that is cancelled or takes too long ends with what there is by then.
pub async fn answer(ports: &Ports, job: Job, run: &Run) -> (Outcome, Option<Publisher>) {
    let begun = Instant::now();
    let limit = job.time_limit;
    let mut state = State::new(ports, &job, run);
    // Dropped at the end of the block: that closes the connection to the provider.
    let ended = {
        let work = work(ports, job, run, &mut state);
        tokio::select! {
            biased;
            () = run.cancel.cancelled() => None,
            result = work => Some(result),
            () = tokio::time::sleep(limit) => None,
        }
    };
    let (error, stopped) = match ended {
        Some(Ok(())) => (None, false),
        Some(Err(error)) => (Some(error), false),
        None => (None, true),
    };
    if stopped {
        state.usage = state.usage_of_stopped().await;
    }
    if let (None, Some((context, rule))) = (&error, state.rule.take()) {
        match moderation::check_output(&*ports.moderator, &context, &rule, &state.answer).await {
            OutputVerdict::Clean => {}
            OutputVerdict::Preset(text) | OutputVerdict::Overridden(text) => {
                state.replace(run, text);
            }
        }
    }
    state.into_outcome(error, stopped, begun.elapsed())
}

/// What has come of a run so far.
struct State {
    answer: String,
    prompt: Vec<PromptMessage>,
    completion_model: bool,
    model: Arc<dyn LlmModel>,
    usage: Usage,
    annotation: Option<Value>,
    sources: Vec<Value>,
    files: Vec<KeptFile>,
    rule: Option<(RunContext, Arc<config::Moderation>)>,
    moderation_step: usize,
    speech: Option<Publisher>,
    stream: bool,
}

impl State {
    fn new(ports: &Ports, job: &Job, run: &Run) -> Self {
        let config = &job.config;
        let rule = config.moderation.clone().map(|rule| (job.context.clone(), Arc::new(rule)));
        let speech = config.speech.as_ref().filter(|_| job.stream).map(|speech| {
            Publisher::start(ports.speaker.clone(), job.context.tenant, speech, run.log.clone())
        });
        Self {
            answer: String::new(),
            prompt: Vec::new(),
            completion_model: is_completion(config, &*job.model),
            model: job.model.clone(),
            usage: Usage::empty(),
            annotation: None,
            sources: Vec::new(),
            files: Vec::new(),
            rule,
            moderation_step: job.moderation_step,
            speech,
            stream: job.stream,
        }
    }

    fn say(&mut self, run: &Run, piece: &str) {
        if piece.is_empty() {
            return;
        }
        self.answer.push_str(piece);
        if self.stream {
            run.log.push_text(&Chunk { kind: ChunkKind::Answer, selector: None }, piece);
        }
        if let Some(speech) = &mut self.speech {
            speech.add(piece);
        }
    }

    fn replace(&mut self, run: &Run, text: String) {
        run.log.push(AppEvent::MessageReplace { answer: text.clone(), reason: String::new() });
        self.answer = text;
    }

    /// A provider that was cut off tells no usage, so it is estimated.
    async fn usage_of_stopped(&self) -> Usage {
        if self.prompt.is_empty() || self.annotation.is_some() {
            return self.usage.clone();
        }
        let count = async {
            let prompt = self.model.count_tokens(&self.prompt, &[]).await?;
            let answer = PromptMessage::assistant(self.answer.clone(), Vec::new());
            let answer = self.model.count_tokens(std::slice::from_ref(&answer), &[]).await?;
            Ok::<_, InvokeError>((prompt, answer))
        };
        // The user is waiting for the end of the stream.
        match tokio::time::timeout(Duration::from_secs(2), count).await {
            Ok(Ok((prompt, answer))) => {
                let pricing = self.model.schema().pricing.as_ref();
                Usage::priced(prompt, answer, pricing, Duration::ZERO)
            }
            Ok(Err(_)) | Err(_) => {
                Usage::priced(0, 0, self.model.schema().pricing.as_ref(), Duration::ZERO)
            }
        }
    }

    fn into_outcome(
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
            latency,
            error,
            stopped,
        };
        (outcome, self.speech)
    }
}

async fn work(ports: &Ports, mut job: Job, run: &Run, state: &mut State) -> Result<(), RunError> {
    prompt::check(&job.config.prompt, state.completion_model)?;
    if let Some(rule) = &job.config.moderation {
        let checked =
            moderation::check_input(&*ports.moderator, &job.context, rule, &job.inputs, &job.query);
        match checked.await? {
            InputVerdict::Clean => {}
            InputVerdict::Overridden { inputs, query } => (job.inputs, job.query) = (inputs, query),
            InputVerdict::Preset(text) => {
                // The prompt is kept for people who read the logs, though no model saw it.
                state.prompt = build(ports, &mut job, state, &Retrieved::default()).await?.messages;
                state.say(run, &text);
                return Ok(());
            }
        }
    }
    if job.mode != Mode::Completion
        && !job.query.is_empty()
        && let Some(hit) = ports.annotations.find(&job.context, &job.query).await
    {
        state.annotation = Some(hit.reply);
        state.prompt = build(ports, &mut job, state, &Retrieved::default()).await?.messages;
        state.say(run, &hit.answer);
        return Ok(());
    }
    fetch_external(ports, &mut job).await?;
    let retrieved = retrieve(ports, &mut job).await?;
    if job.config.shows_sources {
        merge_sources(&mut state.sources, &retrieved.sources);
    }
    let built = build(ports, &mut job, state, &retrieved).await?;
    let mut parameters = job.config.model.parameters.clone();
    budget::fit_answer(&*job.model, &mut parameters, &built.messages).await?;
    state.prompt.clone_from(&built.messages);
    let call = LlmCall {
        messages: built.messages,
        parameters,
        tools: Vec::new(),
        stop: built.stop,
        stream: job.stream,
        user: job.context.user.id().to_string(),
    };
    let stream = job.model.invoke(call).await.map_err(refused)?;
    listen(ports, &job.context, run, state, stream).await
}

/// Reads the model's answer to its end, or until moderation has heard enough.
async fn listen(
    ports: &Ports,
    context: &RunContext,
    run: &Run,
    state: &mut State,
    mut stream: LlmStream,
) -> Result<(), RunError> {
    // Only answers that are shown while they grow are judged while they grow.
    let mut watcher = state.rule.clone().filter(|_| state.stream).map(|(context, rule)| {
        Watcher::new(ports.moderator.clone(), context, rule, state.moderation_step)
    });
    loop {
        let chunk = match &mut watcher {
            None => stream.next().await,
            Some(watcher) => tokio::select! {
                biased;
                (about, verdict) = watcher.verdict() => match verdict {
                    OutputVerdict::Clean => continue,
                    OutputVerdict::Preset(text) => {
                        state.replace(run, text);
                        state.usage = state.usage_of_stopped().await;
                        // Dropping the stream tells the provider to stop.
                        return Ok(());
                    }
                    OutputVerdict::Overridden(text) => {
                        let rest = state.answer.get(about..).unwrap_or_default();
                        let text = format!("{text}{rest}");
                        state.replace(run, text);
                        continue;
                    }
                },
                chunk = stream.next() => chunk,
            },
        };
        match chunk {
            None => return Ok(()),
            Some(Err(err)) => return Err(refused(err)),
            Some(Ok(chunk)) => {
                if let Some(usage) = chunk.usage {
                    state.usage = usage;
                }
                state.say(run, &chunk.text);
                if let Some(watcher) = &mut watcher {
                    watcher.added(&chunk.text, &state.answer);
                }
                for part in
                    chunk.parts.iter().filter(|part| matches!(part, ContentPart::Image { .. }))
                {
                    if let Some(kept) = ports.files.keep(context, part).await {
                        run.log.push(AppEvent::MessageFile(kept.event.clone()));
                        state.files.push(kept);
                    }
                }
            }
        }
    }
}

async fn fetch_external(ports: &Ports, job: &mut Job) -> Result<(), RunError> {
    if job.config.external.is_empty() {
        return Ok(());
    }
    let fetches = job.config.external.iter().map(|variable| async {
        let value =
            ports.external_data.fetch(&job.context, variable, &job.inputs, &job.query).await?;
        Ok::<_, RunError>((variable.name.clone(), Value::String(value)))
    });
    let values = try_join_all(fetches).await?;
    job.inputs.extend(values);
    Ok(())
}

async fn retrieve(ports: &Ports, job: &mut Job) -> Result<Retrieved, RunError> {
    let Some(datasets) = &job.config.datasets else { return Ok(Retrieved::default()) };
    if let (Mode::Completion, Some(variable)) = (job.mode, &datasets.query_variable) {
        // What is looked up stands in for the question from here on.
        job.query = match job.inputs.get(variable) {
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        };
    }
    let retrieval = Retrieval {
        run: &job.context,
        datasets,
        query: &job.query,
        inputs: &job.inputs,
        model: &job.model,
        parameters: &job.config.model.parameters,
        vision: job.config.vision,
        with_sources: job.config.shows_sources,
    };
    ports.retriever.retrieve(retrieval).await
}

/// Adds sources and numbers them from 1. A document that is shown already is not shown again, but several segments of a
/// document that come at once are.
pub fn merge_sources(shown: &mut Vec<Value>, new: &[Value]) {
    let key = |source: &Value| {
        let id = |name| source.get(name).and_then(Value::as_str).filter(|id| !id.is_empty());
        Some((id("dataset_id")?.to_owned(), id("document_id")?.to_owned()))
    };
    let known: HashSet<_> = shown.iter().filter_map(key).collect();
    let is_new = |source: &&Value| key(source).is_none_or(|key| !known.contains(&key));
    shown.extend(new.iter().filter(is_new).cloned());
    for (position, source) in (1_u64..).zip(shown.iter_mut()) {
        if let Value::Object(members) = source {
            // `position` comes first, wherever the retriever put it.
            members.shift_remove("position");
            members.shift_insert(0, "position".to_owned(), position.into());
        }
    }
}

async fn build(
    ports: &Ports,
    job: &mut Job,
    state: &State,
    retrieved: &Retrieved,
) -> Result<Built, RunError> {
    let tenant = job.context.tenant;
    let rules = job.config.files.as_ref();
    let detail = rules.map_or(ImageDetail::Low, |rules| rules.detail);
    let mut parts = Vec::with_capacity(job.files.len() + retrieved.files.len());
    for file in job.files.iter().chain(&retrieved.files) {
        parts.push(ports.files.part(tenant, file, detail).await?);
    }
    let history = match job.history.take() {
        None => None,
        Some(turns) => {
            let detail = rules.map_or(ImageDetail::High, |rules| rules.detail);
            Some(history::messages(tenant, &*ports.files, turns, detail).await?)
        }
    };
    let mut from = Ingredients {
        mode: job.mode,
        completion_model: state.completion_model,
        prompt: &job.config.prompt,
        inputs: &job.inputs,
        query: &job.query,
        context: retrieved.context.as_deref(),
        files: &parts,
        history: None,
    };
    let Some(mut history) = history else { return prompt::build(from) };
    from.history = Some(&[]);
    if history.is_empty() {
        return prompt::build(from);
    }
    let fixed = prompt::build(from)?;
    budget::trim_history(&*job.model, &job.config.model.parameters, &fixed.messages, &mut history)
        .await?;
    from.history = Some(&history);
    prompt::build(from)
}

fn is_completion(config: &Config, model: &dyn LlmModel) -> bool {
    match config.model.mode.as_deref() {
        Some(mode) => mode == "completion",
        None => model.schema().is_completion(),
    }
}

/// A model's refusal as clients see it.
pub(crate) fn refused(err: InvokeError) -> RunError {
    match err {
        InvokeError::Authorization(_) => RunError::model("Incorrect API key provided"),
        err if err.is_invoke_error() => RunError::model(err.to_string()),
        err => RunError::invalid_param(err.to_string()),
    }
}

#[cfg(test)]
mod tests;
