//! Passwords, tokens, tenant keys, signed links: everything that must come out byte for byte as the
//! reference makes it, because its rows and links stay valid when the image is switched.
//!
//! No I/O and no clock: callers pass the time in Unix seconds. [`password`] and [`tenant_key`] cost
//! milliseconds to seconds of CPU; async callers run them in `spawn_blocking`.
//!
//! Invariant: no input, however malformed, panics; comparisons of secrets take the same time for every
//! wrong value of the same length.

pub mod aes_cbc;
pub mod base64;
pub mod dataset_id;
pub mod file_link;
pub mod hash;
pub mod jwt;
pub mod mask;
pub mod password;
pub mod session;
pub mod system_oauth;
pub mod tenant_key;
pub mod token;
