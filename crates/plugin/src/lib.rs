//! Plugin daemon client.
