//! Running workflows: from a request to a run whose log clients read and whose rows stand in the database.
//!
//! A run is a task of this process. It is stored as running before anything else happens, and stored as ended before
//! anybody is told that it ended. What died with its process is ended by [`reap`].

pub mod chat;
pub mod files;
pub mod forms;
mod icons;
pub mod inputs;
mod lanes;
pub mod outcome;
pub mod part;
pub mod pause;
pub mod ports;
pub mod reap;
pub mod retention;
pub mod select;
mod step;
pub mod stop;
mod store;
mod task;
pub mod watch;
pub mod webhook;

use boxed::boxed;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use app_engine::{Run, RunHub, RunKey};
pub use db::workflow::Workflow as Version;
use db::{app::App, run_record::Owner};
use graph::{
    Executor, FileUrls, Graph, GraphError, InvokeFrom, NodeFactory, RunInfo, SystemVariables,
    UserFrom, VariablePool,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use services_conversation::{Engine, engine::WeakEngine};
use services_core::{Ctx, Failure, Fault};
use types::WorkflowRunId;
use uuid::Uuid;

use crate::WorkflowError;

/// Of one app at most this many nodes call out at once, so that the others get their share of sockets and memory.
const NODES_OF_APP: usize = 1024;

/// Makes the nodes of a run. The server wires the real one in.
pub trait Nodes: Send + Sync {
    /// Nodes for a run.
    fn factory(&self, run: &Arc<RunInfo>) -> Arc<dyn NodeFactory>;
}

/// Runs workflows. One for the process; cheap to clone.
#[derive(Clone)]
pub struct Runs {
    /// The context.
    pub ctx: Ctx,
    /// The runs of this process.
    pub hub: RunHub,
    executor: Arc<Executor>,
    lanes: lanes::Lanes,
    nodes: Arc<dyn Nodes>,
    urls: Arc<dyn FileUrls>,
    engine: Arc<OnceLock<WeakEngine>>,
    /// Runs of this process whose end somebody wants to be told.
    hooked: Arc<Mutex<HashSet<WorkflowRunId>>>,
}

/// Links to files of runs, signed when they are shown.
pub struct SignedUrls(pub Ctx);

impl FileUrls for SignedUrls {
    fn url(&self, file: &graph::File) -> Option<String> {
        let id = file.related_id.as_deref();
        match file.transfer_method {
            graph::TransferMethod::RemoteUrl => file.remote_url.clone(),
            graph::TransferMethod::LocalFile => {
                Some(services_platform::links::upload(&self.0, id?.parse().ok()?))
            }
            graph::TransferMethod::ToolFile | graph::TransferMethod::DatasourceFile => {
                let extension = file.extension.as_deref().unwrap_or(".bin");
                Some(services_platform::links::tool_file(&self.0, id?.parse().ok()?, extension))
            }
        }
    }
}

/// Who runs a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runner {
    /// A console user.
    Account {
        /// The account.
        id: Uuid,
        /// Shown with the run.
        name: String,
        /// Shown with the run.
        email: String,
    },
    /// A user of the published app.
    EndUser {
        /// The end user.
        id: Uuid,
        /// Shown with the run.
        session_id: String,
    },
}

impl Runner {
    /// The account or end user.
    #[must_use]
    pub fn id(&self) -> Uuid {
        match self {
            Self::Account { id, .. } | Self::EndUser { id, .. } => *id,
        }
    }

    /// What `sys.user_id` says.
    #[must_use]
    pub fn system_id(&self) -> String {
        match self {
            Self::Account { id, .. } => id.to_string(),
            Self::EndUser { session_id, .. } => session_id.clone(),
        }
    }

    /// `account` or `end_user`, as rows say it.
    #[must_use]
    pub fn role(&self) -> &'static str {
        match self {
            Self::Account { .. } => "account",
            Self::EndUser { .. } => "end_user",
        }
    }

    fn from(&self) -> UserFrom {
        match self {
            Self::Account { .. } => UserFrom::Account,
            Self::EndUser { .. } => UserFrom::EndUser,
        }
    }

    /// As clients see it.
    #[must_use]
    pub fn shown(&self) -> Value {
        match self {
            Self::Account { id, name, email } => json!({"id": id, "name": name, "email": email}),
            Self::EndUser { id, session_id } => json!({"id": id, "user": session_id}),
        }
    }
}

/// A run that is asked for.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The app.
    pub app: App,
    /// The version to run.
    pub workflow: Version,
    /// Who runs it.
    pub runner: Runner,
    /// Where the call came in.
    pub invoke_from: InvokeFrom,
    /// `debugging`, `app-run`, `webhook` …
    pub triggered_from: &'static str,
    /// Values of the form.
    pub inputs: Map<String, Value>,
    /// Files beside the form.
    pub files: Vec<Value>,
    /// Node to start with, where it is not the start node.
    pub root: Option<String>,
    /// Name the run already has (triggers).
    pub run_id: Option<WorkflowRunId>,
    /// How many workflows called each other to get here.
    pub call_depth: u32,
}

/// A run that goes on.
pub struct Started {
    /// The run: its log, and how to stop it.
    pub run: Arc<Run>,
    /// The row.
    pub run_id: WorkflowRunId,
    /// The version.
    pub workflow_id: types::WorkflowId,
    /// When it started, Unix seconds.
    pub created_at: i64,
}

