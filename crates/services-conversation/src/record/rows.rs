//! Outcomes as rows.

use app_engine::basic::run::{Outcome, ToolUse};
use chrono::NaiveDateTime;
use db::message::{Begun, Ended};
use serde_json::{Map, Value, json};
use types::TenantId;

/// Metadata of a message's copies in `conversation_messages`, as far as it is known when the message begins.
#[must_use]
pub fn metadata_of(tenant: TenantId, message: &Begun) -> Value {
    json!({
        "tenant_id": tenant,
        "app_id": message.app_id,
        "message_id": message.id,
        "provider": message.model_provider,
        "model": message.model_id,
        "app_mode": message.mode,
        "invoke_from": message.invoke_from,
        "user_id": message.from_end_user_id.map(|id| id.0).or(message.from_account_id.map(|id| id.0)),
    })
}

/// How a run ended, as its message's row.
#[must_use]
pub fn ended(begun: &Begun, outcome: &Outcome, now: NaiveDateTime) -> Ended {
    let usage = &outcome.usage;
    let failed = outcome.error.is_some();
    let tokens = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
    let answer = template::prompt::without_variables(outcome.answer.trim()).into_owned();
    let status = if failed { "error" } else { "normal" };
    Ended {
        id: begun.id,
        app_id: begun.app_id,
        conversation_id: begun.conversation_id,
        status,
        error: outcome.error.as_ref().map(|error| error.message.clone()),
        answer,
        prompt: (!failed).then(|| outcome.prompt.to_string()),
        metadata: (!failed).then(|| {
            json!({
                "annotation_reply": outcome.annotation,
                "retriever_resources": outcome.sources,
                // The reference stores it before it knows.
                "usage": null,
            })
            .to_string()
        }),
        message_tokens: tokens(usage.prompt_tokens),
        message_unit_price: usage.prompt_unit_price,
        message_price_unit: usage.prompt_price_unit,
        answer_tokens: tokens(usage.completion_tokens),
        answer_unit_price: usage.completion_unit_price,
        answer_price_unit: usage.completion_price_unit,
        total_price: usage.total_price,
        currency: usage.currency.clone(),
        latency: outcome.latency,
        updated_at: now,
        copied: begun.copied.as_ref().map(|begun| copied(begun, outcome, status)),
    }
}

fn copied(begun: &Value, outcome: &Outcome, status: &str) -> Value {
    let usage = &outcome.usage;
    let mut all = begun.as_object().cloned().unwrap_or_default();
    let more = json!({
        "status": if outcome.stopped { "stopped" } else { status },
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "total_price": usage.total_price,
        "currency": usage.currency,
        "response_time": outcome.latency,
        "tool_calls": outcome.calls.iter().map(tool_call).collect::<Vec<_>>(),
        "plugin_calls": outcome.calls.iter().filter(|call| is_plugin(call)).map(tool_call).collect::<Vec<_>>(),
    });
    if let Value::Object(more) = more {
        all.extend(more);
    }
    if let Some(error) = &outcome.error {
        all.insert("error".to_owned(), error.message.clone().into());
    }
    without_nul(Value::Object(all))
}

/// A call of a tool, without what the tool answered: that may be long, and is in `message_agent_thoughts`.
fn tool_call(call: &ToolUse) -> Value {
    json!({
        "name": call.name,
        "provider": tool_config(call, "tool_provider"),
        "provider_type": tool_config(call, "tool_provider_type"),
        "arguments": call.arguments,
        "error": call.meta.get("error"),
        "time": call.meta.get("time_cost"),
    })
}

fn is_plugin(call: &ToolUse) -> bool {
    tool_config(call, "tool_provider_type").is_some_and(|kind| kind == "plugin")
}

fn tool_config<'c>(call: &'c ToolUse, key: &str) -> Option<&'c str> {
    call.meta.get("tool_config")?.get(key)?.as_str()
}

/// `jsonb` holds no NUL.
fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(text.replace('\0', "")),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (key, without_nul(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}
