//! What the operator of the cloud edition puts into the catalogue and onto the Explore page.

use boxed::boxed;
use db::{banner::NewBanner, recommended_app::Listing};
use serde_json::Value;
use services_core::{Ctx, Failure, Fault};
use types::AppId;
use uuid::Uuid;

/// Why an order is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No such app in any workspace.
    #[error("App '{0}' is not found")]
    NoApp(String),
    /// No such banner.
    #[error("Banner '{0}' is not found")]
    NoBanner(Uuid),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for AdminError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for AdminError {
    fn status(&self) -> u16 {
        match self {
            Self::NoApp(_) | Self::NoBanner(_) => 404,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoApp(_) | Self::NoBanner(_) => "not_found",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// An app for the catalogue. What the app's own web app says of itself goes before what is said here.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The app's id.
    pub app: String,
    /// For people.
    pub description: String,
    /// Text of the footer.
    pub copyright: String,
    /// URL of the privacy policy.
    pub privacy_policy: String,
    /// Text below the input.
    pub custom_disclaimer: String,
    /// Like `en-US`.
    pub language: String,
    /// Where the catalogue files it.
    pub category: String,
    /// Its place.
    pub position: i32,
    /// How often an account may try it, if it may.
    pub trials: Option<i32>,
}

/// Puts an app into the catalogue, or changes what that says of it; answers whether it was not there.
///
/// # Errors
/// [`AdminError::NoApp`].
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn list_app(ctx: &Ctx, wish: Wish) -> Result<bool, AdminError> {
    let missing = || AdminError::NoApp(wish.app.clone());
    let id: AppId = wish.app.parse().map_err(|_| missing())?;
    let mut tx = ctx.db.begin().await?;
    let app = db::app::find_by_credential(&mut tx, id).await?.ok_or_else(missing)?;
    let site = db::site::find_by_app(&mut tx, id).await?;
    let own = |own: Option<String>, said: &str| {
        own.filter(|own| !own.is_empty()).unwrap_or_else(|| said.to_owned())
    };
    let (description, copyright, privacy_policy, disclaimer) = match site {
        Some(site) => {
            (site.description, site.copyright, site.privacy_policy, Some(site.custom_disclaimer))
        }
        None => (None, None, None, None),
    };
    let listing = Listing {
        description: &own(description, &wish.description),
        copyright: &own(copyright, &wish.copyright),
        privacy_policy: &own(privacy_policy, &wish.privacy_policy),
        custom_disclaimer: &own(disclaimer, &wish.custom_disclaimer),
        language: &wish.language,
        category: &wish.category,
        position: wish.position,
    };
    let is_new = db::recommended_app::save(&mut tx, id, listing).await?;
    if let Some(limit) = wish.trials {
        db::trial_app::save(&mut tx, id, app.tenant_id, limit).await?;
    }
    tx.commit().await?;
    Ok(is_new)
}

/// Takes an app out of the catalogue and off other workspaces' pages, if it is there.
///
/// # Errors
/// The database's.
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn unlist_app(ctx: &Ctx, app: AppId) -> Result<(), AdminError> {
    let mut tx = ctx.db.begin().await?;
    db::recommended_app::delete(&mut tx, app).await?;
    tx.commit().await?;
    Ok(())
}

/// Adds a banner.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn add_banner(
    ctx: &Ctx,
    content: Value,
    link: &str,
    sort: i32,
    language: &str,
) -> Result<(), AdminError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::banner::insert(&mut conn, NewBanner { content, link, sort, language }).await?)
}

/// Removes a banner.
///
/// # Errors
/// [`AdminError::NoBanner`].
#[boxed]
pub async fn remove_banner(ctx: &Ctx, id: Uuid) -> Result<(), AdminError> {
    let mut conn = ctx.db.acquire().await?;
    match db::banner::delete(&mut conn, id).await? {
        true => Ok(()),
        false => Err(AdminError::NoBanner(id)),
    }
}
