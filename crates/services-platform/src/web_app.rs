//! The web app's doors: passports, what the page shows of itself, who may see it.

use boxed::boxed;
use db::{
    app::App,
    end_user::{EndUser, NewEndUser},
    site::Site,
    tenant::Tenant,
};
use serde_json::Value;
use services_core::{Ctx, Failure, Fault};
use types::{TenantId, UploadFileId};
use uuid::Uuid;

use crate::enterprise;

/// Why a web app does not open.
#[derive(Debug, thiserror::Error)]
pub enum WebAppError {
    /// The request names no web app.
    #[error("X-App-Code header is missing.")]
    NoCode,
    /// No open web app has that code.
    #[error(
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling and \
         try again."
    )]
    NotFound,
    /// The app has no web app, or the workspace is archived.
    #[error(
        "You don't have the permission to access the requested resource. It is either read-protected or not readable by \
         the server."
    )]
    Forbidden,
    /// The request has to name an app and its code.
    #[error("appId must be provided")]
    NoApp,
    /// No web app has that code.
    #[error("App with code {0} not found")]
    UnknownCode(String),
    /// The enterprise edition keeps strangers out of this one.
    #[error("Web app authentication required.")]
    AuthRequired,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for WebAppError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for WebAppError {
    fn status(&self) -> u16 {
        match self {
            Self::NoCode | Self::AuthRequired => 401,
            Self::NotFound => 404,
            Self::Forbidden => 403,
            Self::NoApp | Self::UnknownCode(_) => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoCode => "unauthorized",
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::NoApp | Self::UnknownCode(_) => "invalid_param",
            Self::AuthRequired => "web_sso_auth_required",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// A passport for the web app behind `code`: for the visitor `user`, the same one every time, or for a new one.
///
/// # Errors
/// [`WebAppError::NoCode`], [`WebAppError::NotFound`], and [`WebAppError::AuthRequired`] where the enterprise edition
/// lets nobody in without signing in.
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn passport(
    ctx: &Ctx,
    code: Option<&str>,
    user: Option<&str>,
) -> Result<String, WebAppError> {
    let code = code.ok_or(WebAppError::NoCode)?;
    let mut conn = ctx.db.acquire().await?;
    let site = db::site::find_by_code(&mut conn, code).await?.ok_or(WebAppError::NotFound)?;
    let app = db::app::find_by_credential(&mut conn, site.app_id)
        .await?
        .filter(|app| app.status == "normal" && app.enable_site)
        .ok_or(WebAppError::NotFound)?;
    if enterprise::is_on(ctx) {
        drop(conn);
        if enterprise::access_mode(ctx, app.id).await? != "public" {
            return Err(WebAppError::AuthRequired);
        }
        conn = ctx.db.acquire().await?;
    }
    let visitor = visitor(&mut conn, &app, user.filter(|user| !user.is_empty())).await?;
    Ok(crypto::jwt::web_passport(&app.id.to_string(), code, &visitor.id.to_string(), &ctx.secret))
}

async fn visitor(
    conn: &mut db::PgConnection,
    app: &App,
    user: Option<&str>,
) -> Result<EndUser, WebAppError> {
    if let Some(user) = user
        && let Some(known) =
            db::end_user::find_by_session(conn, app.tenant_id, app.id, user, "browser").await?
    {
        return Ok(known);
    }
    let fresh = Uuid::new_v4().to_string();
    let new = NewEndUser {
        tenant: app.tenant_id,
        app: Some(app.id),
        kind: "browser",
        external_user: None,
        is_anonymous: true,
        session: user.unwrap_or(&fresh),
    };
    Ok(db::end_user::insert(conn, new).await?)
}

/// Which web app is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The app's id.
    pub id: Option<&'a str>,
    /// The code of its page.
    pub code: Option<&'a str>,
}

/// How a web app is opened: `public` for everybody, and otherwise as the enterprise edition says.
///
/// # Errors
/// [`WebAppError::NoApp`], [`WebAppError::UnknownCode`].
#[boxed]
pub async fn access_mode(ctx: &Ctx, asked: Asked<'_>) -> Result<String, WebAppError> {
    if !enterprise::is_on(ctx) {
        return Ok("public".to_owned());
    }
    let app = match (asked.code, asked.id) {
        (Some(code), _) => {
            let mut conn = ctx.db.acquire().await?;
            let site = db::site::find_by_code(&mut conn, code).await?;
            site.ok_or_else(|| WebAppError::UnknownCode(code.to_owned()))?.app_id
        }
        (None, Some(id)) => id.parse().map_err(|_| WebAppError::NoApp)?,
        (None, None) => return Err(WebAppError::NoApp),
    };
    Ok(enterprise::access_mode(ctx, app).await?)
}

/// Whether a visitor may open a web app without more ado.
///
/// # Errors
/// [`WebAppError::NoApp`] unless both id and code are there.
#[boxed]
pub async fn may_open(ctx: &Ctx, asked: Asked<'_>) -> Result<bool, WebAppError> {
    let named = |word: Option<&str>| word.is_some_and(|word| !word.is_empty());
    if !named(asked.id) || !named(asked.code) {
        return Err(WebAppError::NoApp);
    }
    let mode = access_mode(ctx, Asked { code: None, ..asked }).await?;
    Ok(!is_private(&mode))
}

/// What a visitor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedIn {
    /// A sign-in, or no need of one.
    pub visitor: bool,
    /// A passport of the web app.
    pub app: bool,
}

/// What a visitor with these tokens has at the web app behind `code`.
///
/// # Errors
/// [`WebAppError::UnknownCode`].
#[boxed]
pub async fn signed_in(
    ctx: &Ctx,
    code: &str,
    token: Option<&str>,
    passport: Option<&str>,
) -> Result<SignedIn, WebAppError> {
    let mut conn = ctx.db.acquire().await?;
    let site = db::site::find_by_code(&mut conn, code)
        .await?
        .ok_or_else(|| WebAppError::UnknownCode(code.to_owned()))?;
    drop(conn);
    let needs_none =
        !enterprise::is_on(ctx) || !is_private(&enterprise::access_mode(ctx, site.app_id).await?);
    let holds = |token: Option<&str>| {
        token.is_some_and(|token| {
            crypto::jwt::decode(token, &ctx.secret, ctx.now().timestamp()).is_ok()
        })
    };
    let app = match passport {
        Some(passport) => opens(ctx, passport).await?,
        None => false,
    };
    Ok(SignedIn { visitor: needs_none || holds(token), app })
}

async fn opens(ctx: &Ctx, passport: &str) -> Result<bool, WebAppError> {
    use services_account::web_passport::{PassportError, authenticate};

    match authenticate(ctx, passport).await {
        Ok(_) => Ok(true),
        Err(PassportError::Fault(fault)) => Err(fault.into()),
        Err(_) => Ok(false),
    }
}

fn is_private(mode: &str) -> bool {
    matches!(mode, "private" | "private_all")
}

/// What a web app's page shows of itself.
#[derive(Debug, Clone)]
pub struct Front {
    /// The page.
    pub site: Site,
    /// The workspace's plan.
    pub plan: String,
    /// Whether the workspace may replace the product's logo.
    pub can_replace_logo: bool,
    /// What it did with that; `None` if it may not.
    pub brand: Option<Brand>,
}

/// How a workspace shows itself instead of the product.
#[derive(Debug, Clone)]
pub struct Brand {
    /// Whether the product's name is taken away.
    pub remove_webapp_brand: bool,
    /// Where the workspace's own logo is.
    pub replace_webapp_logo: Option<String>,
}

/// The page of an app.
///
/// # Errors
/// [`WebAppError::Forbidden`] without a page, or in an archived workspace.
#[boxed]
pub async fn front(ctx: &Ctx, app: &App) -> Result<Front, WebAppError> {
    let (site, tenant) = open(ctx, app).await?;
    let can_replace_logo = crate::feature::features(ctx, app.tenant_id).await?.can_replace_logo;
    let brand = can_replace_logo.then(|| brand(ctx, &tenant));
    Ok(Front { site, plan: tenant.plan, can_replace_logo, brand })
}

/// The page's settings alone.
///
/// # Errors
/// [`WebAppError::Forbidden`] without a page, or in an archived workspace.
#[boxed]
pub async fn site(ctx: &Ctx, app: &App) -> Result<Site, WebAppError> {
    open(ctx, app).await.map(|(site, _)| site)
}

async fn open(ctx: &Ctx, app: &App) -> Result<(Site, Tenant), WebAppError> {
    let mut conn = ctx.db.acquire().await?;
    let site = db::site::find_by_app(&mut conn, app.id).await?.ok_or(WebAppError::Forbidden)?;
    let tenant = db::tenant::find(&mut conn, app.tenant_id)
        .await?
        .filter(|tenant| tenant.status != "archive")
        .ok_or(WebAppError::Forbidden)?;
    Ok((site, tenant))
}

fn brand(ctx: &Ctx, tenant: &Tenant) -> Brand {
    let config = custom_config(tenant);
    Brand {
        remove_webapp_brand: config
            .get("remove_webapp_brand")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        replace_webapp_logo: logo_of(tenant).map(|_| logo_url(ctx, tenant.id)),
    }
}

/// Where a workspace's logo is shown to everybody.
#[must_use]
pub fn logo_url(ctx: &Ctx, tenant: TenantId) -> String {
    format!("{}/files/workspaces/{tenant}/webapp-logo", ctx.config.files_url())
}

/// The uploaded file a workspace shows as its logo.
#[must_use]
pub fn logo_of(tenant: &Tenant) -> Option<UploadFileId> {
    custom_config(tenant).get("replace_webapp_logo")?.as_str()?.parse().ok()
}

fn custom_config(tenant: &Tenant) -> Value {
    let text = tenant.custom_config.as_deref().unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(config: Option<&str>) -> Tenant {
        Tenant {
            id: TenantId::random(),
            name: String::new(),
            encrypt_public_key: None,
            plan: "basic".to_owned(),
            status: "normal".to_owned(),
            custom_config: config.map(str::to_owned),
            created_at: chrono::NaiveDateTime::default(),
            updated_at: chrono::NaiveDateTime::default(),
        }
    }

    #[test]
    fn a_logo_is_a_files_id_in_the_settings() {
        let id = UploadFileId::random();
        let with = format!(r#"{{"replace_webapp_logo": "{id}"}}"#);
        assert_eq!(logo_of(&tenant(Some(&with))), Some(id));
        for config in [None, Some(""), Some("no json"), Some(r#"{"replace_webapp_logo": ""}"#)] {
            assert_eq!(logo_of(&tenant(config)), None);
        }
    }
}
