//! What can go wrong for a user of accounts and workspaces, in the words clients know.

use services_core::{Failure, Fault, billing::BillingError};

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal $message:literal;)+) => {
        /// An outcome of a use case of this crate that its caller can act on.
        #[derive(Debug, thiserror::Error)]
        pub enum AccountError {
            $($(#[$doc])* #[error($message)] $name,)+
            /// Too many mails of one kind to one address.
            #[error("Too many {what} emails have been sent. Please try again in {minutes} minutes.")]
            TooManyMails {
                /// The machine-readable code.
                code: &'static str,
                /// What the mails are about.
                what: &'static str,
                /// The window of the limit.
                minutes: u64,
            },
            /// A value that cannot be used, in its own words (400 `invalid_param`).
            #[error("{0}")]
            Invalid(String),
            /// Not allowed, in its own words (403 `forbidden`).
            #[error("{0}")]
            Forbidden(String),
            /// Below.
            #[error(transparent)]
            Fault(#[from] Fault),
        }

        impl Failure for AccountError {
            fn status(&self) -> u16 {
                match self {
                    $(Self::$name => $status,)+
                    Self::TooManyMails { .. } => 429,
                    Self::Invalid(_) => 400,
                    Self::Forbidden(_) => 403,
                    Self::Fault(fault) => fault.status(),
                }
            }

            fn code(&self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                    Self::TooManyMails { code, .. } => code,
                    Self::Invalid(_) => "invalid_param",
                    Self::Forbidden(_) => "forbidden",
                    Self::Fault(fault) => fault.code(),
                }
            }
        }
    };
}

outcomes! {
    /// Wrong password, or nobody with that address.
    BadCredentials = 401 "authentication_failed" "Invalid email or password.";
    /// Too many wrong passwords.
    LoginLocked = 429 "email_code_login_limit"
        "Too many incorrect password attempts. Please try again later.";
    /// The account was banned.
    Banned = 400 "account_banned" "Account is banned.";
    /// The account was banned, said where a token is handed out by mail.
    BannedUnauthorized = 401 "unauthorized" "Account is banned.";
    /// Nobody has that address, and nobody may register.
    NoAccount = 400 "account_not_found" "Account not found.";
    /// The address of a deleted account.
    Frozen = 400 "account_in_freeze"
        "This email account has been deleted within the past 30 daysand is temporarily unavailable for new account registration.";
    /// The address is not the one the token was made for.
    WrongEmail = 400 "invalid_email" "The email address is not valid.";
    /// Two passwords that should be one.
    PasswordMismatch = 400 "password_mismatch" "The passwords do not match.";
    /// An unknown, used or outdated token, or one of another step.
    BadToken = 400 "invalid_or_expired_token" "The token is invalid or has expired.";
    /// The wrong code.
    BadCode = 400 "email_code_error" "Email code is invalid or expired.";
    /// Too many mails asked for from one address.
    IpLimited = 429 "email_send_ip_limit"
        "Too many emails have been sent from this IP address recently. Please try again later.";
    /// Too many wrong codes for a new password.
    ResetLocked = 429 "email_password_reset_limit"
        "Too many failed password reset attempts. Please try again in 24 hours.";
    /// Too many wrong codes at registration.
    RegisterLocked = 429 "email_register_limit"
        "Too many failed email register attempts. Please try again in 24 hours.";
    /// Too many wrong codes for a new address.
    ChangeEmailLocked = 429 "email_change_limit"
        "Too many failed email change attempts. Please try again in 24 hours.";
    /// Too many wrong codes for a new owner.
    TransferLocked = 429 "owner_transfer_limit"
        "Too many failed owner transfer attempts. Please try again in 24 hours.";
    /// Somebody has that address.
    EmailTaken = 400 "email_already_in_use" "A user with this email already exists.";
    /// Only the owner may.
    NotOwner = 400 "not_owner" "You are not the owner of the workspace.";
    /// The owner owns it already.
    TransferToSelf = 400 "cannot_transfer_owner_to_self" "You cannot transfer ownership to yourself.";
    /// The heir is no member.
    HeirNotMember = 400 "member_not_in_tenant" "The member is not in the workspace.";
    /// No account has that id.
    NoSuchMember = 404 "not_found"
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.";
    /// The server was set up before.
    AlreadySetUp = 403 "already_setup"
        "Dify has been successfully installed. Please refresh the page or return to the dashboard homepage.";
    /// The init password was not given.
    InitNotValidated = 401 "not_init_validated"
        "Init validation has not been completed yet. Please proceed with the init validation process first.";
    /// The wrong init password.
    InitFailed = 401 "init_validate_failed" "Init validation failed. Please check the password and try again.";
    /// Not a workspace of the account.
    NotLinked = 403 "account_not_link_tenant" "Account not link tenant";
    /// An invitation that opens nothing.
    AlreadyActive = 403 "already_activate"
        "Auth Token is invalid or account already activated, please check again.";
    /// The account has no workspace and may make none.
    NoWorkspace = 400 "not_allowed_create_workspace"
        "Workspace not found, please contact system admin to invite you to join in a workspace.";
    /// The licence allows no more workspaces.
    WorkspacesExhausted = 400 "limit_exceeded"
        "Unable to create workspace because the maximum workspace limit was exceeded";
    /// The licence allows no more members.
    MembersExhausted = 400 "limit_exceeded"
        "Unable to add member because the maximum workspace's member limit was exceeded";
    /// The current password is another.
    WrongPassword = 400 "current_password_incorrect" "Current password is incorrect.";
    /// The account was initialised before.
    AlreadyInitialized = 400 "account_already_inited"
        "The account has been initialized. Please refresh the page.";
    /// An unknown or used invitation code.
    BadInvitationCode = 400 "invalid_invitation_code" "Invalid invitation code.";
    /// An unknown token, or the wrong code for it.
    BadDeletionCode = 400 "invalid_account_deletion_code" "Invalid account deletion code.";
    /// Too many tries to prove a place at a school.
    EducationVerifyLimit = 429 "education_verify_limit" "Rate limit exceeded";
    /// Too many tries to use such a proof.
    EducationActivateLimit = 429 "education_activate_limit" "Rate limit exceeded";
    /// Too many compliance reports asked for.
    ComplianceLimit = 429 "compliance_rate_limit" "Rate limit exceeded for downloading compliance report.";
    /// The workspace was archived, and there is no other.
    Archived = 401 "unauthorized" "workspace is archived";
}

impl From<db::DbError> for AccountError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<redis::RedisError> for AccountError {
    fn from(err: redis::RedisError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<storage::StorageError> for AccountError {
    fn from(err: storage::StorageError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<BillingError> for AccountError {
    fn from(err: BillingError) -> Self {
        match err {
            BillingError::Fault(fault) => Self::Fault(fault),
            refusal => Self::Invalid(refusal.to_string()),
        }
    }
}
