//! The list of a workspace's apps.

use boxed::boxed;
use std::collections::{HashMap, HashSet};

use db::{
    app::{App, AppFilter, AppTag},
    app_model_config::Summary,
    workflow::Stamp,
};
use services_core::{Ctx, Fault};
use types::{
    AccountId, TenantId,
    page::{Limit, Page},
};
use uuid::Uuid;

use crate::{mode::AppMode, model_config::stored};

/// The longest part of a name that is searched for.
const MAX_NAME: usize = 30;

/// Pre-prompts that stand in for a description are cut here.
const MAX_PROMPT: usize = 200;

/// Which apps to list.
#[derive(Debug, Clone)]
pub struct ListApps {
    /// The workspace.
    pub tenant: TenantId,
    /// Only apps of this mode.
    pub mode: Option<AppMode>,
    /// Only apps this account made.
    pub creator: Option<AccountId>,
    /// Only apps whose name contains this text.
    pub name: Option<String>,
    /// Only apps that carry one of these tags.
    pub tags: Option<Vec<Uuid>>,
    /// Which page.
    pub window: Limit,
}

/// An app in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The app.
    pub app: App,
    /// Its mode; chat apps that use tools count as agents.
    pub mode: String,
    /// Its description, or else the beginning of its prompt.
    pub description: String,
    /// Its configuration.
    pub config: Option<Summary>,
    /// Its published workflow.
    pub workflow: Option<Stamp>,
    /// Its tags.
    pub tags: Vec<AppTag>,
    /// Who made it.
    pub author: Option<String>,
    /// Whether its draft starts with a trigger.
    pub has_draft_trigger: bool,
}

/// A page of a workspace's apps, newest first.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn list(ctx: &Ctx, cmd: ListApps) -> Result<Page<Listed>, Fault> {
    let filter = AppFilter {
        mode: cmd.mode.map(|mode| mode.as_str().to_owned()),
        creator: cmd.creator,
        name: cmd
            .name
            .filter(|name| !name.is_empty())
            .map(|name| name.chars().take(MAX_NAME).collect()),
        tags: cmd.tags,
    };
    let mut conn = ctx.db.acquire().await?;
    let total = db::app::count(&mut conn, cmd.tenant, &filter).await?;
    let apps = db::app::list(&mut conn, cmd.tenant, &filter, cmd.window).await?;
    let listed = dress(&mut conn, cmd.tenant, apps).await?;
    Ok(Page::new(cmd.window, total, listed))
}

async fn dress(
    conn: &mut db::PgConnection,
    tenant: TenantId,
    apps: Vec<App>,
) -> Result<Vec<Listed>, Fault> {
    let ids: Vec<Uuid> = apps.iter().map(|app| app.id.0).collect();
    let configs: Vec<Uuid> =
        apps.iter().filter_map(|app| app.app_model_config_id).map(|id| id.0).collect();
    let workflows: Vec<Uuid> =
        apps.iter().filter_map(|app| app.workflow_id).map(|id| id.0).collect();
    let authors: Vec<Uuid> = apps.iter().filter_map(|app| app.created_by).collect();

    let mut tags: HashMap<Uuid, Vec<AppTag>> = HashMap::new();
    for tag in db::app::tags(conn, tenant, &ids).await? {
        tags.entry(tag.app).or_default().push(tag);
    }
    let mut configs: HashMap<Uuid, Summary> = db::app_model_config::summaries(conn, &ids, &configs)
        .await?
        .into_iter()
        .map(|summary| (summary.id.0, summary))
        .collect();
    let mut workflows: HashMap<Uuid, Stamp> = db::workflow::stamps(conn, tenant, &workflows)
        .await?
        .into_iter()
        .map(|stamp| (stamp.id.0, stamp))
        .collect();
    let names: HashMap<Uuid, String> =
        db::app::accounts_names(conn, &authors).await?.into_iter().collect();
    let triggered: HashSet<_> =
        db::app::with_draft_trigger(conn, tenant, &ids).await?.into_iter().collect();

    let dress = |app: App| {
        let config = app.app_model_config_id.and_then(|id| configs.remove(&id.0));
        let agent = config.as_ref().and_then(|config| config.agent_mode.as_deref());
        Listed {
            mode: stored::mode_with_agent(&app.mode, agent),
            description: description(&app, config.as_ref()),
            workflow: app.workflow_id.and_then(|id| workflows.remove(&id.0)),
            tags: tags.remove(&app.id.0).unwrap_or_default(),
            author: app.created_by.and_then(|id| names.get(&id).cloned()),
            has_draft_trigger: triggered.contains(&app.id),
            config,
            app,
        }
    };
    Ok(apps.into_iter().map(dress).collect())
}

fn description(app: &App, config: Option<&Summary>) -> String {
    if !app.description.is_empty() {
        return app.description.clone();
    }
    let prompt = config.and_then(|config| config.pre_prompt.as_deref()).unwrap_or_default();
    let mut text: String = prompt.chars().take(MAX_PROMPT).collect();
    if text.len() < prompt.len() {
        text.push_str("...");
    }
    text
}
