//! What tests ask the server itself.

use std::sync::{Arc, PoisonError};

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{Mock, config::Config, error::ApiError};

pub(crate) async fn health() -> Json<Value> {
    Json(json!({"status": "ok", "service": "mock_llm"}))
}

#[derive(Debug, Deserialize)]
pub(crate) struct LogQuery {
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    since: Option<u64>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    contains: Option<String>,
}

pub(crate) async fn log(
    State(mock): State<Arc<Mock>>,
    Query(query): Query<LogQuery>,
) -> Json<Value> {
    let (seq, mut entries) = mock.log.entries();
    entries.retain(|entry| {
        query.path.as_ref().is_none_or(|path| entry.path.contains(path))
            && query.since.is_none_or(|since| since < entry.seq)
            && query.contains.as_ref().is_none_or(|part| entry.body.to_string().contains(part))
    });
    let matched = entries.len();
    let limit = query.limit.unwrap_or(100);
    let skip = if limit == 0 { 0 } else { matched.saturating_sub(limit) };
    let entries: Vec<Value> = entries.iter().skip(skip).map(|entry| entry.json()).collect();
    Json(json!({"seq": seq, "matched": matched, "entries": entries}))
}

pub(crate) async fn stats(State(mock): State<Arc<Mock>>) -> Json<Value> {
    let (seq, by_path) = mock.log.counts();
    Json(
        json!({"seq": seq, "by_path": by_path, "config": mock.config(), "pid": std::process::id()}),
    )
}

pub(crate) async fn reset(State(mock): State<Arc<Mock>>) -> Json<Value> {
    mock.log.reset();
    Json(json!({"result": "success"}))
}

pub(crate) async fn configure(
    State(mock): State<Arc<Mock>>,
    Json(changes): Json<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let now = mock.config();
    let mut merged = match serde_json::to_value(&now) {
        Ok(Value::Object(merged)) => merged,
        _ => Map::new(),
    };
    for (name, value) in changes {
        let Some(setting) = merged.get_mut(&name) else {
            return Err(ApiError::new(400, format!("unknown setting {name}")));
        };
        *setting = value;
    }
    let shown = Value::Object(merged);
    let mut config: Config = serde_json::from_value(shown.clone())
        .map_err(|error| ApiError::new(400, error.to_string()))?;
    config.api_key = now.api_key;
    config.log_size = now.log_size;
    *mock.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    Ok(Json(shown))
}
