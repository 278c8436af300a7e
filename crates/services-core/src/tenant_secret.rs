//! Secrets of a workspace: encrypted with its public key, which is in the database; decrypted with its private key,
//! which is in object storage.

use boxed::boxed;
use std::sync::Arc;

use crypto::tenant_key::{TenantPrivateKey, TenantPublicKey, private_key_path};
use types::TenantId;

use crate::{Ctx, Fault};

/// Encrypts `secret` for `tenant`.
///
/// # Errors
/// If the workspace has no key pair.
#[boxed]
pub async fn encrypt(ctx: &Ctx, tenant: TenantId, secret: &str) -> Result<String, Fault> {
    let mut all = encrypt_all(ctx, tenant, vec![secret.to_owned()]).await?;
    Ok(all.pop().unwrap_or_default())
}

/// Encrypts each of `secrets` for `tenant`.
///
/// # Errors
/// If the workspace has no key pair.
#[boxed]
pub async fn encrypt_all(
    ctx: &Ctx,
    tenant: TenantId,
    secrets: Vec<String>,
) -> Result<Vec<String>, Fault> {
    if secrets.is_empty() {
        return Ok(Vec::new());
    }
    let row = {
        let mut conn = ctx.db.acquire().await?;
        db::tenant::find(&mut conn, tenant).await?
    };
    let pem = row
        .and_then(|tenant| tenant.encrypt_public_key)
        .ok_or_else(|| Fault::Other(format!("workspace {tenant} has no key pair")))?;
    in_background(move || {
        let key = TenantPublicKey::from_pem(&pem)
            .map_err(|err| Fault::caused("a workspace's public key cannot be read", err))?;
        secrets
            .iter()
            .map(|secret| {
                key.encrypt(secret)
                    .map_err(|err| Fault::caused("a secret cannot be encrypted", err))
            })
            .collect()
    })
    .await
}

/// What `token` was made of, or `None` if it was not made for `tenant` (or is no token at all).
///
/// # Errors
/// If the workspace's private key cannot be read.
#[boxed]
pub async fn decrypt(ctx: &Ctx, tenant: TenantId, token: &str) -> Result<Option<String>, Fault> {
    let mut all = decrypt_all(ctx, tenant, vec![token.to_owned()]).await?;
    Ok(all.pop().flatten())
}

/// What each of `tokens` was made of; `None` for those that were not made for `tenant`.
///
/// # Errors
/// If the workspace's private key cannot be read.
#[boxed]
pub async fn decrypt_all(
    ctx: &Ctx,
    tenant: TenantId,
    tokens: Vec<String>,
) -> Result<Vec<Option<String>>, Fault> {
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    let key = private_key(ctx, tenant).await?;
    in_background(move || Ok(tokens.iter().map(|token| key.decrypt(token).ok()).collect())).await
}

/// The tag under which a workspace's parsed private key is kept.
#[must_use]
pub fn cache_tag(tenant: TenantId) -> String {
    format!("tenant_key:{tenant}")
}

async fn private_key(ctx: &Ctx, tenant: TenantId) -> Result<Arc<TenantPrivateKey>, Fault> {
    ctx.tenant_keys()
        .find(tenant, [cache_tag(tenant)], async {
            let pem = ctx.storage.load(&private_key_path(tenant)).await?;
            let pem = String::from_utf8_lossy(&pem).into_owned();
            let key = in_background(move || {
                TenantPrivateKey::from_pem(&pem)
                    .map_err(|err| Fault::caused("a workspace's private key cannot be read", err))
            })
            .await?;
            Ok::<_, Fault>(Some(Arc::new(key)))
        })
        .await?
        .ok_or_else(|| Fault::Other(format!("workspace {tenant} has no private key")))
}

/// RSA costs milliseconds: not on the threads that serve requests.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|err| Fault::caused("work with keys was cut off", err))?
}
