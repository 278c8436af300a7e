//! Runs that wait for somebody, and how they go on: in any process that can read the storage.

use boxed::boxed;
use std::sync::Arc;

use app_engine::basic::{Caller, InvokeFrom as From, Mode};
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use db::{
    chatflow::{self, NewContent},
    message::Begun,
    run_record,
    running::{self, Kind},
    workflow_pause::{self, NewPause, Reason},
};
use graph::{Graph, InvokeFrom, PauseReason};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_conversation::Engine;
use services_core::{Ctx, Fault, leases::Held};
use tokio::sync::oneshot;
use types::{AppId, MessageId, TenantId, WorkflowId, WorkflowRunId};
use uuid::Uuid;

use super::{
    RunFailure, RunRequest, Runner, Runs,
    chat::{SavedTurn, Turn, Waiting},
    icons, select, task, watch,
};

/// How long whoever fills a form in has to let its run go on, before others do.
const HEAD_START: chrono::TimeDelta = chrono::TimeDelta::seconds(30);

/// The form states are written in.
const VERSION: u32 = 1;

/// What a run is, apart from what it does: everything a process needs to take it over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) tenant: TenantId,
    pub(super) app: AppId,
    pub(super) workflow: WorkflowId,
    pub(super) run: WorkflowRunId,
    pub(super) task: Uuid,
    pub(super) runner: Runner,
    pub(super) invoke_from: InvokeFrom,
    pub(super) root: Option<String>,
    /// Whether it is a run of a part of the draft: of the container that is its root.
    #[serde(default)]
    pub(super) is_part: bool,
    pub(super) call_depth: u32,
    /// What clients are shown as inputs.
    pub(super) shown: Value,
    pub(super) created_at: DateTime<Utc>,
}

/// A run's state as the storage keeps it.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// Tells our states from those of a Python server.
    dify_rs: u32,
    origin: Origin,
    /// The message it answers, in chatflows.
    turn: Option<SavedTurn>,
    /// `data` of `workflow_paused`.
    #[serde(default)]
    shown: Value,
    /// The engine's.
    state: String,
}

/// How a run waits.
pub(super) struct Paused<'a> {
    /// For what.
    pub(super) reasons: &'a [PauseReason],
    /// The engine's state.
    pub(super) state: &'a str,
    /// `data` of `workflow_paused`.
    pub(super) shown: Option<&'a Value>,
}

/// What clients that come back to a waiting run are told.
pub(super) struct Seen {
    pub(super) task: Uuid,
    /// `data` of `workflow_paused`.
    pub(super) shown: Value,
}

/// What a waiting run's state tells clients; nothing if it is not ours to read.
pub(super) async fn seen(ctx: &Ctx, key: &str) -> Option<Seen> {
    let read = async {
        let bytes = ctx.storage.load(key).await?;
        serde_json::from_slice::<Stored>(&bytes)
            .map_err(|err| Fault::caused("a waiting run's state is not ours to read", err))
    };
    match read.await {
        Ok(stored) => Some(Seen { task: stored.origin.task, shown: stored.shown }),
        Err(err) => {
            tracing::warn!(error = &err as &dyn std::error::Error, "a waiting run cannot be shown");
            None
        }
    }
}

/// A pause about to be stored.
pub(super) struct Pause {
    key: String,
    reasons: Vec<Reason>,
    forms: Vec<Uuid>,
    message: Option<MessageId>,
}

impl Pause {
    /// Writes a run's state into the storage. The rows are written with the end of this part of the run.
    pub(super) async fn save(
        ctx: &Ctx,
        origin: &Origin,
        turn: Option<SavedTurn>,
        paused: &Paused<'_>,
    ) -> Result<Self, Fault> {
        let message = turn.as_ref().map(|turn| turn.message);
        let stored = Stored {
            dify_rs: VERSION,
            origin: origin.clone(),
            turn,
            shown: paused.shown.cloned().unwrap_or_default(),
            state: paused.state.to_owned(),
        };
        let bytes = serde_json::to_vec(&stored)
            .map_err(|err| Fault::caused("a run's state does not serialise", err))?;
        let key = format!("workflow-state-{}.json", Uuid::new_v4());
        ctx.storage.save(&key, Bytes::from(bytes)).await?;
        let mut forms = Vec::new();
        let reasons = paused.reasons.iter().map(|reason| match reason {
            PauseReason::HumanInputRequired(form) => {
                forms.extend(form.form_id.parse::<Uuid>().ok());
                Reason {
                    r#type: "human_input_required".to_owned(),
                    form_id: form.form_id.clone(),
                    node_id: form.node_id.clone(),
                    message: String::new(),
                }
            }
            PauseReason::Scheduled { message } => Reason {
                r#type: "scheduled_pause".to_owned(),
                form_id: String::new(),
                node_id: String::new(),
                message: message.clone(),
            },
        });
        let reasons = reasons.collect();
        Ok(Self { key, reasons, forms, message })
    }

