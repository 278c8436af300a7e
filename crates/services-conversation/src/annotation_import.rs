//! Annotations from a CSV file.

use boxed::boxed;
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use db::{annotation as rows, app::App};
use jobs::{Job, tasks};
use serde::{Deserialize, Serialize};
use services_app::app::{self, AppError};
use services_core::{Ctx, Failure, Fault};
use types::{AccountId, AppId, TenantId};
use uuid::Uuid;

use crate::annotation_reply::{
    self,
    status::{self, Action, Status},
};

/// Characters of a question at the most.
const LONGEST_QUESTION: usize = 2000;

/// Characters of an answer at the most.
const LONGEST_ANSWER: usize = 10_000;

/// Imports longer than this do not count: their worker may be gone. The reference's time.
const STALE: Duration = Duration::from_secs(120);

/// Why a file is not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Too many files came in a short time.
    #[error(
        "Too many annotation import requests. Maximum {limit} requests per {span} allowed. Please try again later."
    )]
    TooOften {
        /// How many may come.
        limit: u64,
        /// In which time.
        span: &'static str,
    },
    /// Too many files are being imported.
    #[error(
        "Too many concurrent import tasks. Maximum {0} concurrent imports allowed per workspace. Please wait for existing \
         imports to complete."
    )]
    TooMany(u64),
    /// The file is no CSV file by its name.
    #[error("Invalid file type. Only CSV files are allowed")]
    Type,
    /// The file is too large.
    #[error("File size exceeds maximum limit of {0}MB. Please reduce the file size and try again.")]
    TooLarge(i64),
    /// There is nothing in it.
    #[error("The uploaded file is empty")]
    Empty,
    /// What is in it cannot be used; answered as an outcome, not as an error, as in the reference.
    #[error("{0}")]
    Content(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Failure for ImportError {
    fn status(&self) -> u16 {
        match self {
            Self::TooOften { .. } | Self::TooMany(_) => 429,
            Self::Type | Self::Empty | Self::Content(_) => 400,
            Self::TooLarge(_) => 413,
            Self::Fault(err) => err.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::TooOften { .. } | Self::TooMany(_) => "too_many_requests",
            Self::Type | Self::Empty | Self::Content(_) => "invalid_param",
            Self::TooLarge(_) => "request_entity_too_large",
            Self::Fault(err) => err.code(),
        }
    }
}

/// Bytes of a file at the most.
#[must_use]
pub fn most_bytes(ctx: &Ctx) -> usize {
    usize::try_from(ctx.config.feature.annotation_import_file_size_limit).unwrap_or(2) << 20
}

/// Counts that a workspace wants to import. Without Redis nobody is refused.
///
/// # Errors
/// [`ImportError::TooOften`].
#[boxed]
pub async fn count(ctx: &Ctx, tenant: TenantId) -> Result<(), ImportError> {
    let settings = &ctx.config.feature;
    let limits = [
        (settings.annotation_import_rate_limit_per_minute, 60, "1min", "minute"),
        (settings.annotation_import_rate_limit_per_hour, 3600, "1hour", "hour"),
    ];
    let now = ctx.now().signed_duration_since(DateTime::UNIX_EPOCH).to_std().unwrap_or_default();
    for (limit, seconds, key, span) in limits {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let time = Duration::from_secs(seconds);
        let window = redis::Window { limit, span: time, life: time * 2, in_millis: true };
        let key = format!("annotation_import_rate_limit:{tenant}:{key}");
        match ctx.redis.window_take(&key, &window, now).await {
            Ok(true) => {}
            Ok(false) => return Err(ImportError::TooOften { limit, span }),
            Err(err) => tracing::warn!(error = %err, "imports of annotations are not counted"),
        }
    }
    Ok(())
}

/// A question and its answer, as a job carries them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// An import that a job does.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// The job.
    pub job: Uuid,
    /// How many annotations the file has.
    pub lines: usize,
}

