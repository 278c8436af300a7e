//! One run of a basic app: from a checked question to an answer.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures::future::try_join_all;
use model_runtime::{ImageDetail, InvokeError, Usage};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    Mode, agent, budget,
    config::Config,
    history::{self, Turn},
    moderation,
    prompt::{self, Built, Ingredients},
    speech::Publisher,
};
use crate::{
    event::RunError,
    hub::Run,
    ports::{
        InputVerdict, KeptFile, LlmCall, LlmModel, OutputVerdict, Ports, Retrieval, Retrieved,
        RunContext,
    },
};

pub(in crate::basic) mod listen;
pub(in crate::basic) mod state;

pub use state::ToolUse;

use listen::Aloud;
use state::State;

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
    /// Tools the run called.
    pub calls: Vec<ToolUse>,
    /// Seconds from the question to the end of the answer.
    pub latency: f64,
    /// Why there is no answer. What the model had said by then is in [`Outcome::answer`].
    pub error: Option<RunError>,
    /// Whether the run was ended early.
    pub stopped: bool,
}

/// Answers a question. Text goes to the log of `run` piece by piece when the client streams; the end is the caller's to
/// announce, once it is on record. A run that is cancelled or takes too long ends with what there is by then.
pub async fn answer(ports: &Ports, job: Box<Job>, run: &Run) -> (Outcome, Option<Publisher>) {
    let begun = Instant::now();
    let limit = job.time_limit;
    let mut state = State::new(ports, &job, run);
    let context = job.context.clone();
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
        state.estimate().await;
    }
    if let Some(thought) = state.thought.take() {
        ports.thoughts.save(&context, &thought).await;
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

async fn work(
    ports: &Ports,
    mut job: Box<Job>,
    run: &Run,
    state: &mut State,
) -> Result<(), RunError> {
    // Boxed: what is needed before the model speaks shall not count for as long as it speaks.
    let call = match Box::pin(prepare(ports, &mut job, run, state)).await? {
        Next::Nothing => return Ok(()),
        Next::Agent => return Box::pin(agent::answer(ports, *job, run, state)).await,
        Next::Call(call) => call,
    };
    let Job { context, model, .. } = *job;
    let stream = model.invoke(call).await.map_err(refused)?;
    listen::listen(ports, &context, run, state, stream, &mut Aloud).await.map(drop)
}

/// What is to be done with a question.
enum Next {
    /// It is answered.
    Nothing,
    /// An agent answers.
    Agent,
    /// The model is asked.
    Call(LlmCall),
}

async fn prepare(
    ports: &Ports,
    job: &mut Job,
    run: &Run,
    state: &mut State,
) -> Result<Next, RunError> {
    prompt::check(&job.config.prompt, state.completion_model)?;
    if let Some(rule) = &job.config.moderation {
        let checked =
            moderation::check_input(&*ports.moderator, &job.context, rule, &job.inputs, &job.query);
        match checked.await? {
            InputVerdict::Clean => {}
            InputVerdict::Overridden { inputs, query } => (job.inputs, job.query) = (inputs, query),
            InputVerdict::Preset(text) => {
                // The prompt is kept for people who read the logs, though no model saw it.
                state.prompt = build(ports, job, state.completion_model, &Retrieved::default())
                    .await?
                    .messages;
                state.say(run, &text);
                return Ok(Next::Nothing);
            }
        }
    }
    if job.mode != Mode::Completion
        && !job.query.is_empty()
        && let Some(hit) = ports.annotations.find(&job.context, &job.query).await
    {
        state.annotation = Some(hit.reply);
        state.prompt =
            build(ports, job, state.completion_model, &Retrieved::default()).await?.messages;
        state.say(run, &hit.answer);
        return Ok(Next::Nothing);
    }
    fetch_external(ports, job).await?;
    if job.mode == Mode::Agent {
        return Ok(Next::Agent);
    }
    let retrieved = retrieve(ports, job).await?;
    if job.config.shows_sources {
        merge_sources(&mut state.sources, &retrieved.sources);
    }
    let built = build(ports, job, state.completion_model, &retrieved).await?;
    let mut parameters = job.config.model.parameters.clone();
    budget::fit_answer(&*job.model, &mut parameters, &built.messages).await?;
    state.calls_with(&built.messages);
    Ok(Next::Call(LlmCall {
        messages: built.messages,
        parameters,
        tools: Vec::new(),
        stop: built.stop,
        stream: job.stream,
        user: job.context.user.id().to_string(),
    }))
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
    completion_model: bool,
    retrieved: &Retrieved,
) -> Result<Built, RunError> {
    let tenant = job.context.tenant;
    let rules = job.config.files.as_ref();
    let detail = rules.map_or(ImageDetail::Low, |rules| rules.detail);
    let files = job.files.iter().chain(&retrieved.files);
    let parts = history::parts(tenant, &*ports.files, files, detail).await?;
    let history = match job.history.take() {
        None => None,
        Some(turns) => {
            let detail = rules.map_or(ImageDetail::High, |rules| rules.detail);
            Some(history::messages(tenant, &*ports.files, turns, detail).await?)
        }
    };
    let mut from = Ingredients {
        mode: job.mode,
        completion_model,
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
