//! `tool_api_providers`: APIs that a workspace described as tools.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, TenantId};
use uuid::Uuid;

use crate::Result;

/// An API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiProvider {
    /// Id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its description as it was given.
    pub schema: String,
    /// `openapi`, `swagger`, `openai_plugin` or `openai_actions`.
    pub schema_type_str: String,
    /// Who made it.
    pub user_id: Uuid,
    /// JSON text: the calls that were read from the schema.
    pub tools_str: String,
    /// JSON text.
    pub icon: String,
    /// JSON text, secrets encrypted.
    pub credentials_str: String,
    /// What it is for.
    pub description: String,
    /// A link or text.
    pub privacy_policy: Option<String>,
    /// Shown to users.
    pub custom_disclaimer: String,
}

/// What a user says of an API; fields as in [`ApiProvider`].
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of ApiProvider")]
pub struct ApiContent<'a> {
    pub name: &'a str,
    pub schema: &'a str,
    pub schema_type: &'a str,
    pub tools: &'a str,
    pub icon: &'a str,
    pub credentials: &'a str,
    pub description: &'a str,
    pub privacy_policy: Option<&'a str>,
    pub custom_disclaimer: &'a str,
    pub now: NaiveDateTime,
}

/// The APIs of a workspace, oldest first.
#[tracing::instrument(name = "db.tool_api_provider.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<ApiProvider>> {
    Ok(sqlx::query_as!(
        ApiProvider,
        r#"
        SELECT id, name, schema, schema_type_str, user_id, tools_str, icon, credentials_str, description,
               privacy_policy, custom_disclaimer
        FROM tool_api_providers
        WHERE tenant_id = $1
        ORDER BY created_at, id
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// The API of a name.
#[tracing::instrument(name = "db.tool_api_provider.find_by_name", skip_all, err)]
#[boxed]
pub async fn find_by_name(
    db: &mut PgConnection,
    tenant: TenantId,
    name: &str,
) -> Result<Option<ApiProvider>> {
    Ok(sqlx::query_as!(
        ApiProvider,
        r#"
        SELECT id, name, schema, schema_type_str, user_id, tools_str, icon, credentials_str, description,
               privacy_policy, custom_disclaimer
        FROM tool_api_providers
        WHERE tenant_id = $1 AND name = $2
        "#,
        tenant as _,
        name,
    )
    .fetch_optional(db)
    .await?)
}

/// The API, if it is the workspace's.
#[tracing::instrument(name = "db.tool_api_provider.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<ApiProvider>> {
    Ok(sqlx::query_as!(
        ApiProvider,
        r#"
        SELECT id, name, schema, schema_type_str, user_id, tools_str, icon, credentials_str, description,
               privacy_policy, custom_disclaimer
        FROM tool_api_providers
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// Stores an API.
#[tracing::instrument(name = "db.tool_api_provider.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    tenant: TenantId,
    user: AccountId,
    new: ApiContent<'_>,
) -> Result<Uuid> {
    Ok(sqlx::query_scalar!(
        r#"
        INSERT INTO tool_api_providers
            (tenant_id, user_id, name, schema, schema_type_str, tools_str, icon, credentials_str, description,
             privacy_policy, custom_disclaimer, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
        RETURNING id
        "#,
        tenant as _,
        user as _,
        new.name,
        new.schema,
        new.schema_type,
        new.tools,
        new.icon,
        new.credentials,
        new.description,
        new.privacy_policy,
        new.custom_disclaimer,
        new.now,
    )
    .fetch_one(db)
    .await?)
}

/// Changes an API.
#[tracing::instrument(name = "db.tool_api_provider.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    new: ApiContent<'_>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE tool_api_providers
        SET name = $3, schema = $4, schema_type_str = $5, tools_str = $6, icon = $7, credentials_str = $8,
            description = $9, privacy_policy = $10, custom_disclaimer = $11, updated_at = $12
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        new.name,
        new.schema,
        new.schema_type,
        new.tools,
        new.icon,
        new.credentials,
        new.description,
        new.privacy_policy,
        new.custom_disclaimer,
        new.now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes an API.
#[tracing::instrument(name = "db.tool_api_provider.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<()> {
    sqlx::query!(
        "DELETE FROM tool_api_providers WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
    )
    .execute(db)
    .await?;
    Ok(())
}
