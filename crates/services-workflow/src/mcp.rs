//! An app as an MCP server: found by its code, it offers one tool, which runs the app.

use app_engine::{
    AppEvent, Item,
    basic::{Caller, InvokeFrom},
};
use boxed::boxed;
use db::{app::App, app_mcp_server::AppMcpServer, end_user::EndUser};
use mcp::server::{self, Call, INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, Refusal};
use serde_json::{Map, Value};
use services_conversation::{
    Engine,
    generate::{self, Ask},
};
use services_core::{Ctx, Failure, Fault};

use crate::run::{RunFailure, RunRequest, Runner, Runs, outcome, select};

/// An app that is offered, and its form.
#[derive(Debug, Clone)]
pub struct Offered {
    server: AppMcpServer,
    app: App,
    form: Vec<Value>,
}

/// Why a code opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    /// No such code, or its app is gone.
    #[error("{0}")]
    NotFound(&'static str),
    /// Switched off.
    #[error("Server is not active")]
    Inactive,
    /// The app was never configured or published.
    #[error("App is unavailable")]
    Unavailable,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for McpError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for McpError {
    fn status(&self) -> u16 {
        match self {
            Self::NotFound(_) => 404,
            Self::Inactive => 403,
            Self::Unavailable => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Inactive => "forbidden",
            Self::Unavailable => "app_unavailable",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// The app behind a code. The code is the credential: nothing else names the workspace.
///
/// # Errors
/// [`McpError`].
#[boxed]
pub async fn find(ctx: &Ctx, code: &str) -> Result<Offered, McpError> {
    let (server, app) = {
        let mut conn = ctx.db.acquire().await?;
        let server = db::app_mcp_server::find_by_code(&mut conn, code).await?;
        let server = server.ok_or(McpError::NotFound("Server Not Found"))?;
        let app = db::app::find(&mut conn, server.tenant_id, server.app_id).await?;
        (server, app.ok_or(McpError::NotFound("App Not Found"))?)
    };
    if server.status != "active" {
        return Err(McpError::Inactive);
    }
    let parameters = services_app::parameters::of(ctx, &app).await.map_err(|err| {
        if err.status() < 500 {
            McpError::Unavailable
        } else {
            Fault::caused("an app's form cannot be read", err).into()
        }
    })?;
    let form = parameters.get("user_input_form").and_then(Value::as_array).cloned();
    Ok(Offered { server, app, form: form.unwrap_or_default() })
}

/// The answer to a call.
///
/// # Errors
/// The refusal to be sent instead.
#[tracing::instrument(skip_all, fields(app.id = %offered.app.id))]
#[boxed]
pub async fn answer(
    runs: &Runs,
    engine: &Engine,
    offered: Offered,
    call: Call,
) -> Result<Value, Refusal> {
    let Offered { server, app, form } = offered;
    match call {
        Call::Ping => Ok(Value::Object(Map::new())),
        Call::Initialize { client } => {
            greet(&runs.ctx, &server, &client).await.map_err(internal)?;
            Ok(server::initialized(types::DIFY_VERSION, &server.description))
        }
        Call::ListTools => {
            let descriptions: Map<String, Value> =
                serde_json::from_str(&server.parameters).unwrap_or_default();
            let asks = !["completion", "workflow"].contains(&app.mode.as_str());
            let schema = server::input_schema(&form, &descriptions, asks);
            Ok(server::tools(&app.name, &server.description, &schema))
        }
        Call::CallTool { arguments } => {
            let user = user(&runs.ctx, &server).await.map_err(internal)?;
            let user = user.ok_or_else(|| Refusal::new(INVALID_PARAMS, "End user not found"))?;
            let text = if app.mode == "workflow" {
                run(runs, app, &user, arguments).await?
            } else {
                ask(engine, app, &user, arguments).await?
            };
            Ok(server::text_result(&text))
        }
    }
}

/// Makes the end user calls are made for, at the first client's first word.
async fn greet(ctx: &Ctx, server: &AppMcpServer, client: &str) -> Result<(), Fault> {
    let mut tx = ctx.db.begin().await?;
    let (tenant, app) = (server.tenant_id, server.app_id);
    db::end_user::lock_session(&mut tx, tenant, &server.id.to_string()).await?;
    db::end_user::insert_of_mcp_server(&mut tx, tenant, app, server.id, client).await?;
    Ok(tx.commit().await?)
}

async fn user(ctx: &Ctx, server: &AppMcpServer) -> Result<Option<EndUser>, Fault> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::end_user::find_of_mcp_server(&mut conn, server.tenant_id, server.id).await?)
}

async fn run(
    runs: &Runs,
    app: App,
    user: &EndUser,
    inputs: Map<String, Value>,
) -> Result<String, Refusal> {
    let workflow = select::published(&runs.ctx, &app, None).await.map_err(not_run)?;
    let request = RunRequest {
        app,
        workflow,
        runner: Runner::EndUser { id: user.id.0, session_id: user.session_id.clone() },
        invoke_from: graph::InvokeFrom::ServiceApi,
        triggered_from: "app-run",
        inputs,
        files: Vec::new(),
        root: None,
        run_id: None,
        call_depth: 0,
    };
    let started = runs.start(request).await.map_err(not_run)?;
    let end = outcome::end(&started).await;
    let end = end.ok_or_else(|| internal(Fault::Other("a run broke off".to_owned())))?;
    let outputs = end.get("outputs").unwrap_or(&Value::Null);
    types::pyjson::dumps_utf8(outputs)
        .map_err(|err| internal(Fault::caused("outputs do not serialise", err)))
}

async fn ask(
    engine: &Engine,
    app: App,
    user: &EndUser,
    mut inputs: Map<String, Value>,
) -> Result<String, Refusal> {
    let is_agent = app.mode == "agent-chat";
    let query = if app.mode == "completion" { None } else { inputs.remove("query") };
    let query = match query {
        None => String::new(),
        Some(Value::String(text)) => text,
        Some(_) => return Err(Refusal::new(INVALID_PARAMS, "query must be a string")),
    };
    let ask = Ask {
        inputs,
        query,
        stream: is_agent,
        ..Ask::new(app, Caller::EndUser(user.id), InvokeFrom::ServiceApi)
    };
    let started = generate::start(engine, ask).await.map_err(|err| refused(&err))?;
    if !is_agent {
        let answered = started.answered.await;
        let answered = answered
            .map_err(|_| internal(Fault::Other("a run ended without a word".to_owned())))?;
        return answered.map(|it| it.answer).map_err(|err| {
            if err.status < 500 {
                Refusal::new(INVALID_PARAMS, err.message)
            } else {
                Refusal::new(INTERNAL_ERROR, format!("Internal server error: {}", err.message))
            }
        });
    }
    // Of an agent clients hear what it thought.
    let mut thoughts = String::new();
    let mut reader = started.run.log.reader(0);
    while let Some((_, item)) = reader.next().await {
        if let Item::Event(event) = &item
            && let AppEvent::AgentThought(thought) = &**event
        {
            thoughts.push_str(&thought.thought);
        }
    }
    Ok(thoughts)
}

fn not_run(err: RunFailure) -> Refusal {
    match err {
        RunFailure::Fault(fault) => internal(fault),
        other => refused(&other),
    }
}

/// Values that cannot be used are the caller's mistake; of other refusals the reference says that they are its own.
fn refused<E: Failure>(err: &E) -> Refusal {
    match err.code() {
        "invalid_param" => Refusal::new(INVALID_PARAMS, err.to_string()),
        "app_unavailable" => Refusal::new(INVALID_REQUEST, "App is unavailable"),
        _ if err.status() < 500 => {
            Refusal::new(INTERNAL_ERROR, format!("Internal server error: {err}"))
        }
        _ => {
            tracing::error!(error = %err, "a tool call failed");
            Refusal::new(INTERNAL_ERROR, "Internal server error")
        }
    }
}

fn internal(fault: Fault) -> Refusal {
    refused(&fault)
}
