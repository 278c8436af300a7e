//! How far jobs of annotations are. People who watch ask by the id of the job.

use boxed::boxed;
use std::time::Duration;

use services_core::{Ctx, Fault};
use uuid::Uuid;

use super::ReplyError;

/// How long a job may wait before nobody remembers it.
const WAITING: Duration = Duration::from_secs(24 * 3600);

/// How long it is remembered how a job ended.
const ENDED: Duration = Duration::from_secs(600);

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Lets an app reply with annotations.
    Enable,
    /// Lets it no longer.
    Disable,
    /// Adds annotations from a file.
    Import,
}

impl Action {
    /// `enable` or `disable`, as paths have it.
    #[must_use]
    pub fn of_path(word: &str) -> Option<Self> {
        match word {
            "enable" => Some(Self::Enable),
            "disable" => Some(Self::Disable),
            _ => None,
        }
    }

    fn key(self, job: Uuid) -> String {
        match self {
            Self::Enable => format!("enable_app_annotation_job_{job}"),
            Self::Disable => format!("disable_app_annotation_job_{job}"),
            Self::Import => format!("app_annotation_batch_import_{job}"),
        }
    }

    fn error_key(self, job: Uuid) -> String {
        match self {
            Self::Enable => format!("enable_app_annotation_error_{job}"),
            Self::Disable => format!("disable_app_annotation_error_{job}"),
            Self::Import => format!("app_annotation_batch_import_error_msg_{job}"),
        }
    }
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It waits or runs.
    Waiting,
    /// It is done.
    Completed,
    /// It failed, and why.
    Failed(String),
}

/// How far a job is, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// `waiting`, `completed` or `error`.
    pub status: String,
    /// Why it failed.
    pub error: String,
}

/// How far a job is.
///
/// # Errors
/// [`ReplyError::NoJob`].
#[boxed]
pub async fn find(ctx: &Ctx, action: Action, job: Uuid) -> Result<Shown, ReplyError> {
    let status = ctx.redis.get_string(&action.key(job)).await?.ok_or(ReplyError::NoJob)?;
    let error = match status.as_str() {
        "error" => ctx.redis.get_string(&action.error_key(job)).await?.unwrap_or_default(),
        _ => String::new(),
    };
    Ok(Shown { status, error })
}

/// Says how far a job is.
///
/// # Errors
/// Redis's.
#[boxed]
pub async fn put(ctx: &Ctx, action: Action, job: Uuid, status: &Status) -> Result<(), Fault> {
    let (word, life) = match status {
        Status::Waiting => ("waiting", WAITING),
        Status::Completed => ("completed", ENDED),
        Status::Failed(why) => {
            ctx.redis.set_ex(&action.error_key(job), why, ENDED).await?;
            ("error", ENDED)
        }
    };
    ctx.redis.set_ex(&action.key(job), word, life).await?;
    Ok(())
}
