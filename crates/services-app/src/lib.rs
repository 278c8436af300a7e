//! Apps: their life, configuration, DSL texts, web apps, tracing, and what generates their prompts.

pub mod app;
pub mod convert;
pub mod detail;
pub mod dsl;
pub mod generator;
pub mod icon;
pub mod json;
pub mod mcp_server;
pub mod meta;
pub mod mode;
pub mod model_config;
pub mod parameters;
pub mod ports;
pub mod prompt_template;
pub mod site;
pub mod trace;
pub mod yaml;

pub use mode::AppMode;
pub use ports::Ports;
