//! Environment and conversation variables: as requests bring them, as rows keep them.

use boxed::boxed;
use graph::SegmentType;
use serde_json::{Map, Value, json};
use services_core::{Ctx, tenant_secret};
use types::TenantId;
use uuid::Uuid;

use crate::{WorkflowError, pydantic};

/// What stands for a secret that a client was not shown.
pub const MASK: &str = "********************";

/// What a client sends for a secret it does not change.
const HIDDEN: &str = "[__HIDDEN__]";

/// A variable of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Text; nearly always a UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Its type.
    pub kind: SegmentType,
    /// Its value; a secret of a row is encrypted.
    pub value: Value,
    /// `["env", name]` or `["conversation", name]`.
    pub selector: Vec<String>,
}

/// Which variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Of the workflow.
    Environment,
    /// Of a conversation.
    Conversation,
}

impl Scope {
    /// The first part of its selectors.
    #[must_use]
    pub fn node_id(self) -> &'static str {
        match self {
            Self::Environment => "env",
            Self::Conversation => "conversation",
        }
    }
}

impl Variable {
    /// Reads one of a request or a row. `limit` is the size a value may have, in bytes as Python counts them.
    ///
    /// # Errors
    /// [`WorkflowError::Invalid`] in the reference's words.
    pub fn read(
        scope: Scope,
        mapping: &Map<String, Value>,
        limit: i64,
    ) -> Result<Self, WorkflowError> {
        let name = mapping.get("name").filter(|name| is_truthy(name));
        let name = name.ok_or_else(|| WorkflowError::invalid("missing name"))?;
        let declared = present(mapping, "value_type", "missing value type")?;
        let value = present(mapping, "value", "missing value")?;
        let name = text(name, "Variable", "name")?;
        let (kind, value) = typed(declared, value)?;
        let size = size_of(&value);
        if size > limit {
            return Err(WorkflowError::invalid(format!(
                "variable size {size} exceeds limit {limit}"
            )));
        }
        let selector =
            mapping.get("selector").and_then(Value::as_array).filter(|it| !it.is_empty());
        Ok(Self {
            id: match mapping.get("id") {
                None | Some(Value::Null) => Uuid::new_v4().to_string(),
                Some(id) => text(id, "Variable", "id")?,
            },
            description: match mapping.get("description") {
                None | Some(Value::Null) => String::new(),
                Some(words) => text(words, "Variable", "description")?,
            },
            selector: selector.map_or_else(
                || vec![scope.node_id().to_owned(), name.clone()],
                |parts| parts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            ),
            name,
            kind,
            value,
        })
    }

    /// The form of rows.
    #[must_use]
    pub fn stored(&self) -> Value {
        json!({
            "value_type": self.kind.as_str(),
            "value": self.value,
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "selector": self.selector,
        })
    }

    /// The same with the value hidden if it is a secret.
    #[must_use]
    pub fn masked(mut self) -> Self {
        if self.kind == SegmentType::Secret {
            self.value = Value::from(MASK);
        }
        self
    }
}

/// Reads the variables of a request.
///
/// # Errors
/// [`WorkflowError::Invalid`].
pub fn read_all(
    scope: Scope,
    mappings: &[Map<String, Value>],
    limit: i64,
) -> Result<Vec<Variable>, WorkflowError> {
    mappings.iter().map(|mapping| Variable::read(scope, mapping, limit)).collect()
}

/// Reads the variables of a row; secrets stay encrypted. A variable that cannot be read is left out, with a line in
/// the log: the rest of the workflow is still good.
#[must_use]
pub fn of_row(scope: Scope, stored: &str) -> Vec<Variable> {
    let all: Map<String, Value> = serde_json::from_str(stored).unwrap_or_default();
    let read = |mapping: &Value| match mapping.as_object() {
        Some(mapping) => match Variable::read(scope, mapping, i64::MAX) {
            Ok(variable) => Some(variable),
            Err(err) => {
                tracing::warn!(error = %err, "a stored variable is unreadable");
                None
            }
        },
        None => None,
    };
    all.values().filter_map(read).collect()
}

/// The text of rows.
///
/// # Errors
/// When a value does not serialise.
pub fn to_row(variables: &[Variable]) -> Result<String, WorkflowError> {
    let all: Map<String, Value> =
        variables.iter().map(|variable| (variable.name.clone(), variable.stored())).collect();
    Ok(types::pyjson::dumps_utf8(&all)?)
}

