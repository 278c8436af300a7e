//! `/console/api/activate`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Query, Valid};
use serde::{Deserialize, Serialize};
use services_account::invitation::{self, Acceptance};
use types::TenantId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::body::{self, Done};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(check_invitation)).routes(routes!(accept_invitation))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct CheckQuery {
    workspace_id: Option<String>,
    #[garde(custom(body::optional_email))]
    email: Option<String>,
    token: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Checked {
    is_valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<InvitedTo>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InvitedTo {
    workspace_name: String,
    workspace_id: TenantId,
    email: String,
}

/// Whether an invitation still opens something, and what.
#[utoipa::path(
    get,
    path = "/console/api/activate/check",
    tag = "invitation",
    params(CheckQuery),
    responses((status = 200, body = Checked), (status = "4XX", body = ErrorBody)),
)]
async fn check_invitation(
    State(state): State<AppState>,
    Query(query): Query<CheckQuery>,
) -> Result<Json<Checked>, ApiError> {
    let CheckQuery { workspace_id, email, token } = &query;
    let found =
        invitation::check(&state.ctx, workspace_id.as_deref(), email.as_deref(), token).await?;
    Ok(Json(match found {
        None => Checked { is_valid: false, data: None },
        Some(found) => Checked {
            is_valid: true,
            data: Some(InvitedTo {
                workspace_name: found.tenant.name,
                workspace_id: found.tenant.id,
                email: found.email,
            }),
        },
    }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct AcceptPayload {
    workspace_id: Option<String>,
    #[garde(custom(body::optional_email))]
    email: Option<String>,
    token: String,
    /// At most 30 characters.
    #[garde(custom(body::short_name))]
    name: String,
    #[garde(custom(body::language))]
    interface_language: String,
    #[garde(custom(body::timezone))]
    timezone: String,
}

/// Accept an invitation. Signs nobody in.
#[utoipa::path(
    post,
    path = "/console/api/activate",
    tag = "invitation",
    request_body = AcceptPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn accept_invitation(
    State(state): State<AppState>,
    Valid(payload): Valid<AcceptPayload>,
) -> Result<Json<Done>, ApiError> {
    let acceptance = Acceptance {
        workspace: payload.workspace_id.as_deref(),
        email: payload.email.as_deref(),
        token: &payload.token,
        name: &payload.name,
        language: &payload.interface_language,
        timezone: &payload.timezone,
    };
    invitation::accept(&state.ctx, acceptance).await?;
    Ok(Json(Done::SUCCESS))
}
