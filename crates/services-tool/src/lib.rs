//! Tools and plugins of a workspace: which there are, their credentials, and calling them.

mod agent;
mod agent_node;
pub mod api;
mod builtin;
pub mod call;
pub mod credential;
pub mod datasource;
mod error;
pub mod inner_node;
pub mod label;
pub mod list;
pub mod mcp;
pub mod native;
mod node;
pub mod oauth;
pub mod option;
pub mod plugin_manage;
pub mod plugin_setting;
mod secret;
mod summary;
pub mod view;

pub use builtin::{Origin, Parts, Provider, Tools};
pub use error::ToolError;
pub use nodes::structured;
