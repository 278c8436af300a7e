//! Values of a form whose secret fields are stored encrypted.

use crypto::mask;
use plugin::entity::ProviderConfig;
use serde_json::Value;
use services_core::{Ctx, Fault, tenant_secret};
use types::TenantId;

use super::Values;

/// What stands for a stored value that is not there.
const UNKNOWN: &str = "[__UNKNOWN__]";

/// The object a column holds.
pub(super) fn object(column: &Value) -> Values {
    column.as_object().cloned().unwrap_or_default()
}

/// The secret values of a form: names, and texts in the same order.
fn picked(form: &[ProviderConfig], values: &Values) -> (Vec<String>, Vec<String>) {
    let secrets = form.iter().filter(|field| field.is_secret());
    let text = |field: &ProviderConfig| {
        let text = values.get(&field.name)?.as_str()?.to_owned();
        Some((field.name.clone(), text))
    };
    secrets.filter_map(text).unzip()
}

pub(super) async fn seal(
    ctx: &Ctx,
    tenant: TenantId,
    form: &[ProviderConfig],
    mut values: Values,
) -> Result<Value, Fault> {
    let (names, plain) = picked(form, &values);
    let tokens = tenant_secret::encrypt_all(ctx, tenant, plain).await?;
    values.extend(names.into_iter().zip(tokens.into_iter().map(Value::String)));
    Ok(Value::Object(values))
}

/// The values in the clear; what does not decrypt stays as it is.
pub(super) async fn open(
    ctx: &Ctx,
    tenant: TenantId,
    form: &[ProviderConfig],
    column: &Value,
) -> Result<Values, Fault> {
    let mut values = object(column);
    let (names, tokens) = picked(form, &values);
    let plain = tenant_secret::decrypt_all(ctx, tenant, tokens).await?;
    for (name, value) in names.into_iter().zip(plain) {
        if let Some(value) = value {
            values.insert(name, Value::String(value));
        }
    }
    Ok(values)
}

/// The values with secrets shown by `mask`.
pub(super) fn masked(
    form: &[ProviderConfig],
    mut values: Values,
    mask: fn(&str) -> String,
) -> Values {
    for field in form.iter().filter(|field| field.is_secret()) {
        if let Some(Value::String(secret)) = values.get_mut(&field.name) {
            *secret = mask(secret);
        }
    }
    values
}

/// `given` with the stored value wherever it says to keep that.
pub(super) fn keep_hidden(given: Values, stored: &Values) -> Values {
    let kept = |(name, value): (String, Value)| {
        if value.as_str() != Some(mask::HIDDEN) {
            return (name, value);
        }
        let stored = stored.get(&name).cloned();
        (name, stored.unwrap_or_else(|| UNKNOWN.into()))
    };
    given.into_iter().map(kept).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_and_kept() {
        let form: Vec<ProviderConfig> = serde_json::from_value(json!([
            {"type": "secret-input", "name": "token"},
            {"type": "text-input", "name": "host"},
        ]))
        .unwrap();
        let stored = object(&json!({"token": "abcdefgh", "host": "h"}));
        let shown = masked(&form, stored.clone(), mask::trigger_secret);
        assert_eq!(Value::Object(shown), json!({"token": "ab****gh", "host": "h"}));
        let given = object(&json!({"token": mask::HIDDEN, "new": mask::HIDDEN, "host": "i"}));
        let kept = keep_hidden(given, &stored);
        assert_eq!(Value::Object(kept), json!({"token": "abcdefgh", "new": UNKNOWN, "host": "i"}));
    }
}
