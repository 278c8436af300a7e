//! What fits into a model's context.
//!
//! Counting tokens costs time, and nearly every prompt is far below the limit. A token is at least one byte of text, so
//! a prompt whose bytes fit need not be counted.

use model_runtime::{Content, ContentPart, ModelSchema, ParameterRule, PromptMessage};
use serde_json::{Map, Value};

use crate::{event::RunError, ports::LlmModel};

/// Tokens of history for models that do not say how large their context is.
const WITHOUT_CONTEXT_SIZE: u64 = 2000;

/// Least room for an answer.
const LEAST_ANSWER: u64 = 16;

/// More tokens than any provider adds around a message.
const AROUND_A_MESSAGE: u64 = 8;

/// More tokens than a picture or document of a kind we send takes in most models.
const FILE: u64 = 4096;

/// Drops the oldest messages of `history` until the rest fits beside the `fixed` part of the prompt; the last message
/// always stays.
///
/// # Errors
/// When the provider is asked to count and fails.
pub async fn trim_history(
    model: &dyn LlmModel,
    parameters: &Map<String, Value>,
    fixed: &[PromptMessage],
    history: &mut Vec<PromptMessage>,
) -> Result<(), RunError> {
    let context = context_size(model.schema());
    let answer = max_tokens(model.schema(), parameters).unwrap_or(0);
    let at_most = upper_bound(fixed);
    let quick = context.map_or(WITHOUT_CONTEXT_SIZE, |context| {
        context.saturating_sub(answer).saturating_sub(at_most)
    });
    if upper_bound(history) <= quick {
        return Ok(());
    }
    let rest = match context {
        None => WITHOUT_CONTEXT_SIZE,
        Some(context) => {
            let fixed = count(model, fixed).await?;
            context.saturating_sub(answer).saturating_sub(fixed)
        }
    };
    let mut each = Vec::with_capacity(history.len());
    for message in history.iter() {
        each.push(count(model, std::slice::from_ref(message)).await?);
    }
    let mut total: u64 = each.iter().sum();
    let mut drop = 0;
    for tokens in each.iter().take(history.len().saturating_sub(1)) {
        if total <= rest {
            break;
        }
        total -= tokens;
        drop += 1;
    }
    history.drain(..drop);
    Ok(())
}

/// Drops the oldest of `turns` until the rest fits, with the `system` messages, beside the `fixed` part of the prompt.
/// A turn goes whole: a call without its answer is one providers refuse.
///
/// # Errors
/// When the provider is asked to count and fails.
pub async fn trim_turns(
    model: &dyn LlmModel,
    parameters: &Map<String, Value>,
    system: &[PromptMessage],
    fixed: &[PromptMessage],
    turns: &mut Vec<Vec<PromptMessage>>,
) -> Result<(), RunError> {
    if turns.is_empty() {
        return Ok(());
    }
    let context = context_size(model.schema());
    let answer = max_tokens(model.schema(), parameters).unwrap_or(0);
    let rest = |fixed: u64| {
        context.map_or(WITHOUT_CONTEXT_SIZE, |context| {
            context.saturating_sub(answer).saturating_sub(fixed)
        })
    };
    let all: u64 = turns.iter().map(|turn| upper_bound(turn)).sum();
    if all + upper_bound(system) <= rest(upper_bound(fixed)) {
        return Ok(());
    }
    let rest = match context {
        None => rest(0),
        Some(_) => rest(count(model, fixed).await?),
    };
    let mut total = if system.is_empty() { 0 } else { count(model, system).await? };
    let mut kept = 0;
    for turn in turns.iter().rev() {
        total += count(model, turn).await?;
        if rest < total {
            break;
        }
        kept += 1;
    }
    turns.drain(..turns.len() - kept);
    Ok(())
}

/// Lowers the answer's limit so that prompt and answer fit into the context together.
///
/// # Errors
/// When the provider is asked to count and fails.
pub async fn fit_answer(
    model: &dyn LlmModel,
    parameters: &mut Map<String, Value>,
    messages: &[PromptMessage],
) -> Result<(), RunError> {
    let Some(context) = context_size(model.schema()) else { return Ok(()) };
    let Some(answer) = max_tokens(model.schema(), parameters) else { return Ok(()) };
    if upper_bound(messages).saturating_add(answer) <= context {
        return Ok(());
    }
    let prompt = count(model, messages).await?;
    if prompt.saturating_add(answer) <= context {
        return Ok(());
    }
    let answer = context.saturating_sub(prompt).max(LEAST_ANSWER);
    for rule in model.schema().parameter_rules.iter().filter(|rule| limits_answer(rule)) {
        parameters.insert(rule.name.clone(), Value::from(answer));
    }
    Ok(())
}

async fn count(model: &dyn LlmModel, messages: &[PromptMessage]) -> Result<u64, RunError> {
    model.count_tokens(messages, &[]).await.map_err(super::run::refused)
}

fn context_size(schema: &ModelSchema) -> Option<u64> {
    schema.context_size().and_then(|size| u64::try_from(size).ok()).filter(|size| 0 < *size)
}

fn limits_answer(rule: &ParameterRule) -> bool {
    rule.name == "max_tokens" || rule.use_template.as_deref() == Some("max_tokens")
}

/// What the parameters allow an answer to have.
fn max_tokens(schema: &ModelSchema, parameters: &Map<String, Value>) -> Option<u64> {
    let rules = schema.parameter_rules.iter().filter(|rule| limits_answer(rule));
    rules
        .filter_map(|rule| {
            let template = rule.use_template.as_deref().and_then(|name| parameters.get(name));
            parameters.get(&rule.name).or(template)?.as_u64()
        })
        .next_back()
        .filter(|tokens| 0 < *tokens)
}

/// More tokens than the messages can have.
fn upper_bound(messages: &[PromptMessage]) -> u64 {
    messages
        .iter()
        .map(|message| {
            let content = match message.content() {
                None => 0,
                Some(Content::Text(text)) => text.len() as u64,
                Some(Content::Parts(parts)) => parts.iter().map(part_bound).sum(),
            };
            let calls = message.tool_calls().iter().map(|call| {
                (call.id.len() + call.function.name.len() + call.function.arguments.len()) as u64
                    + AROUND_A_MESSAGE
            });
            content + calls.sum::<u64>() + AROUND_A_MESSAGE
        })
        .sum()
}

fn part_bound(part: &ContentPart) -> u64 {
    match part {
        ContentPart::Text { data } => data.len() as u64,
        _ => FILE,
    }
}
