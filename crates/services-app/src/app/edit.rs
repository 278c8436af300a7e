//! Changing an app's name, icon, description and switches.

use boxed::boxed;
use db::app::{App, AppChanges};
use services_core::Ctx;
use types::AccountId;

use super::{AppError, create::icon_type};

/// What the edit dialogue replaces; every field, whether it changed or not.
#[derive(Debug, Clone)]
pub struct EditApp {
    /// Display name.
    pub name: String,
    /// For people.
    pub description: String,
    /// `emoji`, `image` or `link`; empty = none.
    pub icon_type: String,
    /// See [`App::icon`].
    pub icon: String,
    /// Like `#FFEAD5`.
    pub icon_background: String,
    /// Whether the web app shows the icon beside answers.
    pub use_icon_as_answer_icon: bool,
    /// Runs at once; 0 = the server's default.
    pub max_active_requests: i32,
}

/// Replaces what the edit dialogue shows.
///
/// # Errors
/// [`AppError::Invalid`] for an icon type that is none, [`AppError::NotFound`] if the app has gone meanwhile.
#[boxed]
pub async fn edit(ctx: &Ctx, app: &App, by: AccountId, cmd: EditApp) -> Result<App, AppError> {
    let changes = AppChanges {
        name: cmd.name,
        description: cmd.description,
        icon_type: icon_type(Some(cmd.icon_type))?,
        icon: cmd.icon,
        icon_background: cmd.icon_background,
        use_icon_as_answer_icon: cmd.use_icon_as_answer_icon,
        max_active_requests: Some(cmd.max_active_requests),
    };
    let mut conn = ctx.db.acquire().await?;
    db::app::update(&mut conn, app.tenant_id, app.id, &changes, by, ctx.now_naive()).await?;
    reread(&mut conn, app).await
}

/// Gives an app another name.
///
/// # Errors
/// [`AppError::NotFound`] if the app has gone meanwhile.
#[boxed]
pub async fn rename(ctx: &Ctx, app: &App, by: AccountId, name: &str) -> Result<App, AppError> {
    let mut conn = ctx.db.acquire().await?;
    db::app::rename(&mut conn, app.tenant_id, app.id, name, by, ctx.now_naive()).await?;
    reread(&mut conn, app).await
}

/// Gives an app another icon of the same type.
///
/// # Errors
/// [`AppError::NotFound`] if the app has gone meanwhile.
#[boxed]
pub async fn set_icon(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    icon: &str,
    background: &str,
) -> Result<App, AppError> {
    let mut conn = ctx.db.acquire().await?;
    let now = ctx.now_naive();
    db::app::set_icon(&mut conn, app.tenant_id, app.id, (icon, background), by, now).await?;
    reread(&mut conn, app).await
}

/// Opens or closes the web app.
///
/// # Errors
/// [`AppError::NotFound`] if the app has gone meanwhile.
#[boxed]
pub async fn enable_site(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    enable: bool,
) -> Result<App, AppError> {
    let mut conn = ctx.db.acquire().await?;
    db::app::enable_site(&mut conn, app.tenant_id, app.id, enable, by, ctx.now_naive()).await?;
    reread(&mut conn, app).await
}

/// Opens or closes the service API.
///
/// # Errors
/// [`AppError::NotFound`] if the app has gone meanwhile.
#[boxed]
pub async fn enable_api(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    enable: bool,
) -> Result<App, AppError> {
    let mut conn = ctx.db.acquire().await?;
    db::app::enable_api(&mut conn, app.tenant_id, app.id, enable, by, ctx.now_naive()).await?;
    reread(&mut conn, app).await
}

async fn reread(conn: &mut db::PgConnection, app: &App) -> Result<App, AppError> {
    db::app::find(conn, app.tenant_id, app.id).await?.ok_or(AppError::NotFound)
}