    /// Writes the rows; answers the state object that is useless from then on.
    pub(super) async fn insert(
        &self,
        tx: &mut db::PgConnection,
        origin: &Origin,
        now: NaiveDateTime,
    ) -> Result<Option<String>, db::DbError> {
        let new = NewPause {
            workflow: origin.workflow,
            run: origin.run,
            state_object_key: &self.key,
            now,
        };
        let old = workflow_pause::replace(tx, origin.tenant, new, &self.reasons).await?;
        if let Some(message) = self.message {
            for form in &self.forms {
                let content = NewContent { run: origin.run, message, form: *form, now };
                chatflow::add_content(tx, content).await?;
            }
        }
        Ok(old)
    }
}

/// Removes a state that nobody will ask for any more.
pub(super) async fn forget(ctx: &Ctx, key: &str) {
    if let Err(err) = ctx.storage.delete(key).await {
        tracing::warn!(error = %err, "the state of a run is left in the storage");
    }
}

/// Lets a run go on that waits. Does nothing for one that does not: it ended, or goes on already.
///
/// # Errors
/// [`RunFailure`]; the run waits on, unless its state is of no use.
#[tracing::instrument(skip_all, fields(run.id = %run))]
#[boxed]
pub async fn resume(runs: &Runs, run: WorkflowRunId) -> Result<bool, RunFailure> {
    let ctx = &runs.ctx;
    let waiting = {
        let mut conn = ctx.db.acquire().await?;
        chatflow::waiting_by_id(&mut conn, run).await?
    };
    let Some(waiting) = waiting else { return Ok(false) };
    let bytes = ctx.storage.load(&waiting.state_object_key).await.map_err(Fault::from)?;
    let stored: Stored = serde_json::from_slice(&bytes)
        .map_err(|err| Fault::caused("a waiting run's state is not ours to read", err))?;
    let Stored { origin, turn, state, .. } = stored;
    let app = {
        let mut conn = ctx.db.acquire().await?;
        db::app::find(&mut conn, origin.tenant, origin.app).await?
    };
    let app = app.ok_or_else(|| RunFailure::NotFound("App not found".to_owned()))?;
    let mut workflow = select::version(ctx, &app, origin.workflow).await?;
    // The draft may have changed meanwhile; the run keeps to what it began with.
    workflow.graph = waiting.graph;
    let request = RunRequest {
        app,
        workflow,
        runner: origin.runner,
        invoke_from: origin.invoke_from,
        triggered_from: "app-run",
        inputs: Map::new(),
        files: Vec::new(),
        root: origin.root,
        run_id: Some(run),
        call_depth: origin.call_depth,
    };
    let info = Arc::new(runs.info(&request, run));
    let json: Value = serde_json::from_str(&request.workflow.graph)
        .map_err(|err| Fault::caused("a stored graph is no JSON", err))?;
    let factory = runs.nodes.factory(&info);
    let graph = match request.root.as_deref() {
        Some(root) if origin.is_part => Graph::single(&json, root, &*factory)?,
        root => Graph::parse(&json, root, &*factory)?,
    };
    graph.prepare(&info).await?;
    let turn = match turn {
        None => None,
        Some(turn) => {
            let engine = runs.engine().ok_or_else(|| {
                Fault::Other("this server cannot answer for chatflows".to_owned())
            })?;
            Some(restored(runs, &engine, turn, &request).await?)
        }
    };
    let message = turn.as_ref().map(|turn| turn.asked.context.message);
    let held = task::hold(runs, run, message);
    if !claim(ctx, origin.tenant, run, message).await? {
        held.into_iter().for_each(Held::settled);
        return Ok(false);
    }
    let new = task::New {
        owner: runs.owner(&request),
        info,
        graph: Arc::new(graph),
        start: task::Start::Resumed(state),
        lookup: icons::of(ctx, origin.tenant, &json).await,
        kept: Value::Null,
        shown: origin.shown,
        run_id: run,
        task: origin.task,
        created_at: origin.created_at,
        request,
        nodes_from: if origin.is_part { task::SINGLE_STEP } else { task::WORKFLOW_RUN },
    };
    let prefix = turn.as_ref().map(Turn::prefix);
    let started = task::launch(runs, new, turn, held);
    if let Some(prefix) = prefix {
        // Set once: this part of the run is new.
        let _ = started.run.prefix.set(prefix);
    }
    watch::welcome(runs, run).await;
    Ok(true)
}

