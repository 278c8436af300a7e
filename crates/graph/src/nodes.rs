//! The nodes that only compute, one file each.

pub(crate) mod passive;
