//! Deleting an account: a code by mail, then a job. On self-hosted servers only the mail follows.

use serde_json::json;
use services_core::Ctx;

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
    let arguments = json!({"account_id": user.account.id});
    Ok(outbox::enqueue(ctx, DELETE_TASK, "dataset", arguments).await?)
}

/// The job that [`confirm`] queues.
pub const DELETE_TASK: &str = "tasks.delete_account_task.delete_account_task";

/// The job: tells the billing service, then answers the address to say goodbye to.
///
/// # Errors
/// The billing service's; the job is tried again.
pub async fn carry_out(ctx: &Ctx, id: types::AccountId) -> Result<Option<String>, AccountError> {
    if ctx.config.feature.billing_enabled {
        let mut call = Call::get("/account", vec![("account_id", id.to_string())]);
        call.method = net::Method::DELETE;
        billing::call(ctx, call).await?;
    }
    let mut conn = ctx.db.acquire().await?;
    Ok(db::account::find(&mut conn, id).await?.map(|account| account.email))
}

/// Tells the billing service why somebody left.
///
/// # Errors
/// The billing service's.
pub async fn leave_feedback(ctx: &Ctx, email: &str, feedback: &str) -> Result<(), AccountError> {
    let body = json!({"email": email, "feedback": feedback});
    billing::call(ctx, Call::send(net::Method::POST, "/account/delete-feedback", body)).await?;
    Ok(())
}
