//! `api_tokens`: keys of the service API.

use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, TenantId};
use uuid::Uuid;

use crate::Result;

/// A key of the service API.
#[derive(Debug, Clone)]
pub struct ApiToken {
    /// The row.
    pub id: Uuid,
    /// The app of an `app` key.
    pub app_id: Option<AppId>,
    /// The workspace.
    pub tenant_id: Option<TenantId>,
    /// `app` or `dataset`.
    pub r#type: String,
    /// The key itself.
    pub token: String,
    /// To about half an hour.
    pub last_used_at: Option<NaiveDateTime>,
    /// When the row was made.
    pub created_at: NaiveDateTime,
}

/// The row of a key of that type. The key itself is the credential.
#[tracing::instrument(name = "db.api_token.find", skip_all, err)]
pub async fn find_by_token(
    db: &mut PgConnection,
    kind: &str,
    token: &str,
) -> Result<Option<ApiToken>> {
    Ok(sqlx::query_as!(
        ApiToken,
        r#"
        SELECT id, app_id, tenant_id, type, token, last_used_at, created_at
        FROM api_tokens
        WHERE token = $1 AND type = $2
        "#,
        token,
        kind,
    )
    .fetch_optional(db)
    .await?)
}

/// Notes when a key was last used, if that is later than what is known.
#[tracing::instrument(name = "db.api_token.note_use", skip_all, err)]
pub async fn note_use(
    db: &mut PgConnection,
    kind: &str,
    token: &str,
    at: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE api_tokens SET last_used_at = $3
        WHERE token = $2 AND type = $1 AND (last_used_at IS NULL OR last_used_at < $3)
        "#,
        kind,
        token,
        at,
    )
    .execute(db)
    .await?;
    Ok(())
}
