//! One round of an agent.

use model_runtime::Usage;
use serde_json::{Map, Value};
use tokio::time::Instant;
use types::pyjson;
use uuid::Uuid;

use super::{Observation, tools::Tools};
use crate::{event::AgentThought, ports::Ports};

/// What a model thought in a round, what it had tools do, and what came of it.
#[derive(Debug, Clone)]
pub struct Thought {
    /// The row.
    pub id: Uuid,
    /// From 1.
    pub position: i32,
    /// When the round began.
    pub begun: Instant,
    /// What the model said.
    pub thought: String,
    /// What it said, its action included.
    pub answer: String,
    /// Names of tools, joined by `;`.
    pub tool: String,
    /// JSON: arguments by name of tool.
    pub tool_input: String,
    /// JSON: answers by name of tool.
    pub observation: String,
    /// Names for people by name of tool.
    pub labels: Map<String, Value>,
    /// What is kept of the calls, by name of tool.
    pub meta: Map<String, Value>,
    /// Rows of files.
    pub files: Vec<String>,
    /// What the round cost, if the model told.
    pub usage: Option<Usage>,
}

impl Thought {
    pub(super) fn new(position: i32) -> Self {
        Self {
            id: Uuid::now_v7(),
            position,
            begun: Instant::now(),
            thought: String::new(),
            answer: String::new(),
            tool: String::new(),
            tool_input: String::new(),
            observation: String::new(),
            labels: Map::new(),
            meta: Map::new(),
            files: Vec::new(),
            usage: None,
        }
    }

    /// As clients see it.
    #[must_use]
    pub fn event(&self) -> AgentThought {
        AgentThought {
            id: self.id.to_string(),
            position: self.position,
            thought: self.thought.clone(),
            observation: self.observation.clone(),
            tool: self.tool.clone(),
            tool_labels: Value::Object(self.labels.clone()),
            tool_input: self.tool_input.clone(),
            message_files: self.files.clone(),
        }
    }

    /// The model wants these tools called. Of several calls of one tool the last counts, here and with what comes of
    /// them: that is all the columns have room for.
    pub(super) fn wants(&mut self, ports: &Ports, calls: &[(&str, &Value)]) {
        let names: Vec<&str> = calls.iter().map(|(name, _)| *name).collect();
        self.tool = names.join(";");
        self.labels = names
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| ((*name).to_owned(), Tools::label(ports, name)))
            .collect();
        self.gives(calls);
    }

    /// What the tools are given.
    pub(super) fn gives(&mut self, calls: &[(&str, &Value)]) {
        let inputs: Map<String, Value> = calls
            .iter()
            .map(|(name, arguments)| ((*name).to_owned(), (*arguments).clone()))
            .collect();
        self.tool_input = text(&inputs);
    }

    /// This is what came of it.
    pub(super) fn sees(&mut self, observed: Vec<(String, Observation)>) {
        let mut texts = Map::new();
        for (name, observation) in observed {
            texts.insert(name.clone(), observation.text.into());
            self.meta.insert(name, observation.meta);
            self.files.extend(observation.files);
        }
        self.observation = text(&texts);
    }
}

fn text(map: &Map<String, Value>) -> String {
    pyjson::dumps_utf8(map).unwrap_or_default()
}
