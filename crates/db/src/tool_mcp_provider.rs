//! `tool_mcp_providers`: MCP servers that a workspace uses.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, TenantId};
use uuid::Uuid;

use crate::Result;

/// An MCP server.
#[derive(Debug, Clone, PartialEq)]
pub struct McpProvider {
    /// Id.
    pub id: Uuid,
    /// The name people see.
    pub name: String,
    /// The name apps use.
    pub server_identifier: String,
    /// Its address, encrypted.
    pub server_url: String,
    /// SHA-256 of its address in hexadecimal digits.
    pub server_url_hash: String,
    /// JSON text `{content, background}`, or the id of a picture.
    pub icon: Option<String>,
    /// Who made it.
    pub user_id: Uuid,
    /// JSON text, its values encrypted: the client and the tokens of OAuth.
    pub encrypted_credentials: Option<String>,
    /// Whether it let us in.
    pub authed: bool,
    /// JSON text: its tools.
    pub tools: String,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// When it was last changed.
    pub updated_at: NaiveDateTime,
    /// Seconds to wait for an answer.
    pub timeout: f64,
    /// Seconds to wait for the next event.
    pub sse_read_timeout: f64,
    /// JSON text, its values encrypted: headers to send along.
    pub encrypted_headers: Option<String>,
}

/// What a user says of a server; fields as in [`McpProvider`].
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of McpProvider")]
pub struct McpContent<'a> {
    pub name: &'a str,
    pub server_identifier: &'a str,
    pub server_url: &'a str,
    pub server_url_hash: &'a str,
    pub icon: &'a str,
    pub encrypted_credentials: Option<&'a str>,
    pub encrypted_headers: Option<&'a str>,
    pub timeout: f64,
    pub sse_read_timeout: f64,
    pub authed: bool,
    pub tools: &'a str,
    pub now: NaiveDateTime,
}

/// The servers of a workspace by name.
#[tracing::instrument(name = "db.tool_mcp_provider.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<McpProvider>> {
    Ok(sqlx::query_as!(
        McpProvider,
        r#"
        SELECT id, name, server_identifier, server_url, server_url_hash, icon, user_id, encrypted_credentials, authed,
               tools, created_at, updated_at, timeout, sse_read_timeout, encrypted_headers
        FROM tool_mcp_providers
        WHERE tenant_id = $1
        ORDER BY name, id
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// The server, if it is the workspace's.
#[tracing::instrument(name = "db.tool_mcp_provider.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<McpProvider>> {
    Ok(sqlx::query_as!(
        McpProvider,
        r#"
        SELECT id, name, server_identifier, server_url, server_url_hash, icon, user_id, encrypted_credentials, authed,
               tools, created_at, updated_at, timeout, sse_read_timeout, encrypted_headers
        FROM tool_mcp_providers
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// The server that apps use by this name.
#[tracing::instrument(name = "db.tool_mcp_provider.find_by_identifier", skip_all, err)]
#[boxed]
pub async fn find_by_identifier(
    db: &mut PgConnection,
    tenant: TenantId,
    identifier: &str,
) -> Result<Option<McpProvider>> {
    Ok(sqlx::query_as!(
        McpProvider,
        r#"
        SELECT id, name, server_identifier, server_url, server_url_hash, icon, user_id, encrypted_credentials, authed,
               tools, created_at, updated_at, timeout, sse_read_timeout, encrypted_headers
        FROM tool_mcp_providers
        WHERE tenant_id = $1 AND server_identifier = $2
        "#,
        tenant as _,
        identifier,
    )
    .fetch_optional(db)
    .await?)
}

/// A server other than `besides` that has the name, the address or the identifier.
#[tracing::instrument(name = "db.tool_mcp_provider.find_alike", skip_all, err)]
#[boxed]
pub async fn find_alike(
    db: &mut PgConnection,
    tenant: TenantId,
    name: &str,
    server_url_hash: &str,
    identifier: &str,
    besides: Option<Uuid>,
) -> Result<Option<McpProvider>> {
    Ok(sqlx::query_as!(
        McpProvider,
        r#"
        SELECT id, name, server_identifier, server_url, server_url_hash, icon, user_id, encrypted_credentials, authed,
               tools, created_at, updated_at, timeout, sse_read_timeout, encrypted_headers
        FROM tool_mcp_providers
        WHERE tenant_id = $1 AND (name = $2 OR server_url_hash = $3 OR server_identifier = $4)
          AND ($5::uuid IS NULL OR id <> $5)
        ORDER BY (name = $2) DESC, (server_url_hash = $3) DESC
        LIMIT 1
        "#,
        tenant as _,
        name,
        server_url_hash,
        identifier,
        besides,
    )
    .fetch_optional(db)
    .await?)
}

/// Stores a server.
#[tracing::instrument(name = "db.tool_mcp_provider.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    tenant: TenantId,
    user: AccountId,
    new: McpContent<'_>,
) -> Result<Uuid> {
    Ok(sqlx::query_scalar!(
        r#"
        INSERT INTO tool_mcp_providers
            (tenant_id, user_id, name, server_identifier, server_url, server_url_hash, icon, encrypted_credentials,
             encrypted_headers, timeout, sse_read_timeout, authed, tools, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
        RETURNING id
        "#,
        tenant as _,
        user as _,
        new.name,
        new.server_identifier,
        new.server_url,
        new.server_url_hash,
        new.icon,
        new.encrypted_credentials,
        new.encrypted_headers,
        new.timeout,
        new.sse_read_timeout,
        new.authed,
        new.tools,
        new.now,
    )
    .fetch_one(db)
    .await?)
}

/// Changes a server.
#[tracing::instrument(name = "db.tool_mcp_provider.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    new: McpContent<'_>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE tool_mcp_providers
        SET name = $3, server_identifier = $4, server_url = $5, server_url_hash = $6, icon = $7,
            encrypted_credentials = $8, encrypted_headers = $9, timeout = $10, sse_read_timeout = $11, authed = $12,
            tools = $13, updated_at = $14
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        new.name,
        new.server_identifier,
        new.server_url,
        new.server_url_hash,
        new.icon,
        new.encrypted_credentials,
        new.encrypted_headers,
        new.timeout,
        new.sse_read_timeout,
        new.authed,
        new.tools,
        new.now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes whether the server let us in, and what it offers or needs from now on where that is given.
#[tracing::instrument(name = "db.tool_mcp_provider.note", skip_all, err)]
#[boxed]
pub async fn note(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    authed: bool,
    tools: Option<&str>,
    encrypted_credentials: Option<&str>,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE tool_mcp_providers
        SET authed = $3, tools = COALESCE($4, tools), encrypted_credentials = COALESCE($5, encrypted_credentials),
            updated_at = $6
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        authed,
        tools,
        encrypted_credentials,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes a server.
#[tracing::instrument(name = "db.tool_mcp_provider.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<()> {
    sqlx::query!(
        "DELETE FROM tool_mcp_providers WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
    )
    .execute(db)
    .await?;
    Ok(())
}
