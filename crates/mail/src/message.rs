//! The messages of the server.

use serde::Serialize;

/// A message, with what it says. All text is escaped where it becomes HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mail {
    /// The code to set a new password.
    ResetPassword {
        /// The code.
        code: String,
    },
    /// A new password was asked for an address nobody has.
    ResetPasswordNoAccount {
        /// Where to sign up, if that is allowed.
        sign_up_url: Option<String>,
    },
    /// The code to sign in.
    EmailCodeLogin {
        /// The code.
        code: String,
    },
    /// The code to sign up.
    RegisterCode {
        /// The code.
        code: String,
    },
    /// A sign-up with an address that has an account.
    RegisterAccountExists {
        /// Whose account it is.
        account_name: String,
        /// Where to sign in.
        login_url: String,
        /// Where to set a new password.
        reset_password_url: String,
    },
    /// An invitation into a workspace.
    InviteMember {
        /// Who invites.
        inviter_name: String,
        /// The workspace.
        workspace_name: String,
        /// Where to accept.
        url: String,
    },
    /// Changing the address: the code for the old one.
    ChangeEmailOld {
        /// The code.
        code: String,
    },
    /// Changing the address: the code for the new one.
    ChangeEmailNew {
        /// The code.
        code: String,
    },
    /// The address was changed.
    ChangeEmailCompleted {
        /// The new address.
        email: String,
    },
    /// The code to hand a workspace over.
    OwnerTransferCode {
        /// The workspace.
        workspace: String,
        /// The code.
        code: String,
    },
    /// The workspace was handed over: to who had it.
    OwnerTransferredOldOwner {
        /// The workspace.
        workspace: String,
        /// Who has it now.
        new_owner_email: String,
    },
    /// The workspace was handed over: to who has it now.
    OwnerTransferredNewOwner {
        /// The workspace.
        workspace: String,
    },
    /// The code to delete an account.
    AccountDeletionCode {
        /// The code.
        code: String,
    },
    /// The account was deleted.
    AccountDeleted {
        /// Its address.
        email: String,
    },
    /// A queue is too long: to operators.
    QueueMonitorAlert {
        /// The queue.
        queue_name: String,
        /// Jobs waiting.
        queue_length: u64,
        /// Jobs allowed to wait.
        threshold: u64,
        /// When it was measured, as text.
        alert_time: String,
    },
    /// Unused documents were disabled.
    DocumentsDisabled {
        /// Whose they are.
        user_name: String,
        /// A line per knowledge base.
        knowledge_details: Vec<String>,
        /// Where they are.
        url: String,
    },
}

/// The languages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// For every code but the one below, as in the reference.
    #[default]
    English,
    /// `zh-Hans`.
    Chinese,
}

impl Language {
    /// The language for an interface language such as `en-US`, `zh-Hans` or `ja-JP`.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        if code == "zh-Hans" { Self::Chinese } else { Self::English }
    }

    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }
}

/// Whose mail it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Branding {
    /// The name in subjects and texts; `Dify` unless branded.
    pub application_title: String,
}

impl Default for Branding {
    fn default() -> Self {
        Self { application_title: "Dify".to_owned() }
    }
}

/// A message ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject, in one line.
    pub subject: String,
    /// The text, a whole HTML document.
    pub html: String,
}
