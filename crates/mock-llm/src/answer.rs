//! What a chat or completion request is answered.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    config::Config,
    directive::{self, Directives},
    error::ApiError,
    pieces,
    react::{self, Style},
    schema,
    smart::{self, Smart},
    vectors::digest,
};

/// A call in an answer.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub id: String,
    pub name: String,
    pub arguments: String,
}

/// An answer and how fast it comes.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub id: String,
    pub model: String,
    pub pieces: Vec<String>,
    pub reasoning: Vec<String>,
    pub calls: Vec<Call>,
    pub finish: &'static str,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub first_after: Duration,
    pub between: Duration,
    pub abort_after: Option<usize>,
}

/// The messages of a request, reduced to what matters here.
struct Prompt {
    texts: Vec<String>,
    roles: Vec<String>,
    calls: Vec<bool>,
    media: usize,
    tokens: u64,
}

/// Makes the answer to a request.
pub(crate) fn make(body: &Value, completion: bool, config: &Config) -> Result<Answer, ApiError> {
    let model = body.get("model").and_then(Value::as_str).unwrap_or("mock");
    if model.contains("nonexistent") {
        return Err(ApiError::new(
            404,
            format!("The model `{model}` does not exist or you do not have access to it."),
        ));
    }
    let mut prompt = if completion { Prompt::of_text(body) } else { Prompt::of_messages(body)? };
    let tools = tools(body);
    if !tools.is_empty() {
        let told: u64 = tools
            .iter()
            .map(|(name, schema)| pieces::tokens(name) + pieces::tokens(&schema.to_string()))
            .sum();
        prompt.tokens += 8 * tools.len() as u64 + told;
    }
    let all = prompt.texts.join("\n");
    let style = if tools.is_empty() { Style::of(&all) } else { None };
    let last = prompt.last_user(style);
    let user = prompt.texts.get(last).map(String::as_str).unwrap_or_default();
    let seed = digest(prompt.texts.iter().map(String::as_str).chain([model]));

    let smart = (config.smart != 0).then(|| smart::answer(&all, user, &tools)).flatten();
    let hard = smart.as_ref().is_some_and(Smart::is_hard);
    let (asked, plain) =
        if hard { (Directives::default(), user.to_owned()) } else { directive::take(user) };
    if let Some((status, message)) = asked.error {
        return Err(ApiError::new(status, message));
    }

    let turn = prompt.after(last, style);
    let mut answer = Answer {
        id: format!("{}{:.24}", if completion { "cmpl-" } else { "chatcmpl-" }, seed),
        model: model.to_owned(),
        prompt_tokens: prompt.tokens,
        first_after: millis(asked.ttft_ms.unwrap_or(config.ttft_ms)),
        between: millis(asked.delay_ms.unwrap_or(config.token_delay_ms)),
        abort_after: asked.abort_after,
        finish: "stop",
        ..Answer::default()
    };
    let may_call = !tools.is_empty() || style.is_some();
    let mut wanted: Vec<(String, Value)> = Vec::new();
    if may_call && asked.parallel && turn.number == 0 {
        wanted.clone_from(&asked.tools);
    } else if may_call && !asked.parallel {
        wanted.extend(asked.tools.get(turn.number).cloned());
    }
    if asked.tools.is_empty() && turn.number == 0 {
        wanted.extend(forced(body, &tools));
    }
    let call = |position: usize, (name, arguments): (String, Value)| {
        let arguments = arguments.to_string();
        let place = format!("{}-{position}", turn.number);
        let id = digest([seed.as_str(), place.as_str(), name.as_str()].into_iter());
        Call { id: format!("call_{id:.24}"), name, arguments }
    };
    let free = asked.reply.is_none() && wanted.is_empty();
    let mut text = String::new();
    match smart {
        Some(Smart::Call(name, arguments)) => answer.calls.push(call(0, (name, arguments))),
        Some(Smart::SoftCall(name, arguments)) if free && turn.number == 0 => {
            answer.calls.push(call(0, (name, arguments)));
        }
        Some(Smart::Text(given)) => text = given,
        Some(Smart::SoftText(given)) if free && asked.json.is_none() => text = given,
        _ if !wanted.is_empty() && style.is_none() => {
            answer.calls = wanted.into_iter().enumerate().map(|(at, one)| call(at, one)).collect();
        }
        _ if !wanted.is_empty() => {
            if let Some((name, arguments)) = wanted.first() {
                text = react::call(name, arguments);
            }
        }
        _ => {
            text = said(body, &asked, &plain, &prompt, &turn);
            if let Some(style) = style {
                text = style.end(&text);
            }
        }
    }
    if let Some(thought) = &asked.think_inline {
        text = format!("<think>{thought}</think>{text}");
    }
    for stop in stops(body) {
        if let Some(at) = text.find(stop) {
            text.truncate(at);
        }
    }
    answer.pieces = pieces::split(&text);
    let exactly = asked.tokens.unwrap_or(config.tokens);
    if exactly != 0 && answer.calls.is_empty() && !hard {
        pieces::fit(&mut answer.pieces, exactly);
    }
    let most =
        ["max_completion_tokens", "max_tokens"].iter().find_map(|key| body.get(key)?.as_u64());
    if let Some(most) = most.and_then(|most| usize::try_from(most).ok()).filter(|most| *most != 0)
        && most < answer.pieces.len()
    {
        answer.pieces.truncate(most);
        answer.finish = "length";
    }
    if !answer.calls.is_empty() {
        answer.finish = "tool_calls";
    }
    answer.reasoning = asked.think.as_deref().map(pieces::split).unwrap_or_default();
    let called: u64 = answer.calls.iter().map(|call| pieces::tokens(&call.arguments) + 4).sum();
    answer.completion_tokens = (answer.pieces.len() + answer.reasoning.len()) as u64 + called;
    Ok(answer)
}

