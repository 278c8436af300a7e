//! The variables of a chatflow's conversation.

use boxed::boxed;
use chrono::NaiveDateTime;
use db::workflow_conversation_variable::{self as rows, ConversationVariable};
use serde_json::{Map, Value};
use services_core::{Ctx, Fault};
use types::{AppId, ConversationId, pyjson};
use uuid::Uuid;

use super::{App, Part, Participant, TalkError};

/// A variable, as clients see it.
#[derive(Debug, Clone)]
pub struct Variable {
    /// The variable.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `string`, `number`, `array[object]` …
    pub value_type: String,
    /// Its value.
    pub value: Value,
    /// For people.
    pub description: String,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// When it was last set.
    pub updated_at: NaiveDateTime,
}

/// Which variables are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// Those behind this one.
    pub after: Option<Uuid>,
    /// Part of the name, in any case.
    pub name: Option<&'a str>,
    /// How many.
    pub limit: i64,
}

/// Variables of the participant's conversation.
///
/// # Errors
/// [`TalkError::NoConversation`], [`TalkError::NoVariable`].
#[boxed]
pub async fn list(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    conversation: ConversationId,
    wish: Wish<'_>,
) -> Result<Part<Variable>, TalkError> {
    let mut conn = ctx.db.acquire().await?;
    db::conversation_list::find(&mut conn, app.id, who, conversation)
        .await?
        .ok_or(TalkError::NoConversation)?;
    let all = rows::list(&mut conn, app.id, conversation).await?;
    drop(conn);
    let from = match wish.after {
        None => 0,
        Some(id) => 1 + all.iter().position(|row| row.id == id).ok_or(TalkError::NoVariable)?,
    };
    let name = wish.name.map(str::to_lowercase);
    let mut found = Vec::new();
    for row in all.into_iter().skip(from) {
        let variable = read(row)?;
        if name.as_ref().is_none_or(|name| variable.name.to_lowercase().contains(name)) {
            found.push(variable);
        }
    }
    Ok(Part::of(wish.limit, found))
}

/// Up to 100 variables of any conversation of an app, for its builders.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn of_app(
    ctx: &Ctx,
    app: AppId,
    conversation: ConversationId,
) -> Result<Vec<Variable>, Fault> {
    let mut conn = ctx.db.acquire().await?;
    let all = rows::list(&mut conn, app, conversation).await?;
    drop(conn);
    all.into_iter().take(100).map(read).collect()
}

/// Sets a variable of the participant's conversation.
///
/// # Errors
/// [`TalkError::NoConversation`], [`TalkError::NoVariable`], [`TalkError::TypeMismatch`].
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn set(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    place: (ConversationId, Uuid),
    value: Value,
) -> Result<Variable, TalkError> {
    let (conversation, id) = place;
    let mut tx = ctx.db.begin().await?;
    db::conversation_list::find(&mut tx, app.id, who, conversation)
        .await?
        .ok_or(TalkError::NoConversation)?;
    let row = rows::find(&mut tx, app.id, conversation, id).await?.ok_or(TalkError::NoVariable)?;
    let mut data = object(&row)?;
    let mut variable = read(row)?;
    if !fits(&variable.value_type, &value) {
        let expected = match variable.value_type.as_str() {
            "integer" => "number".to_owned(),
            other => other.to_owned(),
        };
        return Err(TalkError::TypeMismatch { name: variable.name, expected, given: kind(&value) });
    }
    data.insert("value".to_owned(), value.clone());
    let now = ctx.now_naive();
    let data = pyjson::dumps(&data)
        .map_err(|err| Fault::caused("could not write a conversation variable", err))?;
    rows::update(&mut tx, app.id, conversation, id, &data, now).await?;
    tx.commit().await?;
    variable.value = value;
    variable.updated_at = now;
    Ok(variable)
}

fn object(row: &ConversationVariable) -> Result<Map<String, Value>, Fault> {
    serde_json::from_str(&row.data)
        .map_err(|err| Fault::caused("a conversation variable is no JSON object", err))
}

fn read(row: ConversationVariable) -> Result<Variable, Fault> {
    let mut data = object(&row)?;
    let text = |value: Option<&Value>| {
        value.and_then(Value::as_str).map(str::to_owned).unwrap_or_default()
    };
    let value = data.remove("value").unwrap_or(Value::Null);
    Ok(Variable {
        id: row.id,
        name: text(data.get("name")),
        value_type: match text(data.get("value_type")).as_str() {
            // What clients call a number is stored more exactly.
            "integer" | "float" => "number".to_owned(),
            other => other.to_owned(),
        },
        value,
        description: text(data.get("description")),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

fn fits(value_type: &str, value: &Value) -> bool {
    let all =
        |check: fn(&Value) -> bool| value.as_array().is_some_and(|list| list.iter().all(check));
    match value_type {
        "string" | "secret" => value.is_string(),
        "number" | "integer" | "float" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array[any]" => value.is_array(),
        "array[string]" => all(Value::is_string),
        "array[number]" => all(Value::is_number),
        "array[object]" => all(Value::is_object),
        "array[boolean]" => all(Value::is_boolean),
        "none" => value.is_null(),
        _ => false,
    }
}

/// What the reference calls the type of a value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "none",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Object(_) => "object",
        Value::Array(list) => {
            let same = |check: fn(&Value) -> bool| !list.is_empty() && list.iter().all(check);
            if same(Value::is_string) {
                "array[string]"
            } else if same(Value::is_number) {
                "array[number]"
            } else if same(Value::is_object) {
                "array[object]"
            } else if same(Value::is_boolean) {
                "array[boolean]"
            } else {
                "array[any]"
            }
        }
    }
}

/// A value as clients get it: text as Python's `str` writes it, or nothing.
#[must_use]
pub fn as_text(value: Value) -> Value {
    match value {
        Value::Null | Value::String(_) => value,
        other => Value::String(repr(&other)),
    }
}

fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let items: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", quoted(name), repr(value)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{as_text, fits, kind};

    #[test]
    fn values_keep_the_type_of_their_variable() {
        for (value_type, value, expected, named) in [
            ("string", json!("x"), true, "string"),
            ("string", json!(1), false, "integer"),
            ("number", json!(1.5), true, "float"),
            ("number", json!(true), false, "boolean"),
            ("object", json!({}), true, "object"),
            ("array[string]", json!([]), true, "array[any]"),
            ("array[string]", json!(["a", 1]), false, "array[any]"),
            ("array[number]", json!([1, 2.5]), true, "array[number]"),
            ("file", json!({}), false, "object"),
        ] {
            assert_eq!(fits(value_type, &value), expected, "{value_type} {value}");
            assert_eq!(kind(&value), named, "{value}");
        }
    }

    #[test]
    fn values_are_shown_as_python_writes_them() {
        for (value, expected) in [
            (json!("x"), json!("x")),
            (json!(null), json!(null)),
            (json!([1, true, null]), json!("[1, True, None]")),
            (json!({"a": "it's", "b": "q"}), json!("{'a': \"it's\", 'b': 'q'}")),
        ] {
            assert_eq!(as_text(value), expected);
        }
    }
}
