//! Mails other services of the operator have us send.

use serde::Serialize;
use serde_json::{Map, Value};
use services_core::Ctx;

use crate::{AccountError, outbox};

/// A mail with a template of its own.
#[derive(Debug, Clone, Serialize)]
pub struct InnerMail {
    /// One mail each.
    pub to: Vec<String>,
    /// Subject.
    pub subject: String,
    /// A template.
    pub body: String,
    /// What the template names.
    pub substitutions: Option<Map<String, Value>>,
}

/// Queues a mail.
///
/// # Errors
/// The queue's.
pub async fn queue(ctx: &Ctx, mail: InnerMail) -> Result<(), AccountError> {
    Ok(outbox::enqueue(ctx, "tasks.mail_inner_task.send_inner_email_task", "mail", mail).await?)
}
