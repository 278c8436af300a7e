use crypto::jwt::{self, JwtError};
use crypto::{hash, session, token};
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::{golden, list, starting_with, text, vectors_secret};

const NOW: i64 = 1_800_000_000;

#[test]
fn tokens_are_signed_as_the_reference_signs_them() {
    let data = golden("token_formats");
    let jwt_data = &data["jwt_cases"];
    let secret: String =
        starting_with(jwt_data, "secret_parts").iter().map(|part| part.as_str().unwrap()).collect();
    for case in list(jwt_data, "/cases") {
        let token = text(case, "/output");
        assert_eq!(jwt::encode(&case["input"], &secret).unwrap(), token);
        assert_eq!(Value::Object(jwt::decode(token, &secret, NOW).unwrap()), case["input"]);
    }
    let vectors = golden("vectors");
    let secret = vectors_secret(&vectors);
    let account = text(&vectors, "/console_jwt/claims/user_id");
    assert_eq!(
        jwt::console_token(account, "SELF_HOSTED", 4_102_444_800, &secret),
        text(&vectors, "/console_jwt/token"),
    );
    let csrf = text(&vectors, "/csrf_jwt");
    assert_eq!(jwt::csrf_token(account, 4_102_444_800, &secret), csrf);
    assert!(jwt::is_csrf_token_of(csrf, account, &secret, NOW));
    assert!(!jwt::is_csrf_token_of(csrf, "somebody", &secret, NOW));
    assert!(!jwt::is_csrf_token_of(csrf, account, &secret, 4_102_444_800));
    let passport = jwt::web_passport("app-1", "c", "e", &secret);
    assert_eq!(jwt::decode(&passport, &secret, NOW).unwrap()["sub"], "Web API Passport");
}

#[test]
fn refused_tokens_say_why_in_the_references_words() {
    let sign = |claims: Value| jwt::encode(&claims, "k").unwrap();
    let check = |token: &str, expected: &str| {
        assert_eq!(jwt::decode(token, "k", NOW).unwrap_err().to_string(), expected, "{token}");
    };
    check(&sign(json!({"exp": NOW})), "Token has expired.");
    check(&sign(json!({"exp": NOW.to_string()})), "Token has expired.");
    check(&jwt::encode(&json!({"exp": NOW - 1}), "other").unwrap(), "Invalid token signature.");
    check(&sign(json!({"exp": [1]})), "Invalid token.");
    check(&sign(json!({"sub": 1})), "Invalid token.");
    check(&sign(json!({"aud": "x"})), "Invalid token.");
    check(&sign(json!({"nbf": NOW + 1})), "Invalid token.");
    check("", "Invalid token.");
    check("a.b", "Invalid token.");
    let none = format!("{}.e30.", crypto::base64::encode_url(br#"{"alg":"none"}"#));
    check(&none, "Invalid token.");
    assert!(jwt::decode(&sign(json!({"exp": NOW + 1})), "k", NOW).is_ok());
    assert_eq!(jwt::decode(&sign(json!({})), "", NOW), Err(JwtError::Signature));
    assert_eq!(jwt::encode(&1, "k"), None);
}

#[test]
fn the_session_cookie_is_flasks() {
    let vectors = golden("vectors");
    let secret = vectors_secret(&vectors);
    let cookie = text(&vectors, "/flask_session_cookie/cookie");
    // The third part holds the time of signing.
    let signed_at = crypto::base64::decode_url(cookie.split('.').nth(1).unwrap()).unwrap();
    let signed_at = signed_at.iter().fold(0, |sum: i64, byte| (sum << 8) | i64::from(*byte));
    let data = session::decode(cookie, &secret, signed_at + 5).unwrap();
    assert_eq!(Value::Object(data.clone()), vectors["flask_session_cookie"]["data"]);
    assert_eq!(session::encode(&data, &secret, signed_at), cookie);
    assert_eq!(session::decode(cookie, &secret, signed_at + 31 * 86400 + 1), None);
    assert_eq!(session::decode(cookie, &secret, signed_at - 1), None);
    assert_eq!(session::decode(cookie, "other", signed_at), None);
    assert_eq!(session::decode(&session::encode(&Map::new(), "k", 0), "k", 0), Some(Map::new()));
}

#[test]
fn random_names_have_the_references_shape() {
    let data = golden("token_formats");
    let shape = |name: &str| {
        let cases = list(&data, "/cases");
        let case = cases.iter().find(|case| text(case, "/name") == name).unwrap();
        Regex::new(text(case, "/regex")).unwrap()
    };
    for (name, made) in [
        ("app api key", token::app_api_key()),
        ("dataset api key", token::dataset_api_key()),
        ("site code", token::site_code()),
        ("human input access token", token::form_token()),
        ("refresh token", token::refresh_token()),
        ("email/login verification code", token::verification_code()),
        ("webhook id", token::webhook_id()),
    ] {
        assert!(shape(name).is_match(&made), "{name}: {made}");
    }
    assert!(token::single_dataset_api_key().starts_with("ds-"));
    assert_eq!(token::url_safe(16).len(), 22);
    assert_ne!(token::nonce(), token::nonce());
}

#[test]
fn hashes_are_the_references() {
    let vectors = golden("vectors");
    assert_eq!(
        hash::text_hash(text(&vectors, "/text_hash/text")),
        text(&vectors, "/text_hash/hash")
    );
    assert_eq!(
        hash::sha3_256_hex(b""),
        "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
    );
}
