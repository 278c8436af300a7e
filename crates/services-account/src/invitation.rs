//! Invitations to a workspace.

use boxed::boxed;
use std::time::Duration;

use db::{
    account::{Account, NewAccount},
    tenant::Tenant,
};
use serde::{Deserialize, Serialize};
use services_core::{Ctx, Fault};
use types::{AccountId, TenantId};
use uuid::Uuid;

use crate::{
    AccountError, billing, enterprise, locale,
    outbox::{self, Letter},
    registration,
    session::{Role, SignedIn},
};

/// An invitation that still holds: its workspace is not archived and its account still a member.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Who was invited.
    pub account: Account,
    /// The address the invitation went to.
    pub email: String,
    /// Where to.
    pub tenant: Tenant,
}

/// What Redis keeps of an invitation.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    account_id: AccountId,
    email: String,
    workspace_id: TenantId,
}

/// The invitation behind a token. With both workspace and address the older kind of token is meant, whose key holds
/// them; the address is tried as written and in small letters.
///
/// # Errors
/// The ground's.
#[boxed]
pub async fn find(
    ctx: &Ctx,
    workspace: Option<&str>,
    email: Option<&str>,
    token: &str,
) -> Result<Option<Invitation>, AccountError> {
    if let Some(found) = find_exactly(ctx, workspace, email, token).await? {
        return Ok(Some(found));
    }
    match email {
        Some(email) if email.to_lowercase() != email => {
            find_exactly(ctx, workspace, Some(&email.to_lowercase()), token).await
        }
        _ => Ok(None),
    }
}

async fn find_exactly(
    ctx: &Ctx,
    workspace: Option<&str>,
    email: Option<&str>,
    token: &str,
) -> Result<Option<Invitation>, AccountError> {
    let Some(note) = read(ctx, workspace, email, token).await? else { return Ok(None) };
    let mut conn = ctx.db.acquire().await?;
    let tenant = db::tenant::find(&mut conn, note.workspace_id).await?;
    let Some(tenant) = tenant.filter(|tenant| tenant.status == "normal") else { return Ok(None) };
    let account = db::account::find(&mut conn, note.account_id).await?;
    let Some(account) = account.filter(|account| account.email == note.email) else {
        return Ok(None);
    };
    if db::tenant::membership(&mut conn, tenant.id, account.id).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(Invitation { account, email: note.email, tenant }))
}

async fn read(
    ctx: &Ctx,
    workspace: Option<&str>,
    email: Option<&str>,
    token: &str,
) -> Result<Option<Note>, AccountError> {
    let (Some(workspace), Some(email)) = (workspace, email) else {
        let json = ctx.redis.get(&key(token)).await?;
        return Ok(json.and_then(|json| serde_json::from_slice(&json).ok()));
    };
    let Some(account) = ctx.redis.get(&old_key(workspace, email, token)).await? else {
        return Ok(None);
    };
    let account = std::str::from_utf8(&account).ok().and_then(|id| id.parse().ok());
    let workspace = workspace.parse().ok();
    Ok(account.zip(workspace).map(|(account_id, workspace_id)| Note {
        account_id,
        email: email.to_owned(),
        workspace_id,
    }))
}

/// The address an invitation of the newer kind was sent to, whether or not it still holds.
///
/// # Errors
/// Redis's.
#[boxed]
pub async fn address(ctx: &Ctx, token: &str) -> Result<Option<String>, AccountError> {
    Ok(read(ctx, None, None, token).await?.map(|note| note.email))
}

/// The workspace an invitation opens, if it does and the operator lets it.
///
/// # Errors
/// 403 if the operator forbids invitations.
#[boxed]
pub async fn check(
    ctx: &Ctx,
    workspace: Option<&str>,
    email: Option<&str>,
    token: &str,
) -> Result<Option<Invitation>, AccountError> {
    let found = find(ctx, workspace, email, token).await?;
    if let Some(found) = &found {
        enterprise::check_may_invite(ctx, found.tenant.id).await?;
    }
    Ok(found)
}

/// How an invited person wants to be called and addressed.
#[derive(Debug, Clone, Copy)]
pub struct Acceptance<'a> {
    /// For tokens of the older kind.
    pub workspace: Option<&'a str>,
    /// The invited address.
    pub email: Option<&'a str>,
    /// The token.
    pub token: &'a str,
    /// Display name.
    pub name: &'a str,
    /// A language of the console.
    pub language: &'a str,
    /// IANA name.
    pub timezone: &'a str,
}

/// Accepts an invitation; the token is used up.
///
/// # Errors
/// [`AccountError::AlreadyActive`].
#[boxed]
pub async fn accept(ctx: &Ctx, acceptance: Acceptance<'_>) -> Result<(), AccountError> {
    let Acceptance { workspace, email, token, .. } = acceptance;
    let found = find(ctx, workspace, email, token).await?.ok_or(AccountError::AlreadyActive)?;
    // An invitation must not lift a ban.
    if matches!(found.account.status.as_str(), "banned" | "closed") {
        return Err(AccountError::AlreadyActive);
    }
    let key = match (workspace, email) {
        (Some(workspace), Some(_)) => old_key(workspace, &found.email, token),
        _ => key(token),
    };
    if ctx.redis.del(&[&key]).await? == 0 {
        return Err(AccountError::AlreadyActive);
    }
    let mut conn = ctx.db.acquire().await?;
    let (name, language, timezone) = (acceptance.name, acceptance.language, acceptance.timezone);
    let now = ctx.now_naive();
    db::account::initialize(&mut conn, found.account.id, Some(name), language, timezone, now)
        .await?;
    Ok(())
}

