//! SMTP.

use boxed::boxed;
use std::time::Duration;

use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::error::MailError;
use crate::message::Rendered;
use crate::options::{SmtpOptions, SmtpSecurity};

/// Longest wait for one step of the conversation, as in the reference.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

impl Smtp {
    pub fn new(options: SmtpOptions) -> Result<Self, MailError> {
        let wrong = |err: lettre::transport::smtp::Error| MailError::Config(err.to_string());
        let parameters = || {
            TlsParameters::builder(options.server.clone())
                .dangerous_accept_invalid_certs(options.accept_invalid_certs)
                .dangerous_accept_invalid_hostnames(options.accept_invalid_certs)
                .build()
        };
        let tls = match options.security {
            SmtpSecurity::Plain => Tls::None,
            SmtpSecurity::Tls => Tls::Wrapper(parameters().map_err(wrong)?),
            SmtpSecurity::StartTls => Tls::Required(parameters().map_err(wrong)?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&options.server)
            .port(options.port)
            .tls(tls)
            .timeout(Some(TIMEOUT))
            // Servers hang up on idle clients soon; a connection kept long is a mail lost.
            .pool_config(PoolConfig::new().idle_timeout(Duration::from_secs(10)));
        if let Some(name) = options.local_hostname.filter(|name| !name.is_empty()) {
            builder = builder.hello_name(ClientId::Domain(name));
        }
        if !options.username.trim().is_empty() && !options.password.trim().is_empty() {
            builder = builder.credentials(Credentials::new(options.username, options.password));
        }
        Ok(Self(builder.build()))
    }

    #[boxed]
    pub async fn send(
        &self,
        from: Mailbox,
        to: Mailbox,
        message: &Rendered,
    ) -> Result<(), MailError> {
        let mail = Message::builder()
            .from(from)
            .to(to)
            .subject(&message.subject)
            .multipart(MultiPart::mixed().singlepart(SinglePart::html(message.html.clone())))
            .map_err(|err| MailError::Invalid(err.to_string()))?;
        match self.0.send(mail).await {
            Ok(_) => Ok(()),
            // 5xx: the server has decided. Anything else may pass.
            Err(err) if err.is_permanent() => Err(MailError::Refused(err.to_string())),
            Err(err) => Err(MailError::Unavailable(err.to_string())),
        }
    }
}