impl Answer {
    pub fn usage(&self) -> Value {
        json!({
            "prompt_tokens": self.prompt_tokens, "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
        })
    }
}

/// What happened since the last user message.
struct Turn {
    number: usize,
    results: Vec<String>,
}

impl Prompt {
    fn of_text(body: &Value) -> Self {
        let text = match body.get("prompt") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(parts)) => {
                parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
            }
            _ => String::new(),
        };
        let tokens = 3 + pieces::tokens(&text) + 4;
        Self {
            texts: vec![text],
            roles: vec!["user".to_owned()],
            calls: vec![false],
            media: 0,
            tokens,
        }
    }

    fn of_messages(body: &Value) -> Result<Self, ApiError> {
        let messages = body.get("messages").and_then(Value::as_array).filter(|all| !all.is_empty());
        let messages = messages.ok_or_else(|| {
            ApiError::new(400, "Invalid type for 'messages': expected a non-empty array.")
        })?;
        let mut out =
            Self { texts: Vec::new(), roles: Vec::new(), calls: Vec::new(), media: 0, tokens: 3 };
        for message in messages {
            let (text, media) = content(message.get("content"));
            out.media += media;
            out.tokens += pieces::tokens(&text) + 4 + 85 * media as u64;
            let calls = message.get("tool_calls").and_then(Value::as_array);
            for call in calls.into_iter().flatten() {
                let arguments = call.pointer("/function/arguments").and_then(Value::as_str);
                out.tokens += pieces::tokens(arguments.unwrap_or_default()) + 6;
            }
            out.calls.push(calls.is_some_and(|calls| !calls.is_empty()));
            out.roles
                .push(message.get("role").and_then(Value::as_str).unwrap_or_default().to_owned());
            out.texts.push(text);
        }
        Ok(out)
    }

    /// Position of the user message that counts.
    fn last_user(&self, style: Option<Style>) -> usize {
        let counts = |position: &usize| {
            // The written loop sends a bare "continue" after what was written so far.
            let text = self.texts.get(*position).map(String::as_str).unwrap_or_default();
            self.roles.get(*position).is_some_and(|role| role == "user")
                && !(style.is_some() && text.trim().eq_ignore_ascii_case("continue"))
        };
        let last = self.texts.len().saturating_sub(1);
        (0..self.texts.len()).rev().find(counts).unwrap_or(last)
    }

    fn after(&self, last: usize, style: Option<Style>) -> Turn {
        let role =
            |position: usize| self.roles.get(position).map(String::as_str).unwrap_or_default();
        let later = (last + 1)..self.texts.len();
        let texts = |wanted: &[&str]| -> Vec<String> {
            let positions = later.clone().filter(|&position| wanted.contains(&role(position)));
            positions.filter_map(|position| self.texts.get(position).cloned()).collect()
        };
        if style.is_some() {
            let results = react::observations(&texts(&["assistant"]).join("\n"));
            return Turn { number: results.len(), results };
        }
        let called = later.clone().filter(|&position| {
            role(position) == "assistant" && self.calls.get(position).copied().unwrap_or_default()
        });
        Turn { number: called.count(), results: texts(&["tool", "function"]) }
    }
}

