//! `trigger-webhook`: the configured parts of a received request.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::system_outputs;
use crate::{
    file::{FILE_IDENTITY, File},
    node::{ExecutionKind, Node, NodeCtx, NodeError, NodeOutput, Outcome, Outputs},
    segment::Segment,
    value::{Object, Value},
};

#[derive(Deserialize)]
pub(super) struct Webhook {
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    headers: Vec<Field>,
    #[serde(default)]
    params: Vec<Field>,
    #[serde(default)]
    body: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    #[serde(default)]
    r#type: String,
}

#[async_trait]
impl Node for Webhook {
    /// The webhook endpoint has put `webhook_data` into the run's inputs.
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let inputs = ctx.pool.inputs().clone();
        let data = inputs.get("webhook_data").cloned().unwrap_or_else(|| Object::new().into());
        let mut outputs = self.outputs(&data, ctx);
        outputs.insert("_webhook_raw".to_owned(), Segment::from(data));
        outputs.extend(system_outputs(&ctx.pool).map(|(name, it)| (name, Segment::from(it))));
        Ok(NodeOutput { inputs, outputs, ..NodeOutput::default() }.into())
    }

    fn kind(&self) -> ExecutionKind {
        ExecutionKind::Root
    }

    fn is_pure(&self) -> bool {
        true
    }
}

impl Webhook {
    fn outputs(&self, data: &Value, ctx: &NodeCtx) -> Outputs {
        let part = |name: &str| data.as_object().and_then(|data| data.get(name));
        let entry = |part: Option<&Value>, name: &str| {
            part.and_then(Value::as_object).and_then(|part| part.get(name)).cloned()
        };
        let mut outputs = Outputs::new();
        for field in &self.headers {
            let headers = part("headers").and_then(Value::as_object);
            let value = headers.and_then(|headers| header(headers, &field.name));
            outputs.insert(field.name.replace('-', "_"), Value::from(value).into());
        }
        for field in &self.params {
            let value = entry(part("query_params"), &field.name);
            outputs.insert(field.name.clone(), Value::from(value).into());
        }
        for field in &self.body {
            let raw = || entry(part("body"), "raw");
            let value = match self.content_type.as_str() {
                "text/plain" => Value::from(raw().unwrap_or_else(|| Value::from("")).py_str()),
                "application/octet-stream" => {
                    let raw = raw().unwrap_or_else(|| Object::new().into());
                    file(&raw, ctx).unwrap_or(raw)
                }
                _ if field.r#type == "file" => {
                    let files = part("files").cloned().unwrap_or_else(|| Object::new().into());
                    let found = entry(Some(&files), &field.name);
                    found.and_then(|it| file(&it, ctx)).unwrap_or(files)
                }
                _ => Value::from(entry(part("body"), &field.name)),
            };
            outputs.insert(field.name.clone(), value.into());
        }
        outputs
    }
}

/// Headers are found whatever their case, and with `-` and `_` exchanged.
fn header(headers: &Object, name: &str) -> Option<Value> {
    let swapped = if name.contains('-') { name.replace('-', "_") } else { name.replace('_', "-") };
    let exact = headers.get(name).or_else(|| headers.get(&swapped));
    let found = exact.or_else(|| {
        let same = |wanted: &str| {
            headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, it)| it)
        };
        same(name).or_else(|| same(&swapped))
    });
    found.filter(|it| !it.is_null()).cloned()
}

/// The file of the endpoint's description of it.
fn file(value: &Value, ctx: &NodeCtx) -> Option<Value> {
    if let Value::File(_) = value {
        return Some(value.clone());
    }
    let Json::Object(mut json) = value.to_json(ctx.pool.urls()) else { return None };
    complete(&mut json, ctx);
    File::from_json(&json).map(|file| Value::File(Arc::new(file)))
}

fn complete(json: &mut Map<String, Json>, ctx: &NodeCtx) {
    json.insert("dify_model_identity".to_owned(), Json::from(FILE_IDENTITY));
    json.entry("tenant_id").or_insert_with(|| Json::from(ctx.run.tenant_id.to_string()));
}
