//! New accounts, and registration by mail.

use boxed::boxed;
use db::account::{Account, NewAccount};
use services_core::Ctx;
use types::AccountId;

use crate::{
    AccountError, Policy, billing,
    code::{self, Grant, Purpose},
    enterprise,
    limit::{self, Guesses},
    locale,
    outbox::{self, Letter},
    password, sign_in,
    sign_in::Tokens,
    tenancy,
};

/// The step of a token whose code was proved.
const PROVED: &str = "register";

/// Somebody without an account.
#[derive(Debug, Clone, Copy)]
pub struct Newcomer<'a> {
    /// In small letters.
    pub email: &'a str,
    /// Display name.
    pub name: &'a str,
    /// In the clear.
    pub password: Option<&'a str>,
    /// A language of the console.
    pub language: &'a str,
}

/// Makes an account, its workspace where that is allowed, both or neither.
///
/// # Errors
/// [`AccountError::NoAccount`] if nobody may register, [`AccountError::NoWorkspace`] if nobody may own one.
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn create_with_workspace(
    ctx: &Ctx,
    policy: Policy,
    new: Newcomer<'_>,
) -> Result<Account, AccountError> {
    if !policy.allow_create_workspace && !ctx.config.enterprise.enterprise_enabled {
        check_open(ctx, policy, new.email).await?;
        return Err(AccountError::NoWorkspace);
    }
    let made = insert(ctx, policy, new).await?;
    enterprise::join_default_workspace(ctx, made.id).await;
    Ok(made)
}

/// Makes an account for somebody another service vouches for, with a workspace where that is allowed.
pub(crate) async fn create_vouched(
    ctx: &Ctx,
    policy: Policy,
    new: Newcomer<'_>,
    provider: &str,
    open_id: &str,
) -> Result<Account, AccountError> {
    let made = insert(ctx, policy, new).await?;
    let mut conn = ctx.db.acquire().await?;
    db::account_integrate::link(&mut conn, made.id, provider, open_id).await?;
    drop(conn);
    enterprise::join_default_workspace(ctx, made.id).await;
    Ok(made)
}

async fn insert(ctx: &Ctx, policy: Policy, new: Newcomer<'_>) -> Result<Account, AccountError> {
    check_open(ctx, policy, new.email).await?;
    let stored = match new.password {
        Some(text) => {
            password::check_rule(text)?;
            Some(password::hash(text).await?)
        }
        None => None,
    };
    let row = NewAccount {
        id: AccountId::random(),
        name: new.name,
        email: new.email,
        password: stored.as_ref().map(|stored| (stored.hash.as_str(), stored.salt.as_str())),
        interface_language: new.language,
        timezone: locale::timezone_of(new.language),
        status: "active",
        initialized_at: Some(ctx.now_naive()),
        last_login_ip: None,
    };
    if !policy.allow_create_workspace {
        let mut tx = ctx.db.begin().await?;
        let made = insert_account(&mut tx, row).await?;
        tx.commit().await?;
        return Ok(made);
    }
    if !policy.workspaces_available {
        return Err(AccountError::WorkspacesExhausted);
    }
    let prepared = tenancy::prepare(ctx).await?;
    let both = async {
        let mut tx = ctx.db.begin().await?;
        let made = insert_account(&mut tx, row).await?;
        let name = format!("{}'s Workspace", made.name);
        let tenant = prepared.insert(ctx, &mut tx, &name).await?;
        db::tenant::join(&mut tx, tenant.id, made.id, "owner", true).await?;
        tx.commit().await?;
        Ok::<_, AccountError>((made, tenant))
    };
    match both.await {
        Ok((made, tenant)) => {
            enterprise::note_workspace(ctx, tenant.id, "tenant_created").await;
            Ok(made)
        }
        Err(err) => {
            prepared.discard(ctx).await;
            Err(err)
        }
    }
}

/// Adds an account if nobody has its address.
pub(crate) async fn insert_account(
    db: &mut db::PgConnection,
    row: NewAccount<'_>,
) -> Result<Account, AccountError> {
    db::account::lock_email(db, row.email).await?;
    if db::account::email_taken(db, row.email).await? {
        return Err(AccountError::EmailTaken);
    }
    Ok(db::account::insert(db, row).await?)
}

