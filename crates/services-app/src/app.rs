//! Apps: finding, making, listing, changing and deleting them.

mod create;
mod delete;
mod edit;
mod list;

use boxed::boxed;
pub use create::{CreateApp, born, create};
pub use delete::{delete, purge};
pub use edit::{EditApp, edit, enable_api, enable_site, rename, set_icon};
pub use list::{ListApps, Listed, list};

use db::app::App;
use services_core::{Ctx, Failure, Fault};
use types::{AppId, TenantId};

use crate::mode::AppMode;

/// Why a use case on an app has no result.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The workspace has no such app.
    #[error("App not found")]
    NotFound,
    /// The app is of another mode than the endpoint is for.
    #[error("App mode is not in the supported list: {{{0}}}")]
    Mode(String),
    /// The app has no web app.
    #[error(
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling \
         and try again."
    )]
    NoSite,
    /// The app was never configured or published.
    #[error("App unavailable, please check your app configurations.")]
    Unavailable,
    /// A value that cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for AppError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for AppError {
    fn status(&self) -> u16 {
        match self {
            Self::NotFound | Self::Mode(_) | Self::NoSite => 404,
            Self::Unavailable | Self::Invalid(_) => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::Mode(_) => "app_not_found",
            Self::NoSite => "not_found",
            Self::Unavailable => "app_unavailable",
            Self::Invalid(_) => "invalid_param",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// An app of a workspace.
///
/// # Errors
/// [`AppError::NotFound`].
#[boxed]
pub async fn find(ctx: &Ctx, tenant: TenantId, id: AppId) -> Result<App, AppError> {
    let mut conn = ctx.db.acquire().await?;
    db::app::find(&mut conn, tenant, id).await?.ok_or(AppError::NotFound)
}

/// An app of a workspace that is of one of some modes.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Mode`].
#[boxed]
pub async fn find_of(
    ctx: &Ctx,
    tenant: TenantId,
    id: AppId,
    modes: &[AppMode],
) -> Result<App, AppError> {
    let app = find(ctx, tenant, id).await?;
    require(&app, modes)?;
    Ok(app)
}

/// The app's mode, if it is one of some.
///
/// # Errors
/// [`AppError::Mode`].
pub fn require(app: &App, modes: &[AppMode]) -> Result<AppMode, AppError> {
    match app.mode.parse::<AppMode>() {
        Ok(mode) if modes.contains(&mode) => Ok(mode),
        _ => {
            let mut words: Vec<_> = modes.iter().map(|mode| format!("'{mode}'")).collect();
            words.sort();
            Err(AppError::Mode(words.join(", ")))
        }
    }
}
