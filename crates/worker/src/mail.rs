//! Sends the mails other code queues.

use jobs::{Job, JobFailure, Registry, Task, tasks};
use mail::{Branding, Language, Mail, MailError, Rendered, TemplatingMode, render_custom};
use serde_json::{Map, Value};
use services_core::Ctx;

/// Makes a mail of a job.
type Letter = fn(&Ctx, &Job) -> Result<Mail, JobFailure>;

/// Adds the handlers of this module.
pub(crate) fn register(registry: Registry, ctx: &Ctx) -> Registry {
    let letters: [(Task, Letter); 13] = [
        (tasks::MAIL_RESET_PASSWORD_CODE, |_, job| {
            Ok(Mail::ResetPassword { code: job.get("code")? })
        }),
        (tasks::MAIL_RESET_PASSWORD_NO_ACCOUNT, |ctx, job| {
            let may_register: bool = job.get("is_allow_register")?;
            let sign_up_url = may_register.then(|| console(ctx, "/signup"));
            Ok(Mail::ResetPasswordNoAccount { sign_up_url })
        }),
        (tasks::MAIL_EMAIL_CODE_LOGIN, |_, job| {
            Ok(Mail::EmailCodeLogin { code: job.get("code")? })
        }),
        (tasks::MAIL_REGISTER_CODE, |_, job| Ok(Mail::RegisterCode { code: job.get("code")? })),
        (tasks::MAIL_REGISTER_ACCOUNT_EXISTS, |ctx, job| {
            Ok(Mail::RegisterAccountExists {
                account_name: job.get("account_name")?,
                login_url: console(ctx, "/signin"),
                reset_password_url: console(ctx, "/reset-password"),
            })
        }),
        (tasks::MAIL_INVITE_MEMBER, |ctx, job| {
            let token: String = job.get("token")?;
            Ok(Mail::InviteMember {
                inviter_name: job.get("inviter_name")?,
                workspace_name: job.get("workspace_name")?,
                url: console(ctx, &format!("/activate?token={token}")),
            })
        }),
        (tasks::MAIL_CHANGE_EMAIL_CODE, |_, job| {
            let code = job.get("code")?;
            Ok(match job.get::<String>("phase")?.as_str() {
                "new_email" => Mail::ChangeEmailNew { code },
                _ => Mail::ChangeEmailOld { code },
            })
        }),
        (tasks::MAIL_CHANGE_EMAIL_COMPLETED, |_, job| {
            Ok(Mail::ChangeEmailCompleted { email: job.get("to")? })
        }),
        (tasks::MAIL_OWNER_TRANSFER_CODE, |_, job| {
            Ok(Mail::OwnerTransferCode { workspace: job.get("workspace")?, code: job.get("code")? })
        }),
        (tasks::MAIL_OWNER_TRANSFER_OLD_OWNER, |_, job| {
            Ok(Mail::OwnerTransferredOldOwner {
                workspace: job.get("workspace")?,
                new_owner_email: job.get("new_owner_email")?,
            })
        }),
        (tasks::MAIL_OWNER_TRANSFER_NEW_OWNER, |_, job| {
            Ok(Mail::OwnerTransferredNewOwner { workspace: job.get("workspace")? })
        }),
        (tasks::MAIL_ACCOUNT_DELETION_CODE, |_, job| {
            Ok(Mail::AccountDeletionCode { code: job.get("code")? })
        }),
        (tasks::MAIL_ACCOUNT_DELETED, |_, job| Ok(Mail::AccountDeleted { email: job.get("to")? })),
    ];
    let registry = letters.into_iter().fold(registry, |registry, (task, compose)| {
        let ctx = ctx.clone();
        registry.on(task, move |job, _| {
            let ctx = ctx.clone();
            async move { send(&ctx, &job, &compose(&ctx, &job)?).await }
        })
    });
    let ctx = ctx.clone();
    registry.on(tasks::MAIL_INNER, move |job, _| {
        let ctx = ctx.clone();
        async move { send_inner(&ctx, &job).await }
    })
}

fn console(ctx: &Ctx, path: &str) -> String {
    format!("{}{path}", ctx.config.feature.console_web_url)
}

