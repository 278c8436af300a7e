//! Keeping servers, and finding out what they offer.

use boxed::boxed;
use crypto::mask;
use db::tool_mcp_provider::{self, McpContent as Row, McpProvider};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use types::{AccountId, TenantId, pyjson};
use url::Url;
use uuid::Uuid;

use super::{
    auth::SignIn,
    client::{McpError, Target},
    row::{Server, icon},
    write::{Sealed, kept_headers, plain_headers},
};
use crate::{
    ToolError,
    builtin::Tools,
    view::{McpTimes, ProviderView},
};

mod ask;

use ask::Question;

/// What stands for an address that stays.
const UNCHANGED: &str = "******";
const NO_TOOLS: &str = "[]";
const NO_CREDENTIALS: &str = "{}";

/// What a user says of a server.
#[derive(Debug, Clone)]
pub struct McpContent {
    /// Its address; masked, if it stays.
    pub server_url: String,
    /// The name people see.
    pub name: String,
    /// An emoji, or the id of a picture.
    pub icon: String,
    /// `emoji` or another.
    pub icon_type: String,
    /// Colour behind an emoji.
    pub icon_background: String,
    /// The name apps use.
    pub server_identifier: String,
    /// Headers to send along; masked values stay.
    pub headers: Map<String, Value>,
    /// How long to wait.
    pub times: McpTimes,
    /// The OAuth client, if the user registered one.
    pub client: Option<McpClient>,
}

/// An OAuth client that a user registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpClient {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: Option<String>,
}

fn not_found() -> ToolError {
    ToolError::invalid("MCP tool not found")
}

fn exists(name: &str) -> ToolError {
    ToolError::Invalid(format!("MCP tool {name} already exists"))
}

fn hash(url: &str) -> String {
    Sha256::digest(url).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check_url(url: &str) -> Result<(), ToolError> {
    match Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err(ToolError::invalid("Server URL is not valid.")),
    }
}

/// What a server said when it was asked for the first time.
struct Met {
    authed: bool,
    tools: String,
}

impl Tools {
    /// Keeps a server, and its tools if it lets us in.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for an address that is none, and for a name, an address or an identifier that is taken.
    #[boxed]
    pub async fn create_mcp(
        &self,
        tenant: TenantId,
        user: AccountId,
        content: McpContent,
    ) -> Result<ProviderView, ToolError> {
        check_url(&content.server_url)?;
        let url_hash = hash(&content.server_url);
        {
            let mut conn = self.ctx.db.acquire().await?;
            self.check_alike(&mut conn, tenant, &content, &url_hash, None).await?;
        }
        let target = Target {
            url: content.server_url.clone(),
            headers: plain_headers(&content.headers),
            timeout: content.times.timeout,
            sse_read_timeout: content.times.sse_read_timeout,
        };
        let sealed = Sealed::of(self, tenant, &content).await?;
        let id = {
            let mut conn = self.ctx.db.acquire().await?;
            let row = Row {
                name: &content.name,
                server_identifier: &content.server_identifier,
                server_url: &sealed.url,
                server_url_hash: &url_hash,
                icon: &sealed.icon,
                encrypted_credentials: sealed.credentials.as_deref(),
                encrypted_headers: sealed.headers.as_deref(),
                timeout: content.times.timeout,
                sse_read_timeout: content.times.sse_read_timeout,
                authed: false,
                tools: NO_TOOLS,
                now: self.ctx.now_naive(),
            };
            match tool_mcp_provider::insert(&mut conn, tenant, user, row).await {
                Ok(id) => id,
                Err(err) if err.is_unique_violation() => return Err(exists(&content.name)),
                Err(err) => return Err(err.into()),
            }
        };
        match self.meet(&target).await {
            Ok(met) => {
                let mut conn = self.ctx.db.acquire().await?;
                let (tools, now) = (Some(met.tools.as_str()), self.ctx.now_naive());
                tool_mcp_provider::note(&mut conn, tenant, id, met.authed, tools, None, now)
                    .await?;
            }
            Err(error) => tracing::info!(%error, "a new MCP server is kept without its tools"),
        }
        self.find_mcp(tenant, id).await
    }

