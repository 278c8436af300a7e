//! Notes of the operator of the hosted edition to its users, kept by the billing service.

use boxed::boxed;
use serde::Serialize;
use serde_json::{Value, json};
use services_core::{Ctx, Failure};

use crate::{
    AccountError,
    billing::{self, Call},
};

/// How many accounts the billing service takes in one call.
const BATCH: usize = 1000;

/// Why nobody is notified.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// What was sent cannot be used, in words.
    #[error("{0}")]
    BadRequest(&'static str),
    /// Anything else.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl From<services_core::billing::BillingError> for NotificationError {
    fn from(err: services_core::billing::BillingError) -> Self {
        AccountError::from(err).into()
    }
}

impl From<db::DbError> for NotificationError {
    fn from(err: db::DbError) -> Self {
        Self::Account(err.into())
    }
}

impl Failure for NotificationError {
    fn status(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Account(err) => err.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::Account(err) => err.code(),
        }
    }
}

/// A note to the users of the product.
#[derive(Debug, Clone, Serialize)]
pub struct Notification {
    /// Texts by language.
    pub contents: Value,
    /// `once` or `every_page_load`.
    pub frequency: String,
    /// `active` or `inactive`.
    pub status: String,
    /// The note to change; none makes a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_id: Option<String>,
    /// From when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// Until when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
}

/// Makes or changes a note; answers its id.
///
/// # Errors
/// The billing service's.
#[boxed]
pub async fn notify(ctx: &Ctx, note: &Notification) -> Result<Value, NotificationError> {
    let body = serde_json::to_value(note).unwrap_or_default();
    let answer = billing::call(ctx, Call::send(net::Method::POST, "/notifications", body)).await?;
    Ok(answer.get("notificationId").cloned().unwrap_or_default())
}

/// Chooses who sees a note. Answers how many of the addresses are known, and how many the billing service added.
///
/// # Errors
/// 400 if no address is known.
#[boxed]
pub async fn choose_readers(
    ctx: &Ctx,
    note: &str,
    emails: &[String],
) -> Result<(usize, i64), NotificationError> {
    if emails.is_empty() {
        return Err(NotificationError::BadRequest("No valid email addresses provided."));
    }
    let is_id = note.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if note.is_empty() || !is_id {
        return Err(NotificationError::BadRequest("notification_id is required."));
    }
    let mut conn = ctx.db.acquire().await?;
    let accounts = db::account::ids_by_email(&mut conn, emails).await?;
    drop(conn);
    if accounts.is_empty() {
        return Err(NotificationError::BadRequest(
            "None of the provided emails matched an existing account.",
        ));
    }
    let path = format!("/notifications/{note}/accounts");
    let mut count = 0;
    for batch in accounts.chunks(BATCH) {
        let call = Call::send(net::Method::POST, &path, json!({"account_ids": batch}));
        let answer = billing::call(ctx, call).await?;
        count += answer.get("count").and_then(Value::as_i64).unwrap_or(0);
    }
    Ok((accounts.len(), count))
}
