//! The one egress HTTP client.
