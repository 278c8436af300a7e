//! Templates: Jinja, the prompt syntax of basic apps, references to workflow variables, and the
//! repair of almost-JSON that models write.
//!
//! Invariant: rendering does no I/O and ends: loops run on fuel.

pub mod jinja;
pub mod json_repair;
pub mod prompt;
pub mod variable;
