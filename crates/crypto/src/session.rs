//! The signed session cookie that remembers that the init password was given.
//!
//! Flask's format, so that a set-up begun under the other image goes on: URL-safe base64 of the JSON, of
//! the time and of an HMAC-SHA-1, joined by dots. A payload too long to go uncompressed begins with a dot;
//! this session holds one switch and is never that long.

use serde_json::{Map, Value};

use crate::{base64, hash};

const SALT: &[u8] = b"cookie-session";
/// Seconds a session is valid: 31 days.
const MAX_AGE: i64 = 31 * 24 * 3600;

/// Signs a session at `now` (Unix seconds).
#[must_use]
pub fn encode(session: &Map<String, Value>, secret: &str, now: i64) -> String {
    let json = serde_json::to_vec(session).unwrap_or_default();
    let time = now.max(0).to_be_bytes();
    let significant = time.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<_>>();
    let signed = format!("{}.{}", base64::encode_url(&json), base64::encode_url(&significant));
    let signature = base64::encode_url(&signature(&signed, secret));
    format!("{signed}.{signature}")
}

/// The session, if it was signed by `secret` and is not older than 31 days at `now`.
#[must_use]
pub fn decode(cookie: &str, secret: &str, now: i64) -> Option<Map<String, Value>> {
    let (signed, given) = cookie.rsplit_once('.')?;
    if !hash::same(&signature(signed, secret), &base64::decode_url(given)?) {
        return None;
    }
    let (payload, time) = signed.rsplit_once('.')?;
    let time = base64::decode_url(time)?;
    if time.len() > 8 {
        return None;
    }
    let signed_at = time.iter().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let age = now.checked_sub(i64::try_from(signed_at).ok()?)?;
    if !(0..=MAX_AGE).contains(&age) {
        return None;
    }
    serde_json::from_slice(&base64::decode_url(payload)?).ok()
}

fn signature(signed: &str, secret: &str) -> [u8; 20] {
    hash::hmac_sha1(&hash::hmac_sha1(secret.as_bytes(), SALT), signed.as_bytes())
}