    /// Changes a server. At a new address it is asked for its tools first.
    ///
    /// # Errors
    /// As [`Tools::create_mcp`], and if the new address does not answer.
    #[boxed]
    pub async fn update_mcp(
        &self,
        tenant: TenantId,
        id: Uuid,
        mut content: McpContent,
    ) -> Result<(), ToolError> {
        let known = self.mcp_server(tenant, id).await?;
        let mut url_hash = known.row.server_url_hash.clone();
        let mut met = None;
        // As it was shown, or as secrets are that stay.
        if content.server_url.contains(UNCHANGED) || content.server_url == mask::HIDDEN {
            content.server_url.clone_from(&known.url);
        } else {
            check_url(&content.server_url)?;
            url_hash = hash(&content.server_url);
            if url_hash != known.row.server_url_hash {
                let mut target = known.target(false);
                target.url.clone_from(&content.server_url);
                target.headers = plain_headers(&known.headers);
                met = Some(self.meet(&target).await.map_err(|err| {
                    ToolError::Invalid(format!("Failed to re-connect MCP server: {err}"))
                })?);
            }
        }
        content.headers = kept_headers(content.headers, &known);
        if let (Some(client), Some(masked)) = (&mut content.client, known.masked_client()) {
            let text = |name: &str| known.client()?.get(name)?.as_str().map(str::to_owned);
            if client.id == masked.client_id {
                client.id = text("client_id").unwrap_or_default();
            }
            if client.secret.is_some() && client.secret == masked.client_secret {
                client.secret = text("client_secret");
            }
        }
        let mut sealed = Sealed::of(self, tenant, &content).await?;
        if sealed.credentials.is_none() {
            sealed.credentials = match &met {
                Some(_) => Some(NO_CREDENTIALS.to_owned()),
                None => known.row.encrypted_credentials.clone(),
            };
        }
        let (authed, tools) = match met {
            Some(met) => (met.authed, met.tools),
            None => (known.row.authed, known.row.tools.clone()),
        };
        let mut tx = self.ctx.db.begin().await?;
        self.check_alike(&mut tx, tenant, &content, &url_hash, Some(id)).await?;
        let row = Row {
            name: &content.name,
            server_identifier: &content.server_identifier,
            server_url: &sealed.url,
            server_url_hash: &url_hash,
            icon: &sealed.icon,
            encrypted_credentials: sealed.credentials.as_deref(),
            encrypted_headers: sealed.headers.as_deref(),
            timeout: content.times.timeout,
            sse_read_timeout: content.times.sse_read_timeout,
            authed,
            tools: &tools,
            now: self.ctx.now_naive(),
        };
        match tool_mcp_provider::update(&mut tx, tenant, id, row).await {
            Ok(()) => {}
            Err(err) if err.is_unique_violation() => return Err(exists(&content.name)),
            Err(err) => return Err(err.into()),
        }
        tx.commit().await?;
        Ok(())
    }

