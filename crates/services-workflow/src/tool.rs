//! Workflows published as tools.

use boxed::boxed;
use std::collections::HashMap;

use db::{
    app::App,
    tool_workflow_provider::{self, ToolContent, WorkflowTool},
    workflow::Workflow,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use services_core::Ctx;
use types::{AccountId, AppId, TenantId};
use uuid::Uuid;

use crate::{WorkflowError, graph_check, view};

mod entity;

pub use entity::{Parameter, Text, Tool};

/// The kind of provider in labels.
const KIND: &str = "workflow";

/// Labels there are; others are dropped.
const LABELS: &[&str] = &[
    "search",
    "image",
    "videos",
    "weather",
    "finance",
    "design",
    "travel",
    "social",
    "news",
    "medical",
    "productivity",
    "education",
    "business",
    "entertainment",
    "utilities",
    "other",
    "rag",
];

/// How a variable of the workflow becomes a parameter of the tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Configured {
    /// The variable.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who fills it in: `llm`, `form` or `schema`.
    pub form: String,
}

/// What a user says of a tool.
#[derive(Debug, Clone)]
pub struct Content {
    /// Letters, digits, underscores.
    pub name: String,
    /// The name people see.
    pub label: String,
    /// What it does.
    pub description: String,
    /// `{content, background}`.
    pub icon: Map<String, Value>,
    /// Its parameters.
    pub parameters: Vec<Configured>,
    /// A link or text.
    pub privacy_policy: Option<String>,
    /// Its labels; `None` leaves them.
    pub labels: Option<Vec<String>>,
}

/// A tool as its settings show it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The row.
    pub row: WorkflowTool,
    /// `{content, background}`.
    pub icon: Value,
    /// Its parameters as configured.
    pub parameters: Vec<Configured>,
    /// What agents and workflows see.
    pub tool: Tool,
    /// Whether it runs the version the app runs.
    pub is_synced: bool,
}

/// A tool in the list of providers.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The row.
    pub row: WorkflowTool,
    /// `{content, background}`.
    pub icon: Value,
    /// Who made it.
    pub author: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// The one tool it has.
    pub tool: Tool,
}

/// Publishes a workflow as a tool.
///
/// # Errors
/// [`WorkflowError::Invalid`] for a name or app that is taken, an app that was not published, parameters that are none
/// of its variables.
#[boxed]
pub async fn create(
    ctx: &Ctx,
    tenant: TenantId,
    by: AccountId,
    app: AppId,
    content: Content,
) -> Result<(), WorkflowError> {
    let taken = || {
        let name = &content.name;
        WorkflowError::invalid(format!("Tool with name {name} or app_id {app} already exists"))
    };
    let mut tx = ctx.db.begin().await?;
    if tool_workflow_provider::is_taken(&mut tx, tenant, &content.name, Some(app), None).await? {
        return Err(taken());
    }
    let workflow = published(&mut tx, tenant, app).await?;
    check(&workflow, &content)?;
    let texts = Texts::of(&content)?;
    let row = texts.row(&content, &workflow.version, ctx.now_naive());
    let id = match tool_workflow_provider::insert(&mut tx, tenant, app, by, row).await {
        Ok(id) => id,
        Err(err) if err.is_unique_violation() => return Err(taken()),
        Err(err) => return Err(err.into()),
    };
    put_labels(&mut tx, id, content.labels.as_deref()).await?;
    tx.commit().await?;
    Ok(())
}

/// Changes a tool and lets it run the version the app runs.
///
/// # Errors
/// [`WorkflowError::Invalid`] as [`create`], and for a tool that is gone.
#[boxed]
pub async fn update(
    ctx: &Ctx,
    tenant: TenantId,
    id: Uuid,
    content: Content,
) -> Result<(), WorkflowError> {
    let taken =
        || WorkflowError::invalid(format!("Tool with name {} already exists", content.name));
    let mut tx = ctx.db.begin().await?;
    if tool_workflow_provider::is_taken(&mut tx, tenant, &content.name, None, Some(id)).await? {
        return Err(taken());
    }
    let known = tool_workflow_provider::find(&mut tx, tenant, id).await?;
    let known = known.ok_or_else(|| gone(id))?;
    let workflow = published(&mut tx, tenant, known.app_id).await?;
    check(&workflow, &content)?;
    let texts = Texts::of(&content)?;
    let row = texts.row(&content, &workflow.version, ctx.now_naive());
    match tool_workflow_provider::update(&mut tx, tenant, id, row).await {
        Ok(_) => {}
        Err(err) if err.is_unique_violation() => return Err(taken()),
        Err(err) => return Err(err.into()),
    }
    put_labels(&mut tx, id, content.labels.as_deref()).await?;
    tx.commit().await?;
    Ok(())
}

