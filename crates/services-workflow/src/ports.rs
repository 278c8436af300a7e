//! What the use cases of workflows need from the engine. The server wires the real one in.

use async_trait::async_trait;
use db::{app::App, end_user::EndUser, workflow::Workflow};
use graph::InvokeFrom;
use serde_json::{Map, Value};
use services_core::{Ctx, Fault};
use types::{AccountId, NodeExecutionId, TenantId, WorkflowRunId};
use uuid::Uuid;

use crate::WorkflowError;

/// Whom a run is for.
#[derive(Debug, Clone)]
pub enum RunUser {
    /// A console user.
    Account(AccountId),
    /// A user of the published app.
    EndUser(EndUser),
}

impl RunUser {
    /// `account` or `end_user`, as rows say it.
    #[must_use]
    pub fn role(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::EndUser(_) => "end_user",
        }
    }

    /// The id of the account or end user.
    #[must_use]
    pub fn id(&self) -> Uuid {
        match self {
            Self::Account(id) => id.0,
            Self::EndUser(user) => user.id.0,
        }
    }
}

/// A run to start.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The app.
    pub app: App,
    /// The version.
    pub workflow: Workflow,
    /// Whom it is for.
    pub user: RunUser,
    /// How it was asked for.
    pub invoke_from: InvokeFrom,
    /// `debugging`, `app-run`, `webhook`, `schedule` or `plugin`.
    pub triggered_from: &'static str,
    /// The node it starts at; `None` for the start node.
    pub root_node: Option<String>,
    /// Inputs as the request brings them.
    pub inputs: Map<String, Value>,
    /// `sys.files` as the request brings them.
    pub files: Vec<Map<String, Value>>,
    /// Whether inputs are checked against the start node's variables. Those of triggers are not.
    pub check_inputs: bool,
}

/// How a run ended, or that it waits.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// The run.
    pub run: WorkflowRunId,
    /// `succeeded`, `partial-succeeded`, `failed`, `stopped` or `paused`.
    pub status: String,
    /// What it answers.
    pub outputs: Map<String, Value>,
    /// Why it failed.
    pub error: Option<String>,
    /// Seconds.
    pub elapsed_time: f64,
    /// Tokens of its models.
    pub total_tokens: i64,
}

/// One node of a draft to run alone.
#[derive(Debug, Clone)]
pub struct StepRequest {
    /// The app.
    pub app: App,
    /// Its draft.
    pub draft: Workflow,
    /// The node.
    pub node: String,
    /// Its inputs.
    pub inputs: Map<String, Value>,
    /// Files as the request brings them.
    pub files: Vec<Map<String, Value>>,
    /// Who builds the app.
    pub by: AccountId,
}

/// Runs workflows.
#[async_trait]
pub trait WorkflowRunner: Send + Sync {
    /// Runs to the end or to a pause. The rows are written when this returns.
    ///
    /// # Errors
    /// Why it did not start; a run that started ends in [`RunEnd`], whatever happens to it.
    async fn run(&self, ctx: &Ctx, request: RunRequest) -> Result<RunEnd, WorkflowError>;

    /// Starts a run and answers its task: the run hub has its events under that name.
    ///
    /// # Errors
    /// Why it did not start.
    async fn start(&self, ctx: &Ctx, request: RunRequest) -> Result<Uuid, WorkflowError>;

    /// Goes on with a run that waits, to the end or to the next pause. A run that does not wait (any more) is left
    /// alone: `None`.
    ///
    /// # Errors
    /// Faults: the run still waits then.
    async fn resume(
        &self,
        ctx: &Ctx,
        tenant: TenantId,
        run: WorkflowRunId,
    ) -> Result<Option<RunEnd>, Fault>;

    /// Runs a node alone; answers its execution, whose row is written.
    ///
    /// # Errors
    /// Why it did not run; a node that failed has an execution that says so.
    async fn step(&self, ctx: &Ctx, request: StepRequest) -> Result<NodeExecutionId, WorkflowError>;
}
