//! The web app of an app.

use boxed::boxed;
use db::{
    app::App,
    site::{Site, SiteChanges},
};
use services_core::Ctx;
use types::AccountId;

use crate::app::AppError;

/// Letters a disclaimer may have.
const MAX_DISCLAIMER: usize = 512;

/// The web app of an app.
///
/// # Errors
/// [`AppError::NoSite`].
#[boxed]
pub async fn find(ctx: &Ctx, app: &App) -> Result<Site, AppError> {
    let mut conn = ctx.db.acquire().await?;
    db::site::find_by_app(&mut conn, app.id).await?.ok_or(AppError::NoSite)
}

/// Changes what is named in `changes`.
///
/// # Errors
/// [`AppError::NoSite`], [`AppError::Invalid`] for a disclaimer that is too long.
#[boxed]
pub async fn update(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    changes: SiteChanges,
) -> Result<Site, AppError> {
    let length = changes.custom_disclaimer.as_ref().map_or(0, |text| text.chars().count());
    if MAX_DISCLAIMER < length {
        return Err(AppError::Invalid(
            "Custom disclaimer cannot exceed 512 characters.".to_owned(),
        ));
    }
    let mut conn = ctx.db.acquire().await?;
    if !db::site::update(&mut conn, app.id, &changes, by.0, ctx.now_naive()).await? {
        return Err(AppError::NoSite);
    }
    db::site::find_by_app(&mut conn, app.id).await?.ok_or(AppError::NoSite)
}

/// Gives the web app another address.
///
/// # Errors
/// [`AppError::NoSite`].
#[boxed]
pub async fn reset_code(ctx: &Ctx, app: &App, by: AccountId) -> Result<Site, AppError> {
    let code = crypto::token::site_code();
    let mut conn = ctx.db.acquire().await?;
    if !db::site::set_code(&mut conn, app.id, &code, by.0, ctx.now_naive()).await? {
        return Err(AppError::NoSite);
    }
    db::site::find_by_app(&mut conn, app.id).await?.ok_or(AppError::NoSite)
}
