//! Agents whose model writes what it thinks and does: chat and completion models alike.

mod parser;
mod template;

use model_runtime::{LlmChunk, PromptMessage};
use serde_json::Value;
use types::pyjson;

use self::{
    parser::{Parser, Piece},
    template::Frame,
};
use super::{Session, Wish, past::Past};
use crate::{
    basic::{
        inputs::as_text,
        run::{listen::Listener, state::State},
    },
    event::RunError,
    hub::Run,
};

/// Where the model is to stop: what comes after it is the tools' to say.
const STOP: &str = "Observation";

/// A model that refuses stop words.
const WITHOUT_STOP: &str = "wenxin";

/// What stands for a thought where the model said only what to do.
const SILENT: &str = "Let me see what I can do.";

/// What a model wants done.
#[derive(Debug, Clone, PartialEq)]
struct Action {
    /// A tool, or the final answer.
    name: String,
    /// What it is given.
    input: Value,
}

impl Action {
    /// Whether it is the answer and no tool.
    fn is_final(&self) -> bool {
        let name = self.name.to_lowercase();
        name.contains("final") && name.contains("answer")
    }

    /// As prompts show it.
    fn json(&self) -> String {
        let shown = serde_json::json!({"action": self.name, "action_input": self.input});
        pyjson::dumps_utf8(&shown).unwrap_or_default()
    }
}

/// A round.
struct Unit {
    thought: String,
    action: Option<Action>,
    observation: String,
}

impl Unit {
    fn told(&self) -> String {
        match &self.action {
            None => format!("Final Answer: {}", self.thought),
            Some(action) => format!(
                "Thought: {}\n\nAction: {}\n\nObservation: {}\n\n",
                self.thought,
                action.json(),
                self.observation
            ),
        }
    }
}

pub(super) async fn answer(
    mut session: Session<'_>,
    past: Past,
    state: &mut State,
) -> Result<(), RunError> {
    let instruction = template::instruction(&session.job.config.prompt, &session.job.inputs);
    let mut past = past.told(retell);
    let refuses_stops = session.job.model.provider().rsplit('/').next() == Some(WITHOUT_STOP);
    let stop = if refuses_stops { Vec::new() } else { vec![STOP.to_owned()] };
    let mut units: Vec<Unit> = Vec::new();
    for is_last in session.rounds() {
        session.think(state);
        if let Some(thought) = &state.thought {
            session.show(thought);
        }
        let tools = if is_last { Vec::new() } else { session.tools.declarations() };
        let own = session.job.config.agent.prompt.as_deref();
        let frame = Frame { own, instruction: &instruction, tools: &tools };
        let messages = prompt(&session, &frame, state.completion_model, &mut past, &units).await?;
        let mut ear = Ear::default();
        let wish = Wish { tools: Vec::new(), stop: stop.clone(), stream: true };
        if !session.hear(state, messages, wish, &mut ear).await? {
            return Ok(());
        }
        ear.finish(session.run, state);
        let Some(mut thought) = state.thought.clone() else { return Ok(()) };
        let said = thought.thought.trim().to_owned();
        thought.thought = if said.is_empty() { SILENT.to_owned() } else { said.clone() };
        let action = ear.action;
        thought.answer =
            thought.thought.clone() + &action.as_ref().map(Action::json).unwrap_or_default();
        let Some(action) = action else {
            // The reference would keep no answer at all; this is what the user read.
            thought.thought.clone_from(&said);
            thought.answer.clone_from(&said);
            session.save(state, &thought).await;
            state.answer = said;
            break;
        };
        let call = [(action.name.as_str(), &action.input)];
        if action.is_final() {
            let text = match &action.input {
                Value::Null => String::new(),
                object @ Value::Object(_) => pyjson::dumps_utf8(object).unwrap_or_default(),
                other => as_text(other).into_owned(),
            };
            state.say(session.run, &text);
            thought.gives(&call);
            thought.thought.push_str(&text);
            thought.answer.clone_from(&text);
            session.save(state, &thought).await;
            state.answer = text;
            break;
        }
        thought.wants(session.ports, &call);
        session.save_and_show(state, &thought).await;
        if is_last {
            return Err(session.exceeded());
        }
        let observation = session.use_tool(state, &action.name, action.input.clone()).await;
        if observation.arguments.as_object().is_some_and(|given| !given.is_empty()) {
            // What the builder fixed is part of what the tool was given.
            thought.gives(&[(action.name.as_str(), &observation.arguments)]);
        }
        let unit = Unit {
            thought: thought.thought.clone(),
            observation: observation.text.clone(),
            action: Some(action.clone()),
        };
        thought.sees(vec![(action.name, observation)]);
        session.save_and_show(state, &thought).await;
        units.push(unit);
    }
    state.thought = None;
    Ok(())
}

