//! Tools and plugins of a workspace: which there are, their credentials, and calling them.

mod builtin;
pub mod credential;
mod error;
pub mod label;
pub mod list;
pub mod native;
pub mod oauth;
pub mod plugin_manage;
pub mod plugin_setting;
mod secret;
pub mod view;

pub use builtin::{Origin, Parts, Provider, Tools};
pub use error::ToolError;
