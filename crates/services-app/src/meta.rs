//! Icons of the tools an app uses, and the app's own description.

use boxed::boxed;
use db::app::App;
use serde_json::{Value, json};
use services_core::Ctx;
use types::TenantId;
use uuid::Uuid;

use crate::{
    app::AppError,
    json::{Object, text},
    mode::AppMode,
    model_config::stored,
};

/// What the service API tells of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Names of its tags.
    pub tags: Vec<String>,
    /// Who made it.
    pub author: Option<String>,
}

/// Tags and author of an app.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn info(ctx: &Ctx, app: &App) -> Result<Info, AppError> {
    let mut conn = ctx.db.acquire().await?;
    let tags = db::app::tags(&mut conn, app.tenant_id, &[app.id.0]).await?;
    let author = match app.created_by {
        Some(id) => db::app::accounts_names(&mut conn, &[id]).await?.pop().map(|(_, name)| name),
        None => None,
    };
    Ok(Info { tags: tags.into_iter().map(|tag| tag.name).collect(), author })
}

/// The icon of each tool an app uses: a link for built-in ones, colour and letter for API tools.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn tool_icons(ctx: &Ctx, app: &App) -> Result<Object, AppError> {
    let tools = tools(ctx, app).await?;
    let mut icons = Object::new();
    for tool in tools.iter().filter(|tool| 4 <= tool.len()) {
        let name = text(tool, "tool_name").unwrap_or_default();
        let provider = text(tool, "provider_id").unwrap_or_default();
        let icon = match text(tool, "provider_type") {
            Some("builtin") => builtin_icon(ctx, provider).into(),
            Some("api") => api_icon(ctx, app, provider).await?,
            _ => continue,
        };
        icons.insert(name.to_owned(), icon);
    }
    Ok(icons)
}

async fn tools(ctx: &Ctx, app: &App) -> Result<Vec<Object>, AppError> {
    let mut conn = ctx.db.acquire().await?;
    if !app.mode.parse::<AppMode>().is_ok_and(AppMode::has_workflow) {
        let stored = stored::of(&mut conn, app).await?;
        return Ok(stored.map(|stored| stored.tools()).unwrap_or_default());
    }
    let Some(id) = app.workflow_id else { return Ok(Vec::new()) };
    let workflow = db::workflow::find(&mut conn, app.tenant_id, app.id, id).await?;
    Ok(workflow.map(|workflow| graph_tools(&workflow.graph)).unwrap_or_default())
}

/// The tool nodes of a graph as entries of an agent's tools.
fn graph_tools(graph: &str) -> Vec<Object> {
    let graph: Value = serde_json::from_str(graph).unwrap_or_default();
    let nodes = graph.get("nodes").and_then(Value::as_array);
    nodes
        .into_iter()
        .flatten()
        .filter_map(|node| node.get("data")?.as_object())
        .filter(|data| text(data, "type") == Some("tool"))
        .map(|data| {
            let pick = |key: &str| data.get(key).cloned().unwrap_or_default();
            ["provider_type", "provider_id", "tool_name", "tool_parameters"]
                .map(|key| (key.to_owned(), pick(key)))
                .into_iter()
                .collect()
        })
        .collect()
}

/// Where the icon of a provider that comes with the server is.
#[must_use]
pub fn builtin_icon(ctx: &Ctx, provider: &str) -> String {
    let base = &ctx.config.feature.console_api_url;
    format!("{base}/console/api/workspaces/current/tool-provider/builtin/{provider}/icon")
}

/// Where an icon of a plugin is.
#[must_use]
pub fn plugin_icon(ctx: &Ctx, tenant: TenantId, file: &str) -> String {
    let base = &ctx.config.feature.console_api_url;
    format!("{base}/console/api/workspaces/current/plugin/icon?tenant_id={tenant}&filename={file}")
}

/// The icon of an API tool provider: colour and letter.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn api_icon(ctx: &Ctx, app: &App, provider: &str) -> Result<Value, AppError> {
    let stored = match provider.parse::<Uuid>() {
        Ok(id) => {
            let mut conn = ctx.db.acquire().await?;
            db::app::api_tool_icon(&mut conn, app.tenant_id, id).await?
        }
        Err(_) => None,
    };
    let icon = stored.and_then(|icon| serde_json::from_str(&icon).ok());
    Ok(icon.unwrap_or_else(|| json!({"background": "#252525", "content": "\u{1F601}"})))
}
