//! What accounts and workspaces have to do with the enterprise service: policies of workspaces, and the queues it reads.

use boxed::boxed;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use services_core::{Ctx, Fault, enterprise};
use types::{AccountId, TenantId};
use uuid::Uuid;

use crate::AccountError;

/// What the operator lets a workspace do.
#[derive(Debug, Clone, Deserialize)]
pub struct WorkspacePermission {
    /// The workspace.
    #[serde(rename = "workspaceId", alias = "workspace_id")]
    pub workspace_id: String,
    /// Members may invite others.
    #[serde(rename = "allowMemberInvite", alias = "allow_member_invite", default)]
    pub allow_member_invite: bool,
    /// The owner may hand it over.
    #[serde(rename = "allowOwnerTransfer", alias = "allow_owner_transfer", default)]
    pub allow_owner_transfer: bool,
}

/// What the operator lets a workspace do.
///
/// # Errors
/// If the backend does not say.
#[boxed]
pub async fn permission(ctx: &Ctx, tenant: TenantId) -> Result<WorkspacePermission, Fault> {
    let path = format!("/workspaces/{tenant}/permission");
    let answer = enterprise::get(ctx, &path).send().await?;
    let permission = answer.get("permission").cloned().unwrap_or_default();
    serde_json::from_value(permission)
        .map_err(|err| Fault::caused("the enterprise backend's answer is unreadable", err))
}

/// Refuses an invitation the operator forbids. A backend that does not answer forbids nothing, as in the reference.
pub(crate) async fn check_may_invite(ctx: &Ctx, tenant: TenantId) -> Result<(), AccountError> {
    match policy(ctx, tenant).await {
        Some(policy) if !policy.allow_member_invite => {
            Err(AccountError::Forbidden("Workspace policy prohibits member invitations".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Refuses a change of owner the operator forbids.
pub(crate) async fn check_may_transfer(ctx: &Ctx, tenant: TenantId) -> Result<(), AccountError> {
    match policy(ctx, tenant).await {
        Some(policy) if !policy.allow_owner_transfer => {
            Err(AccountError::Forbidden("Workspace policy prohibits ownership transfer".to_owned()))
        }
        _ => Ok(()),
    }
}

async fn policy(ctx: &Ctx, tenant: TenantId) -> Option<WorkspacePermission> {
    if !enterprise::is_on(ctx) {
        return None;
    }
    match permission(ctx, tenant).await {
        Ok(policy) => Some(policy),
        Err(err) => {
            tracing::warn!(error = %err, tenant.id = %tenant, "a workspace's policy is not known");
            None
        }
    }
}

/// Asks for a new account to be put into the default workspace, where there is one.
pub(crate) async fn join_default_workspace(ctx: &Ctx, account: AccountId) {
    if !enterprise::is_on(ctx) {
        return;
    }
    let body = json!({"account_id": account});
    let path = "/default-workspace/members";
    let asked = enterprise::post(ctx, path, &body).timeout(Duration::from_secs(1)).send().await;
    if let Err(err) = asked {
        tracing::warn!(error = %err, account.id = %account, "an account was not put into the default workspace");
    }
}

/// Tells of a new workspace.
pub(crate) async fn note_workspace(ctx: &Ctx, tenant: TenantId, source: &str) {
    let note = json!({
        "task_id": Uuid::new_v4(),
        "workspace_id": tenant,
        "retry_count": 0,
        "created_at": now(ctx),
        "source": source,
    });
    push(ctx, "enterprise:workspace:sync:queue", &note).await;
}

/// Tells of a member who is gone, whose things are to be given to others.
pub(crate) async fn note_removal(ctx: &Ctx, tenant: TenantId, member: AccountId, source: &str) {
    let note = json!({
        "task_id": Uuid::new_v4(),
        "workspace_id": tenant,
        "member_id": member,
        "retry_count": 0,
        "created_at": now(ctx),
        "source": source,
        "type": "sync_member_deletion_from_workspace",
    });
    push(ctx, "enterprise:member:sync:queue", &note).await;
}

async fn push(ctx: &Ctx, queue: &str, note: &Value) {
    if !enterprise::is_on(ctx) {
        return;
    }
    if let Err(err) = ctx.redis.lpush(queue, &[note.to_string().as_bytes()]).await {
        tracing::warn!(error = %err, queue, "the enterprise backend was not told");
    }
}

fn now(ctx: &Ctx) -> String {
    ctx.now().format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}
