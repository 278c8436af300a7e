//! `data_source_oauth_bindings`: a workspace's connections to Notion.

use boxed::boxed;
use chrono::NaiveDateTime;
use serde_json::Value;
use sqlx::PgConnection;
use types::TenantId;
use uuid::Uuid;

use crate::Result;

/// A connection to a data source.
#[derive(Debug, Clone)]
pub struct DataSourceOauth {
    /// The row.
    pub id: Uuid,
    /// What the source is called with.
    pub access_token: String,
    /// `notion`.
    pub provider: String,
    /// `{workspace_name, workspace_icon, workspace_id, pages, total}`.
    pub source_info: Value,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// Whether it is switched off.
    pub disabled: bool,
}

/// The workspace's connections that are switched on, oldest first.
#[tracing::instrument(name = "db.data_source_oauth.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    tenant: TenantId,
    provider: &str,
) -> Result<Vec<DataSourceOauth>> {
    Ok(sqlx::query_as!(
        DataSourceOauth,
        r#"
        SELECT id, access_token, provider, source_info, created_at, coalesce(disabled, false) AS "disabled!"
        FROM data_source_oauth_bindings
        WHERE tenant_id = $1 AND provider = $2 AND disabled = false
        ORDER BY created_at, id
        "#,
        tenant as _,
        provider,
    )
    .fetch_all(db)
    .await?)
}

/// The connection, if it is `tenant`'s.
#[tracing::instrument(name = "db.data_source_oauth.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<DataSourceOauth>> {
    Ok(sqlx::query_as!(
        DataSourceOauth,
        r#"
        SELECT id, access_token, provider, source_info, created_at, coalesce(disabled, false) AS "disabled!"
        FROM data_source_oauth_bindings
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// Keeps a token with what it opens: a known token's row is renewed and switched on, else one is added.
#[tracing::instrument(name = "db.data_source_oauth.save", skip_all, err)]
#[boxed]
pub async fn save(
    db: &mut PgConnection,
    tenant: TenantId,
    provider: &str,
    access_token: &str,
    source_info: &Value,
) -> Result<()> {
    let known = sqlx::query!(
        r#"
        UPDATE data_source_oauth_bindings
        SET source_info = $4, disabled = false, updated_at = CURRENT_TIMESTAMP
        WHERE tenant_id = $1 AND provider = $2 AND access_token = $3
        "#,
        tenant as _,
        provider,
        access_token,
        source_info,
    )
    .execute(&mut *db)
    .await?;
    if 0 < known.rows_affected() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO data_source_oauth_bindings (id, tenant_id, access_token, provider, source_info, disabled)
        VALUES ($1, $2, $3, $4, $5, false)
        "#,
        Uuid::new_v4(),
        tenant as _,
        access_token,
        provider,
        source_info,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes what a connection opens now.
#[tracing::instrument(name = "db.data_source_oauth.set_source_info", skip_all, err)]
#[boxed]
pub async fn set_source_info(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    source_info: &Value,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE data_source_oauth_bindings
        SET source_info = $3, disabled = false, updated_at = CURRENT_TIMESTAMP
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        source_info,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Switches a connection on or off.
#[tracing::instrument(name = "db.data_source_oauth.set_disabled", skip_all, err)]
#[boxed]
pub async fn set_disabled(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    disabled: bool,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE data_source_oauth_bindings
        SET disabled = $3, updated_at = CURRENT_TIMESTAMP
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        disabled,
    )
    .execute(db)
    .await?;
    Ok(())
}
