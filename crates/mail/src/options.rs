//! `MAIL_TYPE` and the variables of each type.

/// How mail is sent.
#[derive(Clone, Default)]
pub struct MailOptions {
    /// `MAIL_TYPE` and its settings.
    pub transport: Transport,
    /// `MAIL_DEFAULT_SEND_FROM`: an address, or `Name <address>`.
    pub from: Option<String>,
}

/// `MAIL_TYPE`.
#[derive(Clone, Default)]
pub enum Transport {
    /// Unset or empty: nothing is sent.
    #[default]
    Off,
    /// `smtp`.
    Smtp(SmtpOptions),
    /// `resend`.
    Resend {
        /// `RESEND_API_KEY`.
        api_key: String,
        /// `RESEND_API_URL`, or `https://api.resend.com`.
        api_url: Option<String>,
    },
    /// `sendgrid`.
    SendGrid {
        /// `SENDGRID_API_KEY`.
        api_key: String,
        /// For tests; `https://api.sendgrid.com`.
        api_url: Option<String>,
    },
}

/// `SMTP_*`.
#[derive(Clone)]
pub struct SmtpOptions {
    /// `SMTP_SERVER`.
    pub server: String,
    /// `SMTP_PORT`.
    pub port: u16,
    /// `SMTP_USERNAME`; without it or the password there is no sign-in.
    pub username: String,
    /// `SMTP_PASSWORD`.
    pub password: String,
    /// From `SMTP_USE_TLS` and `SMTP_OPPORTUNISTIC_TLS`, see [`SmtpSecurity::from_flags`].
    pub security: SmtpSecurity,
    /// `SMTP_LOCAL_HOSTNAME`: the name we greet with.
    pub local_hostname: Option<String>,
    /// Accept certificates of anybody, as the reference does; only for servers with certificates of their own making.
    pub accept_invalid_certs: bool,
}

/// Encryption to an SMTP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// None.
    Plain,
    /// From the first byte (port 465).
    Tls,
    /// After `STARTTLS` (port 587); the mail is not sent if the server has none.
    StartTls,
}

impl SmtpSecurity {
    /// The reference's reading of its two flags.
    ///
    /// # Errors
    /// Opportunistic without TLS is refused with its words.
    pub fn from_flags(use_tls: bool, opportunistic: bool) -> Result<Self, crate::MailError> {
        match (use_tls, opportunistic) {
            (false, false) => Ok(Self::Plain),
            (true, false) => Ok(Self::Tls),
            (true, true) => Ok(Self::StartTls),
            (false, true) => Err(crate::MailError::Config(
                "SMTP_OPPORTUNISTIC_TLS is not supported without enabling SMTP_USE_TLS".to_owned(),
            )),
        }
    }
}

impl std::fmt::Debug for MailOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys and passwords stay out.
        let transport = match self.transport {
            Transport::Off => "off",
            Transport::Smtp(_) => "smtp",
            Transport::Resend { .. } => "resend",
            Transport::SendGrid { .. } => "sendgrid",
        };
        f.debug_struct("MailOptions").field("transport", &transport).finish_non_exhaustive()
    }
}
