//! The first account of a server.

use boxed::boxed;
use chrono::NaiveDateTime;
use db::account::NewAccount;
use services_core::{Ctx, Fault};
use types::AccountId;

use crate::{AccountError, enterprise, locale, password, registration, tenancy};

/// Whether the server was set up, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nobody has an account.
    NotStarted,
    /// Done; the time is not known in the hosted edition.
    Finished(Option<NaiveDateTime>),
}

/// Whether the server was set up.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn step(ctx: &Ctx) -> Result<Step, AccountError> {
    if ctx.config.is_cloud() {
        return Ok(Step::Finished(None));
    }
    let mut conn = ctx.db.acquire().await?;
    let at = db::setup::find(&mut conn).await?;
    Ok(at.map_or(Step::NotStarted, |at| Step::Finished(Some(at))))
}

/// Whether the init password was given or is not asked for. `session_says` is what the browser's session holds.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn init_is_done(ctx: &Ctx, session_says: bool) -> Result<bool, AccountError> {
    if ctx.config.is_cloud() || init_password(ctx).is_none() || session_says {
        return Ok(true);
    }
    let mut conn = ctx.db.acquire().await?;
    Ok(db::setup::find(&mut conn).await?.is_some())
}

/// Checks the init password.
///
/// # Errors
/// [`AccountError::AlreadySetUp`], [`AccountError::InitFailed`].
#[boxed]
pub async fn check_init(ctx: &Ctx, guess: &str) -> Result<(), AccountError> {
    let mut conn = ctx.db.acquire().await?;
    if 0 < db::tenant::count(&mut conn).await? {
        return Err(AccountError::AlreadySetUp);
    }
    let right = init_password(ctx)
        .is_some_and(|password| crypto::hash::same(password.as_bytes(), guess.as_bytes()));
    if right { Ok(()) } else { Err(AccountError::InitFailed) }
}

fn init_password(ctx: &Ctx) -> Option<&str> {
    ctx.config.direct.init_password.as_deref().filter(|password| !password.is_empty())
}

/// Who sets a server up.
#[derive(Debug, Clone, Copy)]
pub struct SetUp<'a> {
    /// Address.
    pub email: &'a str,
    /// Display name.
    pub name: &'a str,
    /// In the clear.
    pub password: &'a str,
    /// A language of the console.
    pub language: Option<&'a str>,
    /// The client's address.
    pub ip: &'a str,
    /// The init password was given or is not asked for.
    pub init_done: bool,
}

/// Makes the first account and its workspace: everything or nothing. Of two calls at once one is refused.
///
/// # Errors
/// [`AccountError::AlreadySetUp`], [`AccountError::InitNotValidated`], 400 for a weak password.
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn set_up(ctx: &Ctx, cmd: SetUp<'_>) -> Result<(), AccountError> {
    let mut conn = ctx.db.acquire().await?;
    check_untouched(&mut conn).await?;
    drop(conn);
    if !cmd.init_done {
        return Err(AccountError::InitNotValidated);
    }
    password::check_rule(cmd.password)?;
    let stored = password::hash(cmd.password).await?;
    let prepared = tenancy::prepare(ctx).await?;
    let language = locale::language_or_default(cmd.language);
    let email = cmd.email.to_lowercase();
    let ip: String = cmd.ip.chars().take(255).collect();
    let row = NewAccount {
        id: AccountId::random(),
        name: cmd.name,
        email: &email,
        password: Some((&stored.hash, &stored.salt)),
        interface_language: language,
        timezone: locale::timezone_of(language),
        status: "active",
        initialized_at: Some(ctx.now_naive()),
        last_login_ip: Some(&ip),
    };
    let all = async {
        let mut tx = ctx.db.begin().await?;
        db::setup::lock(&mut tx).await?;
        check_untouched(&mut tx).await?;
        let account = registration::insert_account(&mut tx, row).await?;
        let name = format!("{}'s Workspace", account.name);
        let tenant = prepared.insert(ctx, &mut tx, &name).await?;
        db::tenant::join(&mut tx, tenant.id, account.id, "owner", true).await?;
        db::setup::insert(&mut tx, types::DIFY_VERSION).await?;
        tx.commit().await?;
        Ok::<_, AccountError>(tenant)
    };
    match all.await {
        Ok(tenant) => {
            ctx.note_set_up();
            enterprise::note_workspace(ctx, tenant.id, "tenant_created").await;
            Ok(())
        }
        Err(err) => {
            prepared.discard(ctx).await;
            Err(err)
        }
    }
}

async fn check_untouched(db: &mut db::PgConnection) -> Result<(), AccountError> {
    let touched = db::setup::find(db).await.map_err(Fault::from)?.is_some()
        || 0 < db::tenant::count(db).await.map_err(Fault::from)?;
    if touched { Err(AccountError::AlreadySetUp) } else { Ok(()) }
}
