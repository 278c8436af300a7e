//! What users and builders think of an app, as a file.

use boxed::boxed;
use chrono::{NaiveDate, NaiveDateTime};
use db::{
    app::App,
    message_feedback::{self, ExportFilter, Exported},
};
use serde::Serialize;
use serde_json::json;
use services_core::{Ctx, Failure, Fault};

/// Which opinions, and as what.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// `user` or `admin`.
    pub source: Option<&'a str>,
    /// `like` or `dislike`.
    pub rating: Option<&'a str>,
    /// Whether it has words.
    pub has_comment: Option<bool>,
    /// `YYYY-MM-DD`, UTC: not before.
    pub start_date: Option<&'a str>,
    /// `YYYY-MM-DD`, UTC: not after the beginning of that day, as in the reference.
    pub end_date: Option<&'a str>,
    /// JSON instead of CSV.
    pub as_json: bool,
}

/// A file to save.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// What is in it.
    pub content: Vec<u8>,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A date that is none.
    #[error("Parameter validation error: Invalid {name} format: {given}. Use YYYY-MM-DD")]
    Date {
        /// The parameter.
        name: &'static str,
        /// What was given.
        given: String,
    },
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Failure for ExportError {
    fn status(&self) -> u16 {
        match self {
            Self::Date { .. } => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Date { .. } => "invalid_param",
            Self::Fault(fault) => fault.code(),
        }
    }

    fn data(&self) -> Option<serde_json::Value> {
        match self {
            Self::Date { .. } => Some(json!({"error": self.to_string()})),
            Self::Fault(fault) => fault.data(),
        }
    }
}

#[derive(Serialize)]
struct Record {
    feedback_id: String,
    app_name: String,
    app_id: String,
    conversation_id: String,
    conversation_name: String,
    message_id: String,
    user_query: String,
    ai_response: String,
    feedback_rating: &'static str,
    feedback_rating_raw: String,
    feedback_comment: String,
    feedback_source: String,
    feedback_date: String,
    message_date: String,
    from_account_name: String,
    from_end_user_id: String,
    has_comment: &'static str,
}

const COLUMNS: [&str; 17] = [
    "feedback_id",
    "app_name",
    "app_id",
    "conversation_id",
    "conversation_name",
    "message_id",
    "user_query",
    "ai_response",
    "feedback_rating",
    "feedback_rating_raw",
    "feedback_comment",
    "feedback_source",
    "feedback_date",
    "message_date",
    "from_account_name",
    "from_end_user_id",
    "has_comment",
];

/// The opinions as a file.
///
/// # Errors
/// [`ExportError::Date`].
#[boxed]
pub async fn export(ctx: &Ctx, app: &App, wish: Wish<'_>) -> Result<File, ExportError> {
    let filter = ExportFilter {
        source: wish.source,
        rating: wish.rating,
        has_comment: wish.has_comment,
        start: date("start_date", wish.start_date)?,
        end: date("end_date", wish.end_date)?,
    };
    let mut conn = ctx.db.acquire().await.map_err(Fault::from)?;
    let rows = message_feedback::export(&mut conn, app.id, filter).await.map_err(Fault::from)?;
    drop(conn);
    let records: Vec<Record> = rows.into_iter().map(|row| record(app, row)).collect();
    let now = ctx.now_naive();
    let stem = format!("dify_feedback_export_{}_{}", app.id, now.format("%Y%m%d_%H%M%S"));
    if wish.as_json {
        let document = json!({
            "export_info": {
                "app_id": app.id,
                "export_date": now.format("%Y-%m-%dT%H:%M:%S%.6f").to_string(),
                "total_records": records.len(),
                "data_source": "dify_feedback_export",
            },
            "feedback_data": records,
        });
        let content = serde_json::to_vec_pretty(&document)
            .map_err(|err| Fault::caused("could not write an export", err))?;
        let media_type = "application/json; charset=utf-8";
        return Ok(File { name: format!("{stem}.json"), media_type, content });
    }
    let content = csv(&records).map_err(|err| Fault::caused("could not write an export", err))?;
    Ok(File { name: format!("{stem}.csv"), media_type: "text/csv; charset=utf-8-sig", content })
}

fn csv(records: &[Record]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for record in records {
        writer.serialize(record)?;
    }
    writer.into_inner().map_err(|err| csv::Error::from(err.into_error()))
}

fn date(name: &'static str, given: Option<&str>) -> Result<Option<NaiveDateTime>, ExportError> {
    let Some(given) = given else { return Ok(None) };
    match NaiveDate::parse_from_str(given, "%Y-%m-%d") {
        Ok(date) => Ok(date.and_hms_opt(0, 0, 0)),
        Err(_) => Err(ExportError::Date { name, given: given.to_owned() }),
    }
}

fn record(app: &App, row: Exported) -> Record {
    let content = row.content.unwrap_or_default();
    let time = |time: NaiveDateTime| time.format("%Y-%m-%d %H:%M:%S").to_string();
    let answer = match row.answer.char_indices().nth(500) {
        Some((end, _)) => format!("{}...", row.answer.get(..end).unwrap_or_default()),
        None => row.answer,
    };
    Record {
        feedback_id: row.id.to_string(),
        app_name: app.name.clone(),
        app_id: app.id.to_string(),
        conversation_id: row.conversation_id.to_string(),
        conversation_name: row.conversation_name.unwrap_or_default(),
        message_id: row.message_id.to_string(),
        user_query: row.query,
        ai_response: answer,
        feedback_rating: if row.rating == "like" { "👍" } else { "👎" },
        feedback_rating_raw: row.rating,
        has_comment: if content.trim().is_empty() { "No" } else { "Yes" },
        feedback_comment: content,
        feedback_source: row.from_source,
        feedback_date: time(row.created_at),
        message_date: time(row.message_created_at),
        from_account_name: row.account_name.unwrap_or_default(),
        from_end_user_id: row.from_end_user_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}
