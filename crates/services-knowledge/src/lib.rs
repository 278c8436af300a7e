//! Knowledge bases: which there are, and how they can be searched.

pub mod dataset;
pub mod vector_store;