/// A file to import.
#[derive(Debug, Clone)]
pub struct File {
    /// What it is called.
    pub name: String,
    /// What is in it; `None`: more than is taken.
    pub data: Option<Bytes>,
}

/// Looks at a file and queues its import.
///
/// # Errors
/// [`ImportError`].
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn accept(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    file: File,
) -> Result<Accepted, ImportError> {
    let settings = &ctx.config.feature;
    if !file.name.to_lowercase().ends_with(".csv") {
        return Err(ImportError::Type);
    }
    let too_large = || ImportError::TooLarge(settings.annotation_import_file_size_limit);
    let data = file.data.ok_or_else(too_large)?;
    if data.is_empty() {
        return Err(ImportError::Empty);
    }
    let most = usize::try_from(settings.annotation_import_max_records).unwrap_or(usize::MAX);
    let least = usize::try_from(settings.annotation_import_min_records).unwrap_or(1);
    let lines = read(&data, least, most).map_err(ImportError::Content)?;
    let id = Uuid::new_v4();
    take_slot(ctx, app.tenant_id, id).await?;
    let job = Job::new(tasks::BATCH_IMPORT_ANNOTATIONS)
        .set("job_id", id)
        .set("content_list", &lines)
        .set("app_id", app.id)
        .set("tenant_id", app.tenant_id)
        .set("user_id", by);
    if let Err(err) = annotation_reply::queue(ctx, Action::Import, id, job).await {
        leave_slot(ctx, app.tenant_id, id).await;
        return Err(err.into());
    }
    Ok(Accepted { job: id, lines: lines.len() })
}

/// What a worker does of an import.
#[derive(Debug, Clone)]
pub struct Import {
    /// The job.
    pub job: Uuid,
    /// The workspace.
    pub tenant: TenantId,
    /// The app.
    pub app: AppId,
    /// Who wants it.
    pub by: AccountId,
    /// The annotations.
    pub lines: Vec<Line>,
}

/// Adds the annotations of a file. Safe to repeat.
///
/// # Errors
/// [`AppError::NotFound`], and the database's.
#[tracing::instrument(skip_all, fields(app.id = %import.app))]
#[boxed]
pub async fn import(ctx: &Ctx, import: &Import) -> Result<(), AppError> {
    app::find(ctx, import.tenant, import.app).await?;
    let new: Vec<(Uuid, &str, &str)> = import
        .lines
        .iter()
        .enumerate()
        .map(|(at, line)| (id_of(import.job, at), line.question.as_str(), line.answer.as_str()))
        .collect();
    let mut tx = ctx.db.begin().await?;
    rows::insert_all(&mut tx, import.app, import.by, &new, ctx.now_naive()).await?;
    tx.commit().await?;
    annotation_reply::outdate(ctx, import.app).await;
    Ok(())
}

/// Says how an import ended.
///
/// # Errors
/// Redis's.
#[boxed]
pub async fn ended(ctx: &Ctx, import: &Import, how: &Status) -> Result<(), Fault> {
    leave_slot(ctx, import.tenant, import.job).await;
    status::put(ctx, Action::Import, import.job, how).await
}

