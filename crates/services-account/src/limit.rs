//! Limits on mails and on wrong guesses, in the reference's Redis keys.
//!
//! Without Redis the limits of guesses and addresses do not hold, as in the reference: people can still sign in.

use boxed::boxed;
use std::time::Duration;

use redis::Window;
use services_core::Ctx;

use crate::AccountError;

/// How many wrong guesses go unpunished.
const GUESSES: i64 = 5;

/// How often one kind of mail may go to one address.
#[derive(Debug, Clone, Copy)]
pub struct SendLimit {
    prefix: &'static str,
    attempts: u64,
    window: Duration,
    code: &'static str,
    what: &'static str,
}

const fn once_a_minute(prefix: &'static str, code: &'static str, what: &'static str) -> SendLimit {
    SendLimit { prefix, attempts: 1, window: Duration::from_secs(60), code, what }
}

/// Codes for a new password.
pub const RESET_PASSWORD: SendLimit = once_a_minute(
    "reset_password_rate_limit",
    "password_reset_rate_limit_exceeded",
    "password reset",
);
/// Codes for registration.
pub const REGISTER: SendLimit = once_a_minute(
    "email_register_rate_limit",
    "email_register_rate_limit_exceeded",
    "email register",
);
/// Codes for a new address.
pub const CHANGE_EMAIL: SendLimit =
    once_a_minute("change_email_rate_limit", "email_change_rate_limit_exceeded", "email change");
/// Codes for a new owner.
pub const OWNER_TRANSFER: SendLimit = once_a_minute(
    "owner_transfer_rate_limit",
    "owner_transfer_rate_limit_exceeded",
    "owner transfer",
);
/// Codes to delete an account.
pub const DELETION: SendLimit = once_a_minute(
    "email_code_account_deletion_rate_limit",
    "email_code_account_deletion_rate_limit_exceeded",
    "account deletion",
);
/// Codes to sign in.
pub const CODE_LOGIN: SendLimit = SendLimit {
    prefix: "email_code_login_rate_limit",
    attempts: 3,
    window: Duration::from_secs(300),
    code: "email_code_login_rate_limit_exceeded",
    what: "login",
};

impl SendLimit {
    /// Takes one place in the window of `email`.
    ///
    /// # Errors
    /// [`AccountError::TooManyMails`] if there is none.
    #[boxed]
    pub async fn take(&self, ctx: &Ctx, email: &str) -> Result<(), AccountError> {
        if window(ctx, &format!("{}:{email}", self.prefix), self.attempts, self.window).await? {
            return Ok(());
        }
        let minutes = self.window.as_secs() / 60;
        Err(AccountError::TooManyMails { code: self.code, what: self.what, minutes })
    }
}

/// Takes one of `attempts` places in a sliding window; answers whether there was one.
///
/// # Errors
/// Redis's.
pub(crate) async fn window(
    ctx: &Ctx,
    key: &str,
    attempts: u64,
    span: Duration,
) -> Result<bool, AccountError> {
    let now = Duration::from_secs(u64::try_from(ctx.now().timestamp()).unwrap_or_default());
    Ok(ctx.redis.window_take(key, &Window::seconds(attempts, span), now).await?)
}

/// A count of wrong guesses, which locks after five until its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guesses {
    /// Passwords.
    Login,
    /// Codes for a new password.
    ForgotPassword,
    /// Codes for registration.
    Register,
    /// Codes for a new address.
    ChangeEmail,
    /// Codes for a new owner.
    OwnerTransfer,
}

impl Guesses {
    fn key(self, email: &str) -> String {
        let name = match self {
            Self::Login => "login",
            Self::ForgotPassword => "forgot_password",
            Self::Register => "email_register",
            Self::ChangeEmail => "change_email",
            Self::OwnerTransfer => "owner_transfer",
        };
        format!("{name}_error_rate_limit:{email}")
    }

    fn lockout(self, ctx: &Ctx) -> Duration {
        let settings = &ctx.config.feature;
        let seconds = match self {
            Self::Login => settings.login_lockout_duration,
            Self::ForgotPassword => settings.forgot_password_lockout_duration,
            Self::Register => settings.email_register_lockout_duration,
            Self::ChangeEmail => settings.change_email_lockout_duration,
            Self::OwnerTransfer => settings.owner_transfer_lockout_duration,
        };
        Duration::from_secs(u64::try_from(seconds).unwrap_or(86_400))
    }

