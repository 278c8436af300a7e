//! Calls of plugins back into the server: on whose behalf they are made, and the settings of their endpoints.

use boxed::boxed;
use db::end_user::NewEndUser;
use serde_json::{Map, Value};
use services_core::{Ctx, tenant_secret};
use types::{EndUserId, TenantId};
use uuid::Uuid;

use crate::SetupError;

/// The session of callers that name no user.
const DEFAULT_SESSION: &str = "DEFAULT-USER";

/// On whose behalf a plugin calls.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The workspace.
    pub tenant: TenantId,
    /// The user. Plugins may name any, so it is an end user and never an account.
    pub user: EndUserId,
}

/// The workspace and the end user a plugin names; a user nobody knows is made.
///
/// # Errors
/// [`SetupError::Invalid`] if there is no such workspace, or the user's id is none.
#[boxed]
pub async fn caller(ctx: &Ctx, tenant: &str, user: &str) -> Result<Caller, SetupError> {
    let unknown = || SetupError::invalid("tenant not found");
    if tenant.is_empty() {
        return Err(SetupError::invalid("tenant_id is required"));
    }
    let tenant: TenantId = tenant.parse().map_err(|_| unknown())?;
    let mut conn = ctx.db.acquire().await?;
    if db::tenant::find(&mut conn, tenant).await?.is_none() {
        return Err(unknown());
    }
    let session = if user.is_empty() { DEFAULT_SESSION } else { user };
    let is_anonymous = session == DEFAULT_SESSION;
    let known = if is_anonymous {
        db::end_user::find_in_tenant(&mut conn, tenant, session).await?
    } else {
        let id: Uuid = session.parse().map_err(|_| SetupError::invalid("user not found"))?;
        db::end_user::find(&mut conn, tenant, EndUserId(id)).await?
    };
    if let Some(known) = known {
        return Ok(Caller { tenant, user: known.id });
    }
    let new = NewEndUser {
        tenant,
        app: None,
        kind: "service_api",
        external_user: None,
        is_anonymous,
        session,
    };
    let made = db::end_user::insert(&mut conn, new).await?;
    Ok(Caller { tenant, user: made.id })
}

/// The session of the end user a plugin calls for, as workflows know users by it.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn session(ctx: &Ctx, caller: Caller) -> Result<String, SetupError> {
    let mut conn = ctx.db.acquire().await?;
    let known = db::end_user::find(&mut conn, caller.tenant, caller.user).await?;
    Ok(known.map_or_else(|| caller.user.to_string(), |user| user.session_id))
}

/// What to do with the settings of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Before they are stored.
    Encrypt,
    /// Before they are used; what does not decrypt stays as it is.
    Decrypt,
    /// They are gone.
    Clear,
}

/// Settings of an endpoint with the `secrets` among them encrypted or decrypted.
///
/// # Errors
/// Faults of the ground.
#[boxed]
pub async fn endpoint_settings(
    ctx: &Ctx,
    tenant: TenantId,
    operation: Operation,
    identity: &str,
    mut data: Map<String, Value>,
    secrets: &[String],
) -> Result<Map<String, Value>, SetupError> {
    if operation != Operation::Decrypt {
        // Where the reference keeps them decrypted.
        let key = format!("endpoint_credentials:tenant_id:{tenant}:id:endpoint.{identity}");
        ctx.redis.del(&[&key]).await?;
    }
    if operation == Operation::Clear {
        return Ok(Map::new());
    }
    let mut fields = Vec::new();
    let mut values = Vec::new();
    for field in secrets {
        if let Some(Value::String(value)) = data.get(field) {
            fields.push(field);
            values.push(value.clone());
        }
    }
    let changed: Vec<Option<String>> = match operation {
        Operation::Encrypt => {
            let tokens = tenant_secret::encrypt_all(ctx, tenant, values).await?;
            tokens.into_iter().map(Some).collect()
        }
        _ => tenant_secret::decrypt_all(ctx, tenant, values).await?,
    };
    for (field, value) in fields.into_iter().zip(changed) {
        if let Some(value) = value {
            data.insert(field.clone(), Value::String(value));
        }
    }
    Ok(data)
}