/// What became of one invited address.
#[derive(Debug)]
pub enum Invited {
    /// A mail with this token is on its way.
    Mailed(String),
    /// The account needs no invitation; it is a member now.
    Active,
    /// It was not invited, in words.
    Failed(String),
}

/// Invites addresses to the workspace `inviter` works in; one that fails does not stop the others.
///
/// # Errors
/// 403 if the operator forbids invitations.
#[boxed]
pub async fn invite(
    ctx: &Ctx,
    inviter: &SignedIn,
    emails: &[String],
    role: Role,
    language: Option<&str>,
) -> Result<Vec<(String, Invited)>, AccountError> {
    enterprise::check_may_invite(ctx, inviter.tenant).await?;
    let mut conn = ctx.db.acquire().await?;
    let tenant = db::tenant::find(&mut conn, inviter.tenant).await?;
    drop(conn);
    let tenant =
        tenant.ok_or_else(|| Fault::Other("the session's workspace is gone".to_owned()))?;
    let mut outcomes = Vec::with_capacity(emails.len());
    for email in emails {
        let outcome = match invite_one(ctx, inviter, &tenant, email, role, language).await {
            Ok(outcome) => outcome,
            Err(AccountError::Fault(fault)) => {
                tracing::error!(error = %fault, "somebody could not be invited");
                Invited::Failed("Internal Server Error".to_owned())
            }
            Err(err) => Invited::Failed(err.to_string()),
        };
        outcomes.push((email.to_lowercase(), outcome));
    }
    Ok(outcomes)
}

async fn invite_one(
    ctx: &Ctx,
    inviter: &SignedIn,
    tenant: &Tenant,
    email: &str,
    role: Role,
    language: Option<&str>,
) -> Result<Invited, AccountError> {
    let refused = || AccountError::Forbidden("No permission to add member.".to_owned());
    let normal = email.to_lowercase();
    let mut conn = ctx.db.acquire().await?;
    let known = db::account::find_by_email(&mut conn, email).await?;
    drop(conn);
    if known.as_ref().is_some_and(|account| account.id == inviter.account.id) {
        return Err(AccountError::Forbidden("Cannot operate self.".to_owned()));
    }
    if !inviter.role.is_privileged() {
        return Err(refused());
    }
    if known.is_none() {
        if !locale::is_email(email) {
            return Err(AccountError::Invalid(format!("{email} is not a valid email.")));
        }
        billing::check_not_frozen(ctx, &normal).await?;
    }

    let mut tx = ctx.db.begin().await?;
    let account = match known {
        Some(account) => account,
        None => {
            let language = locale::language_or_default(language);
            let name = normal.split('@').next().unwrap_or_default();
            let row = NewAccount {
                id: AccountId::random(),
                name,
                email: &normal,
                password: None,
                interface_language: language,
                timezone: locale::timezone_of(language),
                status: "pending",
                initialized_at: Some(ctx.now_naive()),
                last_login_ip: None,
            };
            registration::insert_account(&mut tx, row).await?
        }
    };
    if db::tenant::membership(&mut tx, tenant.id, account.id).await?.is_none() {
        let homeless = !db::tenant::has_joined_any(&mut tx, account.id).await?;
        db::tenant::join(&mut tx, tenant.id, account.id, role.as_str(), homeless).await?;
    }
    tx.commit().await?;

    billing::forget_plan(ctx, tenant.id).await;
    if account.status != "pending" {
        return Ok(Invited::Active);
    }
    let token = remember(ctx, tenant.id, &account).await?;
    let letter = Letter::Invite {
        language: account.interface_language.as_deref().unwrap_or("en-US"),
        to: &account.email,
        token: &token,
        inviter_name: &inviter.account.name,
        workspace_name: &tenant.name,
    };
    outbox::post(ctx, letter).await?;
    Ok(Invited::Mailed(token))
}

async fn remember(ctx: &Ctx, tenant: TenantId, account: &Account) -> Result<String, AccountError> {
    let token = Uuid::new_v4().to_string();
    let note = Note { account_id: account.id, email: account.email.clone(), workspace_id: tenant };
    let json =
        serde_json::to_vec(&note).map_err(|err| Fault::caused("an invitation is no JSON", err))?;
    let hours = u64::try_from(ctx.config.feature.invite_expiry_hours).unwrap_or(72);
    ctx.redis.set_ex(&key(&token), &json, Duration::from_secs(hours * 3600)).await?;
    Ok(token)
}

fn key(token: &str) -> String {
    format!("member_invite:token:{token}")
}

fn old_key(workspace: &str, email: &str, token: &str) -> String {
    let email = crypto::hash::sha256_hex(email.as_bytes());
    format!("member_invite_token:{workspace}, {email}:{token}")
}
