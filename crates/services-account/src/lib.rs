//! Accounts, workspaces, members, sign-in, and whom a request speaks for.

mod billing;
pub mod change_email;
pub mod code;
pub mod code_login;
pub mod deletion;
pub mod end_user;
pub mod enterprise;
pub mod error;
pub mod forgot_password;
pub mod hosted;
pub mod inner_mail;
pub mod invitation;
pub mod limit;
pub mod locale;
pub mod maintenance;
pub mod member;
pub mod oauth_server;
mod outbox;
pub mod ownership;
pub mod password;
pub mod policy;
pub mod profile;
pub mod registration;
pub mod release;
pub mod service_key;
pub mod session;
pub mod setup;
pub mod sign_in;
pub mod social;
pub mod tenancy;
pub mod web_login;
pub mod web_passport;
pub mod workspace;

pub use db::{account::Account, app::App, end_user::EndUser, site::Site};
pub use error::AccountError;
pub use policy::Policy;
