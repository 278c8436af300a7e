//! The endpoints of this crate over HTTP.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod apps;
mod explore;
mod extensions;
mod files;
mod keys;
mod tags;
mod web;