/// Text of a message, and how many other parts it has.
fn content(content: Option<&Value>) -> (String, usize) {
    match content {
        Some(Value::String(text)) => (text.clone(), 0),
        Some(Value::Array(parts)) => {
            let mut texts = Vec::new();
            let mut media = 0;
            for part in parts {
                match (part, part.get("type").and_then(Value::as_str)) {
                    (Value::String(text), _) => texts.push(text.as_str()),
                    (_, Some("text" | "input_text")) => {
                        texts.push(part.get("text").and_then(Value::as_str).unwrap_or_default());
                    }
                    _ => media += 1,
                }
            }
            (texts.join("\n"), media)
        }
        _ => (String::new(), 0),
    }
}

fn tools(body: &Value) -> Vec<(String, Value)> {
    let all = ["tools", "functions"].iter().find_map(|key| body.get(key)?.as_array());
    let tool = |tool: &Value| {
        let function = tool.get("function").unwrap_or(tool);
        let name = function.get("name")?.as_str()?.to_owned();
        Some((
            name,
            function.get("parameters").cloned().unwrap_or_else(|| json!({"type": "object"})),
        ))
    };
    all.into_iter().flatten().filter_map(tool).collect()
}

/// The call that `tool_choice` demands.
fn forced(body: &Value, tools: &[(String, Value)]) -> Option<(String, Value)> {
    let choice = body.get("tool_choice")?;
    let (name, parameters) = if choice == "required" {
        tools.first()?
    } else {
        let wanted = choice.pointer("/function/name")?.as_str()?;
        tools.iter().find(|(name, _)| name == wanted)?
    };
    Some((name.clone(), schema::instance(parameters)))
}

fn stops(body: &Value) -> Vec<&str> {
    let stops = match body.get("stop") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    stops.into_iter().filter(|stop| !stop.is_empty()).collect()
}

fn said(body: &Value, asked: &Directives, plain: &str, prompt: &Prompt, turn: &Turn) -> String {
    if let Some(value) = &asked.json {
        return value.to_string();
    }
    if let Some(reply) = &asked.reply {
        return reply.clone();
    }
    let shown: String = plain.chars().take(600).collect();
    match body.pointer("/response_format/type").and_then(Value::as_str) {
        Some("json_schema") => {
            let spec = body.pointer("/response_format/json_schema").unwrap_or(&Value::Null);
            return schema::instance(spec.get("schema").unwrap_or(spec)).to_string();
        }
        Some("json_object") => {
            return json!({"reply": shown, "messages": prompt.texts.len()}).to_string();
        }
        _ => {}
    }
    if !turn.results.is_empty() {
        let results: Vec<&str> = turn.results.iter().map(|result| result.trim()).collect();
        return format!("Tool said: {}", results.join(" | "));
    }
    let more = if shown.len() < plain.len() { "..." } else { "" };
    let mut text = format!("You said: {shown}{more} [messages={}]", prompt.texts.len());
    if prompt.media != 0 {
        text.push_str(&format!(" [media={}]", prompt.media));
    }
    text
}

fn millis(millis: f64) -> Duration {
    Duration::try_from_secs_f64(millis / 1000.0).unwrap_or_default()
}