async fn prompt(
    session: &Session<'_>,
    frame: &Frame<'_>,
    is_completion: bool,
    past: &mut Past,
    units: &[Unit],
) -> Result<Vec<PromptMessage>, RunError> {
    let (model, parameters) = (&*session.job.model, &session.parameters);
    let scratch: String = units.iter().map(Unit::told).collect();
    if is_completion {
        let query = &session.job.query;
        let fixed = [PromptMessage::user(frame.whole([], query, &scratch))];
        let turns = past.fitting(model, parameters, &[], &fixed).await?;
        return Ok(vec![PromptMessage::user(frame.whole(turns, query, &scratch))]);
    }
    let system = [PromptMessage::system(frame.system())];
    let mut fixed = vec![session.question.clone()];
    if !scratch.is_empty() {
        fixed.push(PromptMessage::assistant(scratch, Vec::new()));
        fixed.push(PromptMessage::user("continue"));
    }
    let turns = past.fitting(model, parameters, &system, &fixed).await?;
    let mut messages = system.to_vec();
    messages.extend(turns.cloned());
    messages.append(&mut fixed);
    Ok(messages)
}

/// An earlier answer as the text it would be here. Of several calls of a round each has its own.
fn retell(messages: &[PromptMessage]) -> String {
    let mut told = String::new();
    for message in messages {
        let calls = message.tool_calls();
        if calls.is_empty() {
            if matches!(message, PromptMessage::Assistant { .. }) {
                let unit =
                    Unit { thought: message.text(), action: None, observation: String::new() };
                told.push_str(&unit.told());
            }
            continue;
        }
        for call in calls {
            let answer = messages.iter().find(|message| {
                matches!(message, PromptMessage::Tool { tool_call_id, .. } if *tool_call_id == call.id)
            });
            let name = call.function.name.clone();
            let input = serde_json::from_str(&call.function.arguments).unwrap_or_default();
            let unit = Unit {
                thought: message.text(),
                action: Some(Action { name, input }),
                observation: answer.map(PromptMessage::text).unwrap_or_default(),
            };
            told.push_str(&unit.told());
        }
    }
    told
}

/// Tells what the model says from what it wants done.
#[derive(Default)]
struct Ear {
    parser: Parser,
    action: Option<Action>,
    /// Whether anything but an end of the line followed the action.
    is_over: bool,
}

impl Ear {
    fn take(&mut self, run: &Run, state: &mut State, pieces: Vec<Piece>) {
        for piece in pieces {
            match piece {
                // One action a round: what follows it is what the model imagines to come of it.
                Piece::Action(action) if self.action.is_none() => self.action = Some(action),
                Piece::Action(_) => {}
                Piece::Text(text) => {
                    let text = match &self.action {
                        None => text,
                        Some(_) if self.is_over => continue,
                        Some(_) => {
                            self.is_over = !text.trim().is_empty();
                            text.chars().take_while(|c| c.is_whitespace()).collect()
                        }
                    };
                    if let Some(thought) = &mut state.thought {
                        thought.thought.push_str(&text);
                    }
                    state.say(run, &text);
                }
            }
        }
    }

    /// Nothing more is said.
    fn finish(&mut self, run: &Run, state: &mut State) {
        let rest = std::mem::take(&mut self.parser).finish();
        self.take(run, state, rest);
    }
}

impl Listener for Ear {
    fn hear(&mut self, run: &Run, state: &mut State, chunk: &LlmChunk) -> Result<(), RunError> {
        if let (Some(thought), Some(usage)) = (&mut state.thought, &chunk.usage) {
            thought.usage = Some(usage.clone());
        }
        let pieces = self.parser.push(&chunk.text);
        self.take(run, state, pieces);
        Ok(())
    }
}
