//! The built-in providers, and calls of them against a mock server.

mod declarations;
