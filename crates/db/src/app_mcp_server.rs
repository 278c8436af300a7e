//! `app_mcp_servers`: an app offered as an MCP server.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, TenantId};
use uuid::Uuid;

use crate::Result;

/// An app offered as an MCP server.
#[derive(Debug, Clone)]
pub struct AppMcpServer {
    /// The row.
    pub id: Uuid,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The app.
    pub app_id: AppId,
    /// The app's name when it was last saved.
    pub name: String,
    /// For the model that calls the tool.
    pub description: String,
    /// 16 letters and digits; the secret part of the URL.
    pub server_code: String,
    /// `normal`, `active` or `inactive`.
    pub status: String,
    /// JSON: description of each form field.
    pub parameters: String,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// When the row was last changed.
    pub updated_at: NaiveDateTime,
}

/// An MCP server that is about to be made.
#[derive(Debug, Clone)]
pub struct NewAppMcpServer<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// The app.
    pub app: AppId,
    /// The app's name.
    pub name: &'a str,
    /// For the model that calls the tool.
    pub description: &'a str,
    /// See [`AppMcpServer::server_code`].
    pub server_code: &'a str,
    /// See [`AppMcpServer::parameters`].
    pub parameters: &'a str,
    /// When.
    pub now: NaiveDateTime,
}

/// What an edit of an MCP server replaces.
#[derive(Debug, Clone)]
pub struct AppMcpServerChanges<'a> {
    /// The app's name.
    pub name: &'a str,
    /// For the model that calls the tool.
    pub description: &'a str,
    /// See [`AppMcpServer::parameters`].
    pub parameters: &'a str,
    /// Another status, if it changes.
    pub status: Option<&'a str>,
    /// When.
    pub now: NaiveDateTime,
}

/// The MCP server of an app.
#[tracing::instrument(name = "db.app_mcp_server.find_by_app", skip_all, err)]
#[boxed]
pub async fn find_by_app(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
) -> Result<Option<AppMcpServer>> {
    Ok(sqlx::query_as!(
        AppMcpServer,
        r#"
        SELECT id, tenant_id, app_id, name, description, server_code, status, parameters, created_at, updated_at
        FROM app_mcp_servers
        WHERE tenant_id = $1 AND app_id = $2
        "#,
        tenant as _,
        app as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The MCP server behind a code. The code is what a client holds.
#[tracing::instrument(name = "db.app_mcp_server.find_by_code", skip_all, err)]
#[boxed]
pub async fn find_by_code(db: &mut PgConnection, code: &str) -> Result<Option<AppMcpServer>> {
    Ok(sqlx::query_as!(
        AppMcpServer,
        r#"
        SELECT id, tenant_id, app_id, name, description, server_code, status, parameters, created_at, updated_at
        FROM app_mcp_servers
        WHERE server_code = $1
        "#,
        code,
    )
    .fetch_optional(db)
    .await?)
}

/// Makes an MCP server; one an app ([`crate::DbError::is_unique_violation`]).
#[tracing::instrument(name = "db.app_mcp_server.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: &NewAppMcpServer<'_>) -> Result<AppMcpServer> {
    Ok(sqlx::query_as!(
        AppMcpServer,
        r#"
        INSERT INTO app_mcp_servers (tenant_id, app_id, name, description, server_code, status, parameters, created_at,
                                     updated_at)
        VALUES ($1, $2, $3, $4, $5, 'active', $6, $7, $7)
        RETURNING id, tenant_id, app_id, name, description, server_code, status, parameters, created_at, updated_at
        "#,
        new.tenant as _,
        new.app as _,
        new.name,
        new.description,
        new.server_code,
        new.parameters,
        new.now,
    )
    .fetch_one(db)
    .await?)
}

/// Changes the MCP server `id` of an app.
#[tracing::instrument(name = "db.app_mcp_server.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    id: Uuid,
    changes: &AppMcpServerChanges<'_>,
) -> Result<Option<AppMcpServer>> {
    Ok(sqlx::query_as!(
        AppMcpServer,
        r#"
        UPDATE app_mcp_servers
        SET name = $4, description = $5, parameters = $6, status = coalesce($7, status), updated_at = $8
        WHERE tenant_id = $1 AND app_id = $2 AND id = $3
        RETURNING id, tenant_id, app_id, name, description, server_code, status, parameters, created_at, updated_at
        "#,
        tenant as _,
        app as _,
        id,
        changes.name,
        changes.description,
        changes.parameters,
        changes.status,
        changes.now,
    )
    .fetch_optional(db)
    .await?)
}

/// Gives the MCP server `id` of a workspace another code.
#[tracing::instrument(name = "db.app_mcp_server.set_code", skip_all, err)]
#[boxed]
pub async fn set_code(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    code: &str,
    now: NaiveDateTime,
) -> Result<Option<AppMcpServer>> {
    Ok(sqlx::query_as!(
        AppMcpServer,
        r#"
        UPDATE app_mcp_servers
        SET server_code = $3, updated_at = $4
        WHERE tenant_id = $1 AND id = $2
        RETURNING id, tenant_id, app_id, name, description, server_code, status, parameters, created_at, updated_at
        "#,
        tenant as _,
        id,
        code,
        now,
    )
    .fetch_optional(db)
    .await?)
}
