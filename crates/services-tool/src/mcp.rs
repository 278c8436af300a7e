//! MCP servers that a workspace uses.

mod auth;
mod client;
mod provider;
mod row;
mod schema;
mod write;

pub use auth::SignIn;
pub use client::McpError;
pub use provider::{McpClient, McpContent};
pub(crate) use schema::parameters;
