//! Random names nobody can guess. All come from a cryptographic generator.

use rand::RngExt as _;
use rand::distr::Alphanumeric;

use crate::base64;

/// `n` letters and digits.
#[must_use]
pub fn alphanumeric(n: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(n).map(char::from).collect()
}

/// An app's service API key: `app-` and 24 characters.
#[must_use]
pub fn app_api_key() -> String {
    format!("app-{}", alphanumeric(24))
}

/// A tenant's knowledge API key: `dataset-` and 24 characters.
#[must_use]
pub fn dataset_api_key() -> String {
    format!("dataset-{}", alphanumeric(24))
}

/// A key made on one knowledge base's page: `ds-` and 24 characters.
#[must_use]
pub fn single_dataset_api_key() -> String {
    format!("ds-{}", alphanumeric(24))
}

/// A site code or MCP server code: 16 characters.
#[must_use]
pub fn site_code() -> String {
    alphanumeric(16)
}

/// Access token of a human-input form: 22 characters.
#[must_use]
pub fn form_token() -> String {
    alphanumeric(22)
}

/// A refresh token: 64 bytes in hexadecimal.
#[must_use]
pub fn refresh_token() -> String {
    hex::encode(rand::random::<[u8; 64]>())
}

/// A code sent by mail: six digits.
#[must_use]
pub fn verification_code() -> String {
    let number: u32 = rand::rng().random_range(0..1_000_000);
    format!("{number:06}")
}

/// A webhook id: 18 bytes in URL-safe base64, 24 characters.
#[must_use]
pub fn webhook_id() -> String {
    base64::encode_url(&rand::random::<[u8; 18]>())
}

/// `n` bytes in URL-safe base64 without padding; 16 is the password of `create-tenant`.
#[must_use]
pub fn url_safe(n: usize) -> String {
    let bytes: Vec<u8> = rand::rng().random_iter().take(n).collect();
    base64::encode_url(&bytes)
}

/// A nonce of signed links: 16 bytes in hexadecimal.
#[must_use]
pub fn nonce() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}
