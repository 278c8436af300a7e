//! `/inner/api/invoke/app`, `/inner/api/fetch/app/info`

use std::sync::Arc;

use app_engine::{
    Run,
    basic::{self, Mode},
    wire::{Detail, Prefix, Writer},
};
use axum::{extract::State, response::Response};
use futures::{Stream, StreamExt, future, stream};
use http_core::{ApiError, AppState, ErrorBody, Json, Part};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use services_app::{
    app::{self, AppError},
    json::Object,
    parameters,
};
use services_conversation::{
    Engine,
    generate::{self, Ask, GenerateError},
};
use services_model::plugin_call::{self, Caller};
use services_workflow::run::{RunRequest, Runner, Runs, select};
use types::ConversationId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Outcome, PluginCall, framed};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(invoke_app)).routes(routes!(fetch_app_info))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestFetchAppInfo {
    app_id: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppInfo {
    /// Form and features, as the service API tells them.
    #[schema(value_type = Object)]
    data: Object,
}

/// Form and features of an app of the workspace.
#[utoipa::path(
    post,
    path = "/inner/api/fetch/app/info",
    tag = "plugin",
    request_body = RequestFetchAppInfo,
    responses((status = 200, body = Outcome<AppInfo>), (status = "4XX", body = ErrorBody)),
)]
async fn fetch_app_info(
    State(state): State<AppState>,
    call: PluginCall<RequestFetchAppInfo>,
) -> Result<Json<Outcome<AppInfo>>, ApiError> {
    let PluginCall { caller, body } = call;
    let app = find(&state, caller, &body.app_id).await?;
    let data = match parameters::of(&state.ctx, &app).await {
        Ok(data) => data,
        Err(AppError::Fault(fault)) => return Err(fault.into()),
        Err(_) => return Err(unexpected()),
    };
    Ok(Outcome::of(Ok::<_, std::convert::Infallible>(AppInfo { data })))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum ResponseMode {
    Blocking,
    Streaming,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeApp {
    app_id: String,
    /// Values of the app's form.
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
    /// The question, in chats.
    query: Option<String>,
    response_mode: ResponseMode,
    /// The conversation to go on in.
    conversation_id: Option<String>,
    /// Has no effect.
    #[serde(default, rename = "user")]
    _user: Option<String>,
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    files: Vec<Map<String, Value>>,
}

/// Run an app of the workspace. The answer is a stream of frames either way: its events, or the whole in one.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/app",
    tag = "plugin",
    request_body = RequestInvokeApp,
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_app(
    State(state): State<AppState>,
    engine: Part<Engine>,
    runs: Part<Runs>,
    call: PluginCall<RequestInvokeApp>,
) -> Result<Response, ApiError> {
    let PluginCall { caller, body } = call;
    let app = find(&state, caller, &body.app_id).await?;
    let streams = body.response_mode == ResponseMode::Streaming;
    let mode = app.mode.clone();
    let (run, writer) = match mode.as_str() {
        "workflow" => start_workflow(&runs, app, caller, body).await?,
        "chat" | "agent-chat" | "advanced-chat" | "completion" => {
            start_chat(&engine, app, caller, body, streams).await?
        }
        _ => return Err(unexpected()),
    };
    let told = events(run, writer).map(Ok::<_, std::convert::Infallible>);
    if streams {
        return Ok(framed(told));
    }
    let whole = Whole::of(told, &mode).await?;
    Ok(framed(stream::once(future::ready(Ok::<_, std::convert::Infallible>(whole)))))
}

async fn find(
    state: &AppState,
    caller: Caller,
    id: &str,
) -> Result<services_account::App, ApiError> {
    let unknown = || ApiError::invalid_param("app not found");
    let id = id.parse().map_err(|_| unknown())?;
    match app::find(&state.ctx, caller.tenant, id).await {
        Ok(app) => Ok(app),
        Err(AppError::Fault(fault)) => Err(fault.into()),
        Err(_) => Err(unknown()),
    }
}

fn unexpected() -> ApiError {
    ApiError::invalid_param("unexpected app type")
}

async fn start_chat(
    engine: &Engine,
    app: services_account::App,
    caller: Caller,
    body: RequestInvokeApp,
    streams: bool,
) -> Result<(Arc<Run>, Writer), ApiError> {
    let query = body.query.unwrap_or_default();
    if query.is_empty() && app.mode != Mode::Completion.as_str() {
        return Err(ApiError::invalid_param("missing query"));
    }
    let conversation = body.conversation_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
    let conversation =
        conversation
            .map(|id| Uuid::parse_str(id).map(ConversationId))
            .transpose()
            .map_err(|_| ApiError::invalid_param("conversation_id must be a valid UUID"))?;
    let who = basic::Caller::EndUser(caller.user);
    // What is told in one piece is put together from the stream; agents are not told so.
    let streams = streams || app.mode != Mode::Agent.as_str();
    let ask = Ask {
        inputs: body.inputs,
        query,
        files: body.files,
        conversation,
        stream: streams,
        ..Ask::new(app, who, basic::InvokeFrom::ServiceApi)
    };
    let started = generate::start(engine, ask).await.map_err(|err| match err {
        // Without a word, as the reference's error has none.
        GenerateError::NoConversation => ApiError::invalid_param(""),
        err => err.into(),
    })?;
    let writer = Writer {
        prefix: started.prefix(),
        task_id: started.run.task.to_string(),
        detail: Detail::Full,
    };
    Ok((started.run, writer))
}

async fn start_workflow(
    runs: &Runs,
    app: services_account::App,
    caller: Caller,
    body: RequestInvokeApp,
) -> Result<(Arc<Run>, Writer), ApiError> {
    let workflow = select::published(&runs.ctx, &app, None).await?;
    let request = RunRequest {
        app,
        workflow,
        runner: Runner::EndUser {
            id: caller.user.0,
            session_id: plugin_call::session(&runs.ctx, caller).await?,
        },
        invoke_from: graph::InvokeFrom::ServiceApi,
        triggered_from: "app-run",
        inputs: body.inputs,
        files: body.files.into_iter().map(Value::Object).collect(),
        root: None,
        run_id: None,
        // An app that runs itself through a plugin comes to an end.
        call_depth: 1,
    };
    let started = runs.start(request).await?;
    let writer = Writer {
        prefix: Prefix::Workflow { workflow_run_id: started.run_id.to_string() },
        task_id: started.run.task.to_string(),
        detail: Detail::Full,
    };
    Ok((started.run, writer))
}

/// The events of a run from its first to its last.
fn events(run: Arc<Run>, writer: Writer) -> impl Stream<Item = Map<String, Value>> + Send {
    let is_workflow = matches!(writer.prefix, Prefix::Workflow { .. });
    let reader = run.log.reader(0);
    stream::unfold((reader, writer, false), move |(mut reader, writer, over)| async move {
        if over {
            return None;
        }
        let (_, item) = reader.next().await?;
        let event = writer.event(&item);
        let name = event.get("event").and_then(Value::as_str).unwrap_or_default();
        let over = is_workflow && matches!(name, "workflow_finished" | "workflow_paused" | "error");
        Some((event, (reader, writer, over)))
    })
}

/// A run told in one piece.
#[derive(Debug, Default)]
struct Whole {
    answer: String,
    last: Map<String, Value>,
}

impl Whole {
    async fn of<E: std::fmt::Debug>(
        told: impl Stream<Item = Result<Map<String, Value>, E>>,
        mode: &str,
    ) -> Result<Map<String, Value>, ApiError> {
        let mut whole = Self::default();
        let mut told = std::pin::pin!(told);
        while let Some(Ok(event)) = told.next().await {
            whole.take(event)?;
        }
        Ok(whole.end(mode))
    }

    fn take(&mut self, mut event: Map<String, Value>) -> Result<(), ApiError> {
        let text = |event: &Map<String, Value>, name: &str| {
            event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        match text(&event, "event").as_str() {
            "message" | "agent_message" => self.answer.push_str(&text(&event, "answer")),
            "message_replace" => self.answer = text(&event, "answer"),
            "message_end" => self.last = event,
            "workflow_finished" | "workflow_paused" if self.last.is_empty() => {
                event.remove("event");
                self.last = event;
            }
            "error" => return Err(ApiError::invalid_param(text(&event, "message"))),
            _ => {}
        }
        Ok(())
    }

    fn end(self, mode: &str) -> Map<String, Value> {
        let Self { answer, mut last } = self;
        if mode == "workflow" {
            return last;
        }
        last.remove("files");
        last.insert("event".to_owned(), json!("message"));
        last.insert("mode".to_owned(), json!(mode));
        last.insert("answer".to_owned(), json!(answer));
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(mode: &str, told: &[Value]) -> Result<Map<String, Value>, ApiError> {
        let mut whole = Whole::default();
        for event in told {
            whole.take(event.as_object().unwrap().clone())?;
        }
        Ok(whole.end(mode))
    }

    #[test]
    fn a_chat_is_its_text_and_what_ends_it() {
        let told = [
            json!({"event": "message", "answer": "Hel"}),
            json!({"event": "message", "answer": "lo"}),
            json!({"event": "message_end", "id": "m", "metadata": {"usage": {}}}),
        ];
        let found = whole("chat", &told).unwrap();
        let wanted = json!({"event": "message", "id": "m", "metadata": {"usage": {}}, "mode": "chat", "answer": "Hello"});
        assert_eq!(Value::Object(found), wanted);
    }

    #[test]
    fn a_workflow_is_its_end_and_an_error_is_a_refusal() {
        let told = [
            json!({"event": "workflow_started", "data": {}}),
            json!({"event": "workflow_finished", "task_id": "t", "data": {"outputs": {"a": 1}}}),
        ];
        let found = whole("workflow", &told).unwrap();
        assert_eq!(Value::Object(found), json!({"task_id": "t", "data": {"outputs": {"a": 1}}}));
        let refused =
            whole("chat", &[json!({"event": "error", "message": "no model"})]).unwrap_err();
        assert_eq!(refused.message(), "no model");
    }
}
