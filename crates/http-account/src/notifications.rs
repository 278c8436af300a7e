//! `/console/api/admin`: notes of the operator of the hosted edition to its users.

use axum::{
    extract::{FromRequest, Multipart, Request, State},
    http::header,
};
use http_core::{ApiError, AppState, ErrorBody, Json, Valid};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_account::notification::{self, Notification};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{admin_key::Operator, body::Cloud};

/// A list of addresses is not longer.
const MAX_LIST: usize = 16 << 20;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(upsert_notification))
        .routes(routes!(add_notification_accounts))
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct Content {
    /// `zh`, `en` or `jp`.
    lang: String,
    title: String,
    subtitle: Option<String>,
    body: String,
    title_pic_url: Option<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct NotificationPayload {
    /// The note to change; none makes a new one.
    notification_id: Option<String>,
    #[garde(length(min = 1))]
    contents: Vec<Content>,
    /// RFC 3339.
    start_time: Option<String>,
    /// RFC 3339.
    end_time: Option<String>,
    #[serde(default = "once")]
    frequency: String,
    #[serde(default = "active")]
    status: String,
}

fn once() -> String {
    "once".to_owned()
}

fn active() -> String {
    "active".to_owned()
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Notified {
    result: &'static str,
    notification_id: Value,
}

/// Make or change a note to the users.
#[utoipa::path(
    post,
    path = "/console/api/admin/upsert_notification",
    tag = "operator",
    request_body = NotificationPayload,
    responses((status = 200, body = Notified), (status = "4XX", body = ErrorBody)),
)]
async fn upsert_notification(
    State(state): State<AppState>,
    _: Cloud,
    _: Operator,
    Valid(payload): Valid<NotificationPayload>,
) -> Result<Json<Notified>, ApiError> {
    let given = |value: Option<String>| value.filter(|value| !value.is_empty());
    let note = Notification {
        contents: serde_json::to_value(&payload.contents).map_err(ApiError::internal)?,
        frequency: payload.frequency,
        status: payload.status,
        notification_id: given(payload.notification_id),
        start_time: given(payload.start_time),
        end_time: given(payload.end_time),
    };
    let notification_id = notification::notify(&state.ctx, &note).await?;
    Ok(Json(Notified { result: "success", notification_id }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ReadersPayload {
    notification_id: String,
    user_email: Vec<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ReadersAdded {
    result: &'static str,
    emails_provided: usize,
    accounts_matched: usize,
    count: i64,
}

/// Choose who sees a note: addresses as JSON, or a form with a file of them (CSV or one a line).
#[utoipa::path(
    post,
    path = "/console/api/admin/batch_add_notification_accounts",
    tag = "operator",
    request_body = ReadersPayload,
    responses((status = 200, body = ReadersAdded), (status = "4XX", body = ErrorBody)),
)]
async fn add_notification_accounts(
    State(state): State<AppState>,
    _: Cloud,
    _: Operator,
    request: Request,
) -> Result<Json<ReadersAdded>, ApiError> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let is_form = kind
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("multipart/form-data"));
    let (note, emails) = if is_form {
        read_form(request, &state).await?
    } else {
        let Valid(payload) = Valid::<ReadersPayload>::from_request(request, &state).await?;
        (payload.notification_id, payload.user_email)
    };
    let (accounts_matched, count) =
        notification::choose_readers(&state.ctx, &note, &emails).await?;
    Ok(Json(ReadersAdded {
        result: "success",
        emails_provided: emails.len(),
        accounts_matched,
        count,
    }))
}

async fn read_form(request: Request, state: &AppState) -> Result<(String, Vec<String>), ApiError> {
    let broken = || ApiError::bad_request("The form cannot be read.");
    let mut form = Multipart::from_request(request, state).await.map_err(|_| broken())?;
    let mut note = String::new();
    let mut emails = Vec::new();
    while let Some(part) = form.next_field().await.map_err(|_| broken())? {
        match part.name() {
            Some("notification_id") => {
                part.text().await.map_err(|_| broken())?.trim().clone_into(&mut note);
            }
            Some("file") => {
                let name = part.file_name().unwrap_or_default().to_lowercase();
                if name.is_empty() {
                    return Err(ApiError::bad_request("Uploaded file has no filename."));
                }
                if ![".csv", ".txt"].iter().any(|ending| name.ends_with(ending)) {
                    return Err(ApiError::bad_request(
                        "Invalid file type. Only CSV (.csv) and TXT (.txt) files are allowed.",
                    ));
                }
                let bytes = part.bytes().await.map_err(|_| broken())?;
                if MAX_LIST < bytes.len() {
                    return Err(ApiError::bad_request("The file is too large."));
                }
                emails = addresses(&String::from_utf8_lossy(&bytes), name.ends_with(".csv"));
            }
            _ => {}
        }
    }
    if note.is_empty() {
        return Err(ApiError::bad_request("notification_id is required."));
    }
    Ok((note, emails))
}

/// The addresses of a file, each once. Addresses hold no commas and no quotes, so cells need no parser.
fn addresses(text: &str, is_csv: bool) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    text.trim_start_matches('\u{feff}')
        .lines()
        .flat_map(|line| if is_csv { line.split(',').collect() } else { vec![line] })
        .map(|cell| cell.trim().trim_matches('"').trim())
        .filter(|cell| !cell.is_empty() && seen.insert(cell.to_lowercase()))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_once_each() {
        assert_eq!(addresses("a@x.org, \"b@x.org\"\nA@X.org,,\n", true), ["a@x.org", "b@x.org"]);
        assert_eq!(addresses("a@x.org\n\n b@x.org \n", false), ["a@x.org", "b@x.org"]);
    }
}
