//! `/console/api/workspaces`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Valid,
    guard::{Admin, Console},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_account::{
    enterprise,
    workspace::{self, Seen},
};
use types::TenantId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{body::Enterprise, features};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_workspaces))
        .routes(routes!(find_current_workspace))
        .routes(routes!(find_workspace_info))
        .routes(routes!(switch_workspace))
        .routes(routes!(rename_workspace))
        .routes(routes!(customize_workspace))
        .routes(routes!(find_workspace_permission))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Workspaces {
    workspaces: Vec<Workspace>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Workspace {
    id: TenantId,
    name: String,
    plan: String,
    status: String,
    /// Unix seconds.
    created_at: i64,
    current: bool,
}

/// Your workspaces.
#[utoipa::path(
    get,
    path = "/console/api/workspaces",
    tag = "workspace",
    responses((status = 200, body = Workspaces), (status = "4XX", body = ErrorBody)),
)]
async fn list_workspaces(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<Workspaces>, ApiError> {
    let mut workspaces = Vec::new();
    for tenant in workspace::list(&state.ctx, user.account.id).await? {
        workspaces.push(Workspace {
            plan: features::plan(&state, tenant.id).await?,
            id: tenant.id,
            name: tenant.name,
            status: tenant.status,
            created_at: tenant.created_at.and_utc().timestamp(),
            current: tenant.id == user.tenant,
        });
    }
    Ok(Json(Workspaces { workspaces }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkspaceInfo {
    id: TenantId,
    name: String,
    plan: String,
    status: String,
    /// Unix seconds.
    created_at: i64,
    /// Your role in it.
    role: &'static str,
    in_trial: Option<bool>,
    trial_end_reason: Option<String>,
    custom_config: Option<CustomConfig>,
    trial_credits: Option<i64>,
    trial_credits_used: Option<i64>,
    /// Unix seconds.
    next_credit_reset_date: Option<i64>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CustomConfig {
    remove_webapp_brand: Value,
    replace_webapp_logo: Option<String>,
}

impl WorkspaceInfo {
    async fn of(state: &AppState, seen: Seen) -> Result<Self, ApiError> {
        let Seen { tenant, role } = seen;
        let features = features::of(state, tenant.id).await?;
        let custom_config = features.can_replace_logo.then(|| {
            let own = workspace::custom_config(&tenant);
            let has_logo = own
                .get("replace_webapp_logo")
                .and_then(Value::as_str)
                .is_some_and(|logo| !logo.is_empty());
            let base = state.ctx.config.files_url();
            CustomConfig {
                remove_webapp_brand: own
                    .get("remove_webapp_brand")
                    .cloned()
                    .unwrap_or(false.into()),
                replace_webapp_logo: has_logo
                    .then(|| format!("{base}/files/workspaces/{}/webapp-logo", tenant.id)),
            }
        });
        let is_cloud = state.ctx.config.is_cloud();
        let credits = if is_cloud {
            workspace::credits(
                &state.ctx,
                tenant.id,
                features.billing.subscription.plan != "sandbox",
            )
            .await?
        } else {
            None
        };
        Ok(Self {
            id: tenant.id,
            name: tenant.name,
            plan: tenant.plan,
            status: tenant.status,
            created_at: tenant.created_at.and_utc().timestamp(),
            role: role.as_str(),
            in_trial: None,
            trial_end_reason: None,
            custom_config,
            trial_credits: credits.map(|pool| pool.quota_limit),
            trial_credits_used: credits.map(|pool| pool.quota_used),
            next_credit_reset_date: is_cloud.then_some(features.next_credit_reset_date),
        })
    }
}

async fn current(
    state: &AppState,
    user: &services_account::session::SignedIn,
) -> Result<Json<WorkspaceInfo>, ApiError> {
    let seen = workspace::current(&state.ctx, user).await?;
    Ok(Json(WorkspaceInfo::of(state, seen).await?))
}

/// The workspace you work in.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current",
    tag = "workspace",
    responses((status = 200, body = WorkspaceInfo), (status = "4XX", body = ErrorBody)),
)]
async fn find_current_workspace(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<WorkspaceInfo>, ApiError> {
    current(&state, &user).await
}

/// The workspace you work in (the older path).
#[utoipa::path(
    post,
    path = "/console/api/info",
    tag = "workspace",
    responses((status = 200, body = WorkspaceInfo), (status = "4XX", body = ErrorBody)),
)]
async fn find_workspace_info(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<WorkspaceInfo>, ApiError> {
    current(&state, &user).await
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct SwitchPayload {
    #[garde(skip)]
    tenant_id: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Switched {
    result: &'static str,
    new_tenant: WorkspaceInfo,
}

/// Work in another of your workspaces.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/switch",
    tag = "workspace",
    request_body = SwitchPayload,
    responses((status = 200, body = Switched), (status = "4XX", body = ErrorBody)),
)]
async fn switch_workspace(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(payload): Valid<SwitchPayload>,
) -> Result<Json<Switched>, ApiError> {
    let seen = workspace::switch(&state.ctx, &user, &payload.tenant_id).await?;
    let new_tenant = WorkspaceInfo::of(&state, seen).await?;
    Ok(Json(Switched { result: "success", new_tenant }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct RenamePayload {
    #[garde(skip)]
    name: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Changed {
    result: &'static str,
    tenant: WorkspaceInfo,
}

/// Rename your workspace.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/info",
    tag = "workspace",
    request_body = RenamePayload,
    responses((status = 200, body = Changed), (status = "4XX", body = ErrorBody)),
)]
async fn rename_workspace(
    State(state): State<AppState>,
    Admin(user): Admin,
    Valid(payload): Valid<RenamePayload>,
) -> Result<Json<Changed>, ApiError> {
    let seen = workspace::rename(&state.ctx, &user, &payload.name).await?;
    Ok(Json(Changed { result: "success", tenant: WorkspaceInfo::of(&state, seen).await? }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct CustomizePayload {
    #[serde(default, deserialize_with = "http_core::validation::lax::optional_flag")]
    remove_webapp_brand: Option<bool>,
    /// An uploaded file's id; empty removes the logo.
    replace_webapp_logo: Option<String>,
}

/// Change how the web apps of your workspace look.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/custom-config",
    tag = "workspace",
    request_body = CustomizePayload,
    responses((status = 200, body = Changed), (status = "4XX", body = ErrorBody)),
)]
async fn customize_workspace(
    State(state): State<AppState>,
    Admin(user): Admin,
    Valid(payload): Valid<CustomizePayload>,
) -> Result<Json<Changed>, ApiError> {
    features::check_customizable(&state, user.tenant).await?;
    let logo = payload.replace_webapp_logo.as_deref();
    let seen = workspace::customize(&state.ctx, &user, payload.remove_webapp_brand, logo).await?;
    Ok(Json(Changed { result: "success", tenant: WorkspaceInfo::of(&state, seen).await? }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Permission {
    workspace_id: String,
    allow_member_invite: bool,
    allow_owner_transfer: bool,
}

/// What the operator lets your workspace do, in the enterprise edition.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/permission",
    tag = "workspace",
    responses((status = 200, body = Permission), (status = "4XX", body = ErrorBody)),
)]
async fn find_workspace_permission(
    State(state): State<AppState>,
    Console(user): Console,
    _: Enterprise,
) -> Result<Json<Permission>, ApiError> {
    let permission = enterprise::permission(&state.ctx, user.tenant).await?;
    Ok(Json(Permission {
        workspace_id: permission.workspace_id,
        allow_member_invite: permission.allow_member_invite,
        allow_owner_transfer: permission.allow_owner_transfer,
    }))
}
