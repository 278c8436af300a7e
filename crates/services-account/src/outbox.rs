//! Mails of this crate: jobs with the reference's names and arguments, so that its workers can send them as well.

use serde::Serialize;
use serde_json::{Map, Value};
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
    fn task(&self) -> &'static str {
        match self {
            Self::ResetPassword { .. } => {
                "tasks.mail_reset_password_task.send_reset_password_mail_task"
            }
            Self::ResetPasswordNoAccount { .. } => {
                "tasks.mail_reset_password_task.send_reset_password_mail_task_when_account_not_exist"
            }
            Self::Register { .. } => "tasks.mail_register_task.send_email_register_mail_task",
            Self::RegisterKnown { .. } => {
                "tasks.mail_register_task.send_email_register_mail_task_when_account_exist"
            }
            Self::CodeLogin { .. } => "tasks.mail_email_code_login.send_email_code_login_mail_task",
            Self::ChangeEmail { .. } => "tasks.mail_change_mail_task.send_change_mail_task",
            Self::EmailChanged { .. } => {
                "tasks.mail_change_mail_task.send_change_mail_completed_notification_task"
            }
            Self::OwnerTransfer { .. } => {
                "tasks.mail_owner_transfer_task.send_owner_transfer_confirm_task"
            }
            Self::OldOwner { .. } => {
                "tasks.mail_owner_transfer_task.send_old_owner_transfer_notify_email_task"
            }
            Self::NewOwner { .. } => {
                "tasks.mail_owner_transfer_task.send_new_owner_transfer_notify_email_task"
            }
            Self::DeletionCode { .. } => {
                "tasks.mail_account_deletion_task.send_account_deletion_verification_code"
            }
            Self::Invite { .. } => "tasks.mail_invite_member_task.send_invite_member_mail_task",
        }
    }

    fn arguments(&self) -> Map<String, Value> {
        let of = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
        };
        match *self {
            Self::ResetPassword { language, to, code }
            | Self::Register { language, to, code }
            | Self::CodeLogin { language, to, code } => {
                of(&[("language", language), ("to", to), ("code", code)])
            }
            Self::ResetPasswordNoAccount { language, to, is_allow_register } => {
                let mut arguments: Map<String, Value> = of(&[("language", language), ("to", to)]);
                arguments.insert("is_allow_register".to_owned(), is_allow_register.into());
                arguments
            }
            Self::RegisterKnown { language, to, account_name } => {
                of(&[("language", language), ("to", to), ("account_name", account_name)])
            }
            Self::ChangeEmail { language, to, code, phase } => {
                of(&[("language", language), ("to", to), ("code", code), ("phase", phase)])
            }
            Self::EmailChanged { language, to } => of(&[("language", language), ("to", to)]),
            Self::OwnerTransfer { language, to, code, workspace } => {
                of(&[("language", language), ("to", to), ("code", code), ("workspace", workspace)])
            }
            Self::OldOwner { language, to, workspace, new_owner_email } => of(&[
                ("language", language),
                ("to", to),
                ("workspace", workspace),
                ("new_owner_email", new_owner_email),
            ]),
            Self::NewOwner { language, to, workspace } => {
                of(&[("language", language), ("to", to), ("workspace", workspace)])
            }
            Self::DeletionCode { to, code } => of(&[("to", to), ("code", code)]),
            Self::Invite { language, to, token, inviter_name, workspace_name } => of(&[
                ("language", language),
                ("to", to),
                ("token", token),
                ("inviter_name", inviter_name),
                ("workspace_name", workspace_name),
            ]),
        }
    }
}

/// Queues a mail.
///
/// # Errors
/// The queue's.
pub(crate) async fn post(ctx: &Ctx, letter: Letter<'_>) -> Result<(), Fault> {
    enqueue(ctx, letter.task(), "mail", Value::Object(letter.arguments())).await
}

/// Queues a job with keyword arguments.
///
/// # Errors
/// Until the queue is wired: always.
#[expect(clippy::unused_async, reason = "the queue is reached over the network")]
pub(crate) async fn enqueue(
    _: &Ctx,
    task: &str,
    queue: &str,
    _: impl Serialize,
) -> Result<(), Fault> {
    Err(Fault::Other(format!("{task} could not be put into {queue}: there is no queue yet")))
}
