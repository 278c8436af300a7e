//! Which version runs, and what its variables are.

use boxed::boxed;
use db::{app::App, workflow::Workflow};
use graph::{Segment, Value, VariablePool, pool::ENVIRONMENT};
use services_core::{Ctx, tenant_secret};
use types::WorkflowId;
use uuid::Uuid;

use super::RunFailure;
use crate::variable::{Scope, of_row};

/// The version a published app runs: the one asked for, else the one in use.
///
/// # Errors
/// [`RunFailure::Refused`], [`RunFailure::NotFound`], [`RunFailure::Invalid`] in the reference's words.
#[boxed]
pub async fn published(ctx: &Ctx, app: &App, asked: Option<&str>) -> Result<Workflow, RunFailure> {
    let mut conn = ctx.db.acquire().await?;
    if let Some(asked) = asked {
        let id = Uuid::parse_str(asked)
            .map_err(|_| RunFailure::Refused(format!("Invalid workflow_id format: '{asked}'. ")))?;
        let found = db::workflow::find(&mut conn, app.tenant_id, app.id, WorkflowId(id)).await?;
        let found = found
            .ok_or_else(|| RunFailure::NotFound(format!("Workflow not found with id: {asked}")))?;
        if found.version == db::workflow::DRAFT {
            return Err(RunFailure::Refused(format!(
                "Cannot use draft workflow version. Workflow ID: {asked}. Please use a published workflow version or leave \
                 workflow_id empty."
            )));
        }
        return Ok(found);
    }
    let id =
        app.workflow_id.ok_or_else(|| RunFailure::Invalid("Workflow not published".to_owned()))?;
    db::workflow::find(&mut conn, app.tenant_id, app.id, id)
        .await?
        .ok_or_else(|| RunFailure::Invalid("Workflow not published".to_owned()))
}

/// The version a run began with.
///
/// # Errors
/// [`RunFailure::NotFound`] if it is gone.
#[boxed]
pub async fn version(ctx: &Ctx, app: &App, id: WorkflowId) -> Result<Workflow, RunFailure> {
    let mut conn = ctx.db.acquire().await?;
    db::workflow::find(&mut conn, app.tenant_id, app.id, id)
        .await?
        .ok_or_else(|| RunFailure::NotFound(format!("Workflow not found with id: {id}")))
}

/// The draft, for runs of the editor.
///
/// # Errors
/// [`RunFailure::Invalid`] if there is none.
#[boxed]
pub async fn draft(ctx: &Ctx, app: &App) -> Result<Workflow, RunFailure> {
    let mut conn = ctx.db.acquire().await?;
    db::workflow::find_draft(&mut conn, app.tenant_id, app.id)
        .await?
        .ok_or_else(|| RunFailure::Invalid("Workflow not initialized".to_owned()))
}

/// Puts a version's environment variables into a pool, secrets in the clear.
///
/// # Errors
/// Faults of the ground.
#[boxed]
pub async fn put_environment(
    ctx: &Ctx,
    pool: &mut VariablePool,
    workflow: &Workflow,
) -> Result<(), RunFailure> {
    let mut variables = of_row(Scope::Environment, &workflow.environment_variables);
    let is_secret = |kind| kind == graph::SegmentType::Secret;
    let tokens = variables
        .iter()
        .filter(|variable| is_secret(variable.kind))
        .map(|variable| variable.value.as_str().unwrap_or_default().to_owned())
        .collect();
    let mut secrets =
        tenant_secret::decrypt_all(ctx, workflow.tenant_id, tokens).await?.into_iter();
    for variable in &mut variables {
        if is_secret(variable.kind)
            && let Some(Some(secret)) = secrets.next()
        {
            variable.value = serde_json::Value::String(secret);
        }
        let value = Value::from_json(variable.value.clone());
        pool.set(ENVIRONMENT, &variable.name, Segment::new(variable.kind, value));
    }
    Ok(())
}

/// An app of a workspace in one of `modes`.
///
/// # Errors
/// [`crate::WorkflowError::NoApp`].
#[boxed]
pub async fn app(
    ctx: &Ctx,
    tenant: types::TenantId,
    id: types::AppId,
    modes: &[&str],
) -> Result<App, RunFailure> {
    let mut conn = ctx.db.acquire().await?;
    let found = db::app::find(&mut conn, tenant, id).await?;
    let missing = || crate::WorkflowError::NoApp("App not found".to_owned());
    let app = found.ok_or_else(missing)?;
    if modes.contains(&app.mode.as_str()) {
        return Ok(app);
    }
    // The reference prints a Python set.
    let modes: Vec<String> = modes.iter().map(|mode| format!("'{mode}'")).collect();
    let message = format!("App mode is not in the supported list: {{{}}}", modes.join(", "));
    Err(crate::WorkflowError::NoApp(message).into())
}
