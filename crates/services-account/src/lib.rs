//! Accounts, workspaces, members, sign-in, and whom a request speaks for.

pub mod end_user;
pub mod service_key;
pub mod session;
pub mod web_passport;

pub use db::{account::Account, app::App, end_user::EndUser, site::Site};
