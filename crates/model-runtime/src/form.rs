//! Credentials against the form they were asked for with.

use serde_json::Value;

use crate::{
    entity::ModelType,
    error::CredentialsError,
    provider::{Credentials, FormField, FormType, ModelCredentialSchema, ProviderCredentialSchema},
};

/// The variable that fields are shown on by the type of the added model.
const MODEL_TYPE: &str = "__model_type";

/// Checks a provider's credentials and keeps what the form asks for, with defaults filled in.
///
/// # Errors
/// [`CredentialsError::Form`] naming the first field that is wrong.
pub fn check_provider(
    form: &ProviderCredentialSchema,
    credentials: &Credentials,
) -> Result<Credentials, CredentialsError> {
    check(&form.credential_form_schemas, credentials)
}

/// Checks an added model's credentials and keeps what the form asks of its type, with defaults filled in.
///
/// # Errors
/// [`CredentialsError::Form`] naming the first field that is wrong.
pub fn check_model(
    form: &ModelCredentialSchema,
    kind: ModelType,
    credentials: &Credentials,
) -> Result<Credentials, CredentialsError> {
    let mut credentials = credentials.clone();
    credentials.insert(MODEL_TYPE.to_owned(), kind.as_str().into());
    check(&form.credential_form_schemas, &credentials)
}

fn check(fields: &[FormField], credentials: &Credentials) -> Result<Credentials, CredentialsError> {
    // Of several shown fields for one variable the last one counts, in the place of the first.
    let mut shown: Vec<&FormField> = Vec::with_capacity(fields.len());
    for field in fields.iter().filter(|field| is_shown(field, credentials)) {
        match shown.iter_mut().find(|other| other.variable == field.variable) {
            Some(other) => *other = field,
            None => shown.push(field),
        }
    }
    let mut kept = Credentials::new();
    for field in shown {
        if let Some(value) = value(field, credentials)? {
            kept.insert(field.variable.clone(), value);
        }
    }
    Ok(kept)
}

fn is_shown(field: &FormField, credentials: &Credentials) -> bool {
    field.show_on.iter().all(|on| {
        credentials.get(&on.variable).and_then(Value::as_str).is_some_and(|value| value == on.value)
    })
}

fn value(field: &FormField, credentials: &Credentials) -> Result<Option<Value>, CredentialsError> {
    let wrong =
        |what: String| CredentialsError::Form(format!("Variable {} {what}", field.variable));
    let Some(given) = credentials.get(&field.variable).filter(|given| is_given(given)) else {
        if field.required {
            return Err(wrong("is required".to_owned()));
        }
        return Ok(field.default.clone().filter(|text| !text.is_empty()).map(Value::String));
    };
    let Some(text) = given.as_str() else { return Err(wrong("should be string".to_owned())) };
    if field.max_length != 0 && field.max_length < text.chars().count() {
        return Err(wrong(format!("length should not be greater than {}", field.max_length)));
    }
    match field.kind {
        FormType::Select | FormType::Radio => {
            let options = field.options.as_deref().unwrap_or_default();
            if !options.is_empty() && !options.iter().any(|option| option.value == text) {
                return Err(wrong("is not in options".to_owned()));
            }
            Ok(Some(given.clone()))
        }
        // Like the reference, a switch that is off is not kept.
        FormType::Switch => match text.to_lowercase().as_str() {
            "true" => Ok(Some(true.into())),
            "false" => Ok(None),
            _ => Err(wrong("should be true or false".to_owned())),
        },
        FormType::TextInput | FormType::SecretInput => Ok(Some(given.clone())),
    }
}

/// What Python takes for true.
fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields() -> Vec<FormField> {
        serde_json::from_value(json!([
            {"variable": "key", "label": "Key", "type": "secret-input", "required": true},
            {"variable": "org", "label": "Org", "type": "text-input", "required": false, "max_length": 3},
            {"variable": "mode", "label": "Mode", "type": "select", "required": false, "default": "chat",
             "options": [{"label": "Chat", "value": "chat"}], "show_on": [{"variable": "__model_type", "value": "llm"}]},
            {"variable": "on", "label": "On", "type": "switch", "required": false},
        ]))
        .unwrap()
    }

    #[test]
    fn the_first_wrong_field_is_named() {
        for (given, message) in [
            (json!({}), "Variable key is required"),
            (json!({"key": ""}), "Variable key is required"),
            (json!({"key": "k", "org": 5}), "Variable org should be string"),
            (
                json!({"key": "k", "org": "long"}),
                "Variable org length should not be greater than 3",
            ),
            (
                json!({"key": "k", "__model_type": "llm", "mode": "x"}),
                "Variable mode is not in options",
            ),
            (json!({"key": "k", "on": "maybe"}), "Variable on should be true or false"),
        ] {
            let error = check(&fields(), given.as_object().unwrap()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn what_the_form_asks_for_is_kept() {
        let form = ModelCredentialSchema {
            model: crate::provider::ModelField { label: "Model".into(), placeholder: None },
            credential_form_schemas: fields(),
        };
        let given = json!({"key": "k", "on": "True", "more": "x"});
        let kept = check_model(&form, ModelType::Llm, given.as_object().unwrap()).unwrap();
        assert_eq!(Value::Object(kept), json!({"key": "k", "mode": "chat", "on": true}));
        let kept = check_model(&form, ModelType::Tts, given.as_object().unwrap()).unwrap();
        assert_eq!(Value::Object(kept), json!({"key": "k", "on": true}));
    }
}
