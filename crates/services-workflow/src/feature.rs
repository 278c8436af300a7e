//! Features of a workflow: checks on saving, and the older form of file uploads.

use serde_json::{Map, Value, json};

use crate::{WorkflowError, app, pydantic};

/// Checks the features of a draft and puts the defaults of missing ones in. What it does not know stays.
///
/// # Errors
/// [`WorkflowError::Invalid`].
pub fn complete(mode: &str, features: &mut Map<String, Value>) -> Result<(), WorkflowError> {
    file_upload(features)?;
    if mode == app::CHATFLOW {
        opening_statement(features)?;
        switch(features, "suggested_questions_after_answer")?;
        switch(features, "speech_to_text")?;
    }
    text_to_speech(features)?;
    if mode == app::CHATFLOW {
        switch(features, "retriever_resource")?;
    }
    sensitive_word_avoidance(features)
}

/// The features with file uploads in the form the engine reads: the older form has its settings under `image`.
#[must_use]
pub fn current(mut features: Value) -> Value {
    let Some(upload) = features.get_mut("file_upload").and_then(Value::as_object_mut) else {
        return features;
    };
    let Some(image) = upload.get("image").and_then(Value::as_object).cloned() else {
        return features;
    };
    if !image.get("enabled").is_some_and(is_on) {
        return features;
    }
    let limit = image.get("number_limits").and_then(Value::as_i64).unwrap_or(3);
    let methods = image.get("transfer_methods").cloned();
    upload.insert("enabled".to_owned(), json!(true));
    upload.insert("number_limits".to_owned(), json!(limit));
    upload.insert(
        "allowed_file_upload_methods".to_owned(),
        methods.unwrap_or_else(|| json!(["remote_url", "local_file"])),
    );
    upload.entry("allowed_file_types").or_insert_with(|| json!(["image"]));
    upload.entry("allowed_file_extensions").or_insert_with(|| json!([]));
    upload.shift_remove("image");
    features
}

fn is_on(value: &Value) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

/// The value of `key`, with `default` in place of what Python calls false.
fn or_default<'f>(
    features: &'f mut Map<String, Value>,
    key: &str,
    default: Value,
) -> &'f mut Value {
    let value = features.entry(key.to_owned()).or_insert(Value::Null);
    if !is_on(value) {
        *value = default;
    }
    value
}

fn file_upload(features: &mut Map<String, Value>) -> Result<(), WorkflowError> {
    let upload = or_default(features, "file_upload", json!({}));
    let model = "FileUploadConfig";
    let Some(upload) = upload.as_object() else {
        return Err(pydantic::fault(
            model,
            "",
            "Input should be a valid dictionary or instance of FileUploadConfig",
            "model_type",
            upload,
        ));
    };
    for (field, allowed) in [
        ("allowed_file_types", &["image", "document", "audio", "video", "custom"][..]),
        ("allowed_file_extensions", &[]),
        (
            "allowed_file_upload_methods",
            &["remote_url", "local_file", "tool_file", "datasource_file"],
        ),
    ] {
        let Some(value) = upload.get(field) else { continue };
        let Some(items) = value.as_array() else {
            let message = "Input should be a valid sequence";
            return Err(pydantic::fault(model, field, message, "sequence_type", value));
        };
        for (index, item) in items.iter().enumerate() {
            let fits =
                item.as_str().is_some_and(|word| allowed.is_empty() || allowed.contains(&word));
            if !fits {
                let message = "Input should be one of the allowed values";
                return Err(pydantic::fault(
                    model,
                    &format!("{field}.{index}"),
                    message,
                    "enum",
                    item,
                ));
            }
        }
    }
    match upload.get("number_limits") {
        Some(limit) if limit.as_i64().is_none() && !is_integer_text(limit) => Err(pydantic::fault(
            model,
            "number_limits",
            "Input should be a valid integer",
            "int_type",
            limit,
        )),
        _ => Ok(()),
    }
}

