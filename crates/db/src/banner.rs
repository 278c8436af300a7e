//! `exporle_banners` (the reference's spelling): what the Explore page shows at its top, to every workspace.

use chrono::NaiveDateTime;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Result;

/// A banner.
#[derive(Debug, Clone)]
pub struct Banner {
    /// The row.
    pub id: Uuid,
    /// What it shows; the console knows the keys.
    pub content: Value,
    /// Where it leads.
    pub link: String,
    /// Its place.
    pub sort: i32,
    /// `enabled` or otherwise hidden.
    pub status: String,
    /// When the row was made.
    pub created_at: NaiveDateTime,
}

/// The enabled banners in a language, in order.
#[tracing::instrument(name = "db.banner.list", skip_all, err)]
pub async fn list(db: &mut PgConnection, language: &str) -> Result<Vec<Banner>> {
    Ok(sqlx::query_as!(
        Banner,
        r#"
        SELECT id, content, link, sort, status, created_at
        FROM exporle_banners
        WHERE status = 'enabled' AND language = $1
        ORDER BY sort, id
        "#,
        language,
    )
    .fetch_all(db)
    .await?)
}
