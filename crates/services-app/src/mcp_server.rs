//! An app offered as an MCP server: its row.

use boxed::boxed;
use db::{
    app::App,
    app_mcp_server::{AppMcpServer, AppMcpServerChanges, NewAppMcpServer},
};
use services_core::{Ctx, Failure, Fault};
use types::{TenantId, pyjson};
use uuid::Uuid;

use crate::json::Object;

/// Letters of the secret part of a server's URL.
const CODE_LENGTH: usize = 16;

/// Why a use case on an MCP server has no result.
#[derive(Debug, thiserror::Error)]
pub enum McpServerError {
    /// There is no such server.
    #[error(
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling \
         and try again."
    )]
    NotFound,
    /// The app has one already.
    #[error("The app already has an MCP server.")]
    Exists,
    /// A value that cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for McpServerError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for McpServerError {
    fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Exists => 409,
            Self::Invalid(_) => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Exists => "conflict",
            Self::Invalid(_) => "invalid_param",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// What an edit replaces.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The server, as the client names it.
    pub id: String,
    /// For the model that calls the tool; empty = the app's description.
    pub description: Option<String>,
    /// Description of each form field.
    pub parameters: Object,
    /// `active`, `inactive` or `normal`.
    pub status: Option<String>,
}

/// The server of an app.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn find(ctx: &Ctx, app: &App) -> Result<Option<AppMcpServer>, McpServerError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::app_mcp_server::find_by_app(&mut conn, app.tenant_id, app.id).await?)
}

/// Offers an app as a server.
///
/// # Errors
/// [`McpServerError::Exists`].
#[boxed]
pub async fn create(
    ctx: &Ctx,
    app: &App,
    description: Option<&str>,
    parameters: &Object,
) -> Result<AppMcpServer, McpServerError> {
    let parameters = text(parameters)?;
    let new = NewAppMcpServer {
        tenant: app.tenant_id,
        app: app.id,
        name: &app.name,
        description: described(app, description),
        server_code: &crypto::token::alphanumeric(CODE_LENGTH),
        parameters: &parameters,
        now: ctx.now_naive(),
    };
    let mut conn = ctx.db.acquire().await?;
    db::app_mcp_server::insert(&mut conn, &new)
        .await
        .map_err(|err| if err.is_unique_violation() { McpServerError::Exists } else { err.into() })
}

/// Changes a server.
///
/// # Errors
/// [`McpServerError::NotFound`], [`McpServerError::Invalid`] for a status that is none.
#[boxed]
pub async fn update(ctx: &Ctx, app: &App, edit: Edit) -> Result<AppMcpServer, McpServerError> {
    let id: Uuid = edit.id.parse().map_err(|_| McpServerError::NotFound)?;
    let status = edit.status.as_deref().filter(|status| !status.is_empty());
    if status.is_some_and(|status| !["normal", "active", "inactive"].contains(&status)) {
        return Err(McpServerError::Invalid("Invalid status".to_owned()));
    }
    let parameters = text(&edit.parameters)?;
    let changes = AppMcpServerChanges {
        name: &app.name,
        description: described(app, edit.description.as_deref()),
        parameters: &parameters,
        status,
        now: ctx.now_naive(),
    };
    let mut conn = ctx.db.acquire().await?;
    db::app_mcp_server::update(&mut conn, app.tenant_id, app.id, id, &changes)
        .await?
        .ok_or(McpServerError::NotFound)
}

/// Gives a server another address.
///
/// # Errors
/// [`McpServerError::NotFound`].
#[boxed]
pub async fn refresh(
    ctx: &Ctx,
    tenant: TenantId,
    id: Uuid,
) -> Result<AppMcpServer, McpServerError> {
    let code = crypto::token::alphanumeric(CODE_LENGTH);
    let mut conn = ctx.db.acquire().await?;
    db::app_mcp_server::set_code(&mut conn, tenant, id, &code, ctx.now_naive())
        .await?
        .ok_or(McpServerError::NotFound)
}

fn described<'a>(app: &'a App, given: Option<&'a str>) -> &'a str {
    given.filter(|text| !text.is_empty()).unwrap_or(&app.description)
}

fn text(parameters: &Object) -> Result<String, Fault> {
    pyjson::dumps_utf8(parameters).map_err(|err| Fault::caused("parameters do not serialise", err))
}