/// A job that comes twice makes the same rows.
fn id_of(job: Uuid, at: usize) -> Uuid {
    let digest = crypto::hash::sha256(format!("{job}:{at}").as_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

async fn take_slot(ctx: &Ctx, tenant: TenantId, job: Uuid) -> Result<(), ImportError> {
    let limit = u64::try_from(ctx.config.feature.annotation_import_max_concurrent).unwrap_or(2);
    let now = ctx.now().signed_duration_since(DateTime::UNIX_EPOCH).to_std().unwrap_or_default();
    let id = job.to_string();
    match ctx.redis.slot_take(&slots(tenant), &id, limit, now, STALE).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(ImportError::TooMany(limit)),
        Err(err) => {
            tracing::warn!(error = %err, "imports of annotations are not counted");
            Ok(())
        }
    }
}

async fn leave_slot(ctx: &Ctx, tenant: TenantId, job: Uuid) {
    if let Err(err) = ctx.redis.hdel(&slots(tenant), &[&job.to_string()]).await {
        tracing::warn!(error = %err, "an import's place is given back when it is stale");
    }
}

fn slots(tenant: TenantId) -> String {
    format!("dify_rs:annotation_import_active:{tenant}")
}

/// The annotations in a file, or what is wrong with it.
fn read(data: &[u8], least: usize, most: usize) -> Result<Vec<Line>, String> {
    let broken = |why: String| format!("An error occurred while processing the file: {why}");
    if !data.iter().take(8192).any(|byte| *byte == b'\n') {
        return Err("The CSV file appears to be empty or invalid.".to_owned());
    }
    let text = std::str::from_utf8(data).map_err(|err| broken(format!("no UTF-8 text, {err}")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|err| broken(err.to_string()))?.len();
    if columns < 2 {
        return Err(
            "Invalid CSV format. The file must contain at least 2 columns (question and answer)."
                .to_owned(),
        );
    }
    let mut lines = Vec::new();
    let mut row = 1;
    for record in reader.records() {
        let record = record.map_err(|err| broken(err.to_string()))?;
        // A row with too many fields is no row, as in the reference.
        if columns < record.len() {
            continue;
        }
        row += 1;
        if most <= lines.len() {
            return Err(format!(
                "The CSV file contains too many records. Maximum {most} records allowed per import. Please split your file \
                 into smaller batches."
            ));
        }
        let field = |at| record.get(at).unwrap_or_default().trim();
        let (question, answer) = (field(0), field(1));
        // `nan` is what the reference reads of an empty cell.
        if [question, answer].iter().any(|text| text.is_empty() || text.eq_ignore_ascii_case("nan"))
        {
            continue;
        }
        for (name, text, longest) in
            [("Question", question, LONGEST_QUESTION), ("Answer", answer, LONGEST_ANSWER)]
        {
            if longest < text.chars().count() {
                return Err(format!(
                    "{name} at row {row} is too long. Maximum {longest} characters allowed."
                ));
            }
        }
        lines.push(Line { question: question.to_owned(), answer: answer.to_owned() });
    }
    if lines.len() < least {
        return Err(format!(
            "The CSV file must contain at least {least} valid annotation record(s). Found {} valid record(s).",
            lines.len()
        ));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(data: &str) -> Result<Vec<(String, String)>, String> {
        let lines = read(data.as_bytes(), 1, 3)?;
        Ok(lines.into_iter().map(|line| (line.question, line.answer)).collect())
    }

    #[test]
    fn rows_are_read_that_have_a_question_and_an_answer() {
        let found = texts(
            "question,answer\nRed?,Yes\n\"Comma, \"\"quoted\"\"\",Ünï\n,skipped\n nan ,x\n\na,b,c\nx\n",
        );
        let expected = [("Red?", "Yes"), ("Comma, \"quoted\"", "Ünï")];
        assert_eq!(found.unwrap(), expected.map(|(q, a)| (q.to_owned(), a.to_owned())));
    }

    #[test]
    fn files_are_refused_with_a_reason() {
        for (data, reason) in [
            ("no line end", "appears to be empty"),
            ("question\nx\n", "at least 2 columns"),
            ("q,a\n,\n", "at least 1 valid"),
            ("q,a\n1,1\n2,2\n3,3\n4,4\n", "too many records"),
            (&format!("q,a\n1,1\n2,{}\n", "x".repeat(10_001)), "Answer at row 3"),
        ] {
            let refused = texts(data).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
        assert!(read(b"q,a\n\xff,x\n", 1, 3).unwrap_err().contains("processing the file"));
    }

    #[test]
    fn a_repeated_job_makes_the_same_rows() {
        let job = Uuid::from_u128(7);
        assert_eq!(id_of(job, 1), id_of(job, 1));
        assert_ne!(id_of(job, 1), id_of(job, 2));
    }
}
