//! Guards: a handler that holds one of these values knows that the check was made.

pub mod console;
pub mod operator;
pub mod service;
pub mod web;

pub use console::{Admin, Console, DatasetEditor, Editor, LoggedIn, Owner, SetUp};
pub use operator::{Cloud, CloudOperator, Operator};
pub use service::{DatasetKey, FormUser, KeyedApp, QueryUser, ServiceCall};
pub use web::{Visitor, client_ip, passport};
