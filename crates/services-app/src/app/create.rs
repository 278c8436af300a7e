//! Making an app.

use boxed::boxed;
use db::{
    account::Account,
    app::{App, NewApp},
    app_model_config::NewAppModelConfig,
    site::NewSite,
};
use serde_json::{Value, json};
use services_core::{Ctx, Fault};
use types::{AppId, TenantId};

use super::AppError;
use crate::{json::dumps, mode::AppMode, ports::Ports};

/// An app to be made.
#[derive(Debug, Clone)]
pub struct CreateApp {
    /// The workspace.
    pub tenant: TenantId,
    /// Display name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Its mode.
    pub mode: AppMode,
    /// `emoji`, `image` or `link`.
    pub icon_type: Option<String>,
    /// See [`App::icon`].
    pub icon: Option<String>,
    /// Like `#FFEAD5`.
    pub icon_background: Option<String>,
}

/// Makes an app with its web app; basic apps begin with the workspace's default model.
///
/// # Errors
/// [`AppError::Invalid`] for an icon type that is none.
#[tracing::instrument(skip_all, fields(app.mode = %cmd.mode))]
#[boxed]
pub async fn create(
    ctx: &Ctx,
    ports: &Ports,
    by: &Account,
    cmd: CreateApp,
) -> Result<App, AppError> {
    let icon_type = icon_type(cmd.icon_type)?;
    let config = first_config(ports, cmd.tenant, cmd.mode).await?;
    let now = ctx.now_naive();
    let new = NewApp {
        id: AppId::random(),
        tenant: cmd.tenant,
        name: cmd.name,
        description: cmd.description,
        mode: cmd.mode.as_str().to_owned(),
        icon_type,
        icon: cmd.icon,
        icon_background: cmd.icon_background,
        enable_site: true,
        enable_api: true,
        api_rpm: 0,
        api_rph: 0,
        is_public: false,
        use_icon_as_answer_icon: false,
        creator: by.id,
        now,
    };
    let mut tx = ctx.db.begin().await?;
    let mut app = born(ctx, &mut tx, by, &new).await?;
    if let Some(config) = config {
        let id = db::app_model_config::insert(&mut tx, app.id, &config, by.id, now).await?;
        db::app::set_model_config(&mut tx, app.tenant_id, app.id, id, by.id, now).await?;
        app.app_model_config_id = Some(id);
    }
    tx.commit().await?;
    Ok(app)
}

/// Writes an app's row and what every app is born with: a web app, and a place among the installed apps.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn born(
    ctx: &Ctx,
    tx: &mut db::PgConnection,
    by: &Account,
    new: &NewApp,
) -> Result<App, Fault> {
    let app = db::app::insert(tx, new).await?;
    db::installed_app::insert(tx, app.tenant_id, app.id, app.tenant_id, None).await?;
    let code = crypto::token::site_code();
    db::site::insert(
        tx,
        &NewSite {
            app: app.id,
            title: &app.name,
            icon_type: app.icon_type.as_deref(),
            icon: app.icon.as_deref(),
            icon_background: app.icon_background.as_deref(),
            default_language: by.interface_language.as_deref().unwrap_or("en-US"),
            code: &code,
            by: by.id.0,
            now: ctx.now_naive(),
        },
    )
    .await?;
    Ok(app)
}

/// An icon type, if it is one.
pub(super) fn icon_type(word: Option<String>) -> Result<Option<String>, AppError> {
    match word {
        None => Ok(None),
        Some(word) if word.is_empty() => Ok(None),
        Some(word) if ["emoji", "image", "link"].contains(&word.as_str()) => Ok(Some(word)),
        Some(word) => Err(AppError::Invalid(format!("'{word}' is not a valid IconType"))),
    }
}

async fn first_config(
    ports: &Ports,
    tenant: TenantId,
    mode: AppMode,
) -> Result<Option<NewAppModelConfig>, Fault> {
    if mode.has_workflow() {
        return Ok(None);
    }
    let model = match ports.models.default_llm(tenant).await? {
        Some(llm) => json!({
            "provider": llm.provider,
            "name": llm.name,
            "mode": llm.mode,
            "completion_params": {},
        }),
        // What the reference writes into a workspace that has no model at all.
        None => json!({"provider": null, "name": null, "mode": "chat", "completion_params": {}}),
    };
    let mut config = NewAppModelConfig {
        model: Some(dumps(&model)),
        prompt_type: "simple".to_owned(),
        ..NewAppModelConfig::default()
    };
    if mode == AppMode::Completion {
        config.pre_prompt = Some("{{query}}".to_owned());
        config.user_input_form = Some(dumps(&query_form()));
    }
    Ok(Some(config))
}

/// The form of a new completion app: one paragraph called `query`.
fn query_form() -> Value {
    json!([{"paragraph": {"label": "Query", "variable": "query", "required": true, "default": ""}}])
}