/// Takes a waiting run, so that nobody else does.
async fn claim(
    ctx: &Ctx,
    tenant: TenantId,
    run: WorkflowRunId,
    message: Option<MessageId>,
) -> Result<bool, Fault> {
    let mut tx = ctx.db.begin().await?;
    let is_ours = workflow_pause::claim(&mut tx, tenant, run, ctx.now_naive()).await?
        && run_record::resume_run(&mut tx, tenant, run).await?;
    if !is_ours {
        return Ok(false);
    }
    running::insert(&mut tx, Kind::WorkflowRun, run.0, ctx.process()).await?;
    if let Some(message) = message {
        running::insert(&mut tx, Kind::Message, message.0, ctx.process()).await?;
    }
    tx.commit().await?;
    Ok(true)
}

async fn restored(
    runs: &Runs,
    engine: &Engine,
    saved: SavedTurn,
    request: &RunRequest,
) -> Result<Turn, RunFailure> {
    let (caller, from) = (request.runner.caller(), of_graph(request.invoke_from));
    let (end_user, account) = match caller {
        Caller::EndUser(id) => (Some(id), None),
        Caller::Account(id) => (None, Some(id)),
    };
    let begun = Begun {
        id: saved.message,
        conversation_id: saved.conversation,
        first: None,
        app_id: request.app.id,
        app_model_config_id: None,
        model_provider: None,
        model_id: None,
        override_model_configs: None,
        mode: Mode::Chatflow.as_str().to_owned(),
        inputs: String::new(),
        query: saved.query.clone(),
        from_source: from.source(),
        from_end_user_id: end_user,
        from_account_id: account,
        invoke_from: from.as_str(),
        parent_message_id: None,
        created_at: saved.created_at,
        copied: saved.copied.clone(),
    };
    let (slot, key) = (None, None);
    // Whoever asked was told that the run waits.
    let (tell, _) = oneshot::channel();
    let waiting = Waiting { slot, tell, key };
    let context = app_engine::ports::RunContext {
        tenant: request.app.tenant_id,
        app: request.app.id,
        conversation: begun.conversation_id,
        message: saved.message,
        user: caller,
        invoke_from: from,
    };
    let variables = super::chat::stored_variables(&runs.ctx, &begun).await?;
    let object: Map<String, Value> =
        serde_json::from_str(&request.workflow.features).unwrap_or_default();
    let asked = saved.asked(context, begun, &object, variables);
    Ok(Turn::new(engine, asked, Arc::clone(&runs.urls), waiting).going_on(saved))
}

fn of_graph(from: InvokeFrom) -> From {
    match from {
        InvokeFrom::WebApp => From::WebApp,
        InvokeFrom::Explore => From::Explore,
        InvokeFrom::Debugger => From::Debugger,
        InvokeFrom::ServiceApi
        | InvokeFrom::Trigger
        | InvokeFrom::Published
        | InvokeFrom::Validation => From::ServiceApi,
    }
}

/// Lets runs go on whose forms were filled in or timed out while nobody took notice: the process died in between, or
/// the queue was away.
///
/// # Errors
/// The database's. A run that cannot go on is tried again with the next sweep.
#[boxed]
pub async fn resume_forgotten(runs: &Runs, limit: i64) -> Result<usize, Fault> {
    // The one who filled the form in is given time to do it himself.
    let before = runs.ctx.now_naive() - HEAD_START;
    let forgotten = {
        let mut conn = runs.ctx.db.acquire().await?;
        chatflow::answered_but_waiting(&mut conn, before, limit).await?
    };
    let mut resumed = 0;
    for run in forgotten {
        match resume(runs, run).await {
            Ok(is_ours) => resumed += usize::from(is_ours),
            Err(err) => {
                tracing::warn!(error = &err as &dyn std::error::Error, run.id = %run, "a waiting run cannot go on");
            }
        }
    }
    Ok(resumed)
}
