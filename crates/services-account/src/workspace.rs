//! Workspaces: lists, names, looks, which one a user works in.

use boxed::boxed;
use db::{credit_pool::CreditPool, tenant::Tenant};
use serde_json::{Value, json};
use services_core::{Ctx, Fault};
use types::{AccountId, TenantId, UploadFileId};

use crate::{
    AccountError,
    session::{Role, SignedIn},
};

/// A workspace as its member sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The workspace.
    pub tenant: Tenant,
    /// The member's place in it.
    pub role: Role,
}

/// The workspaces a user belongs to that are not archived.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn list(ctx: &Ctx, account: AccountId) -> Result<Vec<Tenant>, AccountError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::tenant::joined(&mut conn, account).await?)
}

/// A page of all workspaces, and how many there are. For the operator alone.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn list_all(
    ctx: &Ctx,
    page: i64,
    limit: i64,
) -> Result<(Vec<Tenant>, i64), AccountError> {
    let mut conn = ctx.db.acquire().await?;
    let total = db::tenant::count(&mut conn).await?;
    let items = db::tenant::list_all(&mut conn, limit, (page - 1) * limit).await?;
    Ok((items, total))
}

/// The workspace a user works in; out of an archived one into the first that is not.
///
/// # Errors
/// [`AccountError::Archived`] if there is none.
#[boxed]
pub async fn current(ctx: &Ctx, user: &SignedIn) -> Result<Seen, AccountError> {
    let mut conn = ctx.db.acquire().await?;
    let tenant = find(&mut conn, user.tenant).await?;
    if tenant.status != "archive" {
        return Ok(Seen { tenant, role: user.role });
    }
    let other = db::tenant::joined(&mut conn, user.account.id).await?.into_iter().next();
    let other = other.ok_or(AccountError::Archived)?;
    db::tenant::set_current(&mut conn, user.account.id, other.id).await?;
    seen(&mut conn, user.account.id, other).await
}

/// Moves a user into another of their workspaces.
///
/// # Errors
/// [`AccountError::NotLinked`] if it is not theirs or archived.
#[boxed]
pub async fn switch(ctx: &Ctx, user: &SignedIn, to: &str) -> Result<Seen, AccountError> {
    let to: TenantId = to.parse().map_err(|_| AccountError::NotLinked)?;
    let mut conn = ctx.db.acquire().await?;
    let mut joined = db::tenant::joined(&mut conn, user.account.id).await?;
    joined.retain(|tenant| tenant.id == to);
    let tenant = joined.pop().ok_or(AccountError::NotLinked)?;
    if !db::tenant::set_current(&mut conn, user.account.id, to).await? {
        return Err(AccountError::NotLinked);
    }
    seen(&mut conn, user.account.id, tenant).await
}

/// Renames the workspace a user works in.
///
/// # Errors
/// 400 for a name that is too long.
#[boxed]
pub async fn rename(ctx: &Ctx, user: &SignedIn, name: &str) -> Result<Seen, AccountError> {
    if 255 < name.chars().count() {
        return Err(AccountError::Invalid("The name is longer than 255 characters.".to_owned()));
    }
    let mut conn = ctx.db.acquire().await?;
    db::tenant::set_name(&mut conn, user.tenant, name).await?;
    Ok(Seen { tenant: find(&mut conn, user.tenant).await?, role: user.role })
}

/// Changes how the workspace's web apps look: `None` for the logo leaves it, an empty one removes it.
///
/// # Errors
/// 400 for a logo that is no file of the workspace.
#[boxed]
pub async fn customize(
    ctx: &Ctx,
    user: &SignedIn,
    remove_brand: Option<bool>,
    logo: Option<&str>,
) -> Result<Seen, AccountError> {
    let mut conn = ctx.db.acquire().await?;
    if let Some(logo) = logo.filter(|logo| !logo.is_empty()) {
        // The logo is public: it must not be another workspace's file.
        let known = match logo.parse::<UploadFileId>() {
            Ok(file) => db::tenant::has_file(&mut conn, user.tenant, file).await?,
            Err(_) => false,
        };
        if !known {
            return Err(AccountError::Invalid("Logo file not found.".to_owned()));
        }
    }
    let tenant = find(&mut conn, user.tenant).await?;
    let kept = custom_config(&tenant).get("replace_webapp_logo").cloned().unwrap_or_default();
    let config = json!({
        "remove_webapp_brand": remove_brand,
        "replace_webapp_logo": logo.map_or(kept, Value::from),
    });
    let config = types::pyjson::dumps(&config)
        .map_err(|err| Fault::caused("a workspace's look is no JSON", err))?;
    db::tenant::set_custom_config(&mut conn, user.tenant, &config).await?;
    Ok(Seen { tenant: find(&mut conn, user.tenant).await?, role: user.role })
}

/// The workspace's own look.
#[must_use]
pub fn custom_config(tenant: &Tenant) -> Value {
    let text = tenant.custom_config.as_deref().unwrap_or("{}");
    serde_json::from_str(text).unwrap_or_default()
}

/// The credits a workspace of the hosted edition has: the paid ones while there are any, else the trial ones.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn credits(
    ctx: &Ctx,
    tenant: TenantId,
    is_paid: bool,
) -> Result<Option<CreditPool>, AccountError> {
    let mut conn = ctx.db.acquire().await?;
    if is_paid {
        let paid = db::credit_pool::find(&mut conn, tenant, "paid").await?;
        if let Some(pool) =
            paid.filter(|pool| pool.quota_limit == -1 || pool.quota_used < pool.quota_limit)
        {
            return Ok(Some(pool));
        }
    }
    Ok(db::credit_pool::find(&mut conn, tenant, "trial").await?)
}

async fn find(db: &mut db::PgConnection, id: TenantId) -> Result<Tenant, AccountError> {
    let tenant = db::tenant::find(db, id).await?;
    Ok(tenant.ok_or_else(|| Fault::Other(format!("workspace {id} of a session is gone")))?)
}

async fn seen(
    db: &mut db::PgConnection,
    account: AccountId,
    tenant: Tenant,
) -> Result<Seen, AccountError> {
    let membership =
        db::tenant::membership(db, tenant.id, account).await?.ok_or(AccountError::NotLinked)?;
    Ok(Seen { tenant, role: Role::parse(&membership.role) })
}

/// The account that is to own a workspace, by address.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn owner_by_email(ctx: &Ctx, email: &str) -> Result<Option<AccountId>, AccountError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::account::find_by_email(&mut conn, email).await?.map(|account| account.id))
}
