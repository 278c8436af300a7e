//! Files, tags, keys, features, Explore, extensions and data sources: what every area of the product stands on.

pub mod api_key;
pub mod billing;
pub mod data_source;
pub mod enterprise;
pub mod explore;
pub mod extension;
pub mod feature;
pub mod file;
pub mod links;
pub mod notification;
pub mod schema_definition;
pub mod tag;
pub mod tool_file;
pub mod web_app;
