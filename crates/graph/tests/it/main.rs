//! Tests of the engine as a whole.

mod conditions;
mod containers;
mod engine;
mod executor;
mod nodes;
mod sequential;
mod simulator;
mod support;
