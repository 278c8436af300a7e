//! OAuth clients the operator provides for every tenant (`*_oauth_params` columns).

use serde_json::{Map, Value};

use crate::{aes_cbc, base64, hash};

/// Encrypts the parameters under `SECRET_KEY`.
#[must_use]
pub fn encrypt(parameters: &Map<String, Value>, secret: &str) -> String {
    encrypt_with_iv(parameters, secret, &rand::random())
}

/// [`encrypt`] with a given IV, for tests against known texts.
#[must_use]
pub fn encrypt_with_iv(parameters: &Map<String, Value>, secret: &str, iv: &[u8; 16]) -> String {
    let plain = serde_json::to_vec(parameters).unwrap_or_default();
    let mut sealed = iv.to_vec();
    sealed.extend(aes_cbc::encrypt(&hash::sha256(secret.as_bytes()), iv, &plain));
    base64::encode(&sealed)
}

/// The parameters; `None` if the text was not encrypted under this `SECRET_KEY`.
#[must_use]
pub fn decrypt(text: &str, secret: &str) -> Option<Map<String, Value>> {
    let sealed = base64::decode(text)?;
    let (iv, cipher) = sealed.split_first_chunk::<16>()?;
    let plain = aes_cbc::decrypt(&hash::sha256(secret.as_bytes()), iv, cipher)?;
    serde_json::from_slice(&plain).ok()
}
