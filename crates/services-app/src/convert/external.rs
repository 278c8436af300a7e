//! External data of a basic app as HTTP requests, each followed by code that takes the result out.

use db::app::App;
use serde_json::{Value, json};
use services_core::{Ctx, tenant_secret};
use uuid::Uuid;

use super::{Chain, ConvertError};
use crate::{
    json::{Object, dumps, has, text},
    mode::AppMode,
};

/// Code that takes `result` out of the answer.
const TAKE_RESULT: &str = "import json\n\n\ndef main(response_json: str) -> dict:\n    answer = json.loads(response_json)\n    return {\"result\": answer[\"result\"]}\n";

/// Adds the nodes; answers which node holds which variable.
pub(super) async fn nodes(
    ctx: &Ctx,
    app: &App,
    mode: AppMode,
    form: &[Value],
    config: &Object,
    chain: &mut Chain,
) -> Result<Vec<(String, String)>, ConvertError> {
    let mut lookups = Vec::new();
    for tool in tools(config) {
        if text(tool, "type") != Some("api") {
            continue;
        }
        let settings = tool.get("config").and_then(Value::as_object);
        let Some(id) = settings.and_then(|settings| text(settings, "api_based_extension_id"))
        else {
            continue;
        };
        let extension = extension(ctx, app, id).await?;
        let key = tenant_secret::decrypt(ctx, app.tenant_id, &extension.api_key).await?;
        let variable = text(tool, "variable").unwrap_or_default();
        let index = lookups.len() + 1;
        let (request, code) = (format!("http_request_{index}"), format!("code_{index}"));
        let body = dumps(&body(app, mode, variable, form));
        chain.push(
            &request,
            &json!({
                "title": format!("HTTP REQUEST {}", extension.name),
                "type": "http-request",
                "method": "post",
                "url": extension.api_endpoint,
                "authorization": {
                    "type": "api-key",
                    "config": {"type": "bearer", "api_key": key.unwrap_or_default()},
                },
                "headers": "",
                "params": "",
                "body": {"type": "json", "data": body},
            }),
        );
        let variables = json!([{"variable": "response_json", "value_selector": [request, "body"]}]);
        chain.push(
            &code,
            &json!({
                "title": format!("Parse {} Response", extension.name),
                "type": "code",
                "variables": variables,
                "code_language": "python3",
                "code": TAKE_RESULT,
                "outputs": {"result": {"type": "string"}},
            }),
        );
        lookups.push((variable.to_owned(), code));
    }
    Ok(lookups)
}

/// External data of both kinds: the separate list, and fields of the form.
fn tools(config: &Object) -> impl Iterator<Item = &Object> {
    let list = |key: &str| config.get(key).and_then(Value::as_array).into_iter().flatten();
    let separate = list("external_data_tools")
        .filter_map(Value::as_object)
        .filter(|tool| has(tool, "enabled"));
    let fields = list("user_input_form")
        .filter_map(|entry| entry.get("external_data_tool")?.as_object())
        .filter(|field| field.contains_key("config"));
    separate.chain(fields)
}

async fn extension(
    ctx: &Ctx,
    app: &App,
    id: &str,
) -> Result<db::extension::Extension, ConvertError> {
    let found = match id.parse::<Uuid>() {
        Ok(id) => {
            let mut conn = ctx.db.acquire().await?;
            db::extension::find(&mut conn, app.tenant_id, id).await?
        }
        Err(_) => None,
    };
    found.ok_or_else(|| ConvertError::Invalid(format!("API Based Extension not found, id: {id}")))
}

/// What the extension is sent, with the graph's variables for the form's values.
fn body(app: &App, mode: AppMode, variable: &str, form: &[Value]) -> Value {
    let inputs: Object = form
        .iter()
        .filter_map(|field| field.get("variable")?.as_str())
        .map(|name| (name.to_owned(), json!(format!("{{{{#start.{name}#}}}}"))))
        .collect();
    let query = if mode == AppMode::Chat { "{{#sys.query#}}" } else { "" };
    json!({
        "point": "app.external_data_tool.query",
        "params": {
            "app_id": app.id,
            "tool_variable": variable,
            "inputs": inputs,
            "query": query,
        },
    })
}