/// The text of rows for environment variables: secrets are encrypted; those the client left hidden keep what
/// `before` (the row so far) has for their id.
///
/// # Errors
/// [`WorkflowError::Invalid`] for a variable without id; faults of encryption.
#[boxed]
pub async fn environment_to_row(
    ctx: &Ctx,
    tenant: TenantId,
    mut variables: Vec<Variable>,
    before: &str,
) -> Result<String, WorkflowError> {
    if variables.iter().any(|variable| variable.id.is_empty()) {
        return Err(WorkflowError::invalid("environment variable require a unique id"));
    }
    let known = of_row(Scope::Environment, before);
    let mut fresh = Vec::new();
    for variable in &mut variables {
        let old = known.iter().find(|old| old.id == variable.id);
        let hidden = variable.value == HIDDEN
            || (variable.kind == SegmentType::Secret && variable.value == MASK);
        match old {
            Some(old) if hidden => {
                let name = std::mem::take(&mut variable.name);
                *variable = Variable { name, ..old.clone() };
            }
            _ if variable.kind == SegmentType::Secret => fresh.push(variable),
            _ => {}
        }
    }
    let secrets = fresh.iter().map(|it| it.value.as_str().unwrap_or_default().to_owned()).collect();
    let tokens = tenant_secret::encrypt_all(ctx, tenant, secrets).await?;
    for (variable, token) in fresh.into_iter().zip(tokens) {
        variable.value = Value::from(token);
    }
    to_row(&variables)
}

/// Opens the secrets among the environment variables of a row. One that cannot be opened becomes empty.
///
/// # Errors
/// Faults of the workspace's key.
#[boxed]
pub async fn open_environment(
    ctx: &Ctx,
    tenant: TenantId,
    stored: &str,
) -> Result<Vec<Variable>, WorkflowError> {
    let mut variables = of_row(Scope::Environment, stored);
    let secret = |it: &&mut Variable| it.kind == SegmentType::Secret;
    let tokens = variables
        .iter_mut()
        .filter(secret)
        .map(|it| it.value.as_str().unwrap_or_default().to_owned())
        .collect();
    let opened = tenant_secret::decrypt_all(ctx, tenant, tokens).await?;
    for (variable, value) in variables.iter_mut().filter(secret).zip(opened) {
        if value.is_none() {
            tracing::warn!(variable.id = %variable.id, "a stored secret cannot be opened");
        }
        variable.value = Value::from(value.unwrap_or_default());
    }
    Ok(variables)
}

fn present<'m>(
    mapping: &'m Map<String, Value>,
    key: &str,
    missing: &str,
) -> Result<&'m Value, WorkflowError> {
    mapping.get(key).filter(|it| !it.is_null()).ok_or_else(|| WorkflowError::invalid(missing))
}

fn typed(declared: &Value, value: &Value) -> Result<(SegmentType, Value), WorkflowError> {
    let shown = pydantic::display(declared);
    let unsupported = || WorkflowError::invalid(format!("not supported value type {shown}"));
    let kind: SegmentType =
        declared.as_str().ok_or_else(unsupported)?.parse().map_err(|_| unsupported())?;
    let integer = match value {
        Value::Bool(flag) => Some(Value::from(i64::from(*flag))),
        Value::Number(number) if !number.is_f64() => Some(value.clone()),
        _ => None,
    };
    let float = value.as_f64().filter(|_| value.is_f64());
    match kind {
        SegmentType::String | SegmentType::Secret => {
            let model =
                if kind == SegmentType::Secret { "SecretVariable" } else { "StringVariable" };
            Ok((kind, Value::from(text(value, model, "value")?)))
        }
        SegmentType::Number | SegmentType::Integer if integer.is_some() => {
            Ok((SegmentType::Integer, integer.unwrap_or_default()))
        }
        SegmentType::Number | SegmentType::Float if float.is_some() => {
            Ok((SegmentType::Float, value.clone()))
        }
        SegmentType::Number => Err(WorkflowError::invalid(format!(
            "invalid number value {}",
            pydantic::display(value)
        ))),
        SegmentType::Boolean => {
            types::lax::flag(value).map(|flag| (kind, Value::Bool(flag))).ok_or_else(|| {
                pydantic::fault(
                    "BooleanVariable",
                    "value",
                    "Input should be a valid boolean",
                    "bool_type",
                    value,
                )
            })
        }
        SegmentType::Object if value.is_object() => Ok((kind, value.clone())),
        SegmentType::ArrayString => {
            items(kind, value, "ArrayStringVariable", Value::is_string, unsupported)
        }
        SegmentType::ArrayNumber => {
            items(kind, value, "ArrayNumberVariable", Value::is_number, unsupported)
        }
        SegmentType::ArrayObject => {
            items(kind, value, "ArrayObjectVariable", Value::is_object, unsupported)
        }
        SegmentType::ArrayBoolean => {
            items(kind, value, "ArrayBooleanVariable", Value::is_boolean, unsupported)
        }
        _ => Err(unsupported()),
    }
}

