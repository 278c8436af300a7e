//! Passwords, tokens, tenant keys, signed URLs.
