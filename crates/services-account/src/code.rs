//! Tokens behind mails: a token goes to the browser, a six-digit code to the mailbox, and only who has both goes on.
//!
//! A token that proved its code is swapped for one of a later *phase*. Steps that change something take only such a
//! token; the one a *send* call handed out opens nothing by itself.

use boxed::boxed;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use services_core::{Ctx, Fault};
use types::{AccountId, TenantId};
use uuid::Uuid;

use crate::AccountError;

/// How many wrong codes a token survives where no count by address watches over it.
const TRIES: i64 = 5;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new password.
    ResetPassword,
    /// A new account.
    Register,
    /// A new address.
    ChangeEmail,
    /// A new owner.
    OwnerTransfer,
    /// Signing in.
    Login,
    /// Deleting an account.
    Deletion,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::Register => "email_register",
            Self::ChangeEmail => "change_email",
            Self::OwnerTransfer => "owner_transfer",
            Self::Login => "email_code_login",
            Self::Deletion => "account_deletion",
        }
    }

    fn ttl(self, ctx: &Ctx) -> Duration {
        let settings = &ctx.config.feature;
        let minutes = match self {
            Self::ResetPassword => settings.reset_password_token_expiry_minutes,
            Self::Register => settings.email_register_token_expiry_minutes,
            Self::ChangeEmail => settings.change_email_token_expiry_minutes,
            Self::OwnerTransfer => settings.owner_transfer_token_expiry_minutes,
            Self::Login => settings.email_code_login_token_expiry_minutes,
            Self::Deletion => settings.account_deletion_token_expiry_minutes,
        };
        Duration::from_secs(u64::try_from(minutes).unwrap_or(5).saturating_mul(60))
    }

    fn key(self, token: &str) -> String {
        format!("{}:token:{token}", self.name())
    }
}

/// What a token stands for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Grant {
    /// The account it was made for.
    pub account_id: Option<AccountId>,
    /// The address the code went to.
    pub email: String,
    /// The code.
    #[serde(default)]
    pub code: String,
    /// The step the holder has reached; empty until the code was proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The address that is to be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_email: Option<String>,
    /// The workspace that is to be handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// The purpose's name.
    #[serde(default)]
    token_type: String,
}

impl Grant {
    /// A grant for an account, with a fresh code.
    #[must_use]
    pub fn to(account: AccountId, email: &str) -> Self {
        Self { account_id: Some(account), ..Self::to_address(email) }
    }

    /// A grant for an address nobody has, with a fresh code.
    #[must_use]
    pub fn to_address(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            code: crypto::token::verification_code(),
            ..Self::default()
        }
    }

    /// The grant of the next step.
    #[must_use]
    pub fn advanced(mut self, phase: &str) -> Self {
        self.phase = Some(phase.to_owned());
        self
    }

    /// Whether the holder has reached that step.
    #[must_use]
    pub fn is_in(&self, phase: &str) -> bool {
        self.phase.as_deref() == Some(phase)
    }
}

/// Hands out a token. With `alone`, the one handed out before for the same account and purpose is worth nothing
/// any more.
///
/// # Errors
/// Redis's.
#[boxed]
pub async fn issue(
    ctx: &Ctx,
    purpose: Purpose,
    mut grant: Grant,
    alone: bool,
) -> Result<String, AccountError> {
    purpose.name().clone_into(&mut grant.token_type);
    let token = Uuid::new_v4().to_string();
    let ttl = purpose.ttl(ctx);
    let json =
        serde_json::to_vec(&grant).map_err(|err| Fault::caused("a token is no JSON", err))?;
    if let Some(account) = grant.account_id.filter(|_| alone) {
        let key = format!("{}:account:{account}", purpose.name());
        if let Some(old) = ctx.redis.get(&key).await? {
            ctx.redis.del(&[&purpose.key(&String::from_utf8_lossy(&old))]).await?;
        }
        ctx.redis.set_ex(&key, token.as_bytes(), ttl).await?;
    }
    ctx.redis.set_ex(&purpose.key(&token), &json, ttl).await?;
    Ok(token)
}

/// What a token stands for.
///
/// # Errors
/// [`AccountError::BadToken`].
#[boxed]
pub async fn read(ctx: &Ctx, purpose: Purpose, token: &str) -> Result<Grant, AccountError> {
    let json = ctx.redis.get(&purpose.key(token)).await?.ok_or(AccountError::BadToken)?;
    serde_json::from_slice(&json).map_err(|_| AccountError::BadToken)
}

/// Uses a token up. Of two calls at once only one succeeds.
///
/// # Errors
/// [`AccountError::BadToken`] if it was used up meanwhile.
#[boxed]
pub async fn use_up(ctx: &Ctx, purpose: Purpose, token: &str) -> Result<(), AccountError> {
    if 0 < ctx.redis.del(&[&purpose.key(token)]).await? {
        Ok(())
    } else {
        Err(AccountError::BadToken)
    }
}

/// Whether the code is the grant's.
#[must_use]
pub fn proves(grant: &Grant, code: &str) -> bool {
    !grant.code.is_empty() && crypto::hash::same(grant.code.as_bytes(), code.as_bytes())
}

/// Like [`proves`], for purposes without a count of wrong guesses by address: the sixth wrong code ends the token.
///
/// # Errors
/// Redis's.
#[boxed]
pub async fn proves_within_tries(
    ctx: &Ctx,
    purpose: Purpose,
    token: &str,
    grant: &Grant,
    code: &str,
) -> Result<bool, AccountError> {
    let key = format!("dify_rs:code_tries:{}", purpose.key(token));
    let tries = ctx.redis.incr(&key).await?;
    ctx.redis.expire(&key, purpose.ttl(ctx)).await?;
    if TRIES < tries {
        ctx.redis.del(&[&purpose.key(token)]).await?;
        return Ok(false);
    }
    Ok(proves(grant, code))
}
