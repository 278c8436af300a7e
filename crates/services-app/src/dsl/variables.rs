//! Environment and conversation variables of a workflow: their list on the wire, their columns in the row.
//!
//! A column holds JSON by name, each `{value_type, value, id, name, description, selector}`; secrets are encrypted.

use boxed::boxed;
use serde_json::{Value, json};
use services_core::{Ctx, Fault, tenant_secret};
use types::{TenantId, pyjson};
use uuid::Uuid;

use super::DslError;
use crate::json::{Object, text, type_name};

/// Bytes a conversation variable may have.
const MAX_SIZE: usize = 204_800;

/// Which kind of variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The same in every run.
    Environment,
    /// Kept with a conversation.
    Conversation,
}

impl Scope {
    fn selector(self) -> &'static str {
        match self {
            Self::Environment => "env",
            Self::Conversation => "conversation",
        }
    }
}

/// The variables of a column as a list. Secrets are opened if `with_secrets`, else left empty.
///
/// # Errors
/// Faults of opening secrets.
#[boxed]
pub async fn list(
    ctx: &Ctx,
    tenant: TenantId,
    column: &str,
    with_secrets: bool,
) -> Result<Vec<Value>, Fault> {
    let stored: Object = serde_json::from_str(column).unwrap_or_default();
    let mut variables = Vec::with_capacity(stored.len());
    for mut variable in stored.into_iter().map(|(_, variable)| variable) {
        if variable.get("value_type").and_then(Value::as_str) == Some("secret") {
            let secret = variable.get("value").and_then(Value::as_str).unwrap_or_default();
            let shown = if with_secrets {
                tenant_secret::decrypt(ctx, tenant, secret).await?.unwrap_or_default()
            } else {
                String::new()
            };
            if let Some(variable) = variable.as_object_mut() {
                variable.insert("value".to_owned(), Value::String(shown));
            }
        }
        variables.push(variable);
    }
    Ok(variables)
}

/// The column for a list of variables; secrets are encrypted.
///
/// # Errors
/// [`DslError::Invalid`] with the reference's words for the first variable that does not fit.
#[boxed]
pub async fn column(
    ctx: &Ctx,
    tenant: TenantId,
    scope: Scope,
    list: &[Value],
) -> Result<String, DslError> {
    let mut stored = Object::new();
    for given in list {
        let none = Object::new();
        let mut variable = check(scope, given.as_object().unwrap_or(&none))?;
        if scope == Scope::Environment && text(&variable, "value_type") == Some("secret") {
            let secret = text(&variable, "value").unwrap_or_default();
            let sealed = tenant_secret::encrypt(ctx, tenant, secret).await?;
            variable.insert("value".to_owned(), Value::String(sealed));
        }
        let name = text(&variable, "name").unwrap_or_default().to_owned();
        stored.insert(name, Value::Object(variable));
    }
    pyjson::dumps_utf8(&stored)
        .map_err(|err| Fault::caused("a variable does not serialise", err).into())
}

