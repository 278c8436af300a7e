//! Whom a console request speaks for.

use boxed::boxed;
use std::time::Duration;

use chrono::TimeDelta;
use db::account::Account;
use services_core::{Ctx, Failure, Fault};
use sha2::{Digest, Sha256};
use types::{AccountId, TenantId};

/// `last_active_at` is written when it is older than this.
const ACTIVE_EVERY: TimeDelta = TimeDelta::minutes(10);

/// A signed-in console user, and the workspace they work in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The user.
    pub account: Account,
    /// The workspace.
    pub tenant: TenantId,
    /// The user's place in it.
    pub role: Role,
}

/// What a member of a workspace may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but what only the owner may.
    Admin,
    /// Builds apps.
    Editor,
    /// Uses apps.
    Normal,
    /// Builds knowledge bases.
    DatasetOperator,
}

impl Role {
    /// The role a `tenant_account_joins.role` names; an unknown word is the least of them.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "owner" => Self::Owner,
            "admin" => Self::Admin,
            "editor" => Self::Editor,
            "dataset_operator" => Self::DatasetOperator,
            _ => Self::Normal,
        }
    }

    /// The word in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Normal => "normal",
            Self::DatasetOperator => "dataset_operator",
        }
    }

    /// Owner or admin.
    #[must_use]
    pub fn is_privileged(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }

    /// May edit apps.
    #[must_use]
    pub fn is_editing(self) -> bool {
        self.is_privileged() || self == Self::Editor
    }

    /// May edit knowledge bases.
    #[must_use]
    pub fn is_dataset_editing(self) -> bool {
        self.is_editing() || self == Self::DatasetOperator
    }
}

/// Why a request speaks for nobody.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No token, one of another kind, or one that was signed out.
    #[error("Invalid Authorization token.")]
    NoToken,
    /// A token that does not verify.
    #[error("{0}")]
    BadToken(String),
    /// The account was banned.
    #[error("Account is banned.")]
    Banned,
    /// The account is gone or belongs to no workspace.
    #[error("Unauthorized.")]
    Nobody,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for SessionError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for SessionError {
    fn status(&self) -> u16 {
        match self {
            Self::Fault(fault) => fault.status(),
            _ => 401,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.code(),
            _ => "unauthorized",
        }
    }

    fn data(&self) -> Option<serde_json::Value> {
        // The reference's login manager answers this one itself, without a status.
        matches!(self, Self::Nobody)
            .then(|| serde_json::json!({"code": "unauthorized", "message": "Unauthorized."}))
    }
}

/// The user an access token names.
///
/// # Errors
/// [`SessionError`]: all but faults are 401.
#[boxed]
pub async fn authenticate(ctx: &Ctx, token: &str) -> Result<SignedIn, SessionError> {
    let claims = crypto::jwt::decode(token, &ctx.secret, ctx.now().timestamp())
        .map_err(|err| SessionError::BadToken(err.to_string()))?;
    // A web app's token names where it comes from and opens nothing here.
    if claims.contains_key("token_source") {
        return Err(SessionError::NoToken);
    }
    let account = claims
        .get("user_id")
        .and_then(|id| id.as_str()?.parse().ok())
        .ok_or(SessionError::NoToken)?;
    if is_revoked(ctx, token).await {
        return Err(SessionError::NoToken);
    }
    load(ctx, account).await
}

/// The account with the workspace it works in.
///
/// # Errors
/// [`SessionError::Banned`], [`SessionError::Nobody`].
#[boxed]
pub async fn load(ctx: &Ctx, id: AccountId) -> Result<SignedIn, SessionError> {
    let mut conn = ctx.db.acquire().await?;
    let account = db::account::find(&mut conn, id).await?.ok_or(SessionError::Nobody)?;
    if account.status == "banned" {
        return Err(SessionError::Banned);
    }
    let membership =
        db::tenant::current_membership(&mut conn, id).await?.ok_or(SessionError::Nobody)?;
    if !membership.current {
        db::tenant::set_current(&mut conn, id, membership.tenant_id).await?;
    }
    let now = ctx.now_naive();
    if ACTIVE_EVERY < now - account.last_active_at {
        db::account::touch(&mut conn, id, now).await?;
    }
    Ok(SignedIn { account, tenant: membership.tenant_id, role: Role::parse(&membership.role) })
}

/// The owner of a workspace: whom the admin key and the service keys speak for.
///
/// # Errors
/// [`SessionError::Nobody`] if the workspace has none.
#[boxed]
pub async fn owner_of(ctx: &Ctx, tenant: TenantId) -> Result<SignedIn, SessionError> {
    let mut conn = ctx.db.acquire().await?;
    let owner = db::tenant::owner(&mut conn, tenant).await?.ok_or(SessionError::Nobody)?;
    let account = db::account::find(&mut conn, owner).await?.ok_or(SessionError::Nobody)?;
    Ok(SignedIn { account, tenant, role: Role::Owner })
}

/// Whether the console may be used at all.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn is_set_up(ctx: &Ctx) -> Result<bool, Fault> {
    // Once set up, a server stays so: only the negative answer is asked again.
    if ctx.is_set_up_known() {
        return Ok(true);
    }
    let mut conn = ctx.db.acquire().await?;
    let done = db::setup::find(&mut conn).await?.is_some();
    if done {
        ctx.note_set_up();
    }
    Ok(done)
}

/// Makes an access token worthless before it expires (signing out).
///
/// The reference lets it live on; see `docs/deviations.md`.
#[boxed]
pub async fn revoke(ctx: &Ctx, token: &str) {
    let ttl = Duration::from_secs(
        u64::try_from(ctx.config.feature.access_token_expire_minutes).unwrap_or(60) * 60,
    );
    if let Err(err) = ctx.redis.set_ex(&revoked_key(token), b"1", ttl).await {
        tracing::warn!(error = %err, "could not revoke an access token");
    }
}

async fn is_revoked(ctx: &Ctx, token: &str) -> bool {
    // Without Redis nobody can sign out, and requests that can be answered are.
    ctx.redis.exists(&revoked_key(token)).await.unwrap_or(false)
}

fn revoked_key(token: &str) -> String {
    format!("dify_rs:revoked:{}", hex::encode(Sha256::digest(token.as_bytes())))
}
