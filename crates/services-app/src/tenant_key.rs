//! A workspace's secrets: encrypted with its public key, opened with the private key in storage.

use crypto::tenant_key::{
    TenantPrivateKey, TenantPublicKey, private_key_cache_key, private_key_path,
};
use services_core::{Ctx, Fault};
use types::TenantId;

/// How long Redis keeps a private key; the reference's time.
const CACHED: std::time::Duration = std::time::Duration::from_secs(120);

/// The secret as rows hold it.
///
/// # Errors
/// Faults: the workspace has no usable key.
pub async fn encrypt(ctx: &Ctx, tenant: TenantId, secret: &str) -> Result<String, Fault> {
    let pem = {
        let mut conn = ctx.db.acquire().await?;
        db::tenant::find(&mut conn, tenant).await?.and_then(|tenant| tenant.encrypt_public_key)
    };
    let pem = pem.ok_or_else(|| Fault::Other("the workspace has no public key".to_owned()))?;
    let key = TenantPublicKey::from_pem(&pem)
        .map_err(|err| Fault::caused("the workspace's public key is unusable", err))?;
    key.encrypt(secret).map_err(|err| Fault::caused("could not encrypt a secret", err))
}

/// A stored secret in the clear; `None` (and a line in the log) if it cannot be opened.
pub async fn decrypt(ctx: &Ctx, tenant: TenantId, stored: &str) -> Option<String> {
    match open(ctx, tenant, stored).await {
        Ok(secret) => Some(secret),
        Err(err) => {
            tracing::warn!(error = %err, tenant.id = %tenant, "could not open a stored secret");
            None
        }
    }
}

async fn open(ctx: &Ctx, tenant: TenantId, stored: &str) -> Result<String, Fault> {
    let cache = private_key_cache_key(tenant);
    let cached = ctx.redis.get(&cache).await.ok().flatten();
    let pem = match cached {
        Some(pem) => pem,
        None => {
            let pem = ctx.storage.load(&private_key_path(tenant)).await?;
            // Without Redis the next secret reads storage again.
            let _ = ctx.redis.set_ex(&cache, &pem, CACHED).await;
            pem.to_vec()
        }
    };
    let key = TenantPrivateKey::from_pem(&String::from_utf8_lossy(&pem))
        .map_err(|err| Fault::caused("the workspace's private key is unusable", err))?;
    key.decrypt(stored).map_err(|err| Fault::caused("the secret is not this workspace's", err))
}
