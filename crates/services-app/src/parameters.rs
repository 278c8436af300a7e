//! What a client needs to know to show an app: its form, its features, the limits of uploads.

use boxed::boxed;
use db::app::App;
use serde_json::{Value, json};
use services_core::Ctx;

use crate::{
    app::AppError,
    json::Object,
    mode::AppMode,
    model_config::stored::{self, images_off},
};

/// The answer of `GET …/parameters` in the service API, web apps and explore.
///
/// # Errors
/// [`AppError::Unavailable`] for an app that was never configured or published.
#[boxed]
pub async fn of(ctx: &Ctx, app: &App) -> Result<Object, AppError> {
    let mut conn = ctx.db.acquire().await?;
    let has_workflow = app.mode.parse::<AppMode>().is_ok_and(AppMode::has_workflow);
    let (features, form) = if has_workflow {
        let id = app.workflow_id.ok_or(AppError::Unavailable)?;
        let workflow = db::workflow::find(&mut conn, app.tenant_id, app.id, id)
            .await?
            .ok_or(AppError::Unavailable)?;
        (features(&workflow.features), form(&workflow.graph))
    } else {
        let stored = stored::of(&mut conn, app).await?.ok_or(AppError::Unavailable)?;
        let config = stored.to_object();
        let form = config.get("user_input_form").cloned().unwrap_or_else(|| json!([]));
        (config, form)
    };
    Ok(shape(&ctx.config, &features, form))
}

/// Features and form in the layout of the parameters.
#[must_use]
pub fn shape(config: &config::Config, features: &Object, form: Value) -> Object {
    let off = || json!({"enabled": false});
    let pick = |key: &str, default: Value| features.get(key).cloned().unwrap_or(default);
    let limits = &config.feature;
    let pairs = [
        ("opening_statement", pick("opening_statement", Value::Null)),
        ("suggested_questions", pick("suggested_questions", json!([]))),
        ("suggested_questions_after_answer", pick("suggested_questions_after_answer", off())),
        ("speech_to_text", pick("speech_to_text", off())),
        ("text_to_speech", pick("text_to_speech", off())),
        ("retriever_resource", pick("retriever_resource", off())),
        ("annotation_reply", pick("annotation_reply", off())),
        ("more_like_this", pick("more_like_this", off())),
        ("user_input_form", form),
        (
            "sensitive_word_avoidance",
            pick("sensitive_word_avoidance", json!({"enabled": false, "type": "", "configs": []})),
        ),
        ("file_upload", pick("file_upload", images_off())),
        (
            "system_parameters",
            json!({
                "image_file_size_limit": limits.upload_image_file_size_limit,
                "video_file_size_limit": limits.upload_video_file_size_limit,
                "audio_file_size_limit": limits.upload_audio_file_size_limit,
                "file_size_limit": limits.upload_file_size_limit,
                "workflow_file_upload_limit": limits.workflow_file_upload_limit,
            }),
        ),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The features of a workflow (JSON text), pictures of the old layout in the new one.
#[must_use]
pub fn features(text: &str) -> Object {
    let mut features: Object = serde_json::from_str(text).unwrap_or_default();
    migrate_images(&mut features);
    features
}

/// Turns a `file_upload` that only knows pictures into one that knows every kind of file.
fn migrate_images(features: &mut Object) {
    let Some(Value::Object(upload)) = features.get_mut("file_upload") else { return };
    let is_old =
        upload.get("image").and_then(|image| image.get("enabled")).is_some_and(crate::json::truthy);
    if !is_old {
        return;
    }
    let image = upload.remove("image").unwrap_or_default();
    let number = image.get("number_limits").cloned().unwrap_or_else(|| json!(3));
    let methods = image
        .get("transfer_methods")
        .cloned()
        .unwrap_or_else(|| json!(["remote_url", "local_file"]));
    upload.insert("enabled".to_owned(), json!(true));
    upload.insert("number_limits".to_owned(), number);
    upload.insert("allowed_file_upload_methods".to_owned(), methods);
    upload.entry("allowed_file_types").or_insert_with(|| json!(["image"]));
    upload.entry("allowed_file_extensions").or_insert_with(|| json!([]));
}

/// The form of a graph's start node, each field keyed by its type as basic apps have it.
#[must_use]
pub fn form(graph: &str) -> Value {
    let graph: Value = serde_json::from_str(graph).unwrap_or_default();
    let nodes = graph.get("nodes").and_then(Value::as_array);
    let start = nodes.into_iter().flatten().find(|node| {
        node.get("data").and_then(|data| data.get("type")).and_then(Value::as_str) == Some("start")
    });
    let variables = start.and_then(|node| node.get("data")?.get("variables")?.as_array());
    variables
        .into_iter()
        .flatten()
        .filter_map(|variable| {
            let kind = variable.get("type")?.as_str()?;
            Some(json!({ kind: variable }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_the_old_layout_are_moved() {
        let old = r#"{"file_upload": {"image": {"enabled": true, "number_limits": 2}}, "x": 1}"#;
        assert_eq!(
            Value::Object(features(old)),
            json!({"file_upload": {
                "enabled": true,
                "number_limits": 2,
                "allowed_file_upload_methods": ["remote_url", "local_file"],
                "allowed_file_types": ["image"],
                "allowed_file_extensions": [],
            }, "x": 1})
        );
        let new = r#"{"file_upload": {"image": {"enabled": false}}}"#;
        assert_eq!(Value::Object(features(new)), serde_json::from_str::<Value>(new).unwrap());
    }

    #[test]
    fn the_form_is_the_start_nodes() {
        let graph = r#"{"nodes": [{"data": {"type": "llm"}},
            {"data": {"type": "start", "variables": [{"type": "number", "variable": "n"}]}}]}"#;
        assert_eq!(form(graph), json!([{"number": {"type": "number", "variable": "n"}}]));
        assert_eq!(form("{}"), json!([]));
    }
}
