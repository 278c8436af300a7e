//! What mails say, and how they leave.

mod sending;
mod server;
mod texts;
