//! YAML between us and PyYAML: texts it wrote are read as it reads them, and what we write is what it would write.
//!
//! Scalars follow YAML 1.1 as PyYAML's safe loader has it (`on` is a flag, `010` is eight, `1e3` is text), because
//! that is what the other side of every DSL text does. Dates stay text: nothing in a DSL is a date.

mod analyse;
mod emit;
mod parse;
mod resolve;

pub use emit::dump;
pub use parse::{YamlError, load};

#[cfg(test)]
mod tests;
