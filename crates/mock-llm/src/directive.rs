//! Directives: `[[name]]` and `[[name:value]]` in the last user message.
//!
//! | directive | effect |
//! |---|---|
//! | `[[reply:TEXT]]` | answers TEXT (after the tools, if there are any) |
//! | `[[tokens:N]]` | exactly N pieces: cut, or filled up |
//! | `[[ttft_ms:N]]` `[[delay_ms:N]]` | waits before the first piece, between pieces |
//! | `[[error:429]]` `[[error:500 text]]` | fails |
//! | `[[tool:name {json}]]` | calls the tool; several are called one a turn |
//! | `[[parallel]]` | calls all tools in one turn |
//! | `[[abort_after:N]]` | drops the connection after N pieces |
//! | `[[json:{…}]]` | answers that JSON |
//! | `[[think:TEXT]]` | sends TEXT as reasoning first |
//! | `[[think_inline:TEXT]]` | puts `<think>TEXT</think>` before the answer |

use serde_json::Value;

/// What the directives of a message ask for.
#[derive(Debug, Default, Clone, PartialEq)]
#[allow(missing_docs, reason = "the table above is the documentation")]
pub struct Directives {
    pub reply: Option<String>,
    pub tokens: Option<usize>,
    pub ttft_ms: Option<f64>,
    pub delay_ms: Option<f64>,
    pub error: Option<(u16, String)>,
    pub tools: Vec<(String, Value)>,
    pub parallel: bool,
    pub abort_after: Option<usize>,
    pub json: Option<Value>,
    pub think: Option<String>,
    pub think_inline: Option<String>,
    pub embed_error: Option<u16>,
    pub flag: bool,
}

/// Takes the directives out of a text.
#[must_use]
pub fn take(text: &str) -> (Directives, String) {
    let mut found = Directives::default();
    if !text.contains("[[") {
        return (found, text.to_owned());
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("[[") {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let inner = from.get(2..).unwrap_or_default();
        let end = inner.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(inner.len());
        let (name, value) = inner.split_at(end);
        let after = if let Some(after) = value.strip_prefix("]]")
            && !name.is_empty()
        {
            found.note(name, "");
            Some(after)
        } else if let Some(value) = value.strip_prefix(':')
            && !name.is_empty()
        {
            found.valued(name, value)
        } else {
            None
        };
        match after {
            Some(after) => rest = after,
            None => {
                plain.push_str("[[");
                rest = inner;
            }
        }
    }
    plain.push_str(rest);
    (found, plain.trim().to_owned())
}

impl Directives {
    /// Reads a directive's value from the beginning of `text`; gives what follows it, or nothing if it never ends.
    fn valued<'a>(&mut self, name: &str, text: &'a str) -> Option<&'a str> {
        match name {
            "json" => {
                if let Some((value, after)) = json(text) {
                    self.json = Some(value);
                    return Some(closed(after));
                }
            }
            "tool" => {
                let text = text.trim_start();
                let letter = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
                let end = text.find(|c: char| !letter(c)).unwrap_or(text.len());
                let (tool, after) = text.split_at(end);
                if !tool.is_empty() {
                    let (arguments, after) = json(after)
                        .unwrap_or_else(|| (Value::Object(serde_json::Map::new()), after));
                    self.tools.push((tool.to_owned(), arguments));
                    return Some(closed(after));
                }
            }
            _ => {}
        }
        let (value, after) = text.split_once("]]")?;
        self.note(name, value);
        Some(after)
    }

    fn note(&mut self, name: &str, value: &str) {
        let number = || value.trim().parse::<f64>().ok();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturating is fine"
        )]
        let count = || number().map(|number| number as usize);
        match name {
            "reply" => self.reply = Some(value.to_owned()),
            "tokens" => self.tokens = count(),
            "ttft_ms" => self.ttft_ms = number(),
            "delay_ms" => self.delay_ms = number(),
            "error" => {
                let (status, message) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
                let status = status.parse().unwrap_or(500);
                let message = if message.is_empty() {
                    format!("mock error {status} requested by the prompt")
                } else {
                    message.to_owned()
                };
                self.error = Some((status, message));
            }
            "parallel" => self.parallel = true,
            "abort_after" => self.abort_after = Some(count().unwrap_or_default()),
            "think" => self.think = Some(value.to_owned()),
            "think_inline" => self.think_inline = Some(value.to_owned()),
            "embed_error" => self.embed_error = Some(value.trim().parse().unwrap_or(500)),
            "flag" => self.flag = true,
            _ => {}
        }
    }
}

/// What follows the next `]]`.
fn closed(text: &str) -> &str {
    text.split_once("]]").map_or("", |(_, after)| after)
}

/// The JSON value a text begins with, and what follows it. Also reads values whose quotes are escaped, as they are in a
/// text that was itself put into JSON.
fn json(text: &str) -> Option<(Value, &str)> {
    let text = text.trim_start();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    if let Some(Ok(value)) = values.next() {
        return Some((value, text.get(values.byte_offset()..).unwrap_or_default()));
    }
    for (at, _) in text.match_indices("]]") {
        let (raw, after) = text.split_at(at);
        let raw = raw.replace("\\\"", "\"").replace("\\\\", "\\").replace("\\n", "\n");
        if let Ok(value) = serde_json::from_str(&raw) {
            return Some((value, after));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn directives_are_taken_out() {
        let (found, plain) = take(
            "a [[reply:Hi [there]]] b [[tokens:5]][[delay_ms:1.5]][[tool:x.y {\"a\": [[1]]}]] [[parallel]] \
             [[json:{\"k\": \"]]\"}]] c [[error:429 slow down]] [[unknown:1]] [[Not one]]",
        );
        assert_eq!(found.reply.as_deref(), Some("Hi [there"));
        assert_eq!((found.tokens, found.delay_ms), (Some(5), Some(1.5)));
        assert_eq!(found.tools, vec![("x.y".to_owned(), json!({"a": [[1]]}))]);
        assert!(found.parallel);
        assert_eq!(found.json, Some(json!({"k": "]]"})));
        assert_eq!(found.error, Some((429, "slow down".to_owned())));
        assert!(plain.contains("c") && plain.ends_with("[[Not one]]"), "{plain}");
    }

    #[test]
    fn escaped_json_and_open_directives_are_read() {
        let (found, _) = take(r#"[[tool:f {\"q\": \"x\"}]]"#);
        assert_eq!(found.tools, vec![("f".to_owned(), json!({"q": "x"}))]);
        let (found, plain) = take("see [[reply:never closed");
        assert_eq!((found.reply, plain.as_str()), (None, "see [[reply:never closed"));
    }
}
