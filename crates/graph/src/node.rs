//! What a node is: it reads the pool, sends events while it runs, and returns outputs. It knows
//! neither the graph nor the run's storage.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use types::{AppId, TenantId};

use crate::{
    error::GraphError,
    pause::PauseReason,
    pool::{Selector, VariablePool},
    segment::Segment,
    usage::Usage,
    value::{Object, Value},
};

/// The handle that nodes without branches leave by.
pub const SOURCE_HANDLE: &str = "source";

/// Named outputs; the type of a segment goes into the pool with it.
pub type Outputs = IndexMap<String, Segment>;

/// How the engine treats a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionKind {
    /// A node that runs and continues on all its edges.
    Executable,
    /// A node whose outputs are the run's outputs: answer, end.
    Response,
    /// A node that continues on the edges of one handle.
    Branch,
    /// A node that runs the nodes inside it.
    Container,
    /// A node that a run can start with.
    Root,
}

/// Who asked for the run, as Dify names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum InvokeFrom {
    ServiceApi,
    WebApp,
    Trigger,
    Explore,
    Debugger,
    Published,
    Validation,
}

impl InvokeFrom {
    /// The name in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceApi => "service-api",
            Self::WebApp => "web-app",
            Self::Trigger => "trigger",
            Self::Explore => "explore",
            Self::Debugger => "debugger",
            Self::Published => "published",
            Self::Validation => "validation",
        }
    }
}

/// What kind of user a run belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserFrom {
    /// A console user.
    Account,
    /// A user of a published app.
    EndUser,
}

/// The run a node belongs to.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// The workspace.
    pub tenant_id: TenantId,
    /// The app; runs of one app share its slots in the executor.
    pub app_id: AppId,
    /// Account or end user.
    pub user_id: String,
    /// Which of the two.
    pub user_from: UserFrom,
    /// How the run was started.
    pub invoke_from: InvokeFrom,
    /// The workflow version.
    pub workflow_id: String,
    /// The run, `sys.workflow_run_id`.
    pub workflow_run_id: String,
    /// How many workflows called each other to get here; 0 for a run of its own.
    pub call_depth: u32,
}

impl RunInfo {
    /// Checks how deep workflows call each other (`WORKFLOW_CALL_MAX_DEPTH`), before a run.
    ///
    /// # Errors
    /// [`GraphError::CallDepth`] when it is deeper than `limit`.
    pub fn check_call_depth(&self, limit: u32) -> Result<(), GraphError> {
        if self.call_depth > limit { Err(GraphError::CallDepth(limit)) } else { Ok(()) }
    }
}

/// A node of the graph before it is built.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Id in the graph.
    pub id: Arc<str>,
    /// `data.type`.
    pub node_type: Arc<str>,
    /// `data.version`, `"1"` if absent.
    pub version: Arc<str>,
    /// `data.title`.
    pub title: Arc<str>,
    /// The whole `data` object.
    pub data: serde_json::Map<String, serde_json::Value>,
}

impl NodeConfig {
    /// The `data` object as a node's own settings type.
    ///
    /// # Errors
    /// [`GraphError::InvalidNode`] naming all fields that are missing, or the one that is wrong.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, GraphError> {
        let error = match serde_json::from_value(Json::Object(self.data.clone())) {
            Ok(settings) => return Ok(settings),
            Err(error) => error.to_string(),
        };
        let message = format!("Invalid settings of {} node '{}'", self.node_type, self.title);
        let missing = self.missing_fields::<T>(error.clone());
        let message = if missing.is_empty() {
            format!("{message}: {error}")
        } else {
            format!("{message}: missing {}", missing.join(", "))
        };
        Err(GraphError::InvalidNode { node_id: self.id.to_string(), message })
    }

    /// serde stops at the first missing field; each is filled in to find the next.
    fn missing_fields<T: serde::de::DeserializeOwned>(&self, mut error: String) -> Vec<String> {
        let constants = [Json::from(""), Json::from(0), Json::Array(Vec::new()), Json::Bool(false)];
        let constants = constants.into_iter().chain([Json::Object(serde_json::Map::new())]);
        let constants: Vec<Json> = constants.collect();
        let mut data = self.data.clone();
        let mut missing = Vec::new();
        while let Some(field) = missing_field(&error) {
            if data.contains_key(&field) {
                // It is missing further inside.
                missing.push(field);
                break;
            }
            missing.push(field.clone());
            let mut next = None;
            let mut fillers = constants.clone();
            while let Some(filler) = fillers.pop() {
                data.insert(field.clone(), filler);
                match serde_json::from_value::<T>(Json::Object(data.clone())) {
                    Ok(_) => return missing,
                    Err(err) => {
                        let text = err.to_string();
                        if missing_field(&text).is_some() {
                            next = Some(text);
                            break;
                        }
                        // Only certain words fit: the next try takes one of them.
                        if let Some(word) = known_word(&text)
                            && data.get(&field).and_then(Json::as_str) == Some("")
                        {
                            fillers.push(Json::from(word));
                        }
                    }
                }
            }
            match next {
                Some(text) => error = text,
                None => break,
            }
        }
        missing
    }
}

