//! Changing a prompt or code as the user asks, with what happened when it ran last.

use boxed::boxed;
use db::app::App;
use serde_json::{Value, json};
use services_core::Ctx;
use types::AppId;

use super::{GeneratorError, Model, code, lenient_json, prompts, rule, write};
use crate::{json::dumps, ports::Ports};

/// What to change.
#[derive(Debug, Clone)]
pub struct Modification {
    /// The app, as the client names it.
    pub flow: String,
    /// The node of its draft; empty for basic apps.
    pub node: String,
    /// The prompt or code as it is.
    pub current: String,
    /// Programming language of code.
    pub language: String,
    /// What to change.
    pub instruction: String,
    /// What the user would like to get.
    pub ideal_output: String,
}

/// Code a new code node begins with, by language; it counts as nothing.
const FIRST_CODE: [&str; 2] = [
    "\ndef main(arg1: str, arg2: str):\n    return {\n        \"result\": arg1 + arg2,\n    }\n",
    "\nfunction main({arg1, arg2}) {\n    return {\n        result: arg1 + arg2\n    }\n}\n",
];

/// The changed text with a word about it, or a first one where there was nothing.
///
/// # Errors
/// [`GeneratorError`].
#[boxed]
pub async fn modify(
    ctx: &Ctx,
    ports: &Ports,
    model: &Model,
    what: &Modification,
) -> Result<Value, GeneratorError> {
    let is_first = what.current.is_empty() || FIRST_CODE.contains(&what.current.as_str());
    match (is_first, what.node.is_empty()) {
        (true, false) => first(ctx, ports, model, what).await,
        (_, true) if !what.current.is_empty() => change_basic(ctx, ports, model, what).await,
        (false, false) => change_node(ctx, ports, model, what).await,
        _ => Err(GeneratorError::Incompatible("incompatible parameters".to_owned())),
    }
}

async fn find_app(ctx: &Ctx, model: &Model, flow: &str) -> Result<Option<App>, GeneratorError> {
    let Ok(id) = flow.parse::<AppId>() else { return Ok(None) };
    let mut conn = ctx.db.acquire().await?;
    Ok(db::app::find(&mut conn, model.tenant, id).await?)
}

/// The draft's graph of an app.
async fn graph(ctx: &Ctx, app: &App) -> Result<Option<db::workflow::Workflow>, GeneratorError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::workflow::find_draft(&mut conn, app.tenant_id, app.id).await?)
}

async fn first(
    ctx: &Ctx,
    ports: &Ports,
    model: &Model,
    what: &Modification,
) -> Result<Value, GeneratorError> {
    let missing = |what: String| GeneratorError::Incompatible(what);
    let app = find_app(ctx, model, &what.flow)
        .await?
        .ok_or_else(|| missing(format!("app {} not found", what.flow)))?;
    let draft = graph(ctx, &app)
        .await?
        .ok_or_else(|| missing(format!("workflow {} not found", what.flow)))?;
    let kind = node_type(&draft.graph, &what.node)
        .ok_or_else(|| missing(format!("node {} not found", what.node)))?;
    match kind.as_str() {
        "llm" | "agent" => rule(ports, model, &what.instruction, true).await,
        "code" => code(ports, model, &what.instruction, &what.language).await,
        other => Ok(json!({"error": format!("invalid node type: {other}")})),
    }
}

async fn change_basic(
    ctx: &Ctx,
    ports: &Ports,
    model: &Model,
    what: &Modification,
) -> Result<Value, GeneratorError> {
    let last = match find_app(ctx, model, &what.flow).await? {
        Some(app) => {
            let mut conn = ctx.db.acquire().await?;
            db::app::last_answer(&mut conn, app.id).await?
        }
        None => None,
    };
    let error = last.as_ref().map(|last| last.error.clone().unwrap_or_else(|| "None".to_owned()));
    let last_run =
        last.map(|last| json!({"query": last.query, "answer": last.answer, "error": last.error}));
    change(ports, model, what, last_run, &error.unwrap_or_default(), "llm").await
}

async fn change_node(
    ctx: &Ctx,
    ports: &Ports,
    model: &Model,
    what: &Modification,
) -> Result<Value, GeneratorError> {
    let invalid = |text: &str| GeneratorError::Invalid(text.to_owned());
    let app = find_app(ctx, model, &what.flow).await?.ok_or_else(|| invalid("App not found."))?;
    let draft = graph(ctx, &app)
        .await?
        .ok_or_else(|| invalid("Workflow not found for the given app model."))?;
    let last = {
        let mut conn = ctx.db.acquire().await?;
        db::app::last_node_run(&mut conn, app.tenant_id, app.id, draft.id, &what.node).await?
    };
    let Some(last) = last else {
        let kind = node_type(&draft.graph, &what.node).unwrap_or_else(|| "llm".to_owned());
        return change(ports, model, what, None, "", &kind).await;
    };
    let parse = |text: &Option<String>| -> Value {
        text.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    let events = parse(&last.execution_metadata);
    let events: Vec<Value> = events
        .get("agent_log")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|event| {
            json!({
                "status": event.get("status"),
                "error": event.get("error"),
                "data": event.get("data"),
            })
        })
        .collect();
    let last_run = json!({
        "inputs": parse(&last.inputs),
        "status": last.status,
        "error": last.error,
        "agent_log": events,
    });
    let error = last.error.unwrap_or_default();
    change(ports, model, what, Some(last_run), &error, &last.node_type).await
}

async fn change(
    ports: &Ports,
    model: &Model,
    what: &Modification,
    last_run: Option<Value>,
    error: &str,
    kind: &str,
) -> Result<Value, GeneratorError> {
    let last_run = last_run.unwrap_or_default();
    let or_null = |text: &str| if text.is_empty() { "null".to_owned() } else { text.to_owned() };
    let instruction = what
        .instruction
        .replace("{{#last_run#}}", &dumps(&last_run))
        .replace("{{#current#}}", &or_null(&what.current))
        .replace("{{#error_message#}}", &or_null(error));
    let request = dumps(&json!({
        "current": what.current,
        "last_run": last_run,
        "instruction": instruction,
        "ideal_output": what.ideal_output,
    }));
    let system = if kind == "code" { prompts::MODIFY_CODE } else { prompts::MODIFY_PROMPT };
    let asked = write(ports, model, Some(system), request, json!({"temperature": 0.4}));
    let text = match asked.await? {
        Ok(text) => text,
        Err(words) => {
            return Ok(json!({"error": format!("Failed to generate code. Error: {words}")}));
        }
    };
    let braces = text.find('{').zip(text.rfind('}')).filter(|(first, last)| first < last);
    let Some((start, end)) = braces else {
        return Ok(json!({"error": format!(
            "An unexpected error occurred: Could not find a valid JSON object in response: {text}"
        )}));
    };
    match text.get(start..=end).and_then(lenient_json).filter(Value::is_object) {
        Some(changed) => Ok(changed),
        None => Ok(json!({
            "error": "An unexpected error occurred: Expected a JSON object, but got str"
        })),
    }
}

fn node_type(graph: &str, node: &str) -> Option<String> {
    let graph: Value = serde_json::from_str(graph).ok()?;
    let nodes = graph.get("nodes")?.as_array()?;
    let found = nodes.iter().find(|n| n.get("id").and_then(Value::as_str) == Some(node))?;
    Some(found.get("data")?.get("type")?.as_str()?.to_owned())
}
