//! Passports of the web app (`/api`): which app and end user a browser speaks for.

use boxed::boxed;
use db::{app::App, end_user::EndUser, site::Site};
use services_core::{Ctx, Failure, Fault};

/// Whom a passport speaks for.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The app.
    pub app: App,
    /// Its web app.
    pub site: Site,
    /// The user.
    pub end_user: EndUser,
}

/// Why a passport opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum PassportError {
    /// No passport.
    #[error("App token is missing.")]
    Missing,
    /// A passport that does not verify.
    #[error("{0}")]
    Bad(String),
    /// The app or the user is gone.
    #[error(
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again."
    )]
    Gone,
    /// The code changed since.
    #[error("Site URL is no longer valid.")]
    Outdated,
    /// The web app is switched off.
    #[error("Site is disabled.")]
    Disabled,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for PassportError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for PassportError {
    fn status(&self) -> u16 {
        match self {
            Self::Missing | Self::Bad(_) => 401,
            Self::Gone => 404,
            Self::Outdated | Self::Disabled => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Missing | Self::Bad(_) => "unauthorized",
            Self::Gone => "not_found",
            Self::Outdated | Self::Disabled => "bad_request",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// Whom `passport` speaks for. The app comes from the passport, not from the request's code.
///
/// # Errors
/// [`PassportError`].
#[boxed]
pub async fn authenticate(ctx: &Ctx, passport: &str) -> Result<Visitor, PassportError> {
    let claims = crypto::jwt::decode(passport, &ctx.secret, ctx.now().timestamp())
        .map_err(|err| PassportError::Bad(err.to_string()))?;
    let text = |name: &str| claims.get(name).and_then(serde_json::Value::as_str);
    let app = text("app_id").and_then(|id| id.parse().ok()).ok_or(PassportError::Gone)?;
    let end_user = text("end_user_id").and_then(|id| id.parse().ok()).ok_or(PassportError::Gone)?;
    let code = text("app_code").ok_or(PassportError::Outdated)?;
    let mut conn = ctx.db.acquire().await?;
    let app = db::app::find_by_credential(&mut conn, app).await?.ok_or(PassportError::Gone)?;
    let site = db::site::find_by_code(&mut conn, code)
        .await?
        .filter(|site| site.app_id == app.id)
        .ok_or(PassportError::Outdated)?;
    if !app.enable_site {
        return Err(PassportError::Disabled);
    }
    let end_user =
        db::end_user::find(&mut conn, app.tenant_id, end_user).await?.ok_or(PassportError::Gone)?;
    Ok(Visitor { app, site, end_user })
}
