//! Workflows: drafts, versions, runs, triggers, forms, and workflows as tools.

pub mod app;
pub mod default_block;
pub mod draft;
pub mod draft_variable;
pub mod error;
pub mod feature;
pub mod form;
pub mod graph_check;
pub mod history;
pub mod log;
pub mod mcp;
pub mod node_execution;
pub mod pydantic;
pub mod queue;
pub mod run;
pub mod statistic;
pub mod tool;
pub mod trigger;
pub mod variable;
pub mod version;
pub mod view;

pub use db::creator;
pub use error::WorkflowError;
