use mail::{
    Branding, Delivery, Language, Mail, MailError, MailOptions, Mailer, Rendered, SmtpOptions,
    SmtpSecurity, Transport,
};
use net::{Http, HttpOptions};
use serde_json::{Value, json};

use crate::server;

fn mailer(transport: Transport) -> Result<Mailer, MailError> {
    let from = Some("Dify <no-reply@example.com>".to_owned());
    Mailer::new(MailOptions { transport, from }, &Http::new(HttpOptions::default()).unwrap())
}

fn smtp(port: u16) -> SmtpOptions {
    SmtpOptions {
        server: "127.0.0.1".to_owned(),
        port,
        username: String::new(),
        password: String::new(),
        security: SmtpSecurity::Plain,
        local_hostname: Some("here.example.com".to_owned()),
        accept_invalid_certs: false,
    }
}

fn message() -> Rendered {
    Rendered { subject: "Grüße".to_owned(), html: "<p>你好</p>".to_owned() }
}

#[tokio::test]
async fn smtp_gets_the_mail() {
    let server = server::smtp("250 queued").await;
    let mailer = mailer(Transport::Smtp(smtp(server.port))).unwrap();
    assert_eq!(mailer.send("you@example.com", &message()).await.unwrap(), Delivery::Accepted);
    let told = server.told.lock().await.join("\n");
    for line in [
        "EHLO here.example.com",
        "MAIL FROM:<no-reply@example.com>",
        "RCPT TO:<you@example.com>",
        "From: Dify <no-reply@example.com>",
        "To: you@example.com",
        "Content-Type: multipart/mixed;",
        "Content-Type: text/html; charset=utf-8",
    ] {
        assert!(told.contains(line), "{line} in {told}");
    }
    assert!(told.contains("Subject: =?utf-8?"), "{told}");
    assert!(!told.contains("AUTH"), "no sign-in without credentials");
}

#[tokio::test]
async fn smtp_signs_in_when_it_has_credentials() {
    let server = server::smtp("250 queued").await;
    let mut options = smtp(server.port);
    (options.username, options.password) = ("user".to_owned(), "secret".to_owned());
    let mailer = mailer(Transport::Smtp(options)).unwrap();
    mailer.send("you@example.com", &message()).await.unwrap();
    assert!(server.told.lock().await.iter().any(|line| line.starts_with("AUTH PLAIN")));
}

#[tokio::test]
async fn smtp_refusals_are_for_good_or_for_now() {
    for (answer, retryable) in [("550 no", false), ("451 later", true)] {
        let server = server::smtp(answer).await;
        let mailer = mailer(Transport::Smtp(smtp(server.port))).unwrap();
        let err = mailer.send("you@example.com", &message()).await.unwrap_err();
        assert_eq!(err.is_retryable(), retryable, "{err}");
    }
    let err = mailer(Transport::Smtp(smtp(1))).unwrap().send("you@example.com", &message()).await;
    assert!(err.unwrap_err().is_retryable(), "nobody there");
}

#[tokio::test]
async fn starttls_is_insisted_on() {
    let server = server::smtp("250 queued").await;
    let mut options = smtp(server.port);
    options.security = SmtpSecurity::StartTls;
    let mailer = mailer(Transport::Smtp(options)).unwrap();
    assert!(mailer.send("you@example.com", &message()).await.is_err());
    assert!(!server.told.lock().await.iter().any(|line| line.starts_with("MAIL")));
}

#[tokio::test]
async fn resend_and_sendgrid_get_one_post() {
    let server = server::http("200 OK").await;
    let api_url = Some(format!("http://127.0.0.1:{}/", server.port));
    let resend = Transport::Resend { api_key: "key".to_owned(), api_url: api_url.clone() };
    mailer(resend).unwrap().send("you@example.com", &message()).await.unwrap();
    let sendgrid = Transport::SendGrid { api_key: "key".to_owned(), api_url };
    mailer(sendgrid).unwrap().send("you@example.com", &message()).await.unwrap();
    let told = server.told.lock().await.clone();
    assert!(told[0].starts_with("POST /emails ") && told[0].contains("authorization: Bearer key"));
    assert_eq!(
        serde_json::from_str::<Value>(&told[1]).unwrap(),
        json!({
            "from": "Dify <no-reply@example.com>", "to": "you@example.com",
            "subject": "Grüße", "html": "<p>你好</p>",
        })
    );
    assert!(told[2].starts_with("POST /v3/mail/send "));
    assert_eq!(
        serde_json::from_str::<Value>(&told[3]).unwrap(),
        json!({
            "personalizations": [{"to": [{"email": "you@example.com"}]}],
            "from": {"email": "no-reply@example.com", "name": "Dify"},
            "subject": "Grüße",
            "content": [{"type": "text/html", "value": "<p>你好</p>"}],
        })
    );
}

#[tokio::test]
async fn providers_refuse_for_good_or_for_now() {
    for (status, retryable) in [("401 Unauthorized", false), ("503 Busy", true), ("429 Slow", true)]
    {
        let server = server::http(status).await;
        let api_url = Some(format!("http://127.0.0.1:{}", server.port));
        let resend = Transport::Resend { api_key: "key".to_owned(), api_url };
        let err = mailer(resend).unwrap().send("you@example.com", &message()).await.unwrap_err();
        assert_eq!(err.is_retryable(), retryable, "{err}");
    }
}

#[tokio::test]
async fn without_mail_type_nothing_is_sent_and_nothing_fails() {
    let mailer = mailer(Transport::Off).unwrap();
    assert!(!mailer.is_enabled());
    let mail = Mail::EmailCodeLogin { code: "1".to_owned() };
    let sent = mailer.send_mail("x", &mail, Language::English, &Branding::default()).await;
    assert_eq!(sent.unwrap(), Delivery::NotConfigured);
}

#[tokio::test]
async fn tests_see_what_would_have_been_sent() {
    let mailer = Mailer::recording();
    let mail = Mail::EmailCodeLogin { code: "123456".to_owned() };
    mailer.send_mail("x@y.z", &mail, Language::Chinese, &Branding::default()).await.unwrap();
    let [(to, message)] = mailer.recorded().try_into().unwrap();
    assert_eq!((to.as_str(), message.subject.as_str()), ("x@y.z", "Dify 登录验证码"));
    assert!(message.html.contains("123456"));
    assert!(mailer.recorded().is_empty());
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let mut options = smtp(0);
    let err = mailer(Transport::Smtp(options.clone())).unwrap_err();
    assert_eq!(err.to_string(), "SMTP_SERVER and SMTP_PORT are required for smtp mail type");
    options.port = 1;
    let from = None;
    let http = Http::new(HttpOptions::default()).unwrap();
    let mailer =
        Mailer::new(MailOptions { transport: Transport::Smtp(options), from }, &http).unwrap();
    let err = mailer.send("you@example.com", &message()).await.unwrap_err();
    assert_eq!(err.to_string(), "mail from is not set");
    assert!(SmtpSecurity::from_flags(false, true).is_err());
    assert_eq!(SmtpSecurity::from_flags(true, true).unwrap(), SmtpSecurity::StartTls);
}
