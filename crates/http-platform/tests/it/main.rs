//! The endpoints of this crate over HTTP.

mod apps;
mod explore;
mod extensions;
mod files;
mod keys;
mod tags;
mod web;
