//! Rows, SQL and migrations: the only crate with SQL text.
//!
//! One file a table family, one function a statement, `&mut PgConnection` in, row struct out; the
//! caller owns the transaction. Every statement on tenant data names its tenant or app in `WHERE`.
//!
//! # Writing a statement
//!
//! Fixed statements use the checked macros. `sqlx.toml` beside this crate's `Cargo.toml` maps id
//! columns to the newtypes of [`types`], so a macro returns `AppId` or `Option<AppId>` without
//! casts; parameters are checked against `uuid` and written `app as _`. A column that may hold
//! ids of several kinds (`created_by`, `user_id`, …) stays `Uuid`.
//!
//! The macros read what they know about a statement from `.sqlx/` (one committed file a
//! statement, so branches merge), and a checkout builds with no database. After adding or
//! changing a statement:
//!
//! 1. `export DATABASE_URL=postgres://…` naming a migrated database. While this is set and
//!    `SQLX_OFFLINE` is not, the macros ask that database, so editing needs no further step.
//! 2. `make sqlx` checks the crate against it and rewrites `.sqlx/`, dropping what no statement
//!    uses any more. Commit the result with the statement.
//!
//! Public functions are `#[boxed]`, which keeps the code of their queries in this crate.
//!
//! After a merge, `SQLX_OFFLINE=true cargo check -p dify-db` says whether anything is missing.

// Connections and schema.
pub mod embedded;
mod error;
pub mod like;
mod lock;
pub mod migrate;
mod pool;
pub mod testing;

pub use error::{DbError, Result};
pub use pool::{Conn, Db, DbOptions, PoolStats, Tx};
pub use sqlx::PgConnection;

// One section an area, so that two branches seldom touch the same lines.

// Accounts, workspaces, sign-in.
pub mod account;
pub mod account_integrate;
pub mod credit_pool;
pub mod invitation_code;
pub mod oauth_provider_app;
pub mod plugin_upgrade_strategy;
pub mod setup;
pub mod tenant;

// Apps, sites, tags, annotations.
pub mod app;
pub mod app_dataset_join;
pub mod app_mcp_server;
pub mod app_model_config;
pub mod chatflow;
pub mod installed_app;
pub mod recommended_app;
pub mod site;
pub mod tag;
pub mod tag_binding;
pub mod trace_app_config;
pub mod trial_app;
pub mod trigger_oauth_client;
pub mod trigger_subscription;

// Conversations, messages, end users.
pub mod agent_thought;
pub mod annotation;
pub mod annotation_reply;
pub mod app_statistic;
pub mod conversation;
pub mod conversation_list;
pub mod conversation_log;
pub mod conversation_message;
pub mod end_user;
pub mod message;
pub mod message_feedback;
pub mod message_file;
pub mod message_list;
pub mod pinned_conversation;
pub mod saved_message;

// Workflows, runs, triggers.
pub mod app_trigger;
pub mod creator;
pub mod growth;
pub mod human_input_form;
pub mod human_input_recipient;
pub mod run_batch;
pub mod run_record;
pub mod run_retention;
pub mod running;
pub mod tool_label;
pub mod tool_workflow_provider;
pub mod workflow;
pub mod workflow_app_log;
pub mod workflow_conversation_variable;
pub mod workflow_draft_variable;
pub mod workflow_node_execution;
pub mod workflow_pause;
pub mod workflow_plugin_trigger;
pub mod workflow_run;
pub mod workflow_schedule_plan;
pub mod workflow_trigger_log;
pub mod workflow_webhook_trigger;

// Knowledge: datasets, documents, segments.
pub mod data_source_key;
pub mod data_source_oauth;
pub mod dataset;

// Models, tools, plugins, files.
pub mod datasource_provider;
pub mod plugin_permission;
pub mod provider;
pub mod tool_api_provider;
pub mod tool_builtin_provider;
pub mod tool_file;
pub mod tool_mcp_provider;
pub mod tool_oauth_client;
pub mod upload_file;

// Platform: set-up, keys, extensions.
pub mod api_token;
pub mod banner;
pub mod extension;
