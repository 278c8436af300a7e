//! [`Mailer`]: sends what was rendered.

use boxed::boxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::message::Mailbox;
use net::Http;
use serde::Serialize;

use crate::error::MailError;
use crate::message::{Branding, Language, Mail, Rendered};
use crate::options::{MailOptions, Transport};
use crate::smtp::Smtp;

/// Longest time for a provider to accept a mail.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer of a provider worth reading.
const MAX_ANSWER: usize = 64 * 1024;

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The mail server has accepted it.
    Accepted,
    /// `MAIL_TYPE` is unset: nothing was sent, as in the reference.
    NotConfigured,
}

/// Sends mail. Clones share connections.
#[derive(Clone)]
pub struct Mailer {
    from: Option<String>,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Off,
    Smtp(Arc<Smtp>),
    Resend {
        http: Http,
        api_key: Arc<str>,
        url: Arc<str>,
    },
    SendGrid {
        http: Http,
        api_key: Arc<str>,
        url: Arc<str>,
    },
    /// For tests: who would have got what.
    Recorded(Arc<Mutex<Vec<(String, Rendered)>>>),
}

impl Mailer {
    /// Sets up the way mail goes. Connects to nobody yet.
    ///
    /// # Errors
    /// [`MailError::Config`] with the reference's words for what is missing.
    pub fn new(options: MailOptions, http: &Http) -> Result<Self, MailError> {
        let missing = |what: &str| Err(MailError::Config(what.to_owned()));
        let base = |url: Option<String>, default: &str| -> Arc<str> {
            let url = url.filter(|url| !url.is_empty()).unwrap_or_else(|| default.to_owned());
            url.trim_end_matches('/').into()
        };
        let way = match options.transport {
            Transport::Off => {
                tracing::warn!("MAIL_TYPE is not set");
                Way::Off
            }
            Transport::Smtp(smtp) if smtp.server.is_empty() || smtp.port == 0 => {
                return missing("SMTP_SERVER and SMTP_PORT are required for smtp mail type");
            }
            Transport::Smtp(smtp) => Way::Smtp(Arc::new(Smtp::new(smtp)?)),
            Transport::Resend { api_key, .. } if api_key.is_empty() => {
                return missing("RESEND_API_KEY is not set");
            }
            Transport::Resend { api_key, api_url } => Way::Resend {
                http: http.clone(),
                api_key: api_key.into(),
                url: base(api_url, "https://api.resend.com"),
            },
            Transport::SendGrid { api_key, .. } if api_key.is_empty() => {
                return missing("SENDGRID_API_KEY is required for SendGrid mail type");
            }
            Transport::SendGrid { api_key, api_url } => Way::SendGrid {
                http: http.clone(),
                api_key: api_key.into(),
                url: base(api_url, "https://api.sendgrid.com"),
            },
        };
        Ok(Self { from: options.from.filter(|from| !from.is_empty()), way })
    }

    /// A mailer for tests that keeps what it is given, see [`Mailer::recorded`].
    #[must_use]
    pub fn recording() -> Self {
        Self { from: Some("test@example.com".to_owned()), way: Way::Recorded(Arc::default()) }
    }

    /// Recipients and messages a [`Mailer::recording`] was given, oldest first; empties the record.
    #[must_use]
    pub fn recorded(&self) -> Vec<(String, Rendered)> {
        match &self.way {
            Way::Recorded(record) => {
                std::mem::take(&mut record.lock().unwrap_or_else(PoisonError::into_inner))
            }
            _ => Vec::new(),
        }
    }

