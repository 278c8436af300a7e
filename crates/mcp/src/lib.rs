//! MCP client and server types.

pub mod server;
