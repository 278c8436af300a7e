use crypto::{base64, password};

use crate::{golden, list, text};

#[test]
fn hashes_are_the_references() {
    let data = golden("password_hash");
    for case in list(&data, "/cases") {
        let plain = text(case, "/input/password");
        let salt = text(case, "/input/salt_base64");
        let expected = text(case, "/output/password_hashed_base64");
        let stored = password::hash_with_salt(plain, &base64::decode(salt).unwrap());
        assert_eq!((stored.hash.as_str(), stored.salt.as_str()), (expected, salt));
        assert!(password::verify(plain, expected, salt));
        assert!(!password::verify(&format!("{plain}x"), expected, salt));
    }
    let vector = golden("vectors");
    assert!(password::verify(
        text(&vector, "/password_hash/password"),
        text(&vector, "/password_hash/password_column"),
        text(&vector, "/password_hash/password_salt_column"),
    ));
}

#[test]
fn the_rule_is_the_references() {
    for case in list(&golden("password_hash"), "/validation_cases") {
        let expected = case.pointer("/valid").unwrap().as_bool().unwrap();
        let input = text(case, "/input");
        assert_eq!(password::is_acceptable(input), expected, "{input:?}");
        if !expected {
            assert_eq!(text(case, "/message"), password::RULE);
        }
    }
}

#[test]
fn a_fresh_hash_verifies_and_unreadable_columns_match_nothing() {
    let stored = password::hash("Passw0rd1");
    assert!(password::verify("Passw0rd1", &stored.hash, &stored.salt));
    assert!(!password::verify("", "", ""));
    assert!(!password::verify("x", "a", "b"));
}
