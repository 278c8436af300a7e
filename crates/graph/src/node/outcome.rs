//! How a run of a node ended, and what is recorded of it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Outputs;
use crate::{
    pause::PauseReason,
    pool::Selector,
    segment::Segment,
    usage::Usage,
    value::{Object, Value},
};

/// A step of an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentLog {
    /// Id of the step; sent again when the step changes.
    pub message_id: String,
    /// Name.
    pub label: String,
    /// The field of that name on the wire (agent nodes put the node id there).
    pub node_execution_id: String,
    /// The step it is part of.
    pub parent_id: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// `start`, `error` or `success`.
    pub status: String,
    /// Anything.
    pub data: serde_json::Map<String, serde_json::Value>,
    /// Anything.
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

/// How a run of a node ended well.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// With outputs.
    Done(Box<NodeOutput>),
    /// The run has to pause; the node runs again when it is resumed.
    Pause(PauseReason),
}

impl From<NodeOutput> for Outcome {
    fn from(output: NodeOutput) -> Self {
        Self::Done(Box::new(output))
    }
}

/// What a node returns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeOutput {
    /// Recorded as the node's inputs.
    pub inputs: Object,
    /// Recorded beside.
    pub process_data: Object,
    /// Go into the pool under the node's id.
    pub outputs: Outputs,
    /// Recorded beside.
    pub metadata: Metadata,
    /// Counted for the run.
    pub usage: Option<Usage>,
    /// The handle to leave by; `None` is [`SOURCE_HANDLE`].
    pub handle: Option<String>,
    /// Variables of others that the node changed (assigner), applied before the outputs.
    pub writes: Vec<(Selector, Segment)>,
}

/// What `execution_metadata` holds. The typed fields are those that all model calls have.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// Tokens of the node's model calls.
    pub total_tokens: Option<i64>,
    /// Their price.
    pub total_price: Option<Decimal>,
    /// Its currency.
    pub currency: Option<String>,
    /// The rest: `tool_info`, `iteration_id`, `loop_index`, `error_strategy` …
    pub entries: Object,
}

impl Metadata {
    /// Tokens, price and currency of `usage`.
    #[must_use]
    pub fn of_usage(usage: &Usage) -> Self {
        Self {
            total_tokens: Some(usage.total_tokens),
            total_price: Some(usage.total_price),
            currency: Some(usage.currency.clone()),
            entries: Object::new(),
        }
    }

    /// With one more entry.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.entries.insert(key.to_owned(), value.into());
        self
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// As JSON, for clients and rows: the price is a text.
    #[must_use]
    pub fn to_json(
        &self,
        urls: &dyn crate::FileUrls,
    ) -> serde_json::Map<String, serde_json::Value> {
        let mut json = serde_json::Map::new();
        if let Some(tokens) = self.total_tokens {
            json.insert("total_tokens".to_owned(), tokens.into());
        }
        if let Some(total) = self.total_price {
            json.insert("total_price".to_owned(), total.to_string().into());
        }
        if let Some(currency) = &self.currency {
            json.insert("currency".to_owned(), currency.as_str().into());
        }
        json.extend(crate::value::object_to_json(&self.entries, urls));
        json
    }
}

/// Why a run of a node failed, and what is recorded of it.
#[derive(Debug, Clone, PartialEq, Default, thiserror::Error)]
#[error("{message}")]
pub struct NodeError {
    /// The text users see.
    pub message: String,
    /// The `error_type` output of error strategies; the reference uses exception class names.
    pub error_type: String,
    /// Recorded as the node's inputs.
    pub inputs: Object,
    /// Recorded beside.
    pub process_data: Object,
    /// Recorded as the node's outputs; they do not go into the pool.
    pub outputs: Outputs,
    /// Recorded beside.
    pub metadata: Metadata,
    /// Counted for the run.
    pub usage: Option<Box<Usage>>,
    /// Stop the whole run with the message as reason, whatever the error strategy (quotas).
    pub abort_run: bool,
}

impl NodeError {
    /// A failure that the node reports itself.
    #[must_use]
    pub fn new(message: impl Into<String>, error_type: impl Into<String>) -> Self {
        Self { message: message.into(), error_type: error_type.into(), ..Self::default() }
    }

    /// A failure the reference does not catch in the node: its type is `WorkflowNodeError`.
    #[must_use]
    pub fn uncaught(message: impl Into<String>) -> Self {
        Self::new(message, "WorkflowNodeError")
    }

    /// With recorded inputs.
    #[must_use]
    pub fn with_inputs(mut self, inputs: Object) -> Self {
        self.inputs = inputs;
        self
    }

    /// With recorded process data.
    #[must_use]
    pub fn with_process_data(mut self, process_data: Object) -> Self {
        self.process_data = process_data;
        self
    }

    /// With recorded outputs.
    #[must_use]
    pub fn with_outputs(mut self, outputs: Outputs) -> Self {
        self.outputs = outputs;
        self
    }
}
