//! What tools of MCP servers say.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use plugin::{ToolMessage, ToolPayload, VariableMessage};
use serde_json::{Map, Value};
use types::TenantId;

use super::{About, CallError, Ready, Runner, Said, Wanted};
use crate::{ToolError, builtin::Tools, mcp::parameters};

impl Tools {
    pub(super) async fn ready_mcp(
        &self,
        tenant: TenantId,
        wanted: Wanted<'_>,
    ) -> Result<Ready, ToolError> {
        let tools = self.mcp_tools(tenant, wanted.provider).await?;
        let text = |tool: &Map<String, Value>, key: &str| {
            tool.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let tool = tools.iter().find(|tool| text(tool, "name") == wanted.tool);
        let tool =
            tool.ok_or_else(|| ToolError::Invalid(format!("Tool {} not found", wanted.tool)))?;
        let schema = tool.get("outputSchema").and_then(Value::as_object);
        let schema = schema.cloned().unwrap_or_default();
        let has_schema = !schema.is_empty();
        let mut about = About::new(wanted.tool, wanted.provider, &text(tool, "description"));
        about.identity.author = "Anonymous".to_owned();
        about.output_schema = schema;
        Ok(Ready {
            about,
            name: wanted.tool.to_owned(),
            parameters: parameters(tool.get("inputSchema").unwrap_or(&Value::Null)),
            description: text(tool, "description"),
            icon: Value::Null,
            runner: Runner::Mcp { identifier: wanted.provider.to_owned(), has_schema },
        })
    }
}

/// The result of a call as messages.
pub(super) fn said(result: &Value, has_schema: bool) -> Result<Vec<Said>, CallError> {
    let contents = result.get("content").and_then(Value::as_array);
    let mut said = Vec::new();
    for content in contents.into_iter().flatten() {
        let text = |path: &str| content.pointer(path).and_then(Value::as_str);
        match text("/type").unwrap_or_default() {
            "text" => said.extend(of_text(text("/text").unwrap_or_default())),
            "image" | "audio" => {
                let kind = text("/mimeType").unwrap_or("application/octet-stream");
                said.push(Said::blob(decoded(text("/data"))?, kind));
            }
            "resource" => match (text("/resource/text"), text("/resource/blob")) {
                (Some(text), _) => said.push(Said::text(text)),
                (None, blob @ Some(_)) => {
                    let kind = text("/resource/mimeType").unwrap_or("application/octet-stream");
                    said.push(Said::blob(decoded(blob)?, kind));
                }
                (None, None) => {
                    return Err(CallError::Tool("Unsupported embedded resource type".to_owned()));
                }
            },
            other => {
                tracing::warn!(content.kind = other, "an MCP tool says what nobody understands");
            }
        }
    }
    let structured = result.get("structuredContent").and_then(Value::as_object);
    for (name, value) in structured.into_iter().flatten().filter(|_| has_schema) {
        let variable = VariableMessage {
            variable_name: name.clone(),
            variable_value: value.clone(),
            stream: false,
        };
        let payload = ToolPayload::Variable(variable);
        said.push(Said::Message(ToolMessage { payload, meta: None }));
    }
    Ok(said)
}

fn decoded(text: Option<&str>) -> Result<Bytes, CallError> {
    let decoded = BASE64_STANDARD.decode(text.unwrap_or_default());
    decoded.map(Bytes::from).map_err(|err| CallError::Tool(format!("Failed to invoke tool: {err}")))
}

/// A text that is JSON is told as such.
fn of_text(text: &str) -> Vec<Said> {
    let trimmed = text.trim();
    let looks_like = (trimmed.starts_with('{') || trimmed.starts_with('['))
        && (trimmed.ends_with('}') || trimmed.ends_with(']'));
    let value: Option<Value> = looks_like.then(|| serde_json::from_str(trimmed).ok()).flatten();
    match value {
        Some(value @ Value::Object(_)) => vec![Said::json(value, false)],
        Some(Value::Array(items)) if items.iter().all(Value::is_object) => {
            items.into_iter().map(|item| Said::json(item, false)).collect()
        }
        Some(list) => vec![Said::text(graph::Value::from_json(list).py_repr())],
        None => vec![Said::text(text)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn contents_become_messages() {
        let result = json!({"content": [
            {"type": "text", "text": "plain"}, {"type": "text", "text": "[{\"id\": 1}, {\"id\": 2}]"},
            {"type": "text", "text": "[1, \"a\"]"}, {"type": "image", "data": "aGk=", "mimeType": "image/png"},
            {"type": "resource", "resource": {"text": "note"}}, {"type": "other"},
        ], "structuredContent": {"n": 1}});
        let expected = vec![
            Said::text("plain"),
            Said::json(json!({"id": 1}), false),
            Said::json(json!({"id": 2}), false),
            Said::text("[1, 'a']"),
            Said::blob(Bytes::from_static(b"hi"), "image/png"),
            Said::text("note"),
        ];
        assert_eq!(said(&result, false).unwrap(), expected);
        assert_eq!(said(&result, true).unwrap().len(), expected.len() + 1);
    }
}
