//! `/inner/api/invoke/tool`, `summary`, `parameter-extractor`, `question-classifier`

use axum::response::Response;
use futures::StreamExt;
use graph::{InvokeFrom, UserFrom};
use http_core::{ApiError, AppState, ErrorBody, Json, Part, validation::JsonObject};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use services_model::plugin_call::Caller as Plugin;
use services_tool::{
    ToolError, Tools,
    call::{CallError, Caller, Wanted, argument, message},
    inner_node::{NODE, NodeDone},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Outcome, PluginCall, framed};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(invoke_tool))
        .routes(routes!(invoke_summary))
        .routes(routes!(invoke_parameter_extractor))
        .routes(routes!(invoke_question_classifier))
}

/// On whose behalf the plugin's wish is done.
fn on_behalf<'a>(plugin: &Plugin, user: &'a str) -> Caller<'a> {
    Caller {
        tenant: plugin.tenant,
        user,
        user_from: UserFrom::EndUser,
        app: None,
        conversation: None,
        message: None,
        invoke_from: InvokeFrom::ServiceApi,
        call_depth: 1,
    }
}

/// A kind of tools.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum ToolKind {
    Builtin,
    Workflow,
    Api,
    Mcp,
}

impl ToolKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Workflow => "workflow",
            Self::Api => "api",
            Self::Mcp => "mcp",
        }
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeTool {
    #[schema(inline)]
    tool_type: ToolKind,
    provider: String,
    tool: String,
    #[schema(value_type = Object)]
    tool_parameters: JsonObject,
    #[serde(default)]
    credential_id: Option<String>,
}

/// Call a tool. The answer is a stream of frames.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/tool",
    tag = "plugin",
    request_body = RequestInvokeTool,
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_tool(
    Part(tools): Part<Tools>,
    call: PluginCall<RequestInvokeTool>,
) -> Result<Response, ApiError> {
    let PluginCall { caller: plugin, body } = call;
    let user = plugin.user.to_string();
    let wanted = Wanted {
        kind: body.tool_type.as_str(),
        provider: &body.provider,
        tool: &body.tool,
        credential: body.credential_id.as_deref(),
    };
    let ready = tools.ready(&on_behalf(&plugin, &user), wanted).await?;
    let given = graph::Value::from_json(Value::Object(body.tool_parameters));
    let given = given.as_object().cloned().unwrap_or_default();
    let mut given_and_set = given;
    for parameter in ready.parameters.iter().filter(|it| it.form == "form") {
        let value = given_and_set.get(&parameter.name).map(|it| it.to_json(&graph::NoUrls));
        let value = argument::of_form(parameter, value.as_ref())?;
        given_and_set.insert(parameter.name.clone(), value);
    }
    let arguments = argument::cast(&ready.parameters, &given_and_set)?;
    let tools = Tools::clone(&tools);
    let messages = async_stream::stream! {
        let caller = on_behalf(&plugin, &user);
        let mut speech = match tools.call(&caller, &ready, arguments).await {
            Ok(speech) => speech,
            Err(err) => {
                yield Err(err);
                return;
            }
        };
        while let Some(said) = speech.next().await {
            let kept = match said {
                Ok(said) => tools.keep(&caller, said).await.map_err(ToolError::from),
                Err(err) => {
                    yield Err(err);
                    return;
                }
            };
            yield kept.map(|kept| message::for_plugin(&kept)).map_err(CallError::from);
        }
    };
    Ok(framed(messages))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeSummary {
    text: String,
    instruction: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Summary {
    summary: String,
}

/// Shorten a text, if it is too long for the workspace's default model.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/summary",
    tag = "plugin",
    request_body = RequestInvokeSummary,
    responses((status = 200, body = Outcome<Summary>), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_summary(
    Part(tools): Part<Tools>,
    call: PluginCall<RequestInvokeSummary>,
) -> Json<Outcome<Summary>> {
    let PluginCall { caller, body } = call;
    let user = caller.user.to_string();
    let summary = tools.summary(caller.tenant, &user, &body.text, &body.instruction).await;
    Outcome::of(summary.map(|summary| Summary { summary }))
}

/// What a node did.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct NodeRun {
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
    #[schema(value_type = Object)]
    outputs: Map<String, Value>,
    #[schema(value_type = Object)]
    process_data: Map<String, Value>,
}

impl From<NodeDone> for NodeRun {
    fn from(done: NodeDone) -> Self {
        let NodeDone { inputs, outputs, process_data } = done;
        Self { inputs, outputs, process_data }
    }
}

async fn node(
    tools: &Tools,
    plugin: Plugin,
    kind: &str,
    data: Value,
    query: &str,
) -> Json<Outcome<NodeRun>> {
    let user = plugin.user.to_string();
    let Value::Object(data) = data else { return Outcome::of(Err("no settings")) };
    let done = tools.run_node(&on_behalf(&plugin, &user), kind, data, query).await;
    Outcome::of(done.map(NodeRun::from))
}

/// A value to find in a text.
#[derive(Debug, Deserialize, Serialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ExtractedParameter {
    #[garde(custom(check_parameter_name))]
    name: String,
    r#type: String,
    #[serde(default)]
    options: Option<Vec<String>>,
    description: String,
    required: bool,
}

fn check_parameter_name(name: &str, (): &()) -> garde::Result {
    match name {
        "" => Err(garde::Error::new("Parameter name is required")),
        "__reason" | "__is_success" => {
            Err(garde::Error::new("Invalid parameter name, __reason and __is_success are reserved"))
        }
        _ => Ok(()),
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeParameterExtractor {
    #[garde(dive)]
    parameters: Vec<ExtractedParameter>,
    #[schema(value_type = Object)]
    model: JsonObject,
    instruction: String,
    query: String,
}

/// Find values in a text.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/parameter-extractor",
    tag = "plugin",
    request_body = RequestInvokeParameterExtractor,
    responses((status = 200, body = Outcome<NodeRun>), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_parameter_extractor(
    Part(tools): Part<Tools>,
    call: PluginCall<RequestInvokeParameterExtractor>,
) -> Json<Outcome<NodeRun>> {
    let PluginCall { caller, body } = call;
    let data = json!({
        "title": "parameter_extractor", "desc": "parameter_extractor", "type": "parameter-extractor",
        "parameters": body.parameters, "reasoning_mode": "function_call", "query": [NODE, "query"],
        "model": body.model, "instruction": body.instruction, "vision": {"enabled": false},
    });
    node(&tools, caller, "parameter-extractor", data, &body.query).await
}

/// A class of questions.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
struct QuestionClass {
    id: String,
    name: String,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeQuestionClassifier {
    query: String,
    #[schema(value_type = Object)]
    model: JsonObject,
    classes: Vec<QuestionClass>,
    #[serde(default)]
    instruction: String,
}

/// Tell of which class a question is.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/question-classifier",
    tag = "plugin",
    request_body = RequestInvokeQuestionClassifier,
    responses((status = 200, body = Outcome<NodeRun>), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_question_classifier(
    Part(tools): Part<Tools>,
    call: PluginCall<RequestInvokeQuestionClassifier>,
) -> Json<Outcome<NodeRun>> {
    let PluginCall { caller, body } = call;
    let data = json!({
        "title": "question_classifier", "desc": "question_classifier", "type": "question-classifier",
        "query_variable_selector": [NODE, "query"], "model": body.model, "classes": body.classes,
        "instruction": body.instruction, "vision": {"enabled": false},
    });
    node(&tools, caller, "question-classifier", data, &body.query).await
}
