//! Ids, enums, pages and small parsers shared by every crate; no I/O.

pub mod ids;
pub mod lax;
pub mod page;
pub mod pyjson;

pub use ids::*;
pub use page::{Limit, Page};

/// The Dify release whose contract this server keeps.
pub const DIFY_VERSION: &str = "1.13.2";

/// The alembic revision of that release's schema.
pub const ALEMBIC_HEAD: &str = "6b5f9f8b1a2c";
