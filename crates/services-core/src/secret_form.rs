//! Values of a form some of whose fields are secrets: encrypted where they are stored, masked where they are shown.

use boxed::boxed;
use crypto::mask;
use serde_json::{Map, Value};
use types::TenantId;

use crate::{Ctx, Fault, tenant_secret};

/// What stands for a stored value that is not there.
pub const UNKNOWN: &str = "[__UNKNOWN__]";

/// Values by the names of their fields.
pub type Values = Map<String, Value>;

/// `values` with the secret ones encrypted.
///
/// # Errors
/// If the workspace has no key pair.
#[boxed]
pub async fn seal(
    ctx: &Ctx,
    tenant: TenantId,
    secrets: &[&str],
    mut values: Values,
) -> Result<Values, Fault> {
    let (fields, plain) = picked(&values, secrets);
    let tokens = tenant_secret::encrypt_all(ctx, tenant, plain).await?;
    values.extend(fields.into_iter().zip(tokens.into_iter().map(Value::String)));
    Ok(values)
}

/// `values` with the secret ones decrypted; what does not decrypt stays as it is.
///
/// # Errors
/// If the workspace's private key cannot be read.
#[boxed]
pub async fn open(
    ctx: &Ctx,
    tenant: TenantId,
    secrets: &[&str],
    mut values: Values,
) -> Result<Values, Fault> {
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

/// `values` with the secret ones shown by `mask`.
#[must_use]
pub fn masked(secrets: &[&str], mut values: Values, mask: fn(&str) -> String) -> Values {
    for name in secrets {
        if let Some(Value::String(secret)) = values.get_mut(*name) {
            *secret = mask(secret);
        }
    }
    values
}

/// `given` with the stored value wherever it says to keep that.
#[must_use]
pub fn keep_hidden(given: Values, stored: &Values) -> Values {
    let kept = |(name, value): (String, Value)| {
        if value.as_str() == Some(mask::HIDDEN) {
            let value = stored.get(&name).cloned().unwrap_or_else(|| UNKNOWN.into());
            return (name, value);
        }
        (name, value)
    };
    given.into_iter().map(kept).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_and_hidden_ones_kept() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        let stored = object(json!({"key": "secret-value", "where": "eu"}));
        let shown = masked(&["key"], stored.clone(), mask::provider_secret);
        assert_eq!(Value::Object(shown), json!({"key": "se********ue", "where": "eu"}));
        let given = object(json!({"key": mask::HIDDEN, "other": mask::HIDDEN, "where": "us"}));
        let kept = keep_hidden(given, &stored);
        let expected = json!({"key": "secret-value", "other": UNKNOWN, "where": "us"});
        assert_eq!(Value::Object(kept), expected);
    }
}
