//! `/inner/api/{enterprise,billing}/mail`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Valid, guard::SetUp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_account::inner_mail::{self, InnerMail};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::inner_key::Inner;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(send_enterprise_mail)).routes(routes!(send_billing_mail))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct MailPayload {
    #[garde(length(min = 1))]
    to: Vec<String>,
    subject: String,
    /// A template.
    body: String,
    /// What the template names.
    substitutions: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Queued {
    message: &'static str,
}

async fn queue(state: &AppState, payload: MailPayload) -> Result<Json<Queued>, ApiError> {
    let MailPayload { to, subject, body, substitutions } = payload;
    inner_mail::queue(&state.ctx, InnerMail { to, subject, body, substitutions }).await?;
    Ok(Json(Queued { message: "success" }))
}

/// Mail for the enterprise backend.
#[utoipa::path(
    post,
    path = "/inner/api/enterprise/mail",
    tag = "enterprise",
    request_body = MailPayload,
    responses((status = 200, body = Queued), (status = "4XX", body = ErrorBody)),
)]
async fn send_enterprise_mail(
    State(state): State<AppState>,
    _: Inner,
    _: SetUp,
    Valid(payload): Valid<MailPayload>,
) -> Result<Json<Queued>, ApiError> {
    queue(&state, payload).await
}

/// Mail for the billing service.
#[utoipa::path(
    post,
    path = "/inner/api/billing/mail",
    tag = "enterprise",
    request_body = MailPayload,
    responses((status = 200, body = Queued), (status = "4XX", body = ErrorBody)),
)]
async fn send_billing_mail(
    State(state): State<AppState>,
    _: Inner,
    _: SetUp,
    Valid(payload): Valid<MailPayload>,
) -> Result<Json<Queued>, ApiError> {
    queue(&state, payload).await
}
