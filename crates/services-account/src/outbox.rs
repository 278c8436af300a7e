//! Mails of this crate: jobs with the reference's names and arguments, so that its workers can send them as well.

use jobs::{Job, Task, tasks};
use services_core::{Ctx, Fault};

/// A mail to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Letter<'a> {
    /// A code for a new password.
    ResetPassword { language: &'a str, to: &'a str, code: &'a str },
    /// Somebody asked for a new password for an address nobody has.
    ResetPasswordNoAccount { language: &'a str, to: &'a str, is_allow_register: bool },
    /// A code for registration.
    Register { language: &'a str, to: &'a str, code: &'a str },
    /// Somebody asked to register an address that has an account.
    RegisterKnown { language: &'a str, to: &'a str, account_name: &'a str },
    /// A code to sign in.
    CodeLogin { language: &'a str, to: &'a str, code: &'a str },
    /// A code for the old or the new address.
    ChangeEmail { language: &'a str, to: &'a str, code: &'a str, phase: &'a str },
    /// The address was changed.
    EmailChanged { language: &'a str, to: &'a str },
    /// A code for a new owner.
    OwnerTransfer { language: &'a str, to: &'a str, code: &'a str, workspace: &'a str },
    /// To the owner that was.
    OldOwner { language: &'a str, to: &'a str, workspace: &'a str, new_owner_email: &'a str },
    /// To the owner that is.
    NewOwner { language: &'a str, to: &'a str, workspace: &'a str },
    /// A code to delete an account.
    DeletionCode { to: &'a str, code: &'a str },
    /// An invitation to a workspace.
    Invite {
        language: &'a str,
        to: &'a str,
        token: &'a str,
        inviter_name: &'a str,
        workspace_name: &'a str,
    },
}

impl Letter<'_> {
    fn job(self) -> Job {
        let to_in = |task: Task, language: &str, to: &str| {
            Job::new(task).set("language", language).set("to", to)
        };
        match self {
            Self::ResetPassword { language, to, code } => {
                to_in(tasks::MAIL_RESET_PASSWORD_CODE, language, to).set("code", code)
            }
            Self::ResetPasswordNoAccount { language, to, is_allow_register } => {
                to_in(tasks::MAIL_RESET_PASSWORD_NO_ACCOUNT, language, to)
                    .set("is_allow_register", is_allow_register)
            }
            Self::Register { language, to, code } => {
                to_in(tasks::MAIL_REGISTER_CODE, language, to).set("code", code)
            }
            Self::RegisterKnown { language, to, account_name } => {
                to_in(tasks::MAIL_REGISTER_ACCOUNT_EXISTS, language, to)
                    .set("account_name", account_name)
            }
            Self::CodeLogin { language, to, code } => {
                to_in(tasks::MAIL_EMAIL_CODE_LOGIN, language, to).set("code", code)
            }
            Self::ChangeEmail { language, to, code, phase } => {
                to_in(tasks::MAIL_CHANGE_EMAIL_CODE, language, to)
                    .set("code", code)
                    .set("phase", phase)
            }
            Self::EmailChanged { language, to } => {
                to_in(tasks::MAIL_CHANGE_EMAIL_COMPLETED, language, to)
            }
            Self::OwnerTransfer { language, to, code, workspace } => {
                to_in(tasks::MAIL_OWNER_TRANSFER_CODE, language, to)
                    .set("code", code)
                    .set("workspace", workspace)
            }
            Self::OldOwner { language, to, workspace, new_owner_email } => {
                to_in(tasks::MAIL_OWNER_TRANSFER_OLD_OWNER, language, to)
                    .set("workspace", workspace)
                    .set("new_owner_email", new_owner_email)
            }
            Self::NewOwner { language, to, workspace } => {
                to_in(tasks::MAIL_OWNER_TRANSFER_NEW_OWNER, language, to)
                    .set("workspace", workspace)
            }
            Self::DeletionCode { to, code } => {
                Job::new(tasks::MAIL_ACCOUNT_DELETION_CODE).set("to", to).set("code", code)
            }
            Self::Invite { language, to, token, inviter_name, workspace_name } => {
                to_in(tasks::MAIL_INVITE_MEMBER, language, to)
                    .set("token", token)
                    .set("inviter_name", inviter_name)
                    .set("workspace_name", workspace_name)
            }
        }
    }
}

/// Queues a mail.
///
/// # Errors
/// The queue's.
pub(crate) async fn post(ctx: &Ctx, letter: Letter<'_>) -> Result<(), Fault> {
    enqueue(ctx, letter.job()).await
}

/// Queues a job.
///
/// # Errors
/// The queue's.
pub(crate) async fn enqueue(ctx: &Ctx, job: Job) -> Result<(), Fault> {
    let task = job.task.clone();
    match ctx.jobs.enqueue(job).await {
        Ok(_) => Ok(()),
        Err(err) => Err(Fault::caused(format!("{task} could not be queued"), err)),
    }
}
