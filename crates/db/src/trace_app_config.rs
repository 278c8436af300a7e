//! `trace_app_config`: credentials of an app's tracing providers.

use boxed::boxed;
use chrono::NaiveDateTime;
use serde_json::Value;
use sqlx::PgConnection;
use types::AppId;
use uuid::Uuid;

use crate::Result;

/// The credentials of one tracing provider of an app.
#[derive(Debug, Clone)]
pub struct TraceAppConfig {
    /// The row.
    pub id: Uuid,
    /// The app.
    pub app_id: AppId,
    /// `langfuse`, `langsmith`, …
    pub tracing_provider: Option<String>,
    /// The provider's fields; secrets encrypted with the workspace's key.
    pub tracing_config: Option<Value>,
    /// Unused by this edition.
    pub is_active: bool,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// When the row was last changed.
    pub updated_at: NaiveDateTime,
}

/// The credentials of a tracing provider of an app.
#[tracing::instrument(name = "db.trace_app_config.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    app: AppId,
    provider: &str,
) -> Result<Option<TraceAppConfig>> {
    Ok(sqlx::query_as!(
        TraceAppConfig,
        r#"
        SELECT id, app_id, tracing_provider, tracing_config, is_active, created_at, updated_at
        FROM trace_app_config
        WHERE app_id = $1 AND tracing_provider = $2
        ORDER BY created_at
        LIMIT 1
        "#,
        app as _,
        provider,
    )
    .fetch_optional(db)
    .await?)
}

/// Saves the credentials of a tracing provider.
#[tracing::instrument(name = "db.trace_app_config.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    app: AppId,
    provider: &str,
    config: &Value,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO trace_app_config (app_id, tracing_provider, tracing_config, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $4)
        "#,
        app as _,
        provider,
        config,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Replaces the credentials of a tracing provider.
#[tracing::instrument(name = "db.trace_app_config.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    app: AppId,
    id: Uuid,
    config: &Value,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE trace_app_config SET tracing_config = $3, updated_at = $4 WHERE app_id = $1 AND id = $2",
        app as _,
        id,
        config,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets the credentials of a tracing provider. Answers whether there were some.
#[tracing::instrument(name = "db.trace_app_config.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, app: AppId, provider: &str) -> Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM trace_app_config WHERE app_id = $1 AND tracing_provider = $2",
        app as _,
        provider,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}
