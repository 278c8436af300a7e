//! A tenant's RSA-2048 key pair and the secrets stored under it.
//!
//! The public key is a column of `tenants`, the private key an object in storage at [`private_key_path`].
//! A stored secret is base64 of `HYBRID:`, the RSA-OAEP (SHA-1) encrypted AES-128 key, nonce, tag and
//! AES-EAX text; secrets from before that are OAEP only.
//!
//! Generating a pair takes from a tenth of a second to seconds, decrypting about a millisecond: call both
//! in `spawn_blocking`. Parse a key once and keep it for a batch.

use aes::Aes128;
use eax::Eax;
use eax::aead::{Aead as _, KeyInit as _};
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _};
use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _, LineEnding};
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts as _;
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use types::TenantId;

use crate::{base64, hash};

const BITS: usize = 2048;
const PREFIX: &[u8] = b"HYBRID:";
const NONCE: usize = 16;
const TAG: usize = 16;

/// Why a key or secret cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TenantKeyError {
    /// The generator failed, or the operating system gave no randomness.
    #[error("could not generate a key pair")]
    Generate,
    /// The text is not an RSA key in PEM.
    #[error("the key is not an RSA key in PEM")]
    Key,
    /// The secret could not be encrypted under this key.
    #[error("could not encrypt the secret")]
    Encrypt,
    /// The text is not a secret of this tenant.
    #[error("the secret was not encrypted under this tenant's key")]
    Decrypt,
}

/// A new pair, in PEM as it is stored.
#[derive(Clone)]
pub struct KeyPair {
    /// PKCS#1, for storage.
    pub private_pem: String,
    /// SPKI, for `tenants.encrypt_public_key`.
    pub public_pem: String,
}

/// Makes a pair. Slow: `spawn_blocking`.
///
/// # Errors
/// [`TenantKeyError::Generate`] without randomness.
pub fn generate() -> Result<KeyPair, TenantKeyError> {
    let private = RsaPrivateKey::new(&mut OsRng, BITS).map_err(|_| TenantKeyError::Generate)?;
    let private_pem = private.to_pkcs1_pem(LineEnding::LF).map_err(|_| TenantKeyError::Generate)?;
    let public_pem = private
        .to_public_key()
        .to_public_key_pem(LineEnding::LF)
        .map_err(|_| TenantKeyError::Generate)?;
    Ok(KeyPair {
        private_pem: private_pem.trim_end().to_owned(),
        public_pem: public_pem.trim_end().to_owned(),
    })
}

/// Where storage keeps the private key.
#[must_use]
pub fn private_key_path(tenant: TenantId) -> String {
    format!("privkeys/{tenant}/private.pem")
}

/// Where Redis keeps its raw PEM for 120 seconds.
#[must_use]
pub fn private_key_cache_key(tenant: TenantId) -> String {
    format!("tenant_privkey:{}", hash::sha3_256_hex(private_key_path(tenant).as_bytes()))
}

/// Encrypts secrets for a tenant.
#[derive(Debug, Clone)]
pub struct TenantPublicKey(RsaPublicKey);

impl TenantPublicKey {
    /// Reads `tenants.encrypt_public_key`.
    ///
    /// # Errors
    /// [`TenantKeyError::Key`].
    pub fn from_pem(pem: &str) -> Result<Self, TenantKeyError> {
        RsaPublicKey::from_public_key_pem(pem.trim()).map(Self).map_err(|_| TenantKeyError::Key)
    }

    /// The secret as the column stores it.
    ///
    /// # Errors
    /// [`TenantKeyError::Encrypt`] if the key is too short for the scheme.
    pub fn encrypt(&self, secret: &str) -> Result<String, TenantKeyError> {
        let key: [u8; 16] = rand::random();
        let nonce: [u8; NONCE] = rand::random();
        let sealed_key = self
            .0
            .encrypt(&mut OsRng, Oaep::new::<Sha1>(), &key)
            .map_err(|_| TenantKeyError::Encrypt)?;
        let mut text = Eax::<Aes128>::new(&key.into())
            .encrypt(&nonce.into(), secret.as_bytes())
            .map_err(|_| TenantKeyError::Encrypt)?;
        // The library puts the tag last, the stored format before the text.
        let tag = text.split_off(text.len().saturating_sub(TAG));
        Ok(base64::encode(&[PREFIX, &sealed_key, &nonce, &tag, &text].concat()))
    }
}

/// Decrypts a tenant's secrets.
#[derive(Clone)]
pub struct TenantPrivateKey(RsaPrivateKey);

impl TenantPrivateKey {
    /// Reads the stored private key, PKCS#1 or PKCS#8.
    ///
    /// # Errors
    /// [`TenantKeyError::Key`].
    pub fn from_pem(pem: &str) -> Result<Self, TenantKeyError> {
        RsaPrivateKey::from_pkcs1_pem(pem.trim())
            .ok()
            .or_else(|| RsaPrivateKey::from_pkcs8_pem(pem.trim()).ok())
            .map(Self)
            .ok_or(TenantKeyError::Key)
    }

    /// The stored secret in the clear. About a millisecond: `spawn_blocking` for a batch.
    ///
    /// # Errors
    /// [`TenantKeyError::Decrypt`] for anything that was not encrypted under this key.
    pub fn decrypt(&self, stored: &str) -> Result<String, TenantKeyError> {
        let sealed = base64::decode(stored).ok_or(TenantKeyError::Decrypt)?;
        let plain = match sealed.strip_prefix(PREFIX) {
            Some(sealed) => self.open_hybrid(sealed),
            None => self.open(&sealed),
        };
        plain.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(TenantKeyError::Decrypt)
    }

    fn open(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        // Blinded, so that timing tells nothing about the key.
        self.0.decrypt_blinded(&mut OsRng, Oaep::new::<Sha1>(), cipher).ok()
    }

    fn open_hybrid(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (sealed_key, rest) = sealed.split_at_checked(self.0.size())?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
        let (tag, text) = rest.split_first_chunk::<TAG>()?;
        let key: [u8; 16] = self.open(sealed_key)?.try_into().ok()?;
        let text = [text, tag].concat();
        Eax::<Aes128>::new(&key.into()).decrypt(nonce.into(), text.as_slice()).ok()
    }
}
