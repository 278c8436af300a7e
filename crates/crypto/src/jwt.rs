//! JSON Web Tokens, HS256 under `SECRET_KEY`, with the reference's claims and error sentences.
//!
//! Written out instead of taken from a library because sessions must survive a switch of the image both
//! ways: header and claims keep their order, and what counts as expired, wrongly signed or malformed is
//! what the reference's library says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{base64, hash};

/// `sub` of console tokens.
pub const CONSOLE_SUBJECT: &str = "Console API Passport";
/// `sub` of web-app passports.
pub const WEB_SUBJECT: &str = "Web API Passport";

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Why a token is refused; the text is the answer's `message`, status 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// The signature is right and `exp` has passed.
    #[error("Token has expired.")]
    Expired,
    /// Not signed by this key.
    #[error("Invalid token signature.")]
    Signature,
    /// Not a token, or claims of the wrong type.
    #[error("Invalid token.")]
    Malformed,
}

/// Claims of the console's access token, in wire order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleClaims {
    /// The account.
    pub user_id: String,
    /// Unix seconds.
    pub exp: i64,
    /// `EDITION`.
    pub iss: String,
    /// [`CONSOLE_SUBJECT`].
    pub sub: String,
}

/// Claims of the CSRF token, in wire order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsrfClaims {
    /// Unix seconds.
    pub exp: i64,
    /// The account.
    pub sub: String,
}

/// Claims of a web-app passport, in wire order. It does not expire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebPassportClaims {
    /// The app.
    pub iss: String,
    /// [`WEB_SUBJECT`].
    pub sub: String,
    /// The app.
    pub app_id: String,
    /// The site's code.
    pub app_code: String,
    /// The end user.
    pub end_user_id: String,
}

/// Claims of the web-app login of the enterprise edition, in wire order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebLoginClaims {
    /// [`WEB_SUBJECT`].
    pub sub: String,
    /// The account.
    pub user_id: String,
    /// Its e-mail address.
    pub session_id: String,
    /// `webapp_login_token`.
    pub token_source: String,
    /// `internal`.
    pub auth_type: String,
    /// Unix seconds.
    pub exp: i64,
}

/// Signs claims. `None` only if they are not a JSON object.
#[must_use]
pub fn encode(claims: &impl Serialize, secret: &str) -> Option<String> {
    let claims = serde_json::to_string(claims).ok().filter(|json| json.starts_with('{'))?;
    let signed = format!(
        "{}.{}",
        base64::encode_url(HEADER.as_bytes()),
        base64::encode_url(claims.as_bytes())
    );
    let signature = hash::hmac_sha256(secret.as_bytes(), signed.as_bytes());
    Some(format!("{signed}.{}", base64::encode_url(&signature)))
}

/// The console's access token, valid until `exp` (Unix seconds).
#[must_use]
pub fn console_token(account: &str, edition: &str, exp: i64, secret: &str) -> String {
    let claims = ConsoleClaims {
        user_id: account.to_owned(),
        exp,
        iss: edition.to_owned(),
        sub: CONSOLE_SUBJECT.to_owned(),
    };
    encode(&claims, secret).unwrap_or_default()
}

/// The CSRF token that goes with it.
#[must_use]
pub fn csrf_token(account: &str, exp: i64, secret: &str) -> String {
    encode(&CsrfClaims { exp, sub: account.to_owned() }, secret).unwrap_or_default()
}

/// Whether a CSRF token was made for this account and is in force at `now`.
#[must_use]
pub fn is_csrf_token_of(token: &str, account: &str, secret: &str, now: i64) -> bool {
    decode(token, secret, now)
        .is_ok_and(|claims| claims.get("sub").and_then(Value::as_str) == Some(account))
}

/// A passport of a web app's end user.
#[must_use]
pub fn web_passport(app: &str, app_code: &str, end_user: &str, secret: &str) -> String {
    let claims = WebPassportClaims {
        iss: app.to_owned(),
        sub: WEB_SUBJECT.to_owned(),
        app_id: app.to_owned(),
        app_code: app_code.to_owned(),
        end_user_id: end_user.to_owned(),
    };
    encode(&claims, secret).unwrap_or_default()
}

/// The claims of a token signed by `secret` and in force at `now` (Unix seconds). `iss` is free.
///
/// # Errors
/// [`JwtError`], signature before time before types of claims.
pub fn decode(token: &str, secret: &str, now: i64) -> Result<Map<String, Value>, JwtError> {
    let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(JwtError::Malformed)?;
    let header = object(header)?;
    let payload_bytes = base64::decode_url(payload).ok_or(JwtError::Malformed)?;
    let signature = base64::decode_url(signature).ok_or(JwtError::Malformed)?;
    let plain_header = header.get("alg").and_then(Value::as_str) == Some("HS256")
        && !header.contains_key("crit")
        && header.get("b64") != Some(&Value::Bool(false))
        && header.get("kid").is_none_or(Value::is_string);
    if !plain_header {
        return Err(JwtError::Malformed);
    }
    if !hash::same(&hash::hmac_sha256(secret.as_bytes(), signed.as_bytes()), &signature) {
        return Err(JwtError::Signature);
    }
    let claims = parse(&payload_bytes)?;
    for not_before in ["iat", "nbf"] {
        if time(&claims, not_before)?.is_some_and(|time| time > now) {
            return Err(JwtError::Malformed);
        }
    }
    if time(&claims, "exp")?.is_some_and(|time| time <= now) {
        return Err(JwtError::Expired);
    }
    // A token for an audience is for somebody else: nothing here names one.
    let has_audience = claims.get("aud").is_some_and(|aud| match aud {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(all) => !all.is_empty(),
        _ => true,
    });
    let text = |name| claims.get(name).is_none_or(Value::is_string);
    if has_audience || !text("sub") || !text("jti") {
        return Err(JwtError::Malformed);
    }
    Ok(claims)
}

fn object(segment: &str) -> Result<Map<String, Value>, JwtError> {
    parse(&base64::decode_url(segment).ok_or(JwtError::Malformed)?)
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, JwtError> {
    serde_json::from_slice(bytes).map_err(|_| JwtError::Malformed)
}

/// A point in time; numbers are cut to whole seconds, and text that is a whole number counts.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, JwtError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = match value {
        Value::Number(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "saturates, and is then far away")]
            let cut = |float: f64| float as i64;
            number.as_i64().or_else(|| number.as_f64().map(cut))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    seconds.map(Some).ok_or(JwtError::Malformed)
}