/// Withdraws a tool; one that is gone is withdrawn.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn delete(ctx: &Ctx, tenant: TenantId, id: Uuid) -> Result<(), WorkflowError> {
    let mut tx = ctx.db.begin().await?;
    if tool_workflow_provider::delete(&mut tx, tenant, id).await? {
        put_labels(&mut tx, id, Some(&[])).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Which tool is meant.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    /// The tool itself.
    Tool(Uuid),
    /// That of an app.
    OfApp(AppId),
}

/// The settings of a tool.
///
/// # Errors
/// [`WorkflowError::Invalid`] for a tool, app or version that is gone.
#[boxed]
pub async fn settings(
    ctx: &Ctx,
    tenant: TenantId,
    which: Which,
) -> Result<Settings, WorkflowError> {
    let (row, published) = {
        let mut conn = ctx.db.acquire().await?;
        let row = match which {
            Which::Tool(id) => tool_workflow_provider::find(&mut conn, tenant, id).await?,
            Which::OfApp(app) => {
                tool_workflow_provider::find_of_app(&mut conn, tenant, app).await?
            }
        };
        let row = row.ok_or_else(|| WorkflowError::invalid("Tool not found"))?;
        let app = find_app(&mut conn, tenant, row.app_id).await?;
        let published = match app.workflow_id {
            Some(id) => db::workflow::find(&mut conn, tenant, app.id, id).await?,
            None => None,
        };
        (row, published.ok_or_else(|| WorkflowError::invalid("Workflow not found"))?)
    };
    let is_synced = published.version == row.version;
    let provider = one(ctx, tenant, row).await?;
    Ok(Settings {
        parameters: serde_json::from_str(&provider.row.parameter_configuration)?,
        icon: provider.icon,
        tool: provider.tool,
        row: provider.row,
        is_synced,
    })
}

/// The one tool of a provider.
///
/// # Errors
/// [`WorkflowError::Invalid`] for one that is gone.
#[boxed]
pub async fn tools(ctx: &Ctx, tenant: TenantId, id: Uuid) -> Result<Vec<Tool>, WorkflowError> {
    let row = {
        let mut conn = ctx.db.acquire().await?;
        tool_workflow_provider::find(&mut conn, tenant, id).await?
    };
    let provider = one(ctx, tenant, row.ok_or_else(|| gone(id))?).await?;
    Ok(vec![provider.tool])
}

/// The workflows of a workspace that are tools. One that cannot be shown (its version is gone) is left out.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn list(ctx: &Ctx, tenant: TenantId) -> Result<Vec<Provider>, WorkflowError> {
    let rows = {
        let mut conn = ctx.db.acquire().await?;
        tool_workflow_provider::list(&mut conn, tenant).await?
    };
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.id;
        match one(ctx, tenant, row).await {
            Ok(provider) => all.push(provider),
            Err(WorkflowError::Fault(fault)) => return Err(fault.into()),
            Err(err) => {
                tracing::warn!(error = %err, tool.id = %id, "a workflow tool cannot be shown");
            }
        }
    }
    Ok(all)
}

