//! The endpoints of this crate over HTTP.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped has failed the test")]

mod api;
mod builtin;
mod mcp;
mod plugin_setting;

/// Below which tools and plugins are.
pub(crate) const CURRENT: &str = "/console/api/workspaces/current";
