//! An app with everything the console shows beside it.

use boxed::boxed;
use db::{
    app::{App, AppTag},
    site::Site,
    workflow::Stamp,
};
use serde_json::Value;
use services_core::{Ctx, Fault};
use uuid::Uuid;

use crate::{
    icon,
    json::{Object, text},
    model_config::{
        mask,
        stored::{self, Stored},
    },
    ports::Ports,
};

/// A tool of an agent that is no longer there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedTool {
    /// `builtin` or `api`.
    pub r#type: String,
    /// The tool.
    pub tool_name: String,
    /// Its provider, as the configuration names it.
    pub provider_id: String,
}

/// An app with what every answer about it shows.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The app; chat apps that use tools count as agents.
    pub app: App,
    /// Its configuration, every key of it.
    pub config: Option<Config>,
    /// Its published workflow.
    pub workflow: Option<Stamp>,
    /// Its tags.
    pub tags: Vec<AppTag>,
}

/// A configuration with its stamps.
#[derive(Debug, Clone)]
pub struct Config {
    /// Every key.
    pub values: Object,
    /// The row.
    pub row: db::app_model_config::AppModelConfig,
}

/// [`Detail`] with the web app.
#[derive(Debug, Clone)]
pub struct FullDetail {
    /// The app.
    pub detail: Detail,
    /// Its web app.
    pub site: Option<Site>,
    /// A link to the app's icon, if it is a picture.
    pub icon_url: Option<String>,
    /// A link to the web app's icon, if it is a picture.
    pub site_icon_url: Option<String>,
    /// Tools of the agent that are gone.
    pub deleted_tools: Vec<DeletedTool>,
}

/// An app with what every answer about it shows.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn of(ctx: &Ctx, mut app: App) -> Result<Detail, Fault> {
    let stored = stored::load(ctx, &mut app).await?;
    dress(ctx, app, stored).await
}

/// [`of`], with the web app, and the secrets of an agent's tools masked.
///
/// # Errors
/// The database's, and those of the tool catalogue.
#[boxed]
pub async fn full(ctx: &Ctx, ports: &Ports, mut app: App) -> Result<FullDetail, Fault> {
    let stored = stored::load(ctx, &mut app).await?;
    let deleted_tools = match &stored {
        Some(stored) => deleted_tools(ctx, ports, &app, &stored.tools()).await?,
        None => Vec::new(),
    };
    let mut detail = dress(ctx, app, stored).await?;
    if detail.app.mode == "agent-chat"
        && let Some(agent) = detail.config.as_mut().and_then(|c| c.values.get_mut("agent_mode"))
    {
        mask(ctx, ports, &detail.app, agent).await?;
    }
    let site = {
        let mut conn = ctx.db.acquire().await?;
        db::site::find_by_app(&mut conn, detail.app.id).await?
    };
    let app = &detail.app;
    Ok(FullDetail {
        icon_url: icon::url(ctx, app.icon_type.as_deref(), app.icon.as_deref()),
        site_icon_url: site
            .as_ref()
            .and_then(|site| icon::url(ctx, site.icon_type.as_deref(), site.icon.as_deref())),
        site,
        detail,
        deleted_tools,
    })
}

async fn dress(ctx: &Ctx, app: App, stored: Option<Stored>) -> Result<Detail, Fault> {
    let mut conn = ctx.db.acquire().await?;
    let tags = db::app::tags(&mut conn, app.tenant_id, &[app.id.0]).await?;
    let workflow = match app.workflow_id {
        Some(id) => db::workflow::stamps(&mut conn, app.tenant_id, &[id.0]).await?.pop(),
        None => None,
    };
    let config = stored.map(|stored| Config { values: stored.to_object(), row: stored.row });
    Ok(Detail { app, config, workflow, tags })
}

async fn deleted_tools(
    ctx: &Ctx,
    ports: &Ports,
    app: &App,
    tools: &[Object],
) -> Result<Vec<DeletedTool>, Fault> {
    // Entries of the old kind have fewer keys.
    let tools = || tools.iter().filter(|tool| 4 <= tool.len());
    let of_type = |kind: &'static str| {
        tools()
            .filter(move |tool| text(tool, "provider_type") == Some(kind))
            .filter_map(|tool| text(tool, "provider_id"))
    };
    let api: Vec<Uuid> = of_type("api").filter_map(|id| id.parse().ok()).collect();
    let builtin: Vec<String> = of_type("builtin").map(str::to_owned).collect();
    if api.is_empty() && builtin.is_empty() {
        return Ok(Vec::new());
    }
    let known_api: Vec<String> = if api.is_empty() {
        Vec::new()
    } else {
        let mut conn = ctx.db.acquire().await?;
        let known = db::app::known_api_tools(&mut conn, app.tenant_id, &api).await?;
        known.iter().map(Uuid::to_string).collect()
    };
    let exist = ports.tools.builtin_providers_exist(app.tenant_id, &builtin).await?;
    let known_builtin: Vec<&String> =
        builtin.iter().zip(exist).filter(|(_, exists)| *exists).map(|(id, _)| id).collect();
    let is_gone = |kind: &str, id: &str| match kind {
        "api" => id.parse::<Uuid>().is_ok() && !known_api.iter().any(|known| known == id),
        "builtin" => !known_builtin.iter().any(|known| *known == id),
        _ => false,
    };
    Ok(tools()
        .filter_map(|tool| {
            let kind = text(tool, "provider_type")?;
            let id = text(tool, "provider_id")?;
            is_gone(kind, id).then(|| DeletedTool {
                r#type: kind.to_owned(),
                tool_name: tool
                    .get("tool_name")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                provider_id: id.to_owned(),
            })
        })
        .collect())
}
