//! The endpoints of this crate, through the whole server.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod change_email;
mod enterprise;
mod forgot_password;
mod isolation;
mod login;
mod members;
mod oauth_server;
mod ownership;
mod registration;
mod setup;
