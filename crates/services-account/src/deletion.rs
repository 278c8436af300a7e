//! Deleting an account: a code by mail, then a job. On self-hosted servers only the mail follows.

use boxed::boxed;
use jobs::{Job, tasks};
use serde_json::json;
use services_core::Ctx;
use types::AccountId;

use crate::{
    AccountError,
    billing::{self, Call},
    code::{self, Grant, Purpose},
    enterprise, limit,
    outbox::{self, Letter},
    session::SignedIn,
};

/// Mails a code, and returns the token that goes with it.
///
/// # Errors
/// [`AccountError::TooManyMails`].
#[boxed]
pub async fn send_code(ctx: &Ctx, user: &SignedIn) -> Result<String, AccountError> {
    let email = &user.account.email;
    limit::DELETION.take(ctx, email).await?;
    let grant = Grant::to(user.account.id, email);
    outbox::post(ctx, Letter::DeletionCode { to: email, code: &grant.code }).await?;
    code::issue(ctx, Purpose::Deletion, grant, true).await
}

/// Queues the deletion of the account.
///
/// # Errors
/// [`AccountError::BadDeletionCode`].
#[boxed]
pub async fn confirm(
    ctx: &Ctx,
    user: &SignedIn,
    guess: &str,
    token: &str,
) -> Result<(), AccountError> {
    let refused = |err| match err {
        AccountError::BadToken => AccountError::BadDeletionCode,
        other => other,
    };
    let grant = code::read(ctx, Purpose::Deletion, token).await.map_err(refused)?;
    if grant.account_id != Some(user.account.id)
        || !code::proves_within_tries(ctx, Purpose::Deletion, token, &grant, guess).await?
    {
        return Err(AccountError::BadDeletionCode);
    }
    code::use_up(ctx, Purpose::Deletion, token).await.map_err(refused)?;

    let mut conn = ctx.db.acquire().await?;
    let tenants = db::tenant::joined(&mut conn, user.account.id).await?;
    drop(conn);
    for tenant in tenants {
        enterprise::note_removal(ctx, tenant.id, user.account.id, "account_deleted").await;
    }
    let job = Job::new(tasks::DELETE_ACCOUNT).set("account_id", user.account.id);
    Ok(outbox::enqueue(ctx, job).await?)
}

/// The job that [`confirm`] queues: tells the billing service, then says goodbye by mail.
///
/// # Errors
/// The billing service's; the job is tried again.
#[boxed]
pub async fn carry_out(ctx: &Ctx, id: AccountId) -> Result<(), AccountError> {
    if ctx.config.feature.billing_enabled {
        let mut call = Call::get("/account", vec![("account_id", id.to_string())]);
        call.method = net::Method::DELETE;
        billing::call(ctx, call).await?;
    }
    let mut conn = ctx.db.acquire().await?;
    let account = db::account::find(&mut conn, id).await?;
    drop(conn);
    let Some(account) = account else {
        tracing::warn!(account.id = %id, "an account that is to be deleted is gone already");
        return Ok(());
    };
    let goodbye = Job::new(tasks::MAIL_ACCOUNT_DELETED).set("to", account.email);
    Ok(outbox::enqueue(ctx, goodbye).await?)
}

/// Tells the billing service why somebody left.
///
/// # Errors
/// The billing service's.
#[boxed]
pub async fn leave_feedback(ctx: &Ctx, email: &str, feedback: &str) -> Result<(), AccountError> {
    let body = json!({"email": email, "feedback": feedback});
    billing::call(ctx, Call::send(net::Method::POST, "/account/delete-feedback", body)).await?;
    Ok(())
}