    fn locked(self) -> AccountError {
        match self {
            Self::Login => AccountError::LoginLocked,
            Self::ForgotPassword => AccountError::ResetLocked,
            Self::Register => AccountError::RegisterLocked,
            Self::ChangeEmail => AccountError::ChangeEmailLocked,
            Self::OwnerTransfer => AccountError::TransferLocked,
        }
    }

    /// Refuses further guesses after too many wrong ones.
    ///
    /// # Errors
    /// The lock of this kind.
    #[boxed]
    pub async fn check(self, ctx: &Ctx, email: &str) -> Result<(), AccountError> {
        let count = ctx.redis.get_string(&self.key(email)).await.ok().flatten();
        let count = count.and_then(|count| count.parse::<i64>().ok());
        if GUESSES < count.unwrap_or(0) { Err(self.locked()) } else { Ok(()) }
    }

    /// Counts a guess **before** it is checked, so that guesses made at once cannot pass the lock together; a right
    /// one is forgotten with [`Guesses::forget`], one that was no guess is taken back with [`Guesses::take_back`].
    ///
    /// # Errors
    /// The lock of this kind.
    #[boxed]
    pub async fn count(self, ctx: &Ctx, email: &str) -> Result<(), AccountError> {
        self.check(ctx, email).await?;
        let key = self.key(email);
        let count = match ctx.redis.incr(&key).await {
            Ok(count) => count,
            Err(err) => {
                tracing::warn!(error = %err, "wrong guesses are not counted");
                return Ok(());
            }
        };
        if let Err(err) = ctx.redis.expire(&key, self.lockout(ctx)).await {
            tracing::warn!(error = %err, "a count of wrong guesses has no end");
        }
        if GUESSES + 1 < count { Err(self.locked()) } else { Ok(()) }
    }

    /// Forgets the wrong guesses.
    #[boxed]
    pub async fn forget(self, ctx: &Ctx, email: &str) {
        if let Err(err) = ctx.redis.del(&[&self.key(email)]).await {
            tracing::warn!(error = %err, "a count of wrong guesses was not cleared");
        }
    }

    /// Takes one counted guess back.
    #[boxed]
    pub async fn take_back(self, ctx: &Ctx, email: &str) {
        if let Err(err) = ctx.redis.incr_by(&self.key(email), -1).await {
            tracing::warn!(error = %err, "a count of wrong guesses was not lowered");
        }
    }
}

/// Refuses a request for a mail from an address that asked for too many: first for ten minutes' grace, then frozen for
/// an hour.
///
/// # Errors
/// [`AccountError::IpLimited`].
#[boxed]
pub async fn check_ip(ctx: &Ctx, ip: &str) -> Result<(), AccountError> {
    match ip_is_limited(ctx, ip).await {
        Ok(true) => Err(AccountError::IpLimited),
        Ok(false) => Ok(()),
        Err(err) => {
            tracing::warn!(error = %err, "mails by client address are not counted");
            Ok(())
        }
    }
}

async fn ip_is_limited(ctx: &Ctx, ip: &str) -> Result<bool, redis::RedisError> {
    const HOUR: Duration = Duration::from_secs(3600);
    const MINUTE: Duration = Duration::from_secs(60);
    let freeze = format!("email_send_ip_limit_freeze:{ip}");
    if ctx.redis.exists(&freeze).await? {
        return Ok(true);
    }
    let minute = format!("email_send_ip_limit_minute:{ip}");
    let count = ctx.redis.incr(&minute).await?;
    if count <= ctx.config.feature.email_send_ip_limit_per_minute + 1 {
        ctx.redis.expire(&minute, MINUTE).await?;
        return Ok(false);
    }
    // The refused call does not count, or the minute would never end.
    ctx.redis.incr_by(&minute, -1).await?;
    let hour = format!("email_send_ip_limit_hour:{ip}");
    if ctx.redis.exists(&hour).await? {
        ctx.redis.set_ex(&freeze, b"1", HOUR).await?;
    } else {
        ctx.redis.set_ex(&hour, b"2", HOUR).await?;
    }
    Ok(true)
}
