//! Digests and message authentication codes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use sha3::Sha3_256;

const SHA1_BLOCK: usize = 64;

/// SHA-256, the raw digest.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    Sha256::digest(bytes).into()
}

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(sha256(bytes))
}

/// SHA3-256 in lower-case hexadecimal: the hash column of uploaded files.
#[must_use]
pub fn sha3_256_hex(bytes: &[u8]) -> String {
    use sha3::Digest as _;
    hex::encode(Sha3_256::digest(bytes))
}

/// Hash of a text for the embedding cache and of segments. The appended word is the reference's.
#[must_use]
pub fn text_hash(text: &str) -> String {
    sha256_hex(format!("{text}None").as_bytes())
}

/// HMAC-SHA-256.
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of every length, so the error does not happen; a zero code would match nothing
    // that anybody can compute from the key.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mut mac| {
            mac.update(message);
            mac.finalize().into_bytes().into()
        })
        .unwrap_or_default()
}

/// HMAC-SHA-1, for the formats that still use it (the session cookie, enterprise's caller signature).
#[must_use]
pub fn hmac_sha1(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut block = [0u8; SHA1_BLOCK];
    let hashed;
    let key = if key.len() > SHA1_BLOCK {
        hashed = Sha1::digest(key);
        hashed.as_ref()
    } else {
        key
    };
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot = *byte;
    }
    let inner = Sha1::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(message).finalize();
    Sha1::new().chain_update(block.map(|b| b ^ 0x5c)).chain_update(inner).finalize().into()
}

/// Compares without stopping at the first difference; only the length may show.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && std::hint::black_box(a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)))
            == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_sha1_is_rfc_2202() {
        let short = hmac_sha1(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex::encode(short), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        let long =
            hmac_sha1(&[0xaa; 80], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex::encode(long), "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    }

    #[test]
    fn same_compares() {
        assert!(same(b"", b"") && same(b"ab", b"ab"));
        assert!(!same(b"ab", b"ac") && !same(b"ab", b"abc"));
    }
}
