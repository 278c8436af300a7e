//! The apps on a workspace's Explore page.

use boxed::boxed;
use db::app::App;
pub use db::installed_app::{InstalledApp, ShownApp};
use services_core::{Ctx, Failure, Fault};
use types::{AccountId, AppId, TenantId};
use uuid::Uuid;

use crate::enterprise;

/// Why an app is not shown, installed or changed.
#[derive(Debug, thiserror::Error)]
pub enum InstalledError {
    /// No such app on the workspace's page.
    #[error("Installed app not found")]
    NotFound,
    /// The catalogue does not have it.
    #[error("Recommended app not found")]
    NotRecommended,
    /// The catalogue has it, its workspace does not any more.
    #[error("App entity not found")]
    NoApp,
    /// Its workspace does not share it.
    #[error("You can't install a non-public app")]
    NotPublic,
    /// A workspace's own apps stay on its page.
    #[error("You can't uninstall an app owned by the current tenant")]
    Own,
    /// The enterprise edition keeps this user out.
    #[error("App access denied.")]
    Denied,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for InstalledError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for InstalledError {
    fn status(&self) -> u16 {
        match self {
            Self::NotFound | Self::NotRecommended | Self::NoApp => 404,
            Self::NotPublic | Self::Denied => 403,
            Self::Own => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::NotRecommended | Self::NoApp => "not_found",
            Self::NotPublic => "forbidden",
            Self::Denied => "access_denied",
            Self::Own => "bad_request",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// Who looks at the page.
#[derive(Debug, Clone, Copy)]
pub struct Viewer {
    /// The workspace.
    pub tenant: TenantId,
    /// The user.
    pub account: AccountId,
}

/// The workspace's installed apps, pinned ones first, then the last used; of one app, if `app` says so.
///
/// # Errors
/// The database's, and the enterprise service's if that is on.
#[boxed]
pub async fn list(
    ctx: &Ctx,
    viewer: Viewer,
    app: Option<AppId>,
) -> Result<Vec<ShownApp>, InstalledError> {
    let mut conn = ctx.db.acquire().await?;
    let mut shown = db::installed_app::list(&mut conn, viewer.tenant, app).await?;
    drop(conn);
    if enterprise::is_on(ctx) {
        let apps: Vec<AppId> = shown.iter().map(|app| app.app_id).collect();
        let open = enterprise::open_apps(ctx, viewer.account, &apps).await?;
        shown.retain(|app| open.contains(&app.app_id));
    }
    Ok(shown)
}

/// Puts a public app of the catalogue on the workspace's page.
///
/// # Errors
/// [`InstalledError::NotRecommended`], [`InstalledError::NoApp`], [`InstalledError::NotPublic`].
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn install(ctx: &Ctx, tenant: TenantId, app: &str) -> Result<(), InstalledError> {
    let app: AppId = app.parse().map_err(|_| InstalledError::NotRecommended)?;
    let mut tx = ctx.db.begin().await?;
    if !db::recommended_app::exists(&mut tx, app).await? {
        return Err(InstalledError::NotRecommended);
    }
    let app = db::recommended_app::find(&mut tx, app).await?.ok_or(InstalledError::NoApp)?;
    if !app.is_public {
        return Err(InstalledError::NotPublic);
    }
    let now = Some(ctx.now_naive());
    if db::installed_app::insert(&mut tx, tenant, app.id, app.tenant_id, now).await? {
        db::recommended_app::count_install(&mut tx, app.id).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// An installed app and the app itself, for whoever is about to use it. One whose app is gone is taken off the page.
///
/// # Errors
/// [`InstalledError::NotFound`], [`InstalledError::Denied`].
#[boxed]
pub async fn find(
    ctx: &Ctx,
    viewer: Viewer,
    id: Uuid,
) -> Result<(InstalledApp, App), InstalledError> {
    let mut conn = ctx.db.acquire().await?;
    let installed = db::installed_app::find(&mut conn, viewer.tenant, id)
        .await?
        .ok_or(InstalledError::NotFound)?;
    // Being installed is the credential: the app may be of another workspace, which made it public.
    let Some(app) = db::app::find_by_credential(&mut conn, installed.app_id).await? else {
        db::installed_app::delete(&mut conn, viewer.tenant, id).await?;
        return Err(InstalledError::NotFound);
    };
    drop(conn);
    if enterprise::is_on(ctx) {
        let open = enterprise::open_apps(ctx, viewer.account, &[app.id]).await?;
        if open.is_empty() {
            return Err(InstalledError::Denied);
        }
    }
    Ok((installed, app))
}

/// Notes that an installed app is used, which puts it before others on the page.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn note_use(ctx: &Ctx, tenant: TenantId, id: Uuid) -> Result<(), InstalledError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::installed_app::touch(&mut conn, tenant, id, ctx.now_naive()).await?)
}

/// Pins an installed app to the sidebar, or unpins it.
///
/// # Errors
/// [`InstalledError::NotFound`], [`InstalledError::Denied`].
#[boxed]
pub async fn set_pinned(
    ctx: &Ctx,
    viewer: Viewer,
    id: Uuid,
    is_pinned: Option<bool>,
) -> Result<(), InstalledError> {
    find(ctx, viewer, id).await?;
    if let Some(is_pinned) = is_pinned {
        let mut conn = ctx.db.acquire().await?;
        db::installed_app::set_pinned(&mut conn, viewer.tenant, id, is_pinned).await?;
    }
    Ok(())
}

/// Takes another workspace's app off the page.
///
/// # Errors
/// [`InstalledError::NotFound`], [`InstalledError::Denied`], [`InstalledError::Own`].
#[boxed]
pub async fn uninstall(ctx: &Ctx, viewer: Viewer, id: Uuid) -> Result<(), InstalledError> {
    let (installed, _) = find(ctx, viewer, id).await?;
    if installed.app_owner_tenant_id == viewer.tenant {
        return Err(InstalledError::Own);
    }
    let mut conn = ctx.db.acquire().await?;
    Ok(db::installed_app::delete(&mut conn, viewer.tenant, id).await?)
}
