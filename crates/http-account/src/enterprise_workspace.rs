//! `/inner/api/enterprise/workspace`

use axum::{extract::State, http::StatusCode};
use http_core::{ApiError, AppState, ErrorBody, Json, Valid, guard::SetUp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_account::{tenancy, workspace};
use types::TenantId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::inner_key::Inner;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_enterprise_workspace))
        .routes(routes!(create_ownerless_workspace))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct WorkspacePayload {
    name: String,
    owner_email: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Created<T> {
    message: &'static str,
    tenant: T,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OwnedWorkspace {
    id: TenantId,
    name: String,
    plan: String,
    status: String,
    /// UTC, ending in `Z`.
    created_at: String,
    updated_at: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OwnerlessWorkspace {
    id: TenantId,
    name: String,
    encrypt_public_key: Option<String>,
    plan: String,
    status: String,
    custom_config: Value,
    /// UTC, ending in `Z`.
    created_at: String,
    updated_at: String,
}

const MADE: &str = "enterprise workspace created.";

fn iso(at: chrono::NaiveDateTime) -> String {
    format!("{}Z", at.format("%Y-%m-%dT%H:%M:%S%.f"))
}

/// Make a workspace that belongs to an account.
#[utoipa::path(
    post,
    path = "/inner/api/enterprise/workspace",
    tag = "enterprise",
    request_body = WorkspacePayload,
    responses((status = 200, body = Created<OwnedWorkspace>), (status = "4XX", body = ErrorBody)),
)]
async fn create_enterprise_workspace(
    State(state): State<AppState>,
    _: Inner,
    _: SetUp,
    Valid(payload): Valid<WorkspacePayload>,
) -> Result<Json<Created<OwnedWorkspace>>, ApiError> {
    let owner = workspace::owner_by_email(&state.ctx, &payload.owner_email)
        .await?
        .ok_or_else(|| ApiError::bare(StatusCode::NOT_FOUND, "owner account not found."))?;
    let tenant = tenancy::create(&state.ctx, &payload.name, Some(owner)).await?;
    let tenant = OwnedWorkspace {
        id: tenant.id,
        name: tenant.name,
        plan: tenant.plan,
        status: tenant.status,
        created_at: iso(tenant.created_at),
        updated_at: iso(tenant.updated_at),
    };
    Ok(Json(Created { message: MADE, tenant }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct OwnerlessPayload {
    #[garde(skip)]
    name: String,
}

/// Make a workspace that belongs to nobody yet.
#[utoipa::path(
    post,
    path = "/inner/api/enterprise/workspace/ownerless",
    tag = "enterprise",
    request_body = OwnerlessPayload,
    responses((status = 200, body = Created<OwnerlessWorkspace>), (status = "4XX", body = ErrorBody)),
)]
async fn create_ownerless_workspace(
    State(state): State<AppState>,
    _: Inner,
    _: SetUp,
    Valid(payload): Valid<OwnerlessPayload>,
) -> Result<Json<Created<OwnerlessWorkspace>>, ApiError> {
    let tenant = tenancy::create(&state.ctx, &payload.name, None).await?;
    let tenant = OwnerlessWorkspace {
        custom_config: workspace::custom_config(&tenant),
        id: tenant.id,
        name: tenant.name,
        encrypt_public_key: tenant.encrypt_public_key,
        plan: tenant.plan,
        status: tenant.status,
        created_at: iso(tenant.created_at),
        updated_at: iso(tenant.updated_at),
    };
    Ok(Json(Created { message: MADE, tenant }))
}
