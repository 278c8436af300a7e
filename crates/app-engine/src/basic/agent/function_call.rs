//! Agents whose provider knows calls of functions.

use model_runtime::{
    Content, ContentPart, Feature, LlmChunk, PromptMessage, ToolCall, llm::merge_tool_calls,
};
use serde_json::{Map, Value};
use types::pyjson;

use super::{Session, Wish, past::Past};
use crate::{
    basic::run::{listen::Listener, refused, state::State},
    event::{AppEvent, RunError},
    hub::Run,
};

pub(super) async fn answer(
    mut session: Session<'_>,
    mut past: Past,
    state: &mut State,
) -> Result<(), RunError> {
    let system = session.system()?;
    let stream = session.job.model.schema().has(Feature::StreamToolCall);
    // What the model said in this run, and what its tools answered.
    let mut since: Vec<PromptMessage> = Vec::new();
    let mut whole = String::new();
    for is_last in session.rounds() {
        session.think(state);
        let messages = prompt(&session, &system, &mut past, &since).await?;
        let tools = if is_last { Vec::new() } else { session.tools.declarations() };
        let mut ear = Ear::default();
        let wish = Wish { tools, stop: Vec::new(), stream };
        if !session.hear(state, messages, wish, &mut ear).await? {
            return Ok(());
        }
        let Some(mut thought) = state.thought.clone() else { return Ok(()) };
        let mut calls = ear.calls;
        let arguments: Vec<Value> = calls.iter_mut().map(arguments).collect();
        let named: Vec<(&str, &Value)> =
            calls.iter().map(|call| call.function.name.as_str()).zip(&arguments).collect();
        thought.answer.clone_from(&thought.thought);
        if !named.is_empty() {
            thought.wants(session.ports, &named);
        }
        session.save_and_show(state, &thought).await;
        whole.push_str(&thought.thought);
        whole.push('\n');
        if calls.is_empty() {
            break;
        }
        if is_last {
            return Err(session.exceeded());
        }
        since.push(PromptMessage::assistant(thought.thought.as_str(), calls.clone()));
        let mut observed = Vec::with_capacity(calls.len());
        for (call, arguments) in calls.into_iter().zip(arguments) {
            let name = call.function.name;
            let observation = session.use_tool(state, &name, arguments).await;
            since.push(PromptMessage::tool(observation.text.as_str(), call.id, Some(name.clone())));
            observed.push((name, observation));
        }
        thought.sees(observed);
        session.save_and_show(state, &thought).await;
    }
    state.thought = None;
    state.answer = whole;
    Ok(())
}

async fn prompt(
    session: &Session<'_>,
    system: &[PromptMessage],
    past: &mut Past,
    since: &[PromptMessage],
) -> Result<Vec<PromptMessage>, RunError> {
    let model = &*session.job.model;
    let mut fixed = vec![session.question.clone()];
    fixed.extend_from_slice(since);
    let turns = past.fitting(model, &session.parameters, system, &fixed).await?;
    let mut messages = system.to_vec();
    messages.extend(turns.cloned());
    messages.append(&mut fixed);
    if !since.is_empty() {
        messages.iter_mut().for_each(without_files);
    }
    Ok(messages)
}

/// A model has seen the files when its tools have answered; it need not see them again in every round.
fn without_files(message: &mut PromptMessage) {
    let PromptMessage::User { content: Some(content), .. } = message else { return };
    let Content::Parts(parts) = content else { return };
    let told: Vec<&str> = parts
        .iter()
        .map(|part| match part {
            ContentPart::Text { data } => data.as_str(),
            ContentPart::Image { .. } => "[image]",
            _ => "[file]",
        })
        .collect();
    *content = Content::Text(told.join("\n"));
}

/// The arguments of a call as a value, read as well as they can be. The call itself goes back to the provider, which
/// wants JSON.
fn arguments(call: &mut ToolCall) -> Value {
    let text = std::mem::take(&mut call.function.arguments);
    let value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(_) if text.trim().is_empty() => Value::Object(Map::new()),
        Err(_) => match template::json_repair::repair(&text) {
            object @ Value::Object(_) => object,
            _ => Value::String(text),
        },
    };
    let sent = if value.is_object() { pyjson::dumps_utf8(&value).ok() } else { None };
    call.function.arguments = sent.unwrap_or_else(|| "{}".to_owned());
    value
}

/// Collects the calls, and says the rest.
#[derive(Default)]
struct Ear {
    begun: bool,
    calls: Vec<ToolCall>,
}

impl Listener for Ear {
    fn hear(&mut self, run: &Run, state: &mut State, chunk: &LlmChunk) -> Result<(), RunError> {
        if let Some(thought) = &mut state.thought {
            if !self.begun {
                run.log.push(AppEvent::AgentThought(Box::new(thought.event())));
            }
            thought.thought.push_str(&chunk.text);
            if let Some(usage) = &chunk.usage {
                thought.usage = Some(usage.clone());
            }
        }
        if !self.begun && chunk.text.is_empty() {
            state.show(run, "");
        }
        self.begun = true;
        merge_tool_calls(&mut self.calls, chunk.tool_calls.clone()).map_err(refused)?;
        state.say(run, &chunk.text);
        Ok(())
    }
}
