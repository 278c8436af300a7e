use crypto::tenant_key::{self, TenantKeyError, TenantPrivateKey, TenantPublicKey};
use crypto::{dataset_id, mask, system_oauth};
use serde_json::Value;

use crate::{golden, list, private_pem, text, vectors_secret};

#[test]
fn stored_secrets_open() {
    let data = golden("tenant_credentials");
    let key = TenantPrivateKey::from_pem(&private_pem(&data)).unwrap();
    for case in list(&data, "/cases") {
        assert_eq!(
            key.decrypt(text(case, "/input/ciphertext_base64")).unwrap(),
            text(case, "/output/plaintext"),
        );
    }
    let public = TenantPublicKey::from_pem(text(&data, "/public_key_pem")).unwrap();
    for secret in ["", "sk-密钥", &"x".repeat(5000)] {
        assert_eq!(key.decrypt(&public.encrypt(secret).unwrap()).unwrap(), secret);
    }

    let vectors = golden("vectors");
    let hybrid = &vectors["hybrid_rsa"];
    let other = TenantPrivateKey::from_pem(&private_pem(hybrid)).unwrap();
    assert_eq!(other.decrypt(text(hybrid, "/token_b64")).unwrap(), text(hybrid, "/plaintext"));
    assert_eq!(
        other.decrypt(text(hybrid, "/legacy_oaep_only_b64")).unwrap(),
        text(hybrid, "/legacy_plaintext"),
    );
    assert_eq!(key.decrypt(text(hybrid, "/token_b64")), Err(TenantKeyError::Decrypt));
}

#[test]
fn a_new_pair_opens_what_it_seals() {
    let pair = tenant_key::generate().unwrap();
    assert!(pair.private_pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    assert!(pair.public_pem.starts_with("-----BEGIN PUBLIC KEY-----\n"));
    let sealed = TenantPublicKey::from_pem(&pair.public_pem).unwrap().encrypt("s").unwrap();
    assert!(sealed.starts_with("SFlCUklEO"));
    assert_eq!(
        TenantPrivateKey::from_pem(&pair.private_pem).unwrap().decrypt(&sealed).unwrap(),
        "s"
    );
    assert!(
        TenantPublicKey::from_pem("no key").is_err() && TenantPrivateKey::from_pem("").is_err()
    );
}

#[test]
fn masks_and_cache_keys_are_the_references() {
    let data = golden("tenant_credentials");
    for case in list(&data, "/obfuscated_token_cases") {
        assert_eq!(mask::obfuscated_token(text(case, "/input")), text(case, "/output"));
    }
    assert_eq!(mask::full(), text(&data, "/full_mask_default"));
    for example in [&data["privkey_cache_key_example"], &golden("vectors")["privkey_cache_key"]] {
        let tenant = text(example, "/tenant_id").parse().unwrap();
        assert_eq!(
            tenant_key::private_key_cache_key(types::TenantId(tenant)),
            text(example, "/redis_key"),
        );
    }
}

#[test]
fn system_oauth_clients_open() {
    let vectors = golden("vectors");
    let secret = vectors_secret(&vectors);
    let sealed = text(&vectors, "/system_oauth_aes_cbc/b64");
    let plain: Value =
        serde_json::from_str(text(&vectors, "/system_oauth_aes_cbc/plaintext_json")).unwrap();
    let opened = system_oauth::decrypt(sealed, &secret).unwrap();
    assert_eq!(Value::Object(opened.clone()), plain);
    let iv = crypto::base64::decode(sealed).unwrap()[..16].try_into().unwrap();
    assert_eq!(system_oauth::encrypt_with_iv(&opened, &secret, &iv), sealed);
    assert_eq!(system_oauth::decrypt(&system_oauth::encrypt(&opened, "k"), "k").unwrap(), opened);
    assert_eq!(system_oauth::decrypt(sealed, "another"), None);
}

#[test]
fn dataset_ids_in_exports() {
    let vectors = golden("vectors");
    let vector = &vectors["dsl_dataset_id"];
    let tenant = types::TenantId(text(vector, "/tenant_id").parse().unwrap());
    let dataset = types::DatasetId(text(vector, "/dataset_id").parse().unwrap());
    let encrypted = text(vector, "/encrypted");
    assert_eq!(dataset_id::encrypt(dataset, tenant), encrypted);
    assert_eq!(dataset_id::decrypt(encrypted, tenant), Some(dataset));
    assert_eq!(dataset_id::decrypt(text(vector, "/dataset_id"), tenant), Some(dataset));
    let stranger = types::TenantId(text(vector, "/dataset_id").parse().unwrap());
    assert_eq!(dataset_id::decrypt(encrypted, stranger), None);
}
