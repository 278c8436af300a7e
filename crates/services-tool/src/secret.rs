//! Values of a provider's form: checked, and with secrets as [`services_core::secret_form`] keeps them.

use crypto::mask;
use plugin::entity::ProviderConfig;
pub(crate) use plugin::entity::secrets;
use serde_json::Value;
use services_core::secret_form::{self, Values};
pub(crate) use services_core::secret_form::{keep_hidden, open, seal};

use crate::ToolError;

/// `values` with the secret ones masked.
pub(crate) fn masked(secrets: &[&str], values: Values) -> Values {
    secret_form::masked(secrets, values, mask::provider_secret)
}

/// The object a text holds, or none.
pub(crate) fn parsed(text: Option<&str>) -> Values {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Checks values against the form of `provider`, in the reference's words, and adds defaults.
pub(crate) fn check(
    provider: &str,
    form: &[ProviderConfig],
    values: &mut Values,
) -> Result<(), ToolError> {
    for (name, value) in values.iter() {
        let Some(field) = form.iter().find(|field| field.name == *name) else {
            return Err(ToolError::Invalid(format!(
                "credential {name} not found in provider {provider}"
            )));
        };
        if !field.required && value.is_null() {
            continue;
        }
        if !matches!(field.kind.as_str(), "secret-input" | "text-input" | "select") {
            continue;
        }
        let Value::String(text) = value else {
            return Err(ToolError::Invalid(format!("credential {name} should be string")));
        };
        if field.kind == "select" {
            let options = field.options.as_deref().unwrap_or_default();
            if !options.iter().any(|option| option.value == *text) {
                let options: Vec<&str> =
                    options.iter().map(|option| option.value.as_str()).collect();
                return Err(ToolError::Invalid(format!(
                    "credential {name} should be one of {options:?}"
                )));
            }
        }
    }
    for field in form {
        if values.contains_key(&field.name) {
            continue;
        }
        if field.required {
            return Err(ToolError::Invalid(format!("credential {} is required", field.name)));
        }
        if let Some(default) = field.default.as_ref().filter(|it| !it.is_null()) {
            let is_text = matches!(field.kind.as_str(), "secret-input" | "text-input" | "select");
            let default = match default {
                Value::String(_) => default.clone(),
                other if is_text => Value::String(other.to_string()),
                other => other.clone(),
            };
            values.insert(field.name.clone(), default);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form() -> Vec<ProviderConfig> {
        serde_json::from_value(json!([
            {"type": "secret-input", "name": "key", "required": true},
            {"type": "select", "name": "where", "default": "eu",
             "options": [{"value": "eu", "label": {"en_US": "EU"}}]},
        ]))
        .unwrap()
    }

    fn checked(values: Value) -> Result<Value, String> {
        let Value::Object(mut values) = values else { panic!("an object") };
        check("p", &form(), &mut values).map_err(|err| err.to_string())?;
        Ok(Value::Object(values))
    }

    #[test]
    fn values_are_checked_against_the_form() {
        assert_eq!(checked(json!({"key": "k"})), Ok(json!({"key": "k", "where": "eu"})));
        for (given, message) in [
            (json!({}), "credential key is required"),
            (json!({"key": 1}), "credential key should be string"),
            (json!({"key": "k", "x": 1}), "credential x not found in provider p"),
            (json!({"key": "k", "where": "us"}), "credential where should be one of [\"eu\"]"),
        ] {
            assert_eq!(checked(given), Err(message.to_owned()));
        }
    }
}
