//! Knowledge-base ids in exported DSL files: unreadable to other tenants.

use types::{DatasetId, TenantId};
use uuid::Uuid;

use crate::{aes_cbc, base64, hash};

/// The id as an export writes it (when `DSL_EXPORT_ENCRYPT_DATASET_ID`).
#[must_use]
pub fn encrypt(dataset: DatasetId, tenant: TenantId) -> String {
    let (key, iv) = key(tenant);
    base64::encode(&aes_cbc::encrypt(&key, &iv, dataset.to_string().as_bytes()))
}

/// The id an import names: encrypted by this tenant, or plain. `None` is another tenant's or no id.
#[must_use]
pub fn decrypt(text: &str, tenant: TenantId) -> Option<DatasetId> {
    if let Ok(plain) = Uuid::parse_str(text) {
        return Some(DatasetId(plain));
    }
    let (key, iv) = key(tenant);
    let plain = aes_cbc::decrypt(&key, &iv, &base64::decode(text)?)?;
    Uuid::try_parse_ascii(&plain).ok().map(DatasetId)
}

fn key(tenant: TenantId) -> ([u8; 32], [u8; 16]) {
    let key = hash::sha256(tenant.to_string().as_bytes());
    let mut iv = [0; 16];
    for (slot, byte) in iv.iter_mut().zip(key) {
        *slot = byte;
    }
    (key, iv)
}
