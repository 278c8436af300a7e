//! Keys of the service API: listing, minting, revoking.

use boxed::boxed;
pub use db::api_token::ApiToken;
use db::{api_token::Holder, app::App};
use services_core::{Ctx, Failure, Fault};
use types::{AppId, DatasetId, TenantId};
use uuid::Uuid;

/// Keys a holder may have.
const MOST: i64 = 10;

/// Whose keys are meant.
#[derive(Debug, Clone, Copy)]
pub enum Resource {
    /// An app's.
    App(AppId),
    /// A knowledge base's.
    ///
    /// The schema has no place for a knowledge base in a key: such keys are the workspace's, with a prefix of their
    /// own, and open all its knowledge, which is also what the reference's service API makes of them.
    Dataset(DatasetId),
    /// The workspace's, for all its knowledge bases.
    Knowledge,
}

/// Why a key is not shown, minted or revoked.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// No such app in the workspace. (The reference goes on with a list of similar addresses, which takes the full stop.)
    #[error("App not found")]
    NoApp,
    /// The same where a single key is meant: no address is similar to that.
    #[error("App not found.")]
    NoAppOfKey,
    /// No such knowledge base in the workspace.
    #[error("Dataset not found")]
    NoDataset,
    /// No such key of that holder.
    #[error("API key not found")]
    NoKey,
    /// The holder has as many keys as it may.
    #[error("Cannot create more than {MOST} API keys for this resource type.")]
    TooMany,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for ApiKeyError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for ApiKeyError {
    fn status(&self) -> u16 {
        match self {
            Self::NoApp | Self::NoAppOfKey | Self::NoDataset | Self::NoKey => 404,
            Self::TooMany => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoApp | Self::NoAppOfKey | Self::NoDataset | Self::NoKey => "not_found",
            Self::TooMany => "max_keys_exceeded",
            Self::Fault(fault) => fault.code(),
        }
    }

    fn data(&self) -> Option<serde_json::Value> {
        // The reference leaves its own envelope here.
        let message = self.to_string();
        match self {
            Self::NoApp | Self::NoAppOfKey | Self::NoDataset | Self::NoKey => {
                Some(serde_json::json!({ "message": message }))
            }
            Self::TooMany => {
                Some(serde_json::json!({ "custom": "max_keys_exceeded", "message": message }))
            }
            Self::Fault(_) => None,
        }
    }
}

/// The keys of a holder, oldest first.
///
/// # Errors
/// [`ApiKeyError::NoApp`], [`ApiKeyError::NoDataset`].
#[boxed]
pub async fn list(
    ctx: &Ctx,
    tenant: TenantId,
    resource: Resource,
) -> Result<Vec<ApiToken>, ApiKeyError> {
    let mut conn = ctx.db.acquire().await?;
    let holder = holder(&mut conn, tenant, resource).await?;
    let mut keys = db::api_token::list(&mut conn, holder).await?;
    if let Resource::Dataset(_) = resource {
        keys.retain(|key| key.token.starts_with("ds-"));
    }
    Ok(keys)
}

/// Mints a key.
///
/// # Errors
/// [`ApiKeyError::NoApp`], [`ApiKeyError::NoDataset`], [`ApiKeyError::TooMany`].
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn create(
    ctx: &Ctx,
    tenant: TenantId,
    resource: Resource,
) -> Result<ApiToken, ApiKeyError> {
    let token = match resource {
        Resource::App(_) => crypto::token::app_api_key(),
        Resource::Dataset(_) => crypto::token::single_dataset_api_key(),
        Resource::Knowledge => crypto::token::dataset_api_key(),
    };
    let mut tx = ctx.db.begin().await?;
    let holder = holder(&mut tx, tenant, resource).await?;
    let key =
        db::api_token::insert(&mut tx, holder, &token, MOST).await?.ok_or(ApiKeyError::TooMany)?;
    tx.commit().await?;
    Ok(key)
}

/// Whether the holder of a key that is to be revoked is there, which is checked before the caller's role.
///
/// # Errors
/// [`ApiKeyError::NoAppOfKey`], [`ApiKeyError::NoDataset`].
#[boxed]
pub async fn check(ctx: &Ctx, tenant: TenantId, resource: Resource) -> Result<(), ApiKeyError> {
    let mut conn = ctx.db.acquire().await?;
    holder(&mut conn, tenant, resource).await.map(|_| ()).map_err(of_key)
}

fn of_key(err: ApiKeyError) -> ApiKeyError {
    match err {
        ApiKeyError::NoApp => ApiKeyError::NoAppOfKey,
        err => err,
    }
}

/// Revokes a key: it opens nothing from now on, on no node.
///
/// # Errors
/// [`ApiKeyError::NoAppOfKey`], [`ApiKeyError::NoDataset`], [`ApiKeyError::NoKey`].
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn delete(
    ctx: &Ctx,
    tenant: TenantId,
    resource: Resource,
    id: Uuid,
) -> Result<(), ApiKeyError> {
    let mut tx = ctx.db.begin().await?;
    let holder = holder(&mut tx, tenant, resource).await.map_err(of_key)?;
    let token = db::api_token::delete(&mut tx, holder, id).await?.ok_or(ApiKeyError::NoKey)?;
    tx.commit().await?;

    // After the commit: a request in between must not load the row again.
    ctx.invalidation().outdate(&format!("api_token:{token}")).await;
    // The reference's own cache, for Python nodes beside us.
    let cached = format!("api_token:{}:{token}", holder.kind());
    if let Err(err) = ctx.redis.del(&[cached.as_str()]).await {
        tracing::warn!(error = %err, "could not drop a revoked key from the shared cache");
    }
    Ok(())
}

async fn holder(
    conn: &mut db::PgConnection,
    tenant: TenantId,
    resource: Resource,
) -> Result<Holder, ApiKeyError> {
    match resource {
        Resource::App(app) => match db::app::find(conn, tenant, app).await? {
            Some(App { .. }) => Ok(Holder::App { tenant, app }),
            None => Err(ApiKeyError::NoApp),
        },
        Resource::Dataset(dataset) => match db::dataset::exists(conn, tenant, dataset).await? {
            true => Ok(Holder::Knowledge { tenant }),
            false => Err(ApiKeyError::NoDataset),
        },
        Resource::Knowledge => Ok(Holder::Knowledge { tenant }),
    }
}
