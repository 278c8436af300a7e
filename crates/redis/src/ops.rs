//! The commands, one file a kind of value.

mod hashes;
mod keys;
mod limits;
mod lists;
mod sets;
mod sorted;

pub use keys::Ttl;
pub use limits::Window;
pub use sorted::{Limit, Score};
