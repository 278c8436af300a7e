//! Forms a run of a chatflow waits for, or waited for.

use std::{collections::HashMap, sync::LazyLock};

use db::{
    PgConnection,
    message_list::{self, FormRow},
};
use regex::{Captures, Regex};
use serde_json::{Value, json};
use services_core::Fault;
use types::{AppId, MessageId};
use uuid::Uuid;

static FIELD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\{\{#\$output\.([a-zA-Z_][a-zA-Z0-9_]{0,29})#\}\}").ok());

pub(super) async fn of(
    conn: &mut PgConnection,
    app: AppId,
    messages: &[Uuid],
) -> Result<HashMap<MessageId, Vec<Value>>, Fault> {
    let mut found: HashMap<MessageId, Vec<Value>> = HashMap::new();
    for row in message_list::forms(conn, app, messages).await? {
        let id = row.message_id;
        match content(row) {
            Some(content) => found.entry(id).or_default().push(content),
            None => tracing::warn!(message.id = %id, "a form of a message cannot be read"),
        }
    }
    Ok(found)
}

fn content(row: FormRow) -> Option<Value> {
    let definition: Value = serde_json::from_str(&row.form_definition).ok()?;
    let list = |name: &str| definition.get(name).cloned().unwrap_or_else(|| json!([]));
    let title =
        definition.get("node_title").and_then(Value::as_str).filter(|text| !text.is_empty());
    let title = title.unwrap_or(&row.node_id).to_owned();
    let submitted = row.submitted_at.is_some() || row.status == "submitted";
    if !submitted {
        return Some(json!({
            "workflow_run_id": row.workflow_run_id,
            "submitted": false,
            "form_definition": {
                "form_id": row.form_id,
                "node_id": row.node_id,
                "node_title": title,
                "form_content": row.rendered_content,
                "inputs": list("inputs"),
                "actions": list("user_actions"),
                "display_in_ui": definition.get("display_in_ui").and_then(Value::as_bool).unwrap_or_default(),
                "form_token": row.token,
                "resolved_default_values": definition.get("default_values").cloned().unwrap_or_else(|| json!({})),
                "expiration_time": row.expiration_time.and_utc().timestamp(),
            },
            "form_submission_data": null,
            "type": "human_input",
        }));
    }
    let action = row.selected_action_id.filter(|id| !id.is_empty())?;
    let actions = list("user_actions");
    let pressed = actions.as_array().and_then(|actions| {
        actions.iter().find(|button| button.get("id").and_then(Value::as_str) == Some(&action))
    });
    let action_text = pressed.and_then(|button| button.get("title")).and_then(Value::as_str);
    let data = row.submitted_data.as_deref().filter(|text| !text.is_empty());
    let data: Value = data.map_or(Ok(Value::Null), serde_json::from_str).ok()?;
    Some(json!({
        "workflow_run_id": row.workflow_run_id,
        "submitted": true,
        "form_definition": null,
        "form_submission_data": {
            "node_id": row.node_id,
            "node_title": title,
            "rendered_content": filled(&row.rendered_content, &data),
            "action_id": action,
            "action_text": action_text.unwrap_or(&action),
        },
        "type": "human_input",
    }))
}

/// The form's text with what was filled in.
fn filled(text: &str, data: &Value) -> String {
    let Some(field) = FIELD.as_ref() else { return text.to_owned() };
    let replaced = field.replace_all(text, |found: &Captures<'_>| {
        match found.get(1).and_then(|name| data.get(name.as_str())) {
            Some(Value::String(value)) => value.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        }
    });
    replaced.into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::filled;

    #[test]
    fn what_was_filled_in_is_shown_in_place() {
        let data = json!({"name": "Eve", "n": 2});
        assert_eq!(filled("{{#$output.name#}}/{{#$output.n#}}/{{#$output.x#}}.", &data), "Eve/2/.");
    }
}