/// A word that an enumeration takes, of serde's text about one that it does not.
fn known_word(error: &str) -> Option<String> {
    let expected = error.strip_prefix("unknown variant ")?.split(", expected ").nth(1)?;
    Some(expected.split('`').nth(1)?.to_owned())
}

fn missing_field(error: &str) -> Option<String> {
    let rest = error.strip_prefix("missing field `")?;
    Some(rest.split('`').next()?.to_owned())
}

/// Builds nodes from their configuration. All nodes of a graph are built before the run starts.
pub trait NodeFactory: Send + Sync {
    /// The node, or `None` if this factory does not know the type. An unknown version means the
    /// newest. Containers (`iteration`, `loop`) never arrive here: the engine runs them itself.
    ///
    /// # Errors
    /// [`GraphError`] when the configuration is not valid.
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError>;
}

/// Two factories: what the first does not know is asked of the second.
impl<A: NodeFactory, B: NodeFactory> NodeFactory for (A, B) {
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError> {
        match self.0.create(config)? {
            Some(node) => Ok(Some(node)),
            None => self.1.create(config),
        }
    }
}

impl<T: NodeFactory + ?Sized> NodeFactory for Arc<T> {
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError> {
        (**self).create(config)
    }
}

/// A node, built once per run and used for all its executions (attempts, rounds): it keeps no
/// state between them.
#[async_trait]
pub trait Node: Send + Sync {
    /// Runs the node once. Dropping the future cancels the execution down to the socket; long
    /// work on other threads watches [`NodeCtx::cancel`].
    ///
    /// # Errors
    /// [`NodeError`]; the engine applies retries and the error strategy.
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError>;

    /// How the engine treats the node.
    fn kind(&self) -> ExecutionKind {
        ExecutionKind::Executable
    }

    /// Checks before the run starts what the node needs (credentials, models); called by
    /// [`crate::Graph::prepare`].
    ///
    /// # Errors
    /// The text with which the whole run fails.
    async fn prepare(&self, run: &RunInfo) -> Result<(), String> {
        let _ = run;
        Ok(())
    }

    /// Whether `retry_config` counts: code, llm, http-request and tool nodes.
    fn retryable(&self) -> bool {
        false
    }

    /// Whether the node only computes: it then runs without a slot of its app.
    fn is_pure(&self) -> bool {
        false
    }

    /// The template that is streamed while the run goes on; response nodes only.
    fn response_template(&self) -> Option<Vec<TemplatePart>> {
        None
    }

    /// Whether the node writes one of `selectors`: response templates that read it then wait
    /// until the node has run.
    fn writes(&self, selectors: &[Selector]) -> bool {
        let _ = selectors;
        false
    }

    /// What `node_started` tells beyond the common fields.
    fn start_info(&self) -> StartInfo {
        StartInfo::default()
    }

    /// The variables the node reads, for running it alone: `"{node}.#{a.b}#"` or
    /// `"{node}.{name}"` → selector.
    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let _ = node_id;
        IndexMap::new()
    }
}

/// Extra facts of `node_started`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StartInfo {
    /// Tool nodes: `builtin`, `api` …
    pub provider_type: Option<String>,
    /// Tool, datasource and trigger nodes: where the icon comes from.
    pub provider_id: Option<String>,
    /// Agent nodes: `{"name", "icon"}`.
    pub agent_strategy: Option<serde_json::Value>,
}

