//! Features of a draft: checked by shape, defaults filled in.

use crate::{
    json::Object,
    mode::AppMode,
    model_config::{
        ConfigError,
        validate::{check_file_upload, features, moderation},
    },
};

/// Checks the features of a workflow of that mode and fills their defaults in. Foreign keys stay, as in the reference.
///
/// # Errors
/// [`ConfigError::Invalid`] with the reference's words for the first rule that does not hold.
pub fn fill(mode: AppMode, given: &mut Object) -> Result<(), ConfigError> {
    check_file_upload(given)?;
    if mode == AppMode::AdvancedChat {
        features::opening_statement(given)?;
        features::switch(given, "suggested_questions_after_answer")?;
        features::switch(given, "speech_to_text")?;
    }
    features::text_to_speech(given)?;
    if mode == AppMode::AdvancedChat {
        features::switch(given, "retriever_resource")?;
    }
    moderation::structure(given)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_empty_draft_gets_every_feature_of_its_mode() {
        for (mode, expected) in [
            (
                AppMode::Workflow,
                r#"{"file_upload": {}, "text_to_speech": {"enabled": false, "voice": "", "language": ""}, "sensitive_word_avoidance": {"enabled": false}}"#,
            ),
            (
                AppMode::AdvancedChat,
                r#"{"file_upload": {}, "opening_statement": "", "suggested_questions": [], "suggested_questions_after_answer": {"enabled": false}, "speech_to_text": {"enabled": false}, "text_to_speech": {"enabled": false, "voice": "", "language": ""}, "retriever_resource": {"enabled": false}, "sensitive_word_avoidance": {"enabled": false}}"#,
            ),
        ] {
            let mut features = Object::new();
            fill(mode, &mut features).unwrap();
            assert_eq!(crate::json::dumps(&Value::Object(features)), expected);
        }
        let mut odd = Object::new();
        odd.insert("x".to_owned(), json!(1));
        fill(AppMode::Workflow, &mut odd).unwrap();
        assert_eq!(odd.get("x"), Some(&json!(1)));
    }
}
