//! What several resources of this crate show.

use chrono::NaiveDateTime;
use serde::Serialize;
use services_workflow::creator;
use types::{AccountId, EndUserId};

/// An account that made something.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SimpleAccount {
    id: AccountId,
    name: String,
    email: String,
}

impl From<creator::SimpleAccount> for SimpleAccount {
    fn from(row: creator::SimpleAccount) -> Self {
        Self { id: row.id, name: row.name, email: row.email }
    }
}

/// An end user that made something.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SimpleEndUser {
    id: EndUserId,
    r#type: String,
    is_anonymous: bool,
    session_id: String,
}

impl From<creator::SimpleEndUser> for SimpleEndUser {
    fn from(row: creator::SimpleEndUser) -> Self {
        Self {
            id: row.id,
            r#type: row.r#type,
            is_anonymous: row.is_anonymous,
            session_id: row.session_id,
        }
    }
}

/// Unix seconds.
pub(crate) fn epoch(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp()
}

/// A time as Python's `isoformat` prints it.
pub(crate) fn iso(time: NaiveDateTime) -> String {
    let micros = time.and_utc().timestamp_subsec_micros();
    let format = if micros == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.6f" };
    time.format(format).to_string()
}

/// The first page.
pub(crate) fn one() -> i64 {
    1
}

/// The usual size of a page.
pub(crate) fn twenty() -> i64 {
    20
}
