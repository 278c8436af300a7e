//! The context of a prompt: what knowledge bases found, or any text.

use graph::{File, NodeCtx, NodeEvent, SegmentType, Value};
use serde_json::{Map, Value as Json};

use super::ContextConfig;
use crate::{common::Fail, ports::Ports};

/// The context of a prompt.
#[derive(Default)]
pub(super) struct Context {
    pub(super) text: String,
    pub(super) files: Vec<File>,
}

/// Reads the context and tells which sources it comes from.
pub(super) async fn fetch(
    ports: &Ports,
    ctx: &NodeCtx,
    config: &ContextConfig,
) -> Result<Context, Fail> {
    if !config.enabled || config.variable_selector.is_empty() {
        return Ok(Context::default());
    }
    let Some(found) = ctx.pool.get(&config.variable_selector) else {
        return Ok(Context::default());
    };
    let (context, resources) = match (&found.value, found.kind) {
        (Value::String(text), SegmentType::String | SegmentType::Secret) => {
            (Context { text: text.to_string(), files: Vec::new() }, Vec::new())
        }
        (Value::Array(items), kind) if kind.is_array() => of_items(ports, ctx, items).await?,
        _ => return Ok(Context::default()),
    };
    ctx.events
        .send(NodeEvent::RetrieverResources { resources, context: context.text.clone() })
        .await;
    Ok(context)
}

async fn of_items(
    ports: &Ports,
    ctx: &NodeCtx,
    items: &[Value],
) -> Result<(Context, Vec<Json>), Fail> {
    let mut text = String::new();
    let mut files = Vec::new();
    let mut resources = Vec::new();
    let mut line = |part: &str| {
        text.push_str(part);
        text.push('\n');
    };
    for item in items {
        if let Some(item) = item.as_str() {
            line(item);
            continue;
        }
        let json = item.to_json(ctx.pool.urls());
        let entry = |name: &str| json.get(name).filter(|it| !it.is_null());
        let Some(content) = entry("content") else {
            let message = format!("Invalid context structure: {}", item.py_str());
            return Err(Fail::new(message, "InvalidContextStructureError"));
        };
        if let Some(summary) = entry("summary").and_then(Json::as_str).filter(|it| !it.is_empty()) {
            line(summary);
        }
        line(&Value::from_json(content.clone()).py_str());
        let Some(resource) = resource(&json) else { continue };
        let segment = resource.get("segment_id").and_then(Json::as_str).filter(|it| !it.is_empty());
        if let Some(segment) = segment {
            files.extend(ports.files.of_segment(ctx.run.tenant_id, segment).await?);
        }
        resources.push(Json::Object(resource));
    }
    Ok((Context { text: text.trim().to_owned(), files }, resources))
}

/// The source behind an item that a knowledge-retrieval node made.
fn resource(item: &Json) -> Option<Map<String, Json>> {
    let metadata = item.get("metadata")?;
    if metadata.get("_source").and_then(Json::as_str) != Some("knowledge") {
        return None;
    }
    let of = |source: &Json, name: &str| source.get(name).cloned().unwrap_or_default();
    let mut resource = Map::new();
    for name in [
        "position",
        "dataset_id",
        "dataset_name",
        "document_id",
        "document_name",
        "data_source_type",
        "segment_id",
        "retriever_from",
        "score",
    ] {
        resource.insert(name.to_owned(), of(metadata, name));
    }
    for (name, from) in [
        ("hit_count", "segment_hit_count"),
        ("word_count", "segment_word_count"),
        ("segment_position", "segment_position"),
        ("index_node_hash", "segment_index_node_hash"),
    ] {
        resource.insert(name.to_owned(), of(metadata, from));
    }
    resource.insert("content".to_owned(), of(item, "content"));
    resource.insert("page".to_owned(), of(metadata, "page"));
    resource.insert("doc_metadata".to_owned(), of(metadata, "doc_metadata"));
    resource.insert("files".to_owned(), of(item, "files"));
    resource.insert("summary".to_owned(), of(item, "summary"));
    Some(resource)
}
