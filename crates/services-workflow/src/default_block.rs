//! What the editor fills new nodes with.

use serde_json::{Value, json};
use services_core::Ctx;

use crate::WorkflowError;

/// The settings of each node type that has some, in the order the reference lists them.
const BLOCKS: &str = include_str!("../data/default_block_configs.json");

/// The JavaScript a new code node begins with.
const JAVASCRIPT: &str =
    "\nfunction main({arg1, arg2}) {\n    return {\n        result: arg1 + arg2\n    }\n}\n";

/// The defaults of every node type that has some.
#[must_use]
pub fn all(ctx: &Ctx) -> Vec<Value> {
    let mut blocks: Vec<Value> = serde_json::from_str(BLOCKS).unwrap_or_default();
    for block in &mut blocks {
        if kind(block) == "http-request" {
            put_limits(ctx, block);
        }
    }
    blocks
}

/// The defaults of a node type; `{}` without. `filters` is JSON.
///
/// # Errors
/// [`WorkflowError::Invalid`] for filters that are no JSON or name an unknown language.
pub fn find(ctx: &Ctx, node_type: &str, filters: Option<&str>) -> Result<Value, WorkflowError> {
    let filters: Value = match filters.filter(|text| !text.is_empty()) {
        None => Value::Null,
        Some(text) => {
            serde_json::from_str(text).map_err(|_| WorkflowError::invalid("Invalid filters"))?
        }
    };
    let found = all(ctx).into_iter().find(|block| kind(block) == node_type);
    let Some(mut block) = found else { return Ok(json!({})) };
    if node_type == "code" {
        choose_language(&mut block, filters.get("code_language").and_then(Value::as_str))?;
    }
    Ok(block)
}

/// The node type of defaults. Three are listed under another name than their node's, or none.
fn kind(block: &Value) -> &str {
    match block.get("type").and_then(Value::as_str) {
        Some("webhook") => "trigger-webhook",
        Some("plugin") => "trigger-plugin",
        Some(kind) => kind,
        None => "parameter-extractor",
    }
}

fn choose_language(block: &mut Value, language: Option<&str>) -> Result<(), WorkflowError> {
    match language {
        None | Some("python3") => Ok(()),
        Some("javascript") => {
            if let Some(config) = block.get_mut("config").and_then(Value::as_object_mut) {
                config.insert("code_language".to_owned(), json!("javascript"));
                config.insert("code".to_owned(), json!(JAVASCRIPT));
            }
            Ok(())
        }
        Some(other) => Err(WorkflowError::invalid(format!("Unsupported code language: {other}"))),
    }
}

fn put_limits(ctx: &Ctx, block: &mut Value) {
    let settings = &ctx.config.feature;
    let (connect, read, write) = (
        settings.http_request_max_connect_timeout,
        settings.http_request_max_read_timeout,
        settings.http_request_max_write_timeout,
    );
    let Some(timeout) = block.pointer_mut("/config/timeout").and_then(Value::as_object_mut) else {
        return;
    };
    for (key, value) in [
        ("connect", connect),
        ("read", read),
        ("write", write),
        ("max_connect_timeout", connect),
        ("max_read_timeout", read),
        ("max_write_timeout", write),
    ] {
        timeout.insert(key.to_owned(), json!(value));
    }
    if let Some(config) = block.get_mut("config").and_then(Value::as_object_mut) {
        config.insert("ssl_verify".to_owned(), json!(settings.http_request_node_ssl_verify));
    }
    if let Some(retry) = block.get_mut("retry_config").and_then(Value::as_object_mut) {
        retry.insert("max_retries".to_owned(), json!(settings.ssrf_default_max_retries));
    }
}