/// Why a run does not start.
#[derive(Debug, thiserror::Error)]
pub enum RunFailure {
    /// A value, a graph or a node that cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// No version to run.
    #[error("{0}")]
    Refused(String),
    /// No such version.
    #[error("{0}")]
    NotFound(String),
    /// Too many at once.
    #[error("{0}")]
    TooMany(String),
    /// Below.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for RunFailure {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<GraphError> for RunFailure {
    fn from(err: GraphError) -> Self {
        Self::Invalid(err.to_string())
    }
}

impl Failure for RunFailure {
    fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) | Self::Refused(_) => 400,
            Self::NotFound(_) => 404,
            Self::TooMany(_) => 429,
            Self::Workflow(err) => err.status(),
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_param",
            Self::Refused(_) => "bad_request",
            Self::NotFound(_) => "not_found",
            Self::TooMany(_) => "too_many_requests",
            Self::Workflow(err) => err.code(),
            Self::Fault(fault) => fault.code(),
        }
    }

    fn data(&self) -> Option<Value> {
        match self {
            Self::Workflow(err) => err.data(),
            _ => None,
        }
    }
}

impl Runs {
    /// Runs that call out through `nodes`.
    #[must_use]
    pub fn new(ctx: Ctx, hub: RunHub, nodes: Arc<dyn Nodes>, urls: Arc<dyn FileUrls>) -> Self {
        let executor = Arc::new(Executor::new(NODES_OF_APP));
        let lanes = lanes::Lanes::start(&ctx);
        Self {
            ctx,
            hub,
            executor,
            lanes,
            nodes,
            urls,
            engine: Arc::default(),
            hooked: Arc::default(),
        }
    }

    /// Lets `engine` answer for chatflows with these runs, and these runs go on with its messages. Said once, when the
    /// server is wired.
    pub fn serve(&self, engine: &Engine) {
        engine.set_chatflows(Arc::new(chat::Chatflows(self.clone())));
        // The first one stays; `set_chatflows` complains of a second.
        let _ = self.engine.set(engine.downgrade());
    }

    fn hooked(&self) -> MutexGuard<'_, HashSet<WorkflowRunId>> {
        self.hooked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn engine(&self) -> Option<Engine> {
        self.engine.get().and_then(WeakEngine::upgrade)
    }

    /// Starts a run of a workflow app. Returns when it is stored as running.
    ///
    /// # Errors
    /// [`RunFailure`]: nothing was stored then.
    #[boxed]
    pub async fn start(&self, request: RunRequest) -> Result<Started, RunFailure> {
        let run_id = request.run_id.unwrap_or_else(WorkflowRunId::random);
        let info = Arc::new(self.info(&request, run_id));
        let json: Value = serde_json::from_str(&request.workflow.graph)
            .map_err(|err| Fault::caused("a stored graph is no JSON", err))?;
        let variables = inputs::declared(&json);
        let files = files::Resolver::new(
            &self.ctx,
            request.app.tenant_id,
            &request.workflow.features,
            request.invoke_from == InvokeFrom::ServiceApi,
        );
        let inputs = match request.root {
            // What a trigger brings is no form of a start node.
            Some(_) => inputs::unchecked(&request.inputs),
            None => inputs::check(&variables, &request.inputs, &files).await?,
        };
        let system = SystemVariables {
            files: files.system(&request.files).await?,
            user_id: Some(request.runner.system_id()),
            app_id: Some(request.app.id.to_string()),
            workflow_id: Some(request.workflow.id.to_string()),
            workflow_run_id: Some(run_id.to_string()),
            ..SystemVariables::default()
        };
        let stored =
            SystemVariables { timestamp: Some(self.ctx.now().timestamp()), ..system.clone() };
        let mut pool = VariablePool::new(stored.clone(), inputs.clone(), self.urls.clone());
        select::put_environment(&self.ctx, &mut pool, &request.workflow).await?;
        let graph = Graph::parse(&json, request.root.as_deref(), &*self.nodes.factory(&info))?;
        graph.prepare(&info).await?;
        let shown = task::shown_inputs(&inputs, &system, &*self.urls);
        let kept = task::shown_inputs(&inputs, &stored, &*self.urls);
        let new = task::New {
            info,
            graph: Arc::new(graph),
            start: task::Start::New(pool),
            lookup: icons::of(&self.ctx, request.app.tenant_id, &json).await,
            shown,
            kept,
            run_id,
            task: Uuid::new_v4(),
            created_at: self.ctx.now(),
            owner: self.owner(&request),
            request,
            nodes_from: task::WORKFLOW_RUN,
        };
        task::start(self, new).await
    }

    fn info(&self, request: &RunRequest, run_id: WorkflowRunId) -> RunInfo {
        RunInfo {
            tenant_id: request.app.tenant_id,
            app_id: request.app.id,
            user_id: request.runner.id().to_string(),
            user_from: request.runner.from(),
            invoke_from: request.invoke_from,
            workflow_id: request.workflow.id.to_string(),
            workflow_run_id: run_id.to_string(),
            call_depth: request.call_depth,
        }
    }

    fn owner(&self, request: &RunRequest) -> Owner {
        Owner {
            tenant: request.app.tenant_id,
            app: request.app.id,
            workflow: request.workflow.id,
            role: request.runner.role(),
            user: request.runner.id(),
        }
    }

    /// The run of this process behind a task or run id.
    #[must_use]
    pub fn find(&self, key: RunKey) -> Option<Arc<Run>> {
        self.hub.find(key)
    }
}

/// Whether clients of such runs see less.
#[must_use]
pub fn is_simple(invoke_from: InvokeFrom) -> bool {
    !matches!(invoke_from, InvokeFrom::Debugger | InvokeFrom::ServiceApi)
}
