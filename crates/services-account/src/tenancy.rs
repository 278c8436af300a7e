//! New workspaces: the row, its key pair, its credits, how it keeps plugins current.

use std::sync::Arc;

use boxed::boxed;
use crypto::tenant_key;
use db::{PgConnection, plugin_upgrade_strategy::UpgradeStrategy, tenant::Tenant};
use services_core::{Ctx, Fault};
use types::{AccountId, TenantId};

use crate::{AccountError, Policy, enterprise, password::blocking};

/// A workspace whose private key is stored but whose rows are not yet.
///
/// Keys take long to make and storage may be far: both happen before the transaction, not inside.
pub(crate) struct Prepared {
    id: TenantId,
    public_key: String,
}

/// Makes and stores the key pair of a new workspace.
pub(crate) async fn prepare(ctx: &Ctx) -> Result<Prepared, AccountError> {
    let id = TenantId::random();
    let public_key = store_key_pair(ctx, id).await?;
    Ok(Prepared { id, public_key })
}

impl Prepared {
    /// Writes the rows of the workspace.
    pub(crate) async fn insert(
        &self,
        ctx: &Ctx,
        db: &mut PgConnection,
        name: &str,
    ) -> Result<Tenant, AccountError> {
        let name: String = name.chars().take(255).collect();
        let tenant = db::tenant::insert(db, self.id, &name, &self.public_key).await?;
        db::plugin_upgrade_strategy::save(db, self.id, &UpgradeStrategy::initial()).await?;
        db::credit_pool::insert_trial(db, self.id, ctx.config.feature.hosted_pool_credits).await?;
        Ok(tenant)
    }

    /// Removes the private key of a workspace that came to nothing.
    pub(crate) async fn discard(self, ctx: &Ctx) {
        if let Err(err) = ctx.storage.delete(&tenant_key::private_key_path(self.id)).await {
            tracing::warn!(error = %err, "the key of a workspace that was not made stays in storage");
        }
    }
}

/// Makes a key pair, stores its private half and returns the public one (SPKI PEM).
pub(crate) async fn store_key_pair(ctx: &Ctx, id: TenantId) -> Result<String, AccountError> {
    let make = Arc::clone(&ctx.key_pairs);
    let pair = blocking(move || make())
        .await?
        .map_err(|err| Fault::caused("no key pair for a workspace", err))?;
    let path = tenant_key::private_key_path(id);
    ctx.storage.save(&path, pair.private_pem).await?;
    Ok(pair.public_pem)
}

/// Makes a workspace that belongs to `owner`, who works in it from now on.
///
/// # Errors
/// [`AccountError::NoWorkspace`], [`AccountError::WorkspacesExhausted`].
#[boxed]
pub async fn create_for(
    ctx: &Ctx,
    policy: Policy,
    owner: AccountId,
    name: &str,
) -> Result<Tenant, AccountError> {
    if !policy.allow_create_workspace {
        return Err(AccountError::NoWorkspace);
    }
    if !policy.workspaces_available {
        return Err(AccountError::WorkspacesExhausted);
    }
    create(ctx, name, Some(owner)).await
}

/// Makes a workspace whatever the policy; for the operator.
///
/// # Errors
/// The ground's.
#[boxed]
pub async fn create(
    ctx: &Ctx,
    name: &str,
    owner: Option<AccountId>,
) -> Result<Tenant, AccountError> {
    let prepared = prepare(ctx).await?;
    let made = insert_with_owner(ctx, &prepared, name, owner).await;
    if made.is_err() {
        prepared.discard(ctx).await;
    }
    made
}

async fn insert_with_owner(
    ctx: &Ctx,
    prepared: &Prepared,
    name: &str,
    owner: Option<AccountId>,
) -> Result<Tenant, AccountError> {
    let mut tx = ctx.db.begin().await?;
    let tenant = prepared.insert(ctx, &mut tx, name).await?;
    if let Some(owner) = owner {
        let homeless = !db::tenant::has_joined_any(&mut tx, owner).await?;
        db::tenant::join(&mut tx, tenant.id, owner, "owner", homeless).await?;
    }
    tx.commit().await?;
    enterprise::note_workspace(ctx, tenant.id, "tenant_created").await;
    Ok(tenant)
}