    /// True if mail can be sent at all (`is_email_setup`).
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        !matches!(self.way, Way::Off)
    }

    /// Renders and sends a message of the server.
    ///
    /// # Errors
    /// See [`MailError`].
    #[boxed]
    pub async fn send_mail(
        &self,
        to: &str,
        mail: &Mail,
        language: Language,
        branding: &Branding,
    ) -> Result<Delivery, MailError> {
        if !self.is_enabled() {
            return Ok(self.not_configured());
        }
        self.send(to, &mail.render(to, language, branding)?).await
    }

    /// Sends a message to one recipient.
    ///
    /// # Errors
    /// See [`MailError`].
    #[boxed]
    pub async fn send(&self, to: &str, message: &Rendered) -> Result<Delivery, MailError> {
        if !self.is_enabled() {
            return Ok(self.not_configured());
        }
        let invalid = |what: &str| Err(MailError::Invalid(what.to_owned()));
        let Some(from) = self.from.as_deref() else { return invalid("mail from is not set") };
        if to.is_empty() {
            return invalid("mail to is not set");
        }
        if message.subject.is_empty() {
            return invalid("mail subject is not set");
        }
        if message.html.is_empty() {
            return invalid("mail html is not set");
        }
        match &self.way {
            Way::Off => return Ok(self.not_configured()),
            Way::Smtp(smtp) => smtp.send(mailbox(from)?, mailbox(to)?, message).await?,
            Way::Resend { http, api_key, url } => {
                let body = Resend { from, to, subject: &message.subject, html: &message.html };
                post(http, &format!("{url}/emails"), api_key, &body).await?;
            }
            Way::SendGrid { http, api_key, url } => {
                let from = mailbox(from)?;
                let body = SendGrid {
                    personalizations: [Personalization { to: [Address::new(to, None)] }],
                    from: Address::new(from.email.as_ref(), from.name.as_deref()),
                    subject: &message.subject,
                    content: [Content { kind: "text/html", value: &message.html }],
                };
                post(http, &format!("{url}/v3/mail/send"), api_key, &body).await?;
            }
            Way::Recorded(record) => {
                let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
                record.push((to.to_owned(), message.clone()));
            }
        }
        Ok(Delivery::Accepted)
    }

    #[expect(clippy::unused_self, reason = "reads as an answer of the mailer")]
    fn not_configured(&self) -> Delivery {
        tracing::info!("a mail was not sent: MAIL_TYPE is not set");
        Delivery::NotConfigured
    }
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("enabled", &self.is_enabled()).finish_non_exhaustive()
    }
}

fn mailbox(text: &str) -> Result<Mailbox, MailError> {
    // The address itself must not end up in logs.
    text.parse().map_err(|_| MailError::Invalid("an address cannot be used".to_owned()))
}

async fn post<T: Serialize + Sync>(
    http: &Http,
    url: &str,
    api_key: &str,
    body: &T,
) -> Result<(), MailError> {
    let call = http.upstream().post(url).bearer(api_key).json(body);
    let response = call
        .first_byte_timeout(TIMEOUT)
        .timeout(TIMEOUT * 2)
        .send()
        .await
        .map_err(|err| MailError::Unavailable(err.to_string()))?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let answer = response.text(MAX_ANSWER).await.unwrap_or_default();
    let answer: String = answer.chars().take(500).collect();
    let why = format!("{} {answer}", status.as_u16());
    if status.is_server_error() || status.as_u16() == 429 {
        Err(MailError::Unavailable(why))
    } else {
        Err(MailError::Refused(why))
    }
}

#[derive(Serialize)]
struct Resend<'a> {
    from: &'a str,
    to: &'a str,
    subject: &'a str,
    html: &'a str,
}

#[derive(Serialize)]
struct SendGrid<'a> {
    personalizations: [Personalization<'a>; 1],
    from: Address<'a>,
    subject: &'a str,
    content: [Content<'a>; 1],
}

#[derive(Serialize)]
struct Personalization<'a> {
    to: [Address<'a>; 1],
}

#[derive(Serialize)]
struct Address<'a> {
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn new(email: &'a str, name: Option<&'a str>) -> Self {
        Self { email, name }
    }
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    value: &'a str,
}
