//! Mails other services of the operator have us send.

use boxed::boxed;
use jobs::{Job, tasks};
use serde_json::{Map, Value};
use services_core::Ctx;

use crate::{AccountError, outbox};

/// A mail with a template of its own.
#[derive(Debug, Clone)]
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
#[boxed]
pub async fn queue(ctx: &Ctx, mail: InnerMail) -> Result<(), AccountError> {
    let job = Job::new(tasks::MAIL_INNER)
        .set("to", mail.to)
        .set("subject", mail.subject)
        .set("body", mail.body)
        .set("substitutions", mail.substitutions);
    Ok(outbox::enqueue(ctx, job).await?)
}