async fn check_open(ctx: &Ctx, policy: Policy, email: &str) -> Result<(), AccountError> {
    if !policy.allow_register {
        return Err(AccountError::NoAccount);
    }
    billing::check_not_frozen(ctx, email).await
}

/// Mails a code to an address that is to get an account, and returns the token that goes with it. An address that has
/// one is told so by mail; the caller learns nothing.
///
/// # Errors
/// [`AccountError::IpLimited`], [`AccountError::TooManyMails`], [`AccountError::Frozen`].
#[boxed]
pub async fn send_code(
    ctx: &Ctx,
    email: &str,
    language: Option<&str>,
    ip: &str,
) -> Result<String, AccountError> {
    limit::check_ip(ctx, ip).await?;
    let language = locale::language_or_default(language);
    let normal = email.to_lowercase();
    billing::check_not_frozen(ctx, &normal).await?;
    let mut conn = ctx.db.acquire().await?;
    let known = db::account::find_by_email(&mut conn, email).await?;
    drop(conn);
    let to = known.as_ref().map_or(normal.as_str(), |account| account.email.as_str());
    limit::REGISTER.take(ctx, to).await?;
    let grant = Grant::to_address(to);
    let letter = match &known {
        Some(account) => Letter::RegisterKnown { language, to, account_name: &account.name },
        None => Letter::Register { language, to, code: &grant.code },
    };
    outbox::post(ctx, letter).await?;
    code::issue(ctx, Purpose::Register, grant, false).await
}

/// A proved code: the address in small letters, and the token of the next step.
pub type Proof = (String, String);

/// Swaps a token whose code was proved for one that makes an account.
///
/// # Errors
/// [`AccountError::RegisterLocked`], [`AccountError::BadToken`], [`AccountError::WrongEmail`],
/// [`AccountError::BadCode`].
#[boxed]
pub async fn prove(
    ctx: &Ctx,
    email: &str,
    guess: &str,
    token: &str,
) -> Result<Proof, AccountError> {
    prove_by_mail(ctx, Purpose::Register, Guesses::Register, PROVED, email, guess, token).await
}

/// What registration and forgotten passwords have in common.
pub(crate) async fn prove_by_mail(
    ctx: &Ctx,
    purpose: Purpose,
    guesses: Guesses,
    phase: &str,
    email: &str,
    guess: &str,
    token: &str,
) -> Result<Proof, AccountError> {
    let email = email.to_lowercase();
    guesses.check(ctx, &email).await?;
    let grant = code::read(ctx, purpose, token).await?;
    if grant.email.to_lowercase() != email {
        return Err(AccountError::WrongEmail);
    }
    guesses.count(ctx, &email).await?;
    if !code::proves(&grant, guess) {
        return Err(AccountError::BadCode);
    }
    code::use_up(ctx, purpose, token).await?;
    guesses.forget(ctx, &email).await;
    let next = code::issue(ctx, purpose, grant.advanced(phase), false).await?;
    Ok((email, next))
}

/// Makes the account of a proved address and signs it in.
///
/// # Errors
/// [`AccountError::PasswordMismatch`], [`AccountError::BadToken`], [`AccountError::EmailTaken`], …
#[boxed]
pub async fn finish(
    ctx: &Ctx,
    policy: Policy,
    token: &str,
    new_password: &str,
    password_confirm: &str,
    ip: &str,
) -> Result<Tokens, AccountError> {
    if new_password != password_confirm {
        return Err(AccountError::PasswordMismatch);
    }
    let grant = code::read(ctx, Purpose::Register, token).await?;
    if !grant.is_in(PROVED) {
        return Err(AccountError::BadToken);
    }
    code::use_up(ctx, Purpose::Register, token).await?;
    let mut conn = ctx.db.acquire().await?;
    if db::account::find_by_email(&mut conn, &grant.email).await?.is_some() {
        return Err(AccountError::EmailTaken);
    }
    drop(conn);
    let email = grant.email.to_lowercase();
    let new = Newcomer {
        email: &email,
        name: &email,
        password: Some(new_password),
        language: locale::language_or_default(None),
    };
    let account = create_with_workspace(ctx, policy, new).await?;
    let tokens = sign_in::open(ctx, account.id, Some(ip)).await?;
    Guesses::Login.forget(ctx, &email).await;
    Ok(tokens)
}
