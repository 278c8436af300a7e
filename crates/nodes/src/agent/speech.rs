//! What an agent says, as events while it speaks and as outputs in the end.

use std::collections::HashMap;

use futures::StreamExt as _;
use graph::{
    AgentLog, File, NodeCtx, NodeError, NodeEvent, Object, Outputs, Segment, Usage, Value,
};
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};

use crate::{
    common::file_list,
    ports::{
        Ports,
        agent::{AgentSaid, AgentSpeech, AgentStep, StepIcons},
    },
};

/// What a strategy may say of its costs for the node's metadata.
const COUNTED: [&str; 3] = ["total_tokens", "total_price", "currency"];

/// Listens to an agent.
pub(super) struct Listener<'a> {
    ctx: &'a NodeCtx,
    ports: &'a Ports,
    /// The picture of the strategy.
    icon: Option<&'a str>,
    icons: HashMap<String, StepIcons>,
    text: String,
    files: Vec<File>,
    values: Vec<Value>,
    variables: Object,
    steps: Vec<AgentLog>,
    /// What the agent's models took.
    pub(super) usage: Usage,
    /// The same as the strategy puts it.
    pub(super) counted: Object,
}

impl<'a> Listener<'a> {
    pub(super) fn new(ctx: &'a NodeCtx, ports: &'a Ports, icon: Option<&'a str>) -> Self {
        Self {
            ctx,
            ports,
            icon,
            icons: HashMap::new(),
            text: String::new(),
            files: Vec::new(),
            values: Vec::new(),
            variables: Object::new(),
            steps: Vec::new(),
            usage: Usage::default(),
            counted: Object::new(),
        }
    }

    /// Listens until the agent has said everything.
    pub(super) async fn listen(&mut self, speech: &mut AgentSpeech) -> Result<(), NodeError> {
        let (node, events) = (&*self.ctx.node_id, &self.ctx.events);
        while let Some(said) = speech.next().await {
            match said? {
                AgentSaid::Text(text) => {
                    self.text.push_str(&text);
                    events.chunk(&[node, "text"], text, false).await;
                }
                AgentSaid::File(file) => self.files.push(*file),
                AgentSaid::Json(value) => self.value(value),
                AgentSaid::Variable { name, value: Json::String(piece), is_piece: true } => {
                    let known = self.variables.get(&name).map(Value::py_str).unwrap_or_default();
                    events.chunk(&[node, &name], piece.as_str(), false).await;
                    self.variables.insert(name, Value::from(known + &piece));
                }
                AgentSaid::Variable { name, value, .. } => {
                    self.variables.insert(name, Value::from_json(value));
                }
                AgentSaid::Step(step) => self.step(step).await,
            }
        }
        events.chunk(&[node, "text"], "", true).await;
        for name in self.variables.keys() {
            events.chunk(&[node, name], "", true).await;
        }
        Ok(())
    }

    fn value(&mut self, mut value: Json) {
        let costs = value.as_object_mut().and_then(|it| it.shift_remove("execution_metadata"));
        if let Some(Json::Object(costs)) = costs {
            self.usage = usage(&costs);
            let told = |name: &&str| Some(((*name).to_owned(), costs.get(*name)?.clone()));
            let told = COUNTED.iter().filter_map(told);
            self.counted = told.map(|(name, it)| (name, Value::from_json(it))).collect();
        }
        let value = Value::from_json(value);
        if value.is_truthy() {
            self.values.push(value);
        }
    }

    async fn step(&mut self, step: AgentStep) {
        let AgentStep { id, label, parent_id, error, status, data, mut metadata } = step;
        let provider = metadata.get("provider").and_then(Json::as_str).filter(|it| !it.is_empty());
        if let Some(provider) = provider.map(str::to_owned) {
            let icons = self.icons(&provider).await;
            let light = icons.light.unwrap_or_else(|| json!(self.icon));
            metadata.insert("icon".to_owned(), light);
            metadata.insert("icon_dark".to_owned(), icons.dark);
        }
        let log = AgentLog {
            message_id: id,
            label,
            node_execution_id: self.ctx.node_id.to_string(),
            parent_id,
            error,
            status: status.to_owned(),
            data,
            metadata,
        };
        match self.steps.iter_mut().find(|known| known.message_id == log.message_id) {
            Some(known) => {
                let parent_id = known.parent_id.take();
                *known = AgentLog { parent_id, ..log.clone() };
            }
            None => self.steps.push(log.clone()),
        }
        self.ctx.events.send(NodeEvent::AgentLog(Box::new(log))).await;
    }

