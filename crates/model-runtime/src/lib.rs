//! Model providers: declarations and protocols.
