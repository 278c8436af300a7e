//! Behaviour of the egress client against servers made here.

mod calls;
mod server;
