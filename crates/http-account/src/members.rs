//! `/console/api/workspaces/current/members`

use axum::{extract::State, http::StatusCode};
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Valid, guard::Console};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use services_account::{
    invitation::{self, Invited},
    member,
    session::Role,
};
use types::{AccountId, TenantId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{account::avatar_url, body::Done, features};

/// What Python's `quote` encodes.
const QUOTED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_members))
        .routes(routes!(list_dataset_operators))
        .routes(routes!(invite_members))
        .routes(routes!(update_member_role))
        .routes(routes!(remove_member))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Members {
    accounts: Vec<Member>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Member {
    id: AccountId,
    name: String,
    avatar: Option<String>,
    avatar_url: Option<String>,
    email: String,
    /// Unix seconds.
    last_login_at: Option<i64>,
    /// Unix seconds.
    last_active_at: i64,
    /// Unix seconds.
    created_at: i64,
    role: String,
    /// `pending`, `uninitialized`, `active`, `banned` or `closed`.
    status: String,
}

async fn members(
    state: &AppState,
    user: &services_account::session::SignedIn,
    role: Option<Role>,
) -> Result<Json<Members>, ApiError> {
    let members = member::list(&state.ctx, user, role).await?;
    let accounts = members
        .into_iter()
        .map(|member| Member {
            id: member.id,
            name: member.name,
            avatar_url: avatar_url(&state.ctx, member.avatar.as_deref()),
            avatar: member.avatar,
            email: member.email,
            last_login_at: member.last_login_at.map(|at| at.and_utc().timestamp()),
            last_active_at: member.last_active_at.and_utc().timestamp(),
            created_at: member.created_at.and_utc().timestamp(),
            role: member.role,
            status: member.status,
        })
        .collect();
    Ok(Json(Members { accounts }))
}

/// The members of your workspace.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/members",
    tag = "member",
    responses((status = 200, body = Members), (status = "4XX", body = ErrorBody)),
)]
async fn list_members(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<Members>, ApiError> {
    members(&state, &user, None).await
}

/// Its members who only build knowledge bases.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/dataset-operators",
    tag = "member",
    responses((status = 200, body = Members), (status = "4XX", body = ErrorBody)),
)]
async fn list_dataset_operators(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<Members>, ApiError> {
    members(&state, &user, Some(Role::DatasetOperator)).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum RoleName {
    Owner,
    Admin,
    Editor,
    Normal,
    DatasetOperator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Owner => Self::Owner,
            RoleName::Admin => Self::Admin,
            RoleName::Editor => Self::Editor,
            RoleName::Normal => Self::Normal,
            RoleName::DatasetOperator => Self::DatasetOperator,
        }
    }
}

fn invalid_role() -> ApiError {
    let body = serde_json::json!({"code": "invalid-role", "message": "Invalid role"});
    ApiError::with_body(StatusCode::BAD_REQUEST, body)
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct InvitePayload {
    #[serde(default)]
    emails: Vec<String>,
    /// Anything but `owner`.
    role: RoleName,
    language: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Invitations {
    result: &'static str,
    invitation_results: Vec<InvitationResult>,
    tenant_id: TenantId,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InvitationResult {
    /// `success` or `failed`.
    status: &'static str,
    email: String,
    /// Where the invited person goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Invite people into your workspace.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/members/invite-email",
    tag = "member",
    request_body = InvitePayload,
    responses((status = 201, body = Invitations), (status = "4XX", body = ErrorBody)),
)]
async fn invite_members(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(payload): Valid<InvitePayload>,
) -> Result<(StatusCode, Json<Invitations>), ApiError> {
    let InvitePayload { emails, role, language } = &payload;
    if *role == RoleName::Owner {
        return Err(invalid_role());
    }
    features::check_room_for_members(&state, user.tenant, emails.len()).await?;
    let outcomes =
        invitation::invite(&state.ctx, &user, emails, (*role).into(), language.as_deref()).await?;
    let web = &state.ctx.config.feature.console_web_url;
    let invitation_results = outcomes
        .into_iter()
        .map(|(email, outcome)| {
            let quoted = utf8_percent_encode(&email, QUOTED);
            let (status, url, message) = match outcome {
                Invited::Mailed(token) => {
                    ("success", Some(format!("{web}/activate?email={quoted}&token={token}")), None)
                }
                Invited::Active => ("success", Some(format!("{web}/signin")), None),
                Invited::Failed(why) => ("failed", None, Some(why)),
            };
            InvitationResult { status, email, url, message }
        })
        .collect();
    let body = Invitations { result: "success", invitation_results, tenant_id: user.tenant };
    Ok((StatusCode::CREATED, Json(body)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct RolePayload {
    #[garde(skip)]
    role: String,
}

/// Give a member another role.
#[utoipa::path(
    put,
    path = "/console/api/workspaces/current/members/{member_id}/update-role",
    tag = "member",
    params(("member_id" = AccountId, Path)),
    request_body = RolePayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn update_member_role(
    State(state): State<AppState>,
    Path(id): Path<AccountId>,
    Console(user): Console,
    Valid(payload): Valid<RolePayload>,
) -> Result<Json<Done>, ApiError> {
    let role: RoleName = serde_json::from_value(payload.role.into()).map_err(|_| invalid_role())?;
    member::change_role(&state.ctx, &user, id, role.into()).await?;
    Ok(Json(Done::SUCCESS))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Removed {
    result: &'static str,
    tenant_id: TenantId,
}

/// Take a member out of your workspace.
#[utoipa::path(
    delete,
    path = "/console/api/workspaces/current/members/{member_id}",
    tag = "member",
    params(("member_id" = AccountId, Path)),
    responses((status = 200, body = Removed), (status = "4XX", body = ErrorBody)),
)]
async fn remove_member(
    State(state): State<AppState>,
    Path(id): Path<AccountId>,
    Console(user): Console,
) -> Result<Json<Removed>, ApiError> {
    member::remove(&state.ctx, &user, id).await?;
    Ok(Json(Removed { result: "success", tenant_id: user.tenant }))
}