async fn send(ctx: &Ctx, job: &Job, mail: &Mail) -> Result<(), JobFailure> {
    let to: String = job.get("to")?;
    let language: Option<String> = job.find("language")?;
    let language = Language::from_code(language.as_deref().unwrap_or("en-US"));
    ctx.mail.send_mail(&to, mail, language, &Branding::default()).await.map_err(refused)?;
    Ok(())
}

/// One message a recipient: a mail to several becomes a job for each, so that trying one again repeats no other.
async fn send_inner(ctx: &Ctx, job: &Job) -> Result<(), JobFailure> {
    let to: Vec<String> = job.get("to")?;
    let subject: String = job.get("subject")?;
    let body: String = job.get("body")?;
    let substitutions: Option<Map<String, Value>> = job.find("substitutions")?;
    if let [to] = to.as_slice() {
        let mode: TemplatingMode =
            ctx.config.feature.mail_templating_mode.parse().map_err(refused)?;
        let values: Vec<(String, String)> = substitutions
            .unwrap_or_default()
            .into_iter()
            .map(|(key, value)| (key, text(value)))
            .collect();
        let values = values.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let html = render_custom(&body, values, mode).map_err(refused)?;
        ctx.mail.send(to, &Rendered { subject, html }).await.map_err(refused)?;
        return Ok(());
    }
    for to in to {
        let one = Job::new(tasks::MAIL_INNER)
            .set("to", [to])
            .set("subject", &subject)
            .set("body", &body)
            .set("substitutions", &substitutions);
        ctx.jobs.enqueue(one).await.map_err(JobFailure::retry)?;
    }
    Ok(())
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    }
}

pub(crate) fn refused(err: MailError) -> JobFailure {
    if err.is_retryable() { JobFailure::retry(err) } else { JobFailure::fatal(err) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jobs::{Registry, Worker, WorkerOptions};
    use serde_json::json;
    use test_support::TestServer;
    use tokio_util::sync::CancellationToken;

    use super::*;

    /// Works off what is queued until so many mails went out; returns who got which subject.
    async fn work(app: &TestServer, jobs: Vec<Job>, expected: usize) -> Vec<(String, String)> {
        let queue = app.ctx().jobs.clone();
        for job in jobs {
            queue.enqueue(job).await.expect("the queue");
        }
        let registry = register(Registry::new(), app.ctx());
        let worker = Worker::new(queue, registry, WorkerOptions::new(["mail"], 4));
        let stop = CancellationToken::new();
        let work = tokio::spawn(worker.run(stop.clone()));
        let mut sent = Vec::new();
        let all = async {
            while sent.len() < expected {
                sent.extend(app.ctx().mail.recorded());
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), all).await.expect("mails in time");
        stop.cancel();
        work.await.expect("the worker");
        sent.extend(app.ctx().mail.recorded());
        let mut sent: Vec<_> = sent.into_iter().map(|(to, mail)| (to, mail.subject)).collect();
        sent.sort();
        sent
    }

    #[tokio::test]
    async fn letters_of_the_reference_are_sent() {
        let app = TestServer::new().await;
        let letter =
            |task: Task| Job::new(task).set("language", "en-US").set("to", "a@example.com");
        let sent = work(
            &app,
            vec![
                letter(tasks::MAIL_RESET_PASSWORD_CODE).set("code", "123456"),
                letter(tasks::MAIL_INVITE_MEMBER)
                    .set("token", "t")
                    .set("inviter_name", "Zoë")
                    .set("workspace_name", "Ours"),
                letter(tasks::MAIL_CHANGE_EMAIL_CODE).set("code", "1").set("phase", "new_email"),
            ],
            3,
        )
        .await;
        assert_eq!(sent.len(), 3, "{sent:?}");
        assert!(sent.iter().all(|(to, subject)| to == "a@example.com" && !subject.is_empty()));
    }

    #[tokio::test]
    async fn a_mail_to_several_goes_to_each_of_them() {
        let app = TestServer::new().await;
        let job = Job::new(tasks::MAIL_INNER)
            .set("to", ["a@example.com", "b@example.com"])
            .set("subject", "Hello")
            .set("body", "{{ name }}, {{ count }}")
            .set("substitutions", json!({"name": "Zoë", "count": 2}));
        let hello = |to: &str| (to.to_owned(), "Hello".to_owned());
        assert_eq!(
            work(&app, vec![job], 2).await,
            [hello("a@example.com"), hello("b@example.com")]
        );
    }
}
