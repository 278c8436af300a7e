//! What the command line mends: passwords, addresses, workspaces, key pairs.

use boxed::boxed;
use services_core::Ctx;

use crate::{AccountError, limit::Guesses, locale, password, registration, tenancy};
use db::account::NewAccount;
use types::AccountId;

/// Sets an account's password and lifts a lock of its sign-in.
///
/// # Errors
/// 400 in words for an unknown address, a weak password, or two that differ.
#[boxed]
pub async fn reset_password(
    ctx: &Ctx,
    email: &str,
    new_password: &str,
    confirm: &str,
) -> Result<(), AccountError> {
    if new_password.trim() != confirm.trim() {
        return Err(AccountError::Invalid("Passwords do not match.".to_owned()));
    }
    password::check_rule(new_password)?;
    let email = email.trim().to_lowercase();
    let mut conn = ctx.db.acquire().await?;
    let account = db::account::find_by_email(&mut conn, &email).await?;
    drop(conn);
    let account = account
        .ok_or_else(|| AccountError::Invalid(format!("Account not found for email: {email}")))?;
    let stored = password::hash(new_password).await?;
    let mut conn = ctx.db.acquire().await?;
    db::account::set_password(&mut conn, account.id, &stored.hash, &stored.salt).await?;
    Guesses::Login.forget(ctx, &email).await;
    Ok(())
}

/// Moves an account to another address.
///
/// # Errors
/// 400 in words for an unknown or unusable address, one in use, or two that differ.
#[boxed]
pub async fn reset_email(
    ctx: &Ctx,
    email: &str,
    new_email: &str,
    confirm: &str,
) -> Result<(), AccountError> {
    let new_email = new_email.trim().to_lowercase();
    if new_email != confirm.trim().to_lowercase() {
        return Err(AccountError::Invalid("New emails do not match.".to_owned()));
    }
    if !locale::is_email(&new_email) {
        return Err(AccountError::Invalid(format!("Invalid email: {new_email}")));
    }
    let mut tx = ctx.db.begin().await?;
    let account = db::account::find_by_email(&mut tx, email.trim()).await?;
    let account = account
        .ok_or_else(|| AccountError::Invalid(format!("Account not found for email: {email}")))?;
    db::account::lock_email(&mut tx, &new_email).await?;
    if db::account::email_taken(&mut tx, &new_email).await? {
        return Err(AccountError::EmailTaken);
    }
    db::account::set_email(&mut tx, account.id, &new_email).await?;
    tx.commit().await?;
    Ok(())
}

/// Makes an account with a workspace, and answers the password made up for it.
///
/// # Errors
/// [`AccountError::EmailTaken`], 400 for an address that is none.
#[boxed]
pub async fn create_tenant(
    ctx: &Ctx,
    email: &str,
    name: Option<&str>,
    language: Option<&str>,
) -> Result<String, AccountError> {
    let email = email.trim().to_lowercase();
    if !locale::is_email(&email) {
        return Err(AccountError::Invalid(format!("Invalid email address: {email}")));
    }
    let text = crypto::token::url_safe(16);
    let stored = password::hash(&text).await?;
    let language = locale::language_or_default(language);
    let own_name = email.split('@').next().unwrap_or_default();
    let prepared = tenancy::prepare(ctx).await?;
    let row = NewAccount {
        id: AccountId::random(),
        name: own_name,
        email: &email,
        password: Some((&stored.hash, &stored.salt)),
        interface_language: language,
        timezone: locale::timezone_of(language),
        status: "active",
        initialized_at: Some(ctx.now_naive()),
        last_login_ip: None,
    };
    let both = async {
        let mut tx = ctx.db.begin().await?;
        let account = registration::insert_account(&mut tx, row).await?;
        let default = format!("{}'s Workspace", account.name);
        let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(&default);
        let tenant = prepared.insert(ctx, &mut tx, name).await?;
        db::tenant::join(&mut tx, tenant.id, account.id, "owner", true).await?;
        tx.commit().await?;
        Ok::<_, AccountError>(())
    };
    match both.await {
        Ok(()) => Ok(text),
        Err(err) => {
            prepared.discard(ctx).await;
            Err(err)
        }
    }
}

/// Gives every workspace a new key pair. What was encrypted with the old one is lost: the model credentials that
/// cannot be read any more are deleted. Answers how many workspaces there were.
///
/// # Errors
/// 400 in words in the hosted edition.
#[boxed]
pub async fn reset_encrypt_key_pairs(ctx: &Ctx) -> Result<usize, AccountError> {
    if ctx.config.is_cloud() {
        return Err(AccountError::Invalid(
            "This command is only for SELF_HOSTED installations.".to_owned(),
        ));
    }
    let mut conn = ctx.db.acquire().await?;
    let tenants = db::tenant::ids(&mut conn).await?;
    drop(conn);
    for tenant in &tenants {
        let public_key = tenancy::store_key_pair(ctx, *tenant).await?;
        let mut tx = ctx.db.begin().await?;
        db::tenant::set_public_key(&mut tx, *tenant, &public_key).await?;
        db::tenant::delete_unreadable_credentials(&mut tx, *tenant).await?;
        tx.commit().await?;
        let cached = crypto::tenant_key::private_key_cache_key(*tenant);
        ctx.redis.del(&[&cached]).await?;
    }
    Ok(tenants.len())
}