    /// Forgets a server.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for one that is gone.
    #[boxed]
    pub async fn delete_mcp(&self, tenant: TenantId, id: Uuid) -> Result<(), ToolError> {
        let mut tx = self.ctx.db.begin().await?;
        tool_mcp_provider::find(&mut tx, tenant, id).await?.ok_or_else(not_found)?;
        tool_mcp_provider::delete(&mut tx, tenant, id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A server as the console shows it.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for one that is gone.
    #[boxed]
    pub async fn find_mcp(&self, tenant: TenantId, id: Uuid) -> Result<ProviderView, ToolError> {
        let server = self.mcp_server(tenant, id).await?;
        self.mcp_view(&server).await
    }

    /// Asks a server for its tools anew.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for one that is gone, that never let us in, or that does not answer.
    #[boxed]
    pub async fn refresh_mcp(&self, tenant: TenantId, id: Uuid) -> Result<ProviderView, ToolError> {
        let mut server = self.mcp_server(tenant, id).await?;
        if !server.row.authed {
            return Err(ToolError::invalid("Please auth the tool first"));
        }
        let tools = self.ask(tenant, &server, true, Question::List).await?;
        server.row.tools = pyjson::dumps(&tools)?;
        server.row.updated_at = self.ctx.now_naive();
        {
            let mut conn = self.ctx.db.acquire().await?;
            let (tools, now) = (Some(server.row.tools.as_str()), server.row.updated_at);
            tool_mcp_provider::note(&mut conn, tenant, id, true, tools, None, now).await?;
        }
        let mut view = self.mcp_view(&server).await?;
        // The reference puts it there in this answer alone.
        view.plugin_unique_identifier = Some(server.row.server_identifier.clone());
        Ok(view)
    }

    /// Connects to a server; signs in if it wants to know who asks.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if it does not let us in.
    #[boxed]
    pub async fn connect_mcp(&self, tenant: TenantId, id: Uuid) -> Result<SignIn, ToolError> {
        let server = self.mcp_server(tenant, id).await?;
        match server.target(true).check(&self.ctx.http).await {
            Ok(()) => {
                let now = self.ctx.now_naive();
                let mut conn = self.ctx.db.acquire().await?;
                tool_mcp_provider::note(&mut conn, tenant, id, true, None, None, now).await?;
                Ok(SignIn::Done)
            }
            Err(McpError::Unauthorized(challenge)) => {
                self.sign_in(tenant, &server, &challenge).await
            }
            Err(err) => {
                self.forget_mcp(tenant, id).await?;
                Err(ToolError::Invalid(format!("Failed to connect to MCP server: {err}")))
            }
        }
    }

    /// Forgets what let us into a server.
    pub(super) async fn forget_mcp(&self, tenant: TenantId, id: Uuid) -> Result<(), ToolError> {
        let (tools, none, now) = (Some(NO_TOOLS), Some(NO_CREDENTIALS), self.ctx.now_naive());
        let mut conn = self.ctx.db.acquire().await?;
        tool_mcp_provider::note(&mut conn, tenant, id, false, tools, none, now).await?;
        Ok(())
    }

    async fn mcp_row(&self, tenant: TenantId, identifier: &str) -> Result<McpProvider, ToolError> {
        let mut conn = self.ctx.db.acquire().await?;
        let row = tool_mcp_provider::find_by_identifier(&mut conn, tenant, identifier).await?;
        row.ok_or_else(|| ToolError::Invalid(format!("mcp provider {identifier} not found")))
    }

    async fn mcp_server(&self, tenant: TenantId, id: Uuid) -> Result<Server, ToolError> {
        let row = {
            let mut conn = self.ctx.db.acquire().await?;
            tool_mcp_provider::find(&mut conn, tenant, id).await?
        };
        Server::open(&self.ctx, tenant, row.ok_or_else(not_found)?).await
    }

    async fn mcp_view(&self, server: &Server) -> Result<ProviderView, ToolError> {
        let author = {
            let mut conn = self.ctx.db.acquire().await?;
            db::creator::accounts(&mut conn, &[server.row.user_id]).await?
        };
        let icon = icon(&self.ctx, server.row.icon.as_deref());
        Ok(server.view(icon, author.first().map(|it| it.name.as_str()), true))
    }

    async fn check_alike(
        &self,
        conn: &mut db::PgConnection,
        tenant: TenantId,
        content: &McpContent,
        url_hash: &str,
        besides: Option<Uuid>,
    ) -> Result<(), ToolError> {
        let (name, identifier) = (&content.name, &content.server_identifier);
        let alike =
            tool_mcp_provider::find_alike(conn, tenant, name, url_hash, identifier, besides);
        match alike.await? {
            None => Ok(()),
            Some(it) if it.name == *name => Err(exists(name)),
            Some(it) if it.server_url_hash == url_hash => {
                Err(ToolError::invalid("MCP tool with this server URL already exists"))
            }
            Some(_) => Err(exists(identifier)),
        }
    }

    /// Asks a server for its tools for the first time. One that wants to know who asks has none yet.
    async fn meet(&self, target: &Target) -> Result<Met, McpError> {
        match target.list_tools(&self.ctx.http).await {
            Ok(tools) => {
                let tools =
                    pyjson::dumps(&tools).map_err(|err| McpError::Connection(err.to_string()))?;
                Ok(Met { authed: true, tools })
            }
            Err(McpError::Unauthorized(_)) => Ok(Met { authed: false, tools: NO_TOOLS.to_owned() }),
            Err(err) => Err(err),
        }
    }
}
