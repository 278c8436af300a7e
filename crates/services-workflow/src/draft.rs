//! The draft of an app: reading it, saving it.

use boxed::boxed;
use db::{app::App, workflow::Workflow};
use serde_json::{Map, Value};
use services_core::Ctx;
use types::AccountId;

use crate::{
    WorkflowError, app, feature, graph_check, trigger,
    variable::{self, Scope, Variable},
    view::{self, Version},
};

/// What a save of a draft brings.
#[derive(Debug, Clone)]
pub struct Save {
    /// `{nodes, edges, viewport}`.
    pub graph: Value,
    /// See [`feature`].
    pub features: Map<String, Value>,
    /// The hash of the draft the client started from.
    pub hash: Option<String>,
    /// Environment variables as the request brings them.
    pub environment_variables: Vec<Map<String, Value>>,
    /// Conversation variables as the request brings them.
    pub conversation_variables: Vec<Map<String, Value>>,
    /// Who saves.
    pub by: AccountId,
}

/// What a client has to know of a saved draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// To be sent with the next save.
    pub hash: String,
    /// Unix seconds.
    pub updated_at: i64,
}

/// The row of an app's draft.
///
/// # Errors
/// [`WorkflowError::NoDraft`].
#[boxed]
pub async fn row(ctx: &Ctx, app: &App) -> Result<Workflow, WorkflowError> {
    find_row(ctx, app).await?.ok_or(WorkflowError::NoDraft)
}

/// The row of an app's draft, if it has one.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn find_row(ctx: &Ctx, app: &App) -> Result<Option<Workflow>, WorkflowError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::workflow::find_draft(&mut conn, app.tenant_id, app.id).await?)
}

/// The draft of an app.
///
/// # Errors
/// [`WorkflowError::NoDraft`].
#[boxed]
pub async fn find(ctx: &Ctx, app: &App) -> Result<Version, WorkflowError> {
    view::version(ctx, row(ctx, app).await?).await
}

/// Saves the draft of an app, and with it the addresses of its webhooks and what its plugin triggers listen to.
///
/// # Errors
/// [`WorkflowError::NotSync`] if the draft changed since the client read it; [`WorkflowError::Invalid`].
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn save(ctx: &Ctx, app: &App, mut cmd: Save) -> Result<Saved, WorkflowError> {
    let limit = ctx.config.feature.max_variable_size;
    let environment = variable::read_all(Scope::Environment, &cmd.environment_variables, limit)?;
    let conversation = variable::read_all(Scope::Conversation, &cmd.conversation_variables, limit)?;
    let before = find_row(ctx, app).await?;
    check_hash(before.as_ref(), cmd.hash.as_deref())?;
    feature::complete(&app.mode, &mut cmd.features)?;
    graph_check::check(&cmd.graph)?;
    if app.mode == app::WORKFLOW {
        trigger::check_draft(&cmd.graph)?;
    }
    let stored = before.as_ref().map_or("{}", |row| row.environment_variables.as_str());
    let texts = Texts {
        environment: variable::environment_to_row(ctx, app.tenant_id, environment, stored).await?,
        conversation: variable::to_row(&conversation)?,
        graph: types::pyjson::dumps(&cmd.graph)?,
        features: types::pyjson::dumps(&cmd.features)?,
    };
    let now = ctx.now_naive();
    write(ctx, app, &cmd, &texts, now).await?;
    let features = feature::current(Value::Object(cmd.features));
    Ok(Saved { hash: view::hash(&cmd.graph, &features), updated_at: now.and_utc().timestamp() })
}

/// The texts of a row.
struct Texts {
    graph: String,
    features: String,
    environment: String,
    conversation: String,
}

fn check_hash(before: Option<&Workflow>, hash: Option<&str>) -> Result<(), WorkflowError> {
    match before {
        Some(row) if hash != Some(view::row_hash(row).as_str()) => Err(WorkflowError::NotSync),
        _ => Ok(()),
    }
}

async fn write(
    ctx: &Ctx,
    app: &App,
    cmd: &Save,
    texts: &Texts,
    now: chrono::NaiveDateTime,
) -> Result<(), WorkflowError> {
    let mut tx = ctx.db.begin().await?;
    // Of two saves from the same state one wins: the check is made again behind a lock.
    db::workflow::version::lock(&mut tx, app.tenant_id, app.id).await?;
    let before = db::workflow::find_draft(&mut tx, app.tenant_id, app.id).await?;
    check_hash(before.as_ref(), cmd.hash.as_deref())?;
    if before.is_some() {
        let changes = db::workflow::DraftChanges {
            graph: &texts.graph,
            features: &texts.features,
            environment_variables: &texts.environment,
            conversation_variables: &texts.conversation,
            by: cmd.by,
            now,
        };
        db::workflow::update_draft(&mut tx, app.tenant_id, app.id, &changes).await?;
    } else {
        let new = db::workflow::NewDraft {
            tenant: app.tenant_id,
            app: app.id,
            kind: kind(app),
            graph: &texts.graph,
            features: &texts.features,
            environment_variables: &texts.environment,
            conversation_variables: &texts.conversation,
            by: cmd.by,
            now,
        };
        db::workflow::insert_draft(&mut tx, &new).await?;
    }
    let gone = if app.mode == app::WORKFLOW {
        trigger::sync_draft(&mut tx, app, &cmd.graph, now).await?
    } else {
        Vec::new()
    };
    tx.commit().await?;
    trigger::forget_webhooks(ctx, app.id, &gone).await;
    Ok(())
}

/// The type of an app's workflows.
fn kind(app: &App) -> &'static str {
    if app.mode == app::CHATFLOW { "chat" } else { "workflow" }
}

/// The environment variables of the draft with their secrets open: only those who may edit the app see them.
///
/// # Errors
/// [`WorkflowError::NoDraft`], faults of the workspace's key.
#[boxed]
pub async fn environment(ctx: &Ctx, app: &App) -> Result<Vec<Variable>, WorkflowError> {
    let row = row(ctx, app).await?;
    variable::open_environment(ctx, app.tenant_id, &row.environment_variables).await
}