/// A variable in the layout of the column, its type settled.
fn check(scope: Scope, given: &Object) -> Result<Object, DslError> {
    let name = text(given, "name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| DslError::invalid("missing name"))?;
    let kind = text(given, "value_type").ok_or_else(|| DslError::invalid("missing value type"))?;
    let value = given.get("value").filter(|value| !value.is_null());
    let value = value.ok_or_else(|| DslError::invalid("missing value"))?;
    let (kind, value) = settle(scope, kind, value)?;
    if MAX_SIZE < size(&value) {
        let size = size(&value);
        return Err(DslError::Invalid(format!("variable size {size} exceeds limit {MAX_SIZE}")));
    }
    let id = text(given, "id").filter(|id| !id.is_empty());
    let id = id.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    let pairs = [
        ("value_type", json!(kind)),
        ("value", value),
        ("id", json!(id)),
        ("name", json!(name)),
        ("description", json!(text(given, "description").unwrap_or_default())),
        ("selector", json!([scope.selector(), name])),
    ];
    Ok(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// The stored type of a variable: numbers become `integer` or `float`.
fn settle<'k>(scope: Scope, kind: &'k str, value: &Value) -> Result<(&'k str, Value), DslError> {
    let misfit = |expected: &str| {
        let given = type_name(value);
        DslError::Invalid(format!("Input should be a valid {expected} [input_type={given}]"))
    };
    let in_conversation = scope == Scope::Conversation;
    match kind {
        "string" | "secret" => match value {
            Value::String(_) => Ok((kind, value.clone())),
            _ => Err(misfit("string")),
        },
        "number" | "integer" | "float" => match value {
            Value::Number(number) if number.is_f64() => Ok(("float", value.clone())),
            Value::Number(_) => Ok(("integer", value.clone())),
            Value::Bool(flag) => Ok(("integer", json!(i32::from(*flag)))),
            other => Err(DslError::Invalid(format!("invalid number value {other}"))),
        },
        "boolean" if in_conversation => match value {
            Value::Bool(_) => Ok((kind, value.clone())),
            _ => Err(misfit("boolean")),
        },
        "object" if in_conversation => match value {
            Value::Object(_) => Ok((kind, value.clone())),
            _ => Err(misfit("dictionary")),
        },
        "array[string]" | "array[number]" | "array[object]" | "array[boolean]"
            if in_conversation =>
        {
            match value {
                Value::Array(_) => Ok((kind, value.clone())),
                _ => Err(misfit("list")),
            }
        }
        _ => Err(DslError::Invalid(format!("not supported value type {kind}"))),
    }
}

/// About what `sys.getsizeof` says: the limit is a guard, not a contract on the last byte.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => 49 + text.len(),
        Value::Array(items) => 56 + items.iter().map(|item| 8 + size(item)).sum::<usize>(),
        Value::Object(map) => {
            64 + map.iter().map(|(key, item)| 49 + key.len() + size(item)).sum::<usize>()
        }
        _ => 28,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(scope: Scope, given: &Value) -> Result<Value, String> {
        let given = given.as_object().cloned().unwrap_or_default();
        check(scope, &given).map(Value::Object).map_err(|err| err.to_string())
    }

    #[test]
    fn types_are_settled() {
        for (scope, kind, value, expected) in [
            (Scope::Environment, "number", json!(1), Ok("integer")),
            (Scope::Environment, "number", json!(1.5), Ok("float")),
            (Scope::Environment, "secret", json!("s"), Ok("secret")),
            (Scope::Environment, "boolean", json!(true), Err("not supported value type boolean")),
            (Scope::Conversation, "boolean", json!(true), Ok("boolean")),
            (Scope::Conversation, "array[string]", json!([]), Ok("array[string]")),
            (Scope::Conversation, "file", json!({}), Err("not supported value type file")),
            (Scope::Conversation, "number", json!("x"), Err("invalid number value \"x\"")),
            (Scope::Conversation, "string", json!(null), Err("missing value")),
        ] {
            let given = json!({"name": "n", "value_type": kind, "value": value});
            let got = checked(scope, &given);
            let got =
                got.as_ref().map(|v| v["value_type"].as_str().unwrap()).map_err(String::as_str);
            assert_eq!(got, expected, "{kind}");
        }
        assert_eq!(checked(Scope::Environment, &json!({})), Err("missing name".to_owned()));
        assert_eq!(
            checked(Scope::Environment, &json!({"name": "x"})),
            Err("missing value type".to_owned())
        );
    }

    #[test]
    fn large_values_are_refused() {
        let given = json!({"name": "n", "value_type": "string", "value": "x".repeat(204_800)});
        assert!(
            checked(Scope::Conversation, &given)
                .unwrap_err()
                .starts_with("variable size 204849 exceeds")
        );
    }
}
