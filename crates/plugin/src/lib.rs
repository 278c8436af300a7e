//! Client of the plugin daemon: everything the server asks of it, typed, and its models behind
//! [`model_runtime::ModelProvider`].
//!
//! [`Daemon`] makes the calls. They are grouped by what they are about: [`management`] (installing and listing plugins),
//! [`tool`], [`agent`], [`datasource`], [`trigger`], [`endpoint`], [`oauth`], [`asset`]. [`PluginModels`] is the source of
//! models for the registry; it never makes callers wait for a daemon that is away.

pub mod agent;
pub mod asset;
mod client;
pub mod datasource;
pub mod endpoint;
pub mod entity;
mod error;
pub mod http_message;
pub mod management;
mod message;
mod models;
pub mod oauth;
mod provider;
pub mod tool;
pub mod trigger;

pub use client::{Daemon, DaemonOptions, Stream};
pub use entity::CredentialType;
pub use error::{DaemonError, DaemonFault};
pub use message::{
    LogMessage, LogStatus, MessageStream, ToolMessage, ToolPayload, VariableMessage,
};
pub use models::PluginModels;
pub use provider::PluginProvider;
