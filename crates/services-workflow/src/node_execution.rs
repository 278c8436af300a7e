//! Executions of nodes as the console shows them.

use boxed::boxed;
use std::collections::{HashMap, HashSet};

use db::{
    app::App,
    creator::{SimpleAccount, SimpleEndUser},
    workflow_node_execution::{self, NodeExecution, Offload},
};
use serde_json::{Map, Value, json};
use services_core::Ctx;
use types::{NodeExecutionId, TenantId, WorkflowRunId};
use uuid::Uuid;

use crate::{WorkflowError, draft, view::Creators};

/// An execution with everything people see of it.
#[derive(Debug, Clone)]
pub struct Execution {
    /// The row.
    pub row: NodeExecution,
    /// The account that ran it.
    pub created_by_account: Option<SimpleAccount>,
    /// The end user that ran it.
    pub created_by_end_user: Option<SimpleEndUser>,
    /// `{icon}` of what it called.
    pub extras: Map<String, Value>,
    /// The columns of which the row has only a part.
    pub cut: HashSet<String>,
}

impl Execution {
    /// Whether the row has only a part of a column (`inputs`, `process_data`, `outputs`).
    #[must_use]
    pub fn is_cut(&self, column: &str) -> bool {
        self.cut.contains(column)
    }
}

/// The executions of a run in the order they started; none for a run of another app.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn of_run(
    ctx: &Ctx,
    app: &App,
    run: WorkflowRunId,
) -> Result<Vec<Execution>, WorkflowError> {
    let rows = {
        let mut conn = ctx.db.acquire().await?;
        workflow_node_execution::list(&mut conn, app.tenant_id, app.id, run).await?
    };
    shown(ctx, app.tenant_id, rows).await
}

/// The newest execution of a node of the draft.
///
/// # Errors
/// [`WorkflowError::NotFound`].
#[boxed]
pub async fn last_of_node(ctx: &Ctx, app: &App, node: &str) -> Result<Execution, WorkflowError> {
    let row = draft::find_row(ctx, app).await?;
    let draft = row.ok_or_else(|| WorkflowError::not_found("Workflow not found"))?;
    let last = {
        let mut conn = ctx.db.acquire().await?;
        workflow_node_execution::find_last(&mut conn, app.tenant_id, app.id, draft.id, node).await?
    };
    let last = last.ok_or_else(|| WorkflowError::not_found("last run not found"))?;
    one(ctx, app.tenant_id, last).await
}

/// An execution by its row.
///
/// # Errors
/// [`WorkflowError::NotFound`].
#[boxed]
pub async fn find(ctx: &Ctx, app: &App, id: NodeExecutionId) -> Result<Execution, WorkflowError> {
    let row = {
        let mut conn = ctx.db.acquire().await?;
        workflow_node_execution::find(&mut conn, app.tenant_id, app.id, id).await?
    };
    let row = row.ok_or_else(|| WorkflowError::not_found("node execution not found"))?;
    one(ctx, app.tenant_id, row).await
}

async fn one(ctx: &Ctx, tenant: TenantId, row: NodeExecution) -> Result<Execution, WorkflowError> {
    let mut all = shown(ctx, tenant, vec![row]).await?;
    all.pop().ok_or_else(|| WorkflowError::not_found("node execution not found"))
}

async fn shown(
    ctx: &Ctx,
    tenant: TenantId,
    rows: Vec<NodeExecution>,
) -> Result<Vec<Execution>, WorkflowError> {
    let made = rows.iter().map(|row| (row.created_by_role.as_str(), row.created_by));
    let creators = Creators::find(ctx, tenant, made).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
    let mut cut: HashMap<NodeExecutionId, HashSet<String>> = HashMap::new();
    if !ids.is_empty() {
        let mut conn = ctx.db.acquire().await?;
        for Offload { execution, r#type, .. } in
            workflow_node_execution::offloads(&mut conn, tenant, &ids).await?
        {
            cut.entry(execution).or_default().insert(r#type);
        }
    }
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(Execution {
            created_by_account: creators.account(&row.created_by_role, row.created_by),
            created_by_end_user: creators.end_user(&row.created_by_role, row.created_by),
            extras: extras(ctx, tenant, &row).await?,
            cut: cut.remove(&row.id).unwrap_or_default(),
            row,
        });
    }
    Ok(all)
}

/// What the editor shows beside an execution: the icon of the tool, datasource or plugin it called.
async fn extras(
    ctx: &Ctx,
    tenant: TenantId,
    row: &NodeExecution,
) -> Result<Map<String, Value>, WorkflowError> {
    let mut extras = Map::new();
    let metadata = row.execution_metadata.as_deref().unwrap_or_default();
    let metadata: Map<String, Value> = serde_json::from_str(metadata).unwrap_or_default();
    let icon = match row.node_type.as_str() {
        "tool" => match metadata.get("tool_info") {
            Some(info) => Some(tool_icon(ctx, tenant, info).await?),
            None => None,
        },
        "datasource" => metadata.get("datasource_info").map(|it| it["icon"].clone()),
        _ => None,
    };
    if let Some(icon) = icon {
        extras.insert("icon".to_owned(), icon);
    }
    Ok(extras)
}

pub(crate) async fn tool_icon(
    ctx: &Ctx,
    tenant: TenantId,
    info: &Value,
) -> Result<Value, WorkflowError> {
    let text = |key: &str| info.get(key).and_then(Value::as_str).unwrap_or_default();
    let id = text("provider_id");
    Ok(match text("provider_type") {
        "builtin" => {
            let base = &ctx.config.feature.console_api_url;
            json!(format!("{base}/console/api/workspaces/current/tool-provider/builtin/{id}/icon"))
        }
        "workflow" => {
            let tool = match id.parse() {
                Ok(id) => {
                    let mut conn = ctx.db.acquire().await?;
                    db::tool_workflow_provider::find(&mut conn, tenant, id).await?
                }
                Err(_) => None,
            };
            tool.and_then(|tool| serde_json::from_str(&tool.icon).ok()).unwrap_or_else(no_icon)
        }
        _ => no_icon(),
    })
}

/// What stands for a tool that has no icon (any more).
fn no_icon() -> Value {
    json!({"background": "#252525", "content": "\u{1F601}"})
}

/// All a node answered, also what was too large for its row. `None` for an execution that is gone.
///
/// # Errors
/// Faults of database and storage.
#[boxed]
pub async fn full_outputs(
    ctx: &Ctx,
    app: &App,
    id: NodeExecutionId,
) -> Result<Option<Map<String, Value>>, WorkflowError> {
    let (row, offloads) = {
        let mut conn = ctx.db.acquire().await?;
        let row = workflow_node_execution::find(&mut conn, app.tenant_id, app.id, id).await?;
        let offloads = workflow_node_execution::offloads(&mut conn, app.tenant_id, &[id.0]).await?;
        (row, offloads)
    };
    let Some(row) = row else { return Ok(None) };
    let key = offloads.into_iter().find(|it| it.r#type == "outputs").and_then(|it| it.key);
    let outputs = match key {
        Some(key) => serde_json::from_slice(&ctx.storage.load(&key).await?)?,
        None => serde_json::from_str(row.outputs.as_deref().unwrap_or("{}")).unwrap_or_default(),
    };
    Ok(Some(outputs))
}
