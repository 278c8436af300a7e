//! Mail: what is written, and how it is sent.
//!
//! [`Mail`] has one variant per message of the server, in English and Simplified Chinese; [`Mailer`] sends them by SMTP,
//! Resend or SendGrid, or not at all when `MAIL_TYPE` is unset. Addresses, codes and links never reach the log.

mod custom;
mod error;
mod mailer;
mod markdown;
mod message;
mod options;
mod render;
mod smtp;

pub use custom::{TemplatingMode, render_custom};
pub use error::MailError;
pub use mailer::{Delivery, Mailer};
pub use markdown::{markdown, plain_line};
pub use message::{Branding, Language, Mail, Rendered};
pub use options::{MailOptions, SmtpOptions, SmtpSecurity, Transport};