fn is_integer_text(value: &Value) -> bool {
    value.as_bool().is_some()
        || value.as_str().is_some_and(|text| text.trim().parse::<i64>().is_ok())
        || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn opening_statement(features: &mut Map<String, Value>) -> Result<(), WorkflowError> {
    if !or_default(features, "opening_statement", json!("")).is_string() {
        return Err(WorkflowError::invalid("opening_statement must be of string type"));
    }
    let questions = or_default(features, "suggested_questions", json!([]));
    let questions = questions
        .as_array()
        .ok_or_else(|| WorkflowError::invalid("suggested_questions must be of list type"))?;
    if questions.iter().all(Value::is_string) {
        return Ok(());
    }
    Err(WorkflowError::invalid("Elements in suggested_questions list must be of string type"))
}

fn switch(features: &mut Map<String, Value>, key: &str) -> Result<(), WorkflowError> {
    let feature = or_default(features, key, json!({"enabled": false}));
    let feature = feature
        .as_object_mut()
        .ok_or_else(|| WorkflowError::invalid(format!("{key} must be of dict type")))?;
    if or_default(feature, "enabled", json!(false)).is_boolean() {
        return Ok(());
    }
    Err(WorkflowError::invalid(format!("enabled in {key} must be of boolean type")))
}

fn text_to_speech(features: &mut Map<String, Value>) -> Result<(), WorkflowError> {
    or_default(features, "text_to_speech", json!({"enabled": false, "voice": "", "language": ""}));
    switch(features, "text_to_speech")?;
    if let Some(Value::Object(speech)) = features.get_mut("text_to_speech")
        && speech.get("enabled") == Some(&Value::Bool(false))
    {
        speech.insert("voice".to_owned(), json!(""));
        speech.insert("language".to_owned(), json!(""));
    }
    Ok(())
}

fn sensitive_word_avoidance(features: &mut Map<String, Value>) -> Result<(), WorkflowError> {
    let feature = or_default(features, "sensitive_word_avoidance", json!({"enabled": false}));
    let feature = feature
        .as_object_mut()
        .ok_or_else(|| WorkflowError::invalid("sensitive_word_avoidance must be of dict type"))?;
    let enabled = is_on(or_default(feature, "enabled", json!(false)));
    if enabled && !feature.get("type").is_some_and(is_on) {
        return Err(WorkflowError::invalid("sensitive_word_avoidance.type is required"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(mode: &str, features: Value) -> Result<String, String> {
        let Value::Object(mut features) = features else { panic!("an object") };
        complete(mode, &mut features)
            .map(|()| types::pyjson::dumps(&features).unwrap())
            .map_err(|err| err.to_string())
    }

    #[test]
    fn defaults_are_put_in_in_the_order_of_the_reference() {
        let speech = r#""text_to_speech": {"enabled": false, "voice": "", "language": ""}"#;
        let words = r#""sensitive_word_avoidance": {"enabled": false}"#;
        assert_eq!(
            completed("workflow", json!({})),
            Ok(format!(r#"{{"file_upload": {{}}, {speech}, {words}}}"#))
        );
        assert_eq!(
            completed("advanced-chat", json!({})),
            Ok(format!(
                r#"{{"file_upload": {{}}, "opening_statement": "", "suggested_questions": [], "suggested_questions_after_answer": {{"enabled": false}}, "speech_to_text": {{"enabled": false}}, {speech}, "retriever_resource": {{"enabled": false}}, {words}}}"#
            ))
        );
    }

    #[test]
    fn wrong_kinds_are_refused() {
        for (mode, features, expected) in [
            ("workflow", json!({"text_to_speech": "x"}), "text_to_speech must be of dict type"),
            (
                "workflow",
                json!({"text_to_speech": {"enabled": 1}}),
                "enabled in text_to_speech must be of boolean type",
            ),
            (
                "advanced-chat",
                json!({"opening_statement": 5}),
                "opening_statement must be of string type",
            ),
            (
                "workflow",
                json!({"sensitive_word_avoidance": {"enabled": true}}),
                "sensitive_word_avoidance.type is required",
            ),
        ] {
            assert_eq!(completed(mode, features), Err(expected.to_owned()));
        }
        assert!(
            completed("workflow", json!({"file_upload": "yes"}))
                .unwrap_err()
                .starts_with("1 validation error")
        );
        assert!(completed("workflow", json!({"opening_statement": 5})).is_ok());
    }

    #[test]
    fn the_older_upload_becomes_the_newer_one() {
        let older = json!({"file_upload": {"image": {"enabled": true, "number_limits": 2}, "number_limits": 5}});
        assert_eq!(
            current(older),
            json!({"file_upload": {"enabled": true, "number_limits": 2, "allowed_file_types": ["image"],
                "allowed_file_extensions": [], "allowed_file_upload_methods": ["remote_url", "local_file"]}})
        );
        let off = json!({"file_upload": {"image": {"enabled": false}}});
        assert_eq!(current(off.clone()), off);
    }
}
