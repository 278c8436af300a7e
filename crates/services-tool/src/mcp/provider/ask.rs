//! What servers offer, and calls of it.

use super::*;
use boxed::boxed;

/// What a server is asked.
#[derive(Clone, Copy)]
pub(super) enum Question<'a> {
    /// For its tools.
    List,
    /// To call one.
    Call(&'a str, &'a Map<String, Value>),
}

impl Tools {
    /// What a server says, after signing in again if its token ended.
    pub(super) async fn ask(
        &self,
        tenant: TenantId,
        server: &Server,
        with_token: bool,
        question: Question<'_>,
    ) -> Result<Value, ToolError> {
        let told =
            |err: McpError| ToolError::Invalid(format!("Failed to connect to MCP server: {err}"));
        match self.put(&server.target(with_token), question).await {
            Err(McpError::Unauthorized(challenge)) => {
                if self.sign_in(tenant, server, &challenge).await? != SignIn::Done {
                    return Err(told(McpError::Unauthorized(challenge)));
                }
                let server = self.mcp_server(tenant, server.row.id).await?;
                self.put(&server.target(true), question).await.map_err(told)
            }
            outcome => outcome.map_err(told),
        }
    }

    async fn put(&self, target: &Target, question: Question<'_>) -> Result<Value, McpError> {
        let http = &self.ctx.http;
        match question {
            Question::List => {
                let tools = target.list_tools(http).await?;
                Ok(Value::Array(tools.into_iter().map(Value::Object).collect()))
            }
            Question::Call(tool, arguments) => target.call_tool(http, tool, arguments).await,
        }
    }

    /// All servers of a workspace. `for_apps`: by the name apps use, without secrets.
    ///
    /// # Errors
    /// Faults of the ground.
    #[boxed]
    pub async fn mcp_views(
        &self,
        tenant: TenantId,
        for_apps: bool,
    ) -> Result<Vec<ProviderView>, ToolError> {
        let (rows, authors) = {
            let mut conn = self.ctx.db.acquire().await?;
            let rows = tool_mcp_provider::list(&mut conn, tenant).await?;
            let users: Vec<_> = rows.iter().map(|row| row.user_id).collect();
            let authors = db::creator::accounts(&mut conn, &users).await?;
            (rows, authors)
        };
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let author = authors.iter().find(|it| it.id.0 == row.user_id);
            let author = author.map(|it| it.name.as_str());
            let server = Server::open(&self.ctx, tenant, row).await?;
            let icon = icon(&self.ctx, server.row.icon.as_deref());
            let mut view = server.view(icon, author, !for_apps);
            if for_apps {
                view.id.clone_from(&server.row.server_identifier);
            }
            views.push(view);
        }
        Ok(views)
    }

    /// The tools of a server by the name apps use, as it told them.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if there is no such server.
    pub(crate) async fn mcp_tools(
        &self,
        tenant: TenantId,
        identifier: &str,
    ) -> Result<Vec<Map<String, Value>>, ToolError> {
        let row = self.mcp_row(tenant, identifier).await?;
        Ok(serde_json::from_str(&row.tools).unwrap_or_default())
    }

    /// Calls a tool of a server; the `result` of the protocol.
    ///
    /// # Errors
    /// What the server says instead.
    pub(crate) async fn call_mcp(
        &self,
        tenant: TenantId,
        identifier: &str,
        tool: &str,
        mut arguments: Map<String, Value>,
    ) -> Result<Value, ToolError> {
        let row = self.mcp_row(tenant, identifier).await?;
        let server = Server::open(&self.ctx, tenant, row).await?;
        arguments.retain(|_, value| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        });
        self.ask(tenant, &server, false, Question::Call(tool, &arguments)).await
    }
}
