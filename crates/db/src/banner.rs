//! `exporle_banners` (the reference's spelling): what the Explore page shows at its top, to every workspace.

use boxed::boxed;
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
#[boxed]
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

/// What a new banner is made of.
#[derive(Debug, Clone)]
pub struct NewBanner<'a> {
    /// See [`Banner::content`].
    pub content: Value,
    /// See [`Banner::link`].
    pub link: &'a str,
    /// See [`Banner::sort`].
    pub sort: i32,
    /// Like `en-US`.
    pub language: &'a str,
}

/// Adds a banner.
#[tracing::instrument(name = "db.banner.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewBanner<'_>) -> Result<()> {
    sqlx::query!(
        "INSERT INTO exporle_banners (id, content, link, sort, language) VALUES ($1, $2, $3, $4, $5)",
        Uuid::new_v4(),
        new.content,
        new.link,
        new.sort,
        new.language,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes a banner; answers whether it was there.
#[tracing::instrument(name = "db.banner.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, id: Uuid) -> Result<bool> {
    let done = sqlx::query!("DELETE FROM exporle_banners WHERE id = $1", id).execute(db).await?;
    Ok(0 < done.rows_affected())
}
