//! `end_users`: people (and programs) who use a published app.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, EndUserId, TenantId};

use crate::Result;

/// A user of a published app.
#[derive(Debug, Clone)]
pub struct EndUser {
    /// The user.
    pub id: EndUserId,
    /// The app's workspace.
    pub tenant_id: TenantId,
    /// The app; `None` for users a plugin brought.
    pub app_id: Option<AppId>,
    /// `service-api`, `browser`, `mcp`, `trigger` or `service_api`.
    pub r#type: String,
    /// The caller's own name for the user.
    pub external_user_id: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// Whether nobody named the user.
    pub is_anonymous: bool,
    /// What the user is found by.
    pub session_id: String,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// When the row was last changed.
    pub updated_at: NaiveDateTime,
}

/// What a new end user is made of.
#[derive(Debug, Clone, Copy)]
pub struct NewEndUser<'a> {
    /// The app's workspace.
    pub tenant: TenantId,
    /// The app.
    pub app: Option<AppId>,
    /// See [`EndUser::type`].
    pub kind: &'a str,
    /// See [`EndUser::external_user_id`].
    pub external_user: Option<&'a str>,
    /// See [`EndUser::is_anonymous`].
    pub is_anonymous: bool,
    /// See [`EndUser::session_id`].
    pub session: &'a str,
}

/// The end user with that id in `tenant`.
#[tracing::instrument(name = "db.end_user.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    id: EndUserId,
) -> Result<Option<EndUser>> {
    Ok(sqlx::query_as!(
        EndUser,
        r#"
        SELECT id, tenant_id, app_id, type, external_user_id, name, is_anonymous, session_id, created_at, updated_at
        FROM end_users
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The end user of an app with that session, one of type `kind` before one of another.
#[tracing::instrument(name = "db.end_user.find_by_session", skip_all, err)]
#[boxed]
pub async fn find_by_session(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    session: &str,
    kind: &str,
) -> Result<Option<EndUser>> {
    Ok(sqlx::query_as!(
        EndUser,
        r#"
        SELECT id, tenant_id, app_id, type, external_user_id, name, is_anonymous, session_id, created_at, updated_at
        FROM end_users
        WHERE tenant_id = $1 AND app_id = $2 AND session_id = $3
        ORDER BY (type = $4) DESC, created_at, id
        LIMIT 1
        "#,
        tenant as _,
        app as _,
        session,
        kind,
    )
    .fetch_optional(db)
    .await?)
}

/// Changes an end user's type.
#[tracing::instrument(name = "db.end_user.set_type", skip_all, err)]
#[boxed]
pub async fn set_type(
    db: &mut PgConnection,
    tenant: TenantId,
    id: EndUserId,
    kind: &str,
) -> Result<()> {
    sqlx::query!(
        "UPDATE end_users SET type = $3, updated_at = CURRENT_TIMESTAMP(0) WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id as _,
        kind,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lets one transaction at a time make the user with a session, until it ends: the table has no key that would stop two.
#[tracing::instrument(name = "db.end_user.lock_session", skip_all, err)]
#[boxed]
pub async fn lock_session(db: &mut PgConnection, tenant: TenantId, session: &str) -> Result<()> {
    crate::lock::hold(db, &format!("end_user:{tenant}:{session}")).await
}

/// Adds an end user.
#[tracing::instrument(name = "db.end_user.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewEndUser<'_>) -> Result<EndUser> {
    Ok(sqlx::query_as!(
        EndUser,
        r#"
        INSERT INTO end_users (id, tenant_id, app_id, type, external_user_id, is_anonymous, session_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        RETURNING id, tenant_id, app_id, type, external_user_id, name, is_anonymous, session_id, created_at, updated_at
        "#,
        EndUserId::random() as _,
        new.tenant as _,
        new.app as _,
        new.kind,
        new.external_user,
        new.is_anonymous,
        new.session,
    )
    .fetch_one(db)
    .await?)
}

/// The end user that stands for an MCP server.
#[tracing::instrument(name = "db.end_user.find_of_mcp_server", skip_all, err)]
#[boxed]
pub async fn find_of_mcp_server(
    db: &mut PgConnection,
    tenant: TenantId,
    server: uuid::Uuid,
) -> Result<Option<EndUser>> {
    Ok(sqlx::query_as!(
        EndUser,
        r#"
        SELECT id, tenant_id, app_id, type, external_user_id, name, is_anonymous, session_id, created_at, updated_at
        FROM end_users
        WHERE tenant_id = $1 AND session_id = $2 AND type = 'mcp'
        LIMIT 1
        "#,
        tenant as _,
        server.to_string(),
    )
    .fetch_optional(db)
    .await?)
}

/// Adds the end user that stands for an MCP server, named after its client, unless there is one.
#[tracing::instrument(name = "db.end_user.insert_of_mcp_server", skip_all, err)]
#[boxed]
pub async fn insert_of_mcp_server(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    server: uuid::Uuid,
    client: &str,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO end_users (id, tenant_id, app_id, type, name, is_anonymous, session_id)
        SELECT $1, $2, $3, 'mcp', left($5::text, 255), true, $4::text
        WHERE NOT EXISTS (SELECT 1 FROM end_users WHERE tenant_id = $2 AND session_id = $4::text AND type = 'mcp')
        "#,
        EndUserId::random() as _,
        tenant as _,
        app as _,
        server.to_string(),
        client,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The end user with that id in an app.
#[tracing::instrument(name = "db.end_user.find_of_app", skip_all, err)]
#[boxed]
pub async fn find_of_app(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    id: EndUserId,
) -> Result<Option<EndUser>> {
    Ok(sqlx::query_as!(
        EndUser,
        r#"
        SELECT id, tenant_id, app_id, type, external_user_id, name, is_anonymous, session_id, created_at, updated_at
        FROM end_users
        WHERE tenant_id = $1 AND app_id = $2 AND id = $3
        "#,
        tenant as _,
        app as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The end user of a workspace with that session, of whatever app and type; the oldest of several.
#[tracing::instrument(name = "db.end_user.find_in_tenant", skip_all, err)]
#[boxed]
pub async fn find_in_tenant(
    db: &mut PgConnection,
    tenant: TenantId,
    session: &str,
) -> Result<Option<EndUser>> {
    Ok(sqlx::query_as!(
        EndUser,
        r#"
        SELECT id, tenant_id, app_id, type, external_user_id, name, is_anonymous, session_id, created_at, updated_at
        FROM end_users
        WHERE tenant_id = $1 AND session_id = $2
        ORDER BY created_at, id
        LIMIT 1
        "#,
        tenant as _,
        session,
    )
    .fetch_optional(db)
    .await?)
}