/// A piece of the template of a response node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// Literal text.
    Text(String),
    /// A variable.
    Variable(Selector),
}

/// What a node may use while it runs.
pub struct NodeCtx {
    /// The node's id in the graph.
    pub node_id: Arc<str>,
    /// The node's title.
    pub title: Arc<str>,
    /// Id of this execution; attempts of one execution share it.
    pub execution_id: Arc<str>,
    /// 0 for the first attempt.
    pub attempt: u32,
    /// The variables as they were when the node started.
    pub pool: Arc<VariablePool>,
    /// The run.
    pub run: Arc<RunInfo>,
    /// Takes events while the node runs.
    pub events: NodeEvents,
    /// Cancelled when the run stops.
    pub cancel: CancellationToken,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
}

/// The time, so that a run can be replayed.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// New ids, so that a run can be replayed.
pub trait Ids: Send + Sync {
    /// A new id of a node execution: a UUID as text.
    fn next(&self) -> String;
}

/// Takes the events of a running node.
#[derive(Debug, Clone)]
pub struct NodeEvents {
    pub(crate) task: TaskId,
    pub(crate) sender: mpsc::Sender<(TaskId, NodeEvent)>,
}

impl NodeEvents {
    /// A sink and its other end, for tests of single nodes and for running one node alone.
    #[must_use]
    pub fn channel(capacity: usize) -> (Self, mpsc::Receiver<(TaskId, NodeEvent)>) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        (Self { task: TaskId(0), sender }, receiver)
    }

    /// Sends an event; waits while the run is behind. Events of a run that ended are dropped.
    pub async fn send(&self, event: NodeEvent) {
        // The receiver is gone only when the run is, and then nobody needs the event.
        let _ = self.sender.send((self.task, event)).await;
    }

    /// Sends a piece of a text output.
    pub async fn chunk(&self, selector: &[&str], text: impl Into<String>, is_final: bool) {
        self.send(NodeEvent::Chunk {
            selector: selector.iter().map(|&it| it.to_owned()).collect(),
            text: text.into(),
            is_final,
        })
        .await;
    }
}

/// Names one attempt of a node inside the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskId(pub u64);

/// What a node may report while it runs.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeEvent {
    /// A piece of a text output. The last one has `is_final`, and may be empty.
    Chunk {
        /// The output: `[node id, name]`.
        selector: Selector,
        /// The piece.
        text: String,
        /// Whether no more follow.
        is_final: bool,
    },
    /// Sources used for an answer.
    RetrieverResources {
        /// `RetrievalSourceMetadata` objects.
        resources: Vec<serde_json::Value>,
        /// The text put into the prompt.
        context: String,
    },
    /// A step of an agent.
    AgentLog(Box<AgentLog>),
    /// A form was filled in.
    FormFilled {
        /// Markdown with what was filled in.
        rendered_content: String,
        /// The button.
        action_id: String,
        /// Its title.
        action_text: String,
    },
    /// A form timed out.
    FormTimeout {
        /// When.
        expiration_time: DateTime<Utc>,
    },
}

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

/// How often and after what time a failed node is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retry {
    /// Attempts after the first.
    pub max_retries: u32,
    /// Before each.
    pub interval: Duration,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Settings {
        variables: Vec<String>,
        mode: Mode,
        text: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Fast,
        Slow,
    }

    #[test]
    fn all_missing_settings_are_named() {
        for (data, expected) in [
            (json!({}), "missing variables, mode, text"),
            (json!({"variables": []}), "missing mode, text"),
            (json!({"variables": [], "mode": "fast"}), "missing text"),
            (
                json!({"variables": [], "mode": "odd", "text": ""}),
                "unknown variant `odd`, expected `fast` or `slow`",
            ),
        ] {
            let Json::Object(data) = data else { panic!("an object") };
            let config = NodeConfig {
                id: "n".into(),
                node_type: "code".into(),
                version: "1".into(),
                title: "T".into(),
                data,
            };
            let message = config.parse::<Settings>().unwrap_err().to_string();
            assert!(message.ends_with(expected), "{message}");
        }
    }
}
