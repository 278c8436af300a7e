//! Account passwords: PBKDF2-HMAC-SHA-256, 10 000 rounds, as the `accounts` columns store them.
//!
//! Hashing and verifying take milliseconds: call them in `spawn_blocking`.

use std::sync::LazyLock;

use pbkdf2::pbkdf2_hmac_array;
use regex::Regex;
use sha2::Sha256;

use crate::{base64, hash};

const ROUNDS: u32 = 10_000;

/// What a refused new password is told; the sentence is the reference's.
pub const RULE: &str =
    "Password must contain letters and numbers, and the length must be greater than 8.";

/// The two columns of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// `accounts.password`: base64 of the lower-case hexadecimal hash.
    pub hash: String,
    /// `accounts.password_salt`: base64 of the salt.
    pub salt: String,
}

/// Hashes a password under a fresh 16-byte salt.
#[must_use]
pub fn hash(password: &str) -> StoredPassword {
    hash_with_salt(password, &rand::random::<[u8; 16]>())
}

/// Hashes a password under this salt.
#[must_use]
pub fn hash_with_salt(password: &str, salt: &[u8]) -> StoredPassword {
    StoredPassword {
        hash: base64::encode(digest(password, salt).as_bytes()),
        salt: base64::encode(salt),
    }
}

/// Whether this is the password. Unreadable columns match no password.
#[must_use]
pub fn verify(password: &str, stored_hash: &str, stored_salt: &str) -> bool {
    let (Some(expected), Some(salt)) = (base64::decode(stored_hash), base64::decode(stored_salt))
    else {
        return false;
    };
    hash::same(digest(password, &salt).as_bytes(), &expected)
}

fn digest(password: &str, salt: &[u8]) -> String {
    hex::encode(pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt, ROUNDS))
}

/// Whether a new password is acceptable: a letter, a digit of any script, eight characters, one line
/// (a final line break is forgiven). If not, tell [`RULE`].
#[must_use]
pub fn is_acceptable(password: &str) -> bool {
    static DIGIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d").ok());
    let line = password.strip_suffix('\n').unwrap_or(password);
    !line.contains('\n')
        && line.chars().count() >= 8
        && line.contains(|c: char| c.is_ascii_alphabetic())
        && DIGIT.as_ref().is_some_and(|digit| digit.is_match(line))
}
