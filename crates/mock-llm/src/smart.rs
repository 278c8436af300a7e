//! The prompts that an API sends on its own: titles, follow-up questions, classification, extraction and the like. They
//! are recognised by the form of answer they ask for, and answered in it.

use regex::Regex;
use serde_json::{Value, json};

use crate::{directive, schema};

/// What to answer a recognised prompt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Smart {
    /// This text, whatever directives say.
    Text(String),
    /// This call, whatever directives say.
    Call(String, Value),
    /// This text, unless directives say otherwise.
    SoftText(String),
    /// This call, unless directives say otherwise.
    SoftCall(String, Value),
}

impl Smart {
    /// Directives do not matter.
    pub const fn is_hard(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Call(..))
    }
}

/// Recognises a prompt. `all` is the text of all messages, `user` that of the last user message, `tools` the names and
/// schemas of functions.
pub(crate) fn answer(all: &str, user: &str, tools: &[(String, Value)]) -> Option<Smart> {
    title(all, user)
        .or_else(|| all.contains("\"question1\"").then(follow_ups))
        .or_else(|| extraction(user, tools))
        .or_else(|| classification(all, user))
        .or_else(|| structure(user))
        .or_else(|| choice_of_base(user, tools))
        .or_else(|| questions_and_answers(all, user))
        .or_else(|| json_schema(all))
}

fn title(all: &str, user: &str) -> Option<Smart> {
    if !(all.contains("\"Your Output\"") && all.contains("Language Type")) {
        return None;
    }
    let source = user.rsplit("User Input:").next().unwrap_or(user);
    let (_, plain) = directive::take(source);
    let words: Vec<&str> = words(&plain).take(5).collect();
    let title = if words.is_empty() { "Untitled".to_owned() } else { words.join(" ") };
    let title: String = title.chars().take(60).collect();
    let answer = json!({
        "Language Type": "English", "Your Reasoning": "mock", "Your Output": format!("Chat about {title}"),
    });
    Some(Smart::Text(answer.to_string()))
}

fn follow_ups() -> Smart {
    Smart::Text(r#"["What is next?","Can you say more?","Why is that?"]"#.to_owned())
}

fn extraction(user: &str, tools: &[(String, Value)]) -> Option<Smart> {
    let (name, parameters) = tools.iter().find(|(name, _)| name.starts_with("extract_para"))?;
    let source = between(user, "<context>", "</context>").unwrap_or(user);
    let (directives, plain) = directive::take(source);
    let arguments =
        directives.json.unwrap_or_else(|| Value::Object(schema::extract(parameters, &plain)));
    Some(Smart::Call(name.clone(), arguments))
}

fn classification(all: &str, user: &str) -> Option<Smart> {
    if !(all.contains("category_id") && user.contains("input_text")) {
        return None;
    }
    let text = between(user, "\"input_text\"", "\"categories\"").unwrap_or(user);
    let source = user.rsplit("### User Input").next().unwrap_or(user);
    let (directives, plain) = directive::take(text);
    let fenced = |value: &Value| Smart::Text(format!("```json\n{value}\n```"));
    if let Some(given) = directives.json {
        return Some(fenced(&given));
    }
    let mut classes = Vec::new();
    for pattern in [
        r#""category_id"\s*:\s*"([^"]*)"\s*,\s*"category_name"\s*:\s*"((?:[^"\\]|\\.)*)""#,
        r"'category_id'\s*:\s*'([^']*)'\s*,\s*'category_name'\s*:\s*'([^']*)'",
    ] {
        if classes.is_empty() {
            let pattern = Regex::new(pattern).ok()?;
            let found = pattern.captures_iter(source).map(|hit| hit.extract::<2>().1);
            classes = found.map(|[id, name]| (id, name)).collect();
        }
    }
    let low = plain.to_lowercase();
    let score = |name: &str| words(&name.to_lowercase()).filter(|word| low.contains(*word)).count();
    // Of equally good classes the first one.
    let (id, name) = classes.iter().rev().max_by_key(|(_, name)| score(name))?;
    let keywords: Vec<&str> = words(&plain).take(3).collect();
    Some(fenced(&json!({"keywords": keywords, "category_id": id, "category_name": name})))
}

fn structure(user: &str) -> Option<Smart> {
    let wanted: Value = serde_json::from_str(between(user, "<structure>", "</structure>")?).ok()?;
    let source = between(user, "<text>", "</text>")?;
    if !wanted.is_object() {
        return None;
    }
    let (directives, plain) = directive::take(source);
    let value = directives.json.unwrap_or_else(|| Value::Object(schema::extract(&wanted, &plain)));
    Some(Smart::Text(value.to_string()))
}

/// Functions named by ids are knowledge bases to choose from.
fn choice_of_base(user: &str, tools: &[(String, Value)]) -> Option<Smart> {
    let uuid = |name: &str| {
        let lengths: Vec<usize> = name.split('-').map(str::len).collect();
        lengths == [8, 4, 4, 4, 12] && name.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
    };
    let (first, _) = tools.first()?;
    tools
        .iter()
        .all(|(name, _)| uuid(name))
        .then(|| Smart::SoftCall(first.clone(), json!({"query": user})))
}

fn questions_and_answers(all: &str, user: &str) -> Option<Smart> {
    if !(all.contains("Q1:") && all.contains("A1:") && all.contains("<QA Pairs>")) {
        return None;
    }
    let (_, plain) = directive::take(user);
    let joined = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let first: String = joined.chars().take(200).collect();
    Some(Smart::SoftText(format!(
        "Q1: What does the text say?\nA1: {first}\nQ2: How long is the text?\nA2: {} characters",
        plain.chars().count()
    )))
}

fn json_schema(all: &str) -> Option<Smart> {
    let (_, after) = all.rsplit_once("Here is the JSON schema:")?;
    let from = after.get(after.find('{')?..)?;
    let mut values = serde_json::Deserializer::from_str(from).into_iter::<Value>();
    let wanted = values.next()?.ok()?;
    Some(Smart::SoftText(schema::instance(&wanted).to_string()))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// What stands between the last `start` and the `end` after it, or the end of the text.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, after) = text.rsplit_once(start)?;
    Some(after.split_once(end).map_or(after, |(inside, _)| inside).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_answered_in_the_form_they_ask_for() {
        let ask = r#"Answer as {"Language Type": "", "Your Reasoning": "", "Your Output": ""}. User Input: Plan a trip [[error:500]]"#;
        let Some(Smart::Text(text)) = answer(ask, ask, &[]) else { panic!("no title") };
        assert!(text.contains("Chat about Plan a trip"), "{text}");

        let ask = r#"### User Input
            {"input_text": ["my phone is broken"], "categories": [{"category_id":"1","category_name":"billing"},
             {"category_id":"2","category_name":"broken phone"}]} "category_id""#;
        let Some(Smart::Text(text)) = answer(ask, ask, &[]) else { panic!("no class") };
        assert!(text.contains(r#""category_id":"2""#), "{text}");

        let tools =
            [("extract_parameters".to_owned(), json!({"properties": {"n": {"type": "number"}}}))];
        assert_eq!(
            answer("x", "<context>\nseven is 7\n</context>", &tools),
            Some(Smart::Call("extract_parameters".to_owned(), json!({"n": 7})))
        );
        assert_eq!(answer("hello", "hello", &[]), None);
    }
}
