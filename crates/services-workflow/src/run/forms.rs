//! Forms of human-input nodes, in the database.

pub use crate::form::store::StoredForms;
