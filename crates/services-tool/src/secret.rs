//! Values of a form whose secrets are kept encrypted.

use crypto::mask;
use plugin::entity::ProviderConfig;
use serde_json::{Map, Value};
use services_core::{Ctx, tenant_secret};
use types::TenantId;

use crate::ToolError;

/// What stands for a stored value that is not there.
const UNKNOWN: &str = "[__UNKNOWN__]";

type Values = Map<String, Value>;

/// The names of the secret fields of a form.
pub(crate) fn secrets(form: &[ProviderConfig]) -> Vec<&str> {
    form.iter().filter(|field| field.is_secret()).map(|field| field.name.as_str()).collect()
}

/// `values` with the secret ones encrypted.
pub(crate) async fn seal(
    ctx: &Ctx,
    tenant: TenantId,
    secrets: &[&str],
    mut values: Values,
) -> Result<Values, ToolError> {
    let (fields, plain) = picked(&values, secrets);
    let tokens = tenant_secret::encrypt_all(ctx, tenant, plain).await?;
    for (field, token) in fields.into_iter().zip(tokens) {
        values.insert(field, Value::String(token));
    }
    Ok(values)
}

/// `values` with the secret ones decrypted; what does not decrypt stays as it is.
pub(crate) async fn open(
    ctx: &Ctx,
    tenant: TenantId,
    secrets: &[&str],
    mut values: Values,
) -> Result<Values, ToolError> {
    let (fields, tokens) = picked(&values, secrets);
    let plain = tenant_secret::decrypt_all(ctx, tenant, tokens).await?;
    for (field, value) in fields.into_iter().zip(plain) {
        if let Some(value) = value {
            values.insert(field, Value::String(value));
        }
    }
    Ok(values)
}

fn picked(values: &Values, secrets: &[&str]) -> (Vec<String>, Vec<String>) {
    let text = |name: &&str| Some(((*name).to_owned(), values.get(*name)?.as_str()?.to_owned()));
    secrets.iter().filter_map(text).unzip()
}

/// `values` with the secret ones masked.
pub(crate) fn masked(secrets: &[&str], mut values: Values) -> Values {
    for name in secrets {
        if let Some(Value::String(secret)) = values.get_mut(*name) {
            *secret = mask::provider_secret(secret);
        }
    }
    values
}

/// `given` with the stored value wherever it says to keep that.
pub(crate) fn keep_hidden(given: Values, stored: &Values) -> Values {
    let kept = |(name, value): (String, Value)| {
        if value.as_str() == Some(mask::HIDDEN) {
            let value = stored.get(&name).cloned().unwrap_or_else(|| UNKNOWN.into());
            return (name, value);
        }
        (name, value)
    };
    given.into_iter().map(kept).collect()
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

    #[test]
    fn secrets_are_masked_and_kept() {
        let values = json!({"key": "secret-value", "where": "eu"});
        let shown = masked(&secrets(&form()), values.as_object().unwrap().clone());
        assert_eq!(Value::Object(shown), json!({"key": "se********ue", "where": "eu"}));
        let given = json!({"key": mask::HIDDEN, "other": mask::HIDDEN, "where": "us"});
        let kept = keep_hidden(given.as_object().unwrap().clone(), values.as_object().unwrap());
        assert_eq!(
            Value::Object(kept),
            json!({"key": "secret-value", "other": UNKNOWN, "where": "us"})
        );
    }
}