fn items(
    kind: SegmentType,
    value: &Value,
    model: &str,
    fits: impl Fn(&Value) -> bool,
    unsupported: impl Fn() -> WorkflowError,
) -> Result<(SegmentType, Value), WorkflowError> {
    let list = value.as_array().ok_or_else(unsupported)?;
    match list.iter().enumerate().find(|(_, item)| !fits(item)) {
        None => Ok((kind, value.clone())),
        Some((index, item)) => Err(pydantic::fault(
            model,
            &format!("value.{index}"),
            "Input should be a valid item",
            "value_error",
            item,
        )),
    }
}

fn text(value: &Value, model: &str, field: &str) -> Result<String, WorkflowError> {
    value.as_str().map(str::to_owned).ok_or_else(|| {
        pydantic::fault(model, field, "Input should be a valid string", "string_type", value)
    })
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        Value::Bool(true) => true,
    }
}

/// About what CPython's `sys.getsizeof` says: lists with their items, objects without.
fn size_of(value: &Value) -> i64 {
    let size = match value {
        Value::Null => 16,
        Value::Bool(_) | Value::Number(_) => 28,
        Value::String(text) => match text.chars().max() {
            None => 49,
            Some(c) if c.is_ascii() => 49 + text.len(),
            Some(c) if (c as u32) < 0x1_0000 => 74 + 2 * text.chars().count(),
            Some(_) => 76 + 4 * text.chars().count(),
        },
        Value::Array(items) => {
            return items.iter().map(size_of).fold(56, i64::saturating_add);
        }
        Value::Object(entries) => 64 + 104 * entries.len(),
    };
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mapping: Value) -> Result<(SegmentType, Value), String> {
        let Value::Object(mapping) = mapping else { panic!("an object") };
        Variable::read(Scope::Conversation, &mapping, 204_800)
            .map(|variable| (variable.kind, variable.value))
            .map_err(|err| err.to_string())
    }

    #[test]
    fn values_take_the_type_they_have() {
        for (kind, value, expected, stored) in [
            ("string", json!("a"), SegmentType::String, json!("a")),
            ("number", json!(3), SegmentType::Integer, json!(3)),
            ("number", json!(2.5), SegmentType::Float, json!(2.5)),
            ("number", json!(true), SegmentType::Integer, json!(1)),
            ("integer", json!(3), SegmentType::Integer, json!(3)),
            ("boolean", json!("yes"), SegmentType::Boolean, json!(true)),
            ("array[string]", json!([]), SegmentType::ArrayString, json!([])),
            ("object", json!({"a": 1}), SegmentType::Object, json!({"a": 1})),
        ] {
            let read = read(json!({"name": "n", "value_type": kind, "value": value}));
            assert_eq!(read, Ok((expected, stored)));
        }
    }

    #[test]
    fn faults_are_named() {
        for (mapping, expected) in [
            (json!({"value_type": "string", "value": "1"}), "missing name"),
            (json!({"name": "", "value_type": "string", "value": "1"}), "missing name"),
            (json!({"name": "n", "value": "1"}), "missing value type"),
            (json!({"name": "n", "value_type": "string", "value": null}), "missing value"),
            (
                json!({"name": "n", "value_type": "thing", "value": "1"}),
                "not supported value type thing",
            ),
            (
                json!({"name": "n", "value_type": "number", "value": "abc"}),
                "invalid number value abc",
            ),
            (
                json!({"name": "n", "value_type": "integer", "value": 1.5}),
                "not supported value type integer",
            ),
            (
                json!({"name": "n", "value_type": "array[file]", "value": []}),
                "not supported value type array[file]",
            ),
            (
                json!({"name": "n", "value_type": "array[string]", "value": "x"}),
                "not supported value type array[string]",
            ),
        ] {
            assert_eq!(read(mapping), Err(expected.to_owned()));
        }
        let long = "x".repeat(204_800);
        let err = read(json!({"name": "n", "value_type": "string", "value": long})).unwrap_err();
        assert_eq!(err, "variable size 204849 exceeds limit 204800");
    }

    #[test]
    fn rows_keep_the_order_of_the_reference() {
        let Value::Object(mapping) =
            json!({"id": "i", "name": "ü", "value_type": "number", "value": 1})
        else {
            panic!("an object")
        };
        let variable = Variable::read(Scope::Environment, &mapping, 1000).unwrap();
        assert_eq!(
            to_row(std::slice::from_ref(&variable)).unwrap(),
            r#"{"ü": {"value_type": "integer", "value": 1, "id": "i", "name": "ü", "description": "", "selector": ["env", "ü"]}}"#
        );
        assert_eq!(
            of_row(Scope::Environment, &to_row(std::slice::from_ref(&variable)).unwrap()),
            [variable]
        );
    }
}
