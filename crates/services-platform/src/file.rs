//! Uploaded files: taken in, looked at, fetched from elsewhere, handed out.

pub mod kind;
pub mod preview;
pub mod receive;
pub mod remote;
pub mod serve;
mod text;

pub use db::upload_file::UploadFile;
use services_core::{Failure, Fault};
use types::{AccountId, EndUserId};
use uuid::Uuid;

/// Who brings a file in.
#[derive(Debug, Clone, Copy)]
pub enum Owner {
    /// A console user.
    Account(AccountId),
    /// A user of a published app.
    EndUser(EndUserId),
}

impl Owner {
    /// The word for it in rows.
    #[must_use]
    pub fn role(self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::EndUser(_) => "end_user",
        }
    }

    /// The account's or end user's id.
    #[must_use]
    pub fn id(self) -> Uuid {
        match self {
            Self::Account(id) => id.0,
            Self::EndUser(id) => id.0,
        }
    }
}

/// Why a file is not taken in or handed out.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The form has no file under that name.
    #[error("Please upload your file.")]
    NoFile,
    /// The form has more than one.
    #[error("Only one file is allowed.")]
    TooMany,
    /// The file has no name.
    #[error("The specified filename does not exist.")]
    NoName,
    /// A name with `/` or `\`.
    #[error("Filename contains invalid characters")]
    BadName,
    /// The operator refuses files with this extension.
    #[error("File extension '.{0}' is not allowed for security reasons")]
    Blocked(String),
    /// Not a kind of file that is wanted here.
    #[error("File type not allowed.")]
    Kind,
    /// Over the limit of its kind. (The braces are the reference's.)
    #[error("File size exceeded. {{message}}")]
    TooLarge,
    /// The upload broke off.
    #[error("The browser (or proxy) sent a request that this server could not understand.")]
    Broken,
    /// No such file.
    #[error("File not found")]
    NotFound,
    /// A link that opens nothing.
    #[error("File not found or signature is invalid")]
    BadLink,
    /// A link to a tool's file, or for an upload, that opens nothing.
    #[error("Invalid request.")]
    Forbidden,
    /// The plugin's upload has no file.
    #[error("File is required.")]
    FileRequired,
    /// A tool's file that is gone.
    #[error("file is not found")]
    NoToolFile,
    /// The workspace has no logo.
    #[error("webapp logo is not found")]
    NoLogo,
    /// A file without text. (The reference says nothing here.)
    #[error("")]
    NoPreview,
    /// The file is in no message of the workspace.
    #[error("File not found in message context")]
    NotInMessages,
    /// The file is in messages of other apps only.
    #[error("File access denied: not owned by requesting app")]
    NotOfApp,
    /// The other server did not hand the file out.
    #[error("Failed to fetch file from {url}: {reason}")]
    Remote {
        /// What was asked for.
        url: String,
        /// What came instead.
        reason: String,
    },
    /// Not an address to fetch from.
    #[error("{0}")]
    BadUrl(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for FileError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<storage::StorageError> for FileError {
    fn from(err: storage::StorageError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for FileError {
    fn status(&self) -> u16 {
        match self {
            Self::NoFile
            | Self::TooMany
            | Self::NoName
            | Self::BadName
            | Self::Blocked(_)
            | Self::Broken
            | Self::NoPreview
            | Self::Remote { .. }
            | Self::BadUrl(_) => 400,
            Self::Forbidden | Self::FileRequired | Self::NotOfApp => 403,
            Self::NotFound
            | Self::BadLink
            | Self::NoToolFile
            | Self::NoLogo
            | Self::NotInMessages => 404,
            Self::TooLarge => 413,
            Self::Kind => 415,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoFile => "no_file_uploaded",
            Self::TooMany => "too_many_files",
            Self::NoName => "filename_not_exists_error",
            Self::BadName | Self::NoPreview | Self::BadUrl(_) => "invalid_param",
            Self::Blocked(_) => "file_extension_blocked",
            Self::Kind => "unsupported_file_type",
            Self::TooLarge => "file_too_large",
            Self::Broken => "bad_request",
            Self::NotFound | Self::BadLink | Self::NoToolFile | Self::NoLogo => "not_found",
            Self::Forbidden | Self::FileRequired => "forbidden",
            Self::NotInMessages => "file_not_found",
            Self::NotOfApp => "file_access_denied",
            Self::Remote { .. } => "remote_file_upload_error",
            Self::Fault(fault) => fault.code(),
        }
    }
}
