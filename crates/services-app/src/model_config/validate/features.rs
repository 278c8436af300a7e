//! `opening_statement` with its questions, the plain switches, and `text_to_speech`. Workflows have them too.

use serde_json::{Value, json};

use super::{Checked, ConfigError};
use crate::json::{Object, or_default};

/// Checks `opening_statement` and `suggested_questions`.
///
/// # Errors
/// [`ConfigError::Invalid`].
pub fn opening_statement(config: &mut Object) -> Checked {
    if !or_default(config, "opening_statement", json!("")).is_string() {
        return Err(ConfigError::invalid("opening_statement must be of string type"));
    }
    let questions = or_default(config, "suggested_questions", json!([]));
    let questions = questions
        .as_array()
        .ok_or_else(|| ConfigError::invalid("suggested_questions must be of list type"))?;
    if questions.iter().all(Value::is_string) {
        return Ok(());
    }
    Err(ConfigError::invalid("Elements in suggested_questions list must be of string type"))
}

/// Checks a feature that is on or off.
///
/// # Errors
/// [`ConfigError::Invalid`].
pub fn switch(config: &mut Object, key: &str) -> Checked {
    let feature = or_default(config, key, json!({"enabled": false}));
    let feature = feature
        .as_object_mut()
        .ok_or_else(|| ConfigError::invalid(format!("{key} must be of dict type")))?;
    if or_default(feature, "enabled", json!(false)).is_boolean() {
        return Ok(());
    }
    Err(ConfigError::invalid(format!("enabled in {key} must be of boolean type")))
}

/// Checks `text_to_speech`; switched off, it forgets voice and language.
///
/// # Errors
/// [`ConfigError::Invalid`].
pub fn text_to_speech(config: &mut Object) -> Checked {
    or_default(config, "text_to_speech", json!({"enabled": false, "voice": "", "language": ""}));
    switch(config, "text_to_speech")?;
    let Some(Value::Object(speech)) = config.get_mut("text_to_speech") else { return Ok(()) };
    if speech.get("enabled") == Some(&Value::Bool(false)) {
        speech.insert("voice".to_owned(), json!(""));
        speech.insert("language".to_owned(), json!(""));
    }
    Ok(())
}
