//! From a [`Mail`] to its words.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use crate::error::MailError;
use crate::message::{Branding, Language, Mail, Rendered};

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../templates/", $name)))),*]
    };
}

macro_rules! mails {
    ($($name:literal),* $(,)?) => {
        &[$(
            (concat!("en/", $name, ".html"), include_str!(concat!("../templates/en/", $name, ".html"))),
            (concat!("zh/", $name, ".html"), include_str!(concat!("../templates/zh/", $name, ".html"))),
        )*]
    };
}

const SHARED: &[(&str, &str)] =
    templates!["base.html", "parts.html", "en/layout.html", "zh/layout.html"];
const MAILS: &[(&str, &str)] = mails![
    "account_deleted",
    "account_deletion_code",
    "change_email_completed",
    "change_email_new",
    "change_email_old",
    "documents_disabled",
    "email_code_login",
    "invite_member",
    "owner_transfer_code",
    "owner_transferred_new_owner",
    "owner_transferred_old_owner",
    "queue_monitor_alert",
    "register_account_exists",
    "register_code",
    "reset_password",
    "reset_password_no_account",
];

static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // A variable that is missing is a mistake here, not an empty text.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in SHARED.iter().chain(MAILS) {
        environment.add_template(name, source)?;
    }
    Ok(environment)
});

impl Mail {
    /// The message in a language, addressed to `to`.
    ///
    /// # Errors
    /// [`MailError::Template`], which a test rules out for the templates built in.
    pub fn render(
        &self,
        to: &str,
        language: Language,
        branding: &Branding,
    ) -> Result<Rendered, MailError> {
        let environment = match &*TEMPLATES {
            Ok(environment) => environment,
            Err(err) => {
                return Err(MailError::Config(format!("a mail template does not parse: {err}")));
            }
        };
        let subject = one_line(&self.subject(language, &branding.application_title));
        let name = format!("{}/{}.html", language.folder(), self.template());
        let html = environment.get_template(&name)?.render(context! {
            to => to,
            subject => subject.clone(),
            application_title => branding.application_title.clone(),
            lang => match language {
                Language::English => "en",
                Language::Chinese => "zh-Hans",
            },
            ..self.variables()
        })?;
        Ok(Rendered { subject, html })
    }

    fn template(&self) -> &'static str {
        match self {
            Self::ResetPassword { .. } => "reset_password",
            Self::ResetPasswordNoAccount { .. } => "reset_password_no_account",
            Self::EmailCodeLogin { .. } => "email_code_login",
            Self::RegisterCode { .. } => "register_code",
            Self::RegisterAccountExists { .. } => "register_account_exists",
            Self::InviteMember { .. } => "invite_member",
            Self::ChangeEmailOld { .. } => "change_email_old",
            Self::ChangeEmailNew { .. } => "change_email_new",
            Self::ChangeEmailCompleted { .. } => "change_email_completed",
            Self::OwnerTransferCode { .. } => "owner_transfer_code",
            Self::OwnerTransferredOldOwner { .. } => "owner_transferred_old_owner",
            Self::OwnerTransferredNewOwner { .. } => "owner_transferred_new_owner",
            Self::AccountDeletionCode { .. } => "account_deletion_code",
            Self::AccountDeleted { .. } => "account_deleted",
            Self::QueueMonitorAlert { .. } => "queue_monitor_alert",
            Self::DocumentsDisabled { .. } => "documents_disabled",
        }
    }

    fn subject(&self, language: Language, app: &str) -> String {
        let (en, zh) = match self {
            Self::ResetPassword { .. } => {
                (format!("Your code for a new {app} password"), format!("{app} 密码设置验证码"))
            }
            Self::ResetPasswordNoAccount { .. } => (
                format!("About your {app} password request"),
                format!("关于您的 {app} 密码重置请求"),
            ),
            Self::EmailCodeLogin { .. } => {
                (format!("Your {app} sign-in code"), format!("{app} 登录验证码"))
            }
            Self::RegisterCode { .. } => {
                (format!("Finish creating your {app} account"), format!("完成 {app} 账户注册"))
            }
            Self::RegisterAccountExists { .. } => {
                (format!("You already have a {app} account"), format!("您已拥有 {app} 账户"))
            }
            Self::InviteMember { workspace_name, .. } => (
                format!("You are invited to {workspace_name} on {app}"),
                format!("邀请您加入 {app} 工作空间 {workspace_name}"),
            ),
            Self::ChangeEmailOld { .. } => {
                ("Confirm your current address".to_owned(), "请确认您当前的邮箱".to_owned())
            }
            Self::ChangeEmailNew { .. } => {
                ("Confirm your new address".to_owned(), "请确认您的新邮箱".to_owned())
            }
            Self::ChangeEmailCompleted { .. } => {
                ("You now sign in with a new address".to_owned(), "您的登录邮箱已更换".to_owned())
            }
            Self::OwnerTransferCode { workspace, .. } => (
                format!("Confirm handing over {workspace}"),
                format!("请确认移交工作空间 {workspace}"),
            ),
            Self::OwnerTransferredOldOwner { workspace, .. } => (
                format!("{workspace} has a new owner"),
                format!("工作空间 {workspace} 已移交给新的所有者"),
            ),
            Self::OwnerTransferredNewOwner { workspace } => (
                format!("{workspace} is yours now"),
                format!("您已成为工作空间 {workspace} 的所有者"),
            ),
            Self::AccountDeletionCode { .. } => {
                (format!("Code to delete your {app} account"), format!("{app} 账户删除验证码"))
            }
            Self::AccountDeleted { .. } => {
                (format!("Your {app} account is deleted"), format!("您的 {app} 账户已删除"))
            }
            Self::QueueMonitorAlert { queue_name, .. } => (
                format!("Too many jobs are waiting in {queue_name}"),
                format!("队列 {queue_name} 中等待的任务过多"),
            ),
            Self::DocumentsDisabled { .. } => (
                format!("Unused documents in {app} were disabled"),
                format!("{app} 中长期未使用的文档已停用"),
            ),
        };
        match language {
            Language::English => en,
            Language::Chinese => zh,
        }
    }

    fn variables(&self) -> Value {
        match self.clone() {
            Self::ResetPassword { code }
            | Self::EmailCodeLogin { code }
            | Self::RegisterCode { code }
            | Self::ChangeEmailOld { code }
            | Self::ChangeEmailNew { code }
            | Self::AccountDeletionCode { code } => context! { code },
            Self::ResetPasswordNoAccount { sign_up_url } => context! { sign_up_url },
            Self::RegisterAccountExists { account_name, login_url, reset_password_url } => {
                context! { account_name, login_url, reset_password_url }
            }
            Self::InviteMember { inviter_name, workspace_name, url } => {
                context! { inviter_name, workspace_name, url }
            }
            Self::ChangeEmailCompleted { email } | Self::AccountDeleted { email } => {
                context! { email }
            }
            Self::OwnerTransferCode { workspace, code } => context! { workspace, code },
            Self::OwnerTransferredOldOwner { workspace, new_owner_email } => {
                context! { workspace, new_owner_email }
            }
            Self::OwnerTransferredNewOwner { workspace } => context! { workspace },
            Self::QueueMonitorAlert { queue_name, queue_length, threshold, alert_time } => {
                context! { queue_name, queue_length, threshold, alert_time }
            }
            Self::DocumentsDisabled { user_name, knowledge_details, url } => {
                context! { user_name, knowledge_details, url }
            }
        }
    }
}

/// Names that people choose must not end the header.
fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}