async fn one(ctx: &Ctx, tenant: TenantId, row: WorkflowTool) -> Result<Provider, WorkflowError> {
    let id = row.id.to_string();
    let (version, author, labels) = {
        let mut conn = ctx.db.acquire().await?;
        let version =
            db::workflow::version::find_version(&mut conn, tenant, row.app_id, &row.version);
        let version = version.await?;
        let author = db::creator::accounts(&mut conn, &[row.user_id]).await?;
        let labels = db::tool_label::list(&mut conn, KIND, std::slice::from_ref(&id)).await?;
        (version, author, labels)
    };
    let version = version.ok_or_else(|| WorkflowError::invalid("workflow not found"))?;
    let author = author.into_iter().next().map(|account| account.name).unwrap_or_default();
    let labels: Vec<String> = labels.into_iter().map(|label| label.label_name).collect();
    let configured: Vec<Configured> = serde_json::from_str(&row.parameter_configuration)?;
    let shape = entity::Shape {
        name: &row.name,
        label: &row.label,
        description: &row.description,
        author: &author,
        labels: &labels,
    };
    let tool = entity::tool(&version, &configured, &shape)?;
    Ok(Provider {
        icon: serde_json::from_str(&row.icon).unwrap_or_default(),
        author,
        labels,
        tool,
        row,
    })
}

fn gone(id: Uuid) -> WorkflowError {
    WorkflowError::invalid(format!("Tool {id} not found"))
}

async fn find_app(
    conn: &mut db::PgConnection,
    tenant: TenantId,
    app: AppId,
) -> Result<App, WorkflowError> {
    db::app::find(conn, tenant, app)
        .await?
        .ok_or_else(|| WorkflowError::invalid(format!("App {app} not found")))
}

async fn published(
    conn: &mut db::PgConnection,
    tenant: TenantId,
    app: AppId,
) -> Result<Workflow, WorkflowError> {
    let app = find_app(conn, tenant, app).await?;
    let none = || WorkflowError::invalid(format!("Workflow not found for app {}", app.id));
    let id = app.workflow_id.ok_or_else(none)?;
    db::workflow::find(conn, tenant, app.id, id).await?.ok_or_else(none)
}

/// Checks that a workflow can be this tool.
fn check(workflow: &Workflow, content: &Content) -> Result<(), WorkflowError> {
    let graph = view::parsed(&workflow.graph);
    if graph_check::nodes(&graph).any(|node| node.kind == "human-input") {
        return Err(WorkflowError::Body(
            400,
            json!({
                "code": "workflow_tool_human_input_not_supported",
                "message": "Workflow with Human Input nodes cannot be published as a workflow tool.",
                "status": 400,
            }),
        ));
    }
    let shape = entity::Shape {
        name: &content.name,
        label: &content.label,
        description: &content.description,
        author: "",
        labels: &[],
    };
    entity::tool(workflow, &content.parameters, &shape).map(|_| ())
}

/// The JSON texts of a row.
struct Texts {
    icon: String,
    parameters: String,
}

impl Texts {
    fn of(content: &Content) -> Result<Self, WorkflowError> {
        Ok(Self {
            icon: types::pyjson::dumps(&content.icon)?,
            parameters: types::pyjson::dumps(&content.parameters)?,
        })
    }

    fn row<'a>(
        &'a self,
        content: &'a Content,
        version: &'a str,
        now: chrono::NaiveDateTime,
    ) -> ToolContent<'a> {
        ToolContent {
            name: &content.name,
            label: &content.label,
            icon: &self.icon,
            version,
            description: &content.description,
            parameter_configuration: &self.parameters,
            privacy_policy: content.privacy_policy.as_deref(),
            now,
        }
    }
}

async fn put_labels(
    conn: &mut db::PgConnection,
    id: Uuid,
    labels: Option<&[String]>,
) -> Result<(), WorkflowError> {
    let Some(labels) = labels else { return Ok(()) };
    let mut known: Vec<String> =
        labels.iter().filter(|label| LABELS.contains(&label.as_str())).cloned().collect();
    known.sort_unstable();
    known.dedup();
    db::tool_label::replace(conn, KIND, &id.to_string(), &known).await?;
    Ok(())
}

/// The variables of a graph's start node, by name.
fn variables(graph: &Value) -> HashMap<String, Value> {
    let start = graph_check::nodes(graph).find(|node| node.kind == "start");
    let list = start.and_then(|node| node.data.get("variables")?.as_array()).cloned();
    let named = |it: Value| Some((it.get("variable")?.as_str()?.to_owned(), it));
    list.unwrap_or_default().into_iter().filter_map(named).collect()
}