    async fn icons(&mut self, provider: &str) -> StepIcons {
        if let Some(known) = self.icons.get(provider) {
            return known.clone();
        }
        let found = self.ports.agents.step_icons(self.ctx.run.tenant_id, provider).await;
        self.icons.insert(provider.to_owned(), found.clone());
        found
    }

    /// The steps as the node's metadata has them.
    pub(super) fn log(&self) -> Value {
        let entry = |step: &AgentLog| {
            let mut entry = shown(step, &self.ctx.node_id);
            entry.insert("message_id".to_owned(), step.message_id.as_str().into());
            entry.insert("node_execution_id".to_owned(), step.node_execution_id.as_str().into());
            Value::from_json(Json::Object(entry))
        };
        self.steps.iter().map(entry).collect()
    }

    /// What the node answers.
    pub(super) fn outputs(self) -> Outputs {
        let step = |step: &AgentLog| {
            let mut entry = shown(step, &self.ctx.node_id);
            entry.insert("id".to_owned(), step.message_id.as_str().into());
            Value::from_json(Json::Object(entry))
        };
        let mut values: Vec<Value> = self.steps.iter().map(step).collect();
        if self.values.is_empty() {
            values.push(Value::from_json(json!({"data": []})));
        }
        values.extend(self.values);
        let mut outputs = Outputs::new();
        outputs.insert("text".to_owned(), Segment::from(Value::from(self.text)));
        outputs.insert("usage".to_owned(), Segment::from(self.usage.to_value()));
        outputs.insert("files".to_owned(), file_list(self.files));
        outputs.insert("json".to_owned(), Segment::from(Value::array(values)));
        let variables = self.variables.into_iter();
        outputs.extend(variables.map(|(name, value)| (name, Segment::from(value))));
        outputs
    }
}

/// What outputs and metadata tell of a step alike.
fn shown(step: &AgentLog, node: &str) -> Map<String, Json> {
    let AgentLog { label, parent_id, error, status, data, metadata, .. } = step;
    let entries = [
        ("parent_id", json!(parent_id)),
        ("error", json!(error)),
        ("status", json!(status)),
        ("data", json!(data)),
        ("label", json!(label)),
        ("metadata", json!(metadata)),
        ("node_id", json!(node)),
    ];
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What a strategy says its models took.
fn usage(costs: &Map<String, Json>) -> Usage {
    let tokens = |name: &str| costs.get(name).and_then(Json::as_i64).unwrap_or_default();
    let seconds = |name: &str| costs.get(name).and_then(Json::as_f64);
    let price = |name: &str| {
        let text = match costs.get(name) {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Number(number)) => number.to_string(),
            _ => return Decimal::ZERO,
        };
        let plain = text.parse().or_else(|_| Decimal::from_scientific(&text));
        plain.unwrap_or(Decimal::ZERO)
    };
    let (prompt, completion) = (tokens("prompt_tokens"), tokens("completion_tokens"));
    let total = match tokens("total_tokens") {
        0 => prompt.saturating_add(completion),
        total => total,
    };
    let currency = costs.get("currency").and_then(Json::as_str).unwrap_or("USD");
    Usage {
        prompt_tokens: prompt,
        prompt_unit_price: price("prompt_unit_price"),
        prompt_price_unit: price("prompt_price_unit"),
        prompt_price: price("prompt_price"),
        completion_tokens: completion,
        completion_unit_price: price("completion_unit_price"),
        completion_price_unit: price("completion_price_unit"),
        completion_price: price("completion_price"),
        total_tokens: total,
        total_price: price("total_price"),
        currency: currency.to_owned(),
        latency: seconds("latency").unwrap_or_default(),
        time_to_first_token: seconds("time_to_first_token"),
        time_to_generate: seconds("time_to_generate"),
    }
}
