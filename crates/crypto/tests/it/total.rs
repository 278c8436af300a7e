//! No text from outside can stop the server.

use crypto::file_link::{FileLinks, Presented, Stamp};
use crypto::tenant_key::TenantPrivateKey;
use crypto::{base64, dataset_id, jwt, mask, password, session, system_oauth};
use proptest::prelude::*;

fn dotted() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC*",
        "[A-Za-z0-9_=.-]{0,80}",
        r"[a-z]{0,6}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,43}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn readers_of_tokens_refuse_without_panicking(text in dotted(), now in any::<i64>()) {
        prop_assert!(jwt::decode(&text, "k", now).is_err());
        prop_assert!(session::decode(&text, "k", now).is_none());
        let _ = system_oauth::decrypt(&text, "k");
        let _ = dataset_id::decrypt(&text, types::TenantId(Default::default()));
        let _ = base64::decode(&text);
        let _ = password::is_acceptable(&text);
        let link = Presented { timestamp: &text, nonce: &text, sign: &text };
        prop_assert!(!FileLinks::new("k", "", "", 300).opens_file("x", &link, now));
    }

    #[test]
    fn claims_of_any_shape_are_read_or_refused(
        exp in prop_oneof![any::<i64>().prop_map(Into::into), any::<f64>().prop_map(serde_json::Value::from), ".*".prop_map(serde_json::Value::from)],
        now in any::<i64>(),
    ) {
        let token = jwt::encode(&serde_json::json!({ "exp": exp }), "k").unwrap();
        let _ = jwt::decode(&token, "k", now);
    }

    #[test]
    fn masks_and_texts_take_any_text(text in "\\PC*") {
        for masked in [mask::obfuscated_token(&text), mask::provider_secret(&text), mask::trigger_secret(&text)] {
            prop_assert!(text.is_empty() || masked.contains('*'));
        }
        let _ = FileLinks::new("k", "", "", 1).sign_text(&text, || Stamp::new(0));
        prop_assert_eq!(base64::decode(&base64::encode(text.as_bytes())).unwrap(), text.as_bytes());
    }
}

#[test]
fn secrets_cut_short_are_refused() {
    let pair = crypto::tenant_key::generate().unwrap();
    let key = TenantPrivateKey::from_pem(&pair.private_pem).unwrap();
    for length in [0, 6, 7, 8, 100, 263, 264, 278, 279, 295, 296, 400] {
        let mut bytes = b"HYBRID:".to_vec();
        bytes.resize(length.max(7), 1);
        assert!(key.decrypt(&base64::encode(&bytes)).is_err());
    }
    assert!(key.decrypt("").is_err() && key.decrypt("HYBRID").is_err());
}
