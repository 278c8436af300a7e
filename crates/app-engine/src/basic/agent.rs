//! Agents: chats whose model calls tools, round by round, until it answers.
//!
//! Every round is a [`Thought`], which clients see grow and which is kept. What a tool answers, its failures included, is
//! for the model to read. After the last round the app allows follows one without tools.

mod function_call;
mod past;
mod react;
mod thought;
mod tools;

use model_runtime::{Feature, ImageDetail, PromptMessage};
use serde_json::{Map, Value};

pub use past::PastThought;
pub use thought::Thought;

use self::{past::Past, tools::Tools};
use super::{
    budget,
    config::Strategy,
    history,
    prompt::{self, Ingredients},
    run::{
        Job,
        listen::{Listener, listen},
        refused,
        state::{State, ToolUse},
    },
};
use crate::{
    event::{AppEvent, ChunkKind, RunError},
    hub::Run,
    ports::{LlmCall, Ports},
};

/// Answers a question with the tools of the app.
pub(super) async fn answer(
    ports: &Ports,
    mut job: Job,
    run: &Run,
    state: &mut State,
) -> Result<(), RunError> {
    state.kind = ChunkKind::Agent;
    let schema = job.model.schema();
    let sees = schema.has(Feature::Vision);
    let calls = schema.has(Feature::ToolCall) || schema.has(Feature::MultiToolCall);
    let detail = job.config.files.as_ref().map_or(ImageDetail::Low, |rules| rules.detail);
    let turns = job.history.take().unwrap_or_default();
    let past = Past::of(ports, job.context.tenant, turns, sees.then_some(detail)).await?;
    let question = question(ports, &job, sees.then_some(detail)).await?;
    let tools = Tools::open(ports, &job).await;
    let parameters = job.config.model.parameters.clone();
    let session = Session { ports, run, tools, question, parameters, position: 0, job };
    if calls || session.job.config.agent.strategy == Strategy::FunctionCall {
        function_call::answer(session, past, state).await
    } else {
        react::answer(session, past, state).await
    }
}

/// The user's message: files the model can see, then the text.
async fn question(
    ports: &Ports,
    job: &Job,
    detail: Option<ImageDetail>,
) -> Result<PromptMessage, RunError> {
    let parts = match detail {
        Some(detail) => {
            history::parts(job.context.tenant, &*ports.files, job.files.iter(), detail).await?
        }
        None => Vec::new(),
    };
    Ok(prompt::user_message(job.query.clone(), &parts))
}

/// What the rounds of a run share.
struct Session<'a> {
    ports: &'a Ports,
    run: &'a Run,
    job: Job,
    tools: Tools,
    /// The user's message.
    question: PromptMessage,
    /// Parameters of the model; the limit of its answer shrinks while the prompt grows.
    parameters: Map<String, Value>,
    /// Thoughts so far.
    position: i32,
}

/// What a tool answered, as thoughts keep it.
struct Observation {
    text: String,
    meta: Value,
    files: Vec<String>,
    /// What the tool was given in the end.
    arguments: Value,
}

impl Session<'_> {
    /// Numbers of all rounds, and whether it is the last one, which has no tools.
    fn rounds(&self) -> impl Iterator<Item = bool> + use<> {
        let limit = self.job.config.agent.rounds;
        (0..=limit).map(move |round| round == limit)
    }

    /// Begins a thought.
    fn think(&mut self, state: &mut State) {
        self.position += 1;
        state.thought = Some(Thought::new(self.position));
    }

    /// Shows the thought as it stands.
    fn show(&self, thought: &Thought) {
        self.run.log.push(AppEvent::AgentThought(Box::new(thought.event())));
    }

    /// Puts the thought on record as it stands. It stays under way: a run that is ended early meanwhile writes it again.
    async fn save(&self, state: &mut State, thought: &Thought) {
        state.thought = Some(thought.clone());
        self.ports.thoughts.save(&self.job.context, thought).await;
    }

    /// The same, and shows it.
    async fn save_and_show(&self, state: &mut State, thought: &Thought) {
        self.save(state, thought).await;
        self.show(thought);
    }

    /// Has the model speak. `false` when moderation ended the answer.
    async fn hear(
        &mut self,
        state: &mut State,
        messages: Vec<PromptMessage>,
        wish: Wish,
        listener: &mut dyn Listener,
    ) -> Result<bool, RunError> {
        let (job, ports) = (&self.job, self.ports);
        budget::fit_answer(&*job.model, &mut self.parameters, &messages).await?;
        state.calls_with(&messages);
        let call = LlmCall {
            messages,
            parameters: self.parameters.clone(),
            tools: wish.tools,
            stop: wish.stop,
            stream: wish.stream,
            user: job.context.user.id().to_string(),
        };
        let stream = job.model.invoke(call).await.map_err(refused)?;
        let is_whole = listen(ports, &job.context, self.run, state, stream, listener).await?;
        if let Some(thought) = state.thought.as_mut().filter(|_| !is_whole) {
            // What nobody shall read is not kept as a thought either.
            thought.thought.clear();
        }
        Ok(is_whole)
    }

    /// Calls a tool, and shows its files.
    async fn use_tool(&self, state: &mut State, name: &str, arguments: Value) -> Observation {
        let answer = self.tools.call(self.ports, &self.job, state, name, arguments.clone()).await;
        let mut files = Vec::with_capacity(answer.files.len());
        for made in &answer.files {
            if let Some(kept) = self.ports.files.attach(&self.job.context, made).await {
                self.run.log.push(AppEvent::MessageFile(kept.event.clone()));
                files.push(kept.event.id.clone());
                state.files.push(kept);
            }
        }
        let meta = answer.meta;
        state.calls.push(ToolUse { name: name.to_owned(), arguments, meta: meta.clone() });
        Observation { text: answer.text, meta, files, arguments: Value::Object(answer.arguments) }
    }

    /// The app's own instructions, as messages.
    fn system(&self) -> Result<Vec<PromptMessage>, RunError> {
        let built = prompt::build(Ingredients {
            mode: self.job.mode,
            completion_model: false,
            prompt: &self.job.config.prompt,
            inputs: &self.job.inputs,
            query: &self.job.query,
            context: None,
            files: &[],
            history: Some(&[]),
        })?;
        let is_system = |message: &PromptMessage| matches!(message, PromptMessage::System { .. });
        Ok(built.messages.into_iter().filter(is_system).collect())
    }

    /// The model wants a tool where there is none any more.
    fn exceeded(&self) -> RunError {
        let limit = self.job.config.agent.rounds;
        RunError::model(format!(
            "Agent exceeded the maximum iteration limit of {limit}. The agent was unable to complete the task within \
             the allowed number of iterations."
        ))
    }
}

/// How the model is called.
struct Wish {
    tools: Vec<model_runtime::PromptTool>,
    stop: Vec<String>,
    stream: bool,
}

#[cfg(test)]
mod tests;
