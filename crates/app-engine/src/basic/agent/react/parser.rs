//! Reads what a ReAct model writes, while it writes.
//!
//! The labels `Thought:` and `Action:` are left out; a JSON object that names an action, bare or in a code block, is that
//! action; everything else is text, passed on as soon as it cannot be part of either.

use serde_json::{Map, Value};
use template::json_repair;

use super::Action;

const LABELS: [&str; 2] = ["action:", "thought:"];

const FENCE: &str = "```";

/// A piece of what was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Action(Action),
}

/// Reads text that comes in pieces. Where the pieces are cut makes no difference.
#[derive(Default)]
pub(super) struct Parser {
    place: Place,
    /// What may yet turn out to be a label or a fence, or what the block or object holds so far.
    held: String,
    /// The character before the next one.
    last: Option<char>,
    out: Vec<Piece>,
}

#[derive(Default)]
enum Place {
    #[default]
    Text,
    Block(Nesting),
    Object(Nesting),
}

impl Parser {
    /// What is new with `piece`.
    pub fn push(&mut self, piece: &str) -> Vec<Piece> {
        for c in piece.chars() {
            self.step(c);
            self.last = Some(c);
        }
        std::mem::take(&mut self.out)
    }

    /// What was held back, when nothing follows.
    pub fn finish(mut self) -> Vec<Piece> {
        let held = std::mem::take(&mut self.held);
        match self.place {
            Place::Text => self.say(&held),
            Place::Block(_) => self.close(&held, &format!("{FENCE}{held}")),
            Place::Object(_) => self.close(&held, &held),
        }
        self.out
    }

    fn step(&mut self, c: char) {
        match &mut self.place {
            Place::Text => self.step_text(c),
            Place::Block(nesting) => {
                // A fence within a string is part of what the string says, unless it begins a line.
                let may_close = !nesting.in_text || self.held.trim_end_matches('`').ends_with('\n');
                nesting.step(c);
                self.held.push(c);
                if c == '`' && may_close && self.held.ends_with(FENCE) {
                    let held = std::mem::take(&mut self.held);
                    self.place = Place::Text;
                    let inside = held.strip_suffix(FENCE).unwrap_or_default();
                    self.close(inside, &format!("{FENCE}{held}"));
                }
            }
            Place::Object(nesting) => {
                let begins = self.held.trim_end().len() == 1;
                if begins && !c.is_whitespace() && !matches!(c, '"' | '\'' | '}') {
                    // No object: a brace in a sentence.
                    let held = std::mem::take(&mut self.held);
                    self.place = Place::Text;
                    self.say(&held);
                    return self.step_text(c);
                }
                nesting.step(c);
                self.held.push(c);
                if nesting.depth == 0 {
                    let held = std::mem::take(&mut self.held);
                    self.place = Place::Text;
                    self.close(&held, &held);
                }
            }
        }
    }

    fn step_text(&mut self, c: char) {
        if !self.held.is_empty() {
            let fits = |whole: &str| {
                let rest = whole.get(self.held.len()..).unwrap_or_default();
                rest.starts_with(c.to_ascii_lowercase())
                    && whole.starts_with(&self.held.to_ascii_lowercase())
            };
            if LABELS.into_iter().any(fits) || fits(FENCE) {
                self.held.push(c);
                if LABELS.contains(&self.held.to_ascii_lowercase().as_str()) {
                    self.held.clear();
                } else if self.held == FENCE {
                    self.held.clear();
                    self.place = Place::Block(Nesting::default());
                }
                return;
            }
            let held = std::mem::take(&mut self.held);
            self.say(&held);
        }
        let begins_word = self.last.is_none_or(char::is_whitespace);
        match c {
            '{' => {
                self.held.push(c);
                let mut nesting = Nesting::default();
                nesting.step(c);
                self.place = Place::Object(nesting);
            }
            '`' => self.held.push(c),
            'a' | 'A' | 't' | 'T' if begins_word => self.held.push(c),
            _ => self.say(c.encode_utf8(&mut [0; 4])),
        }
    }

    /// What was in a block or an object: actions, or else text that reads `whole`.
    fn close(&mut self, inside: &str, whole: &str) {
        let actions = actions(inside);
        if actions.is_empty() {
            self.say(whole);
        }
        self.out.extend(actions.into_iter().map(Piece::Action));
    }

    fn say(&mut self, text: &str) {
        match self.out.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(said)) => said.push_str(text),
            _ => self.out.push(Piece::Text(text.to_owned())),
        }
    }
}

/// How deep in objects, and whether in a string.
#[derive(Default)]
struct Nesting {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Nesting {
    fn step(&mut self, c: char) {
        if self.in_text {
            match c {
                _ if self.escaped => self.escaped = false,
                '\\' => self.escaped = true,
                '"' => self.in_text = false,
                _ => {}
            }
            return;
        }
        match c {
            '"' if self.depth != 0 => self.in_text = true,
            '{' => self.depth += 1,
            '}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// The actions in what stands in a block, behind the name of its language if there is one.
fn actions(text: &str) -> Vec<Action> {
    let text = text.trim().trim_start_matches(|c: char| c.is_ascii_alphanumeric()).trim_start();
    if !text.starts_with(['{', '[']) {
        return Vec::new();
    }
    match serde_json::from_str(text).unwrap_or_else(|_| json_repair::repair(text)) {
        Value::Object(object) => action(&object).into_iter().collect(),
        // Some models make a list of it.
        Value::Array(items) => items.iter().filter_map(|item| action(item.as_object()?)).collect(),
        _ => Vec::new(),
    }
}

/// The action an object names: one member is what is put in, another says what to do.
fn action(object: &Map<String, Value>) -> Option<Action> {
    let is_input = |key: &str| key.to_lowercase().contains("input");
    let input = object.iter().find(|(key, _)| is_input(key)).map(|(_, input)| input.clone())?;
    let mut names = object
        .iter()
        .filter(|(key, _)| !is_input(key))
        .filter_map(|(key, value)| Some((key.to_lowercase(), value.as_str()?)));
    let all: Vec<_> = names.by_ref().collect();
    let named = all.iter().find(|(key, _)| key.contains("action") || key.contains("tool"));
    let (_, name) = named.or(all.last())?;
    (!name.is_empty()).then(|| Action { name: (*name).to_owned(), input })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Text and actions of what is written in these pieces.
    fn read(pieces: &[&str]) -> (String, Vec<Action>) {
        let mut parser = Parser::default();
        let mut out = Vec::new();
        for piece in pieces {
            out.extend(parser.push(piece));
        }
        out.extend(parser.finish());
        let (mut text, mut actions) = (String::new(), Vec::new());
        for piece in out {
            match piece {
                Piece::Text(piece) => text.push_str(&piece),
                Piece::Action(action) => actions.push(action),
            }
        }
        (text, actions)
    }

    fn act(name: &str, input: Value) -> Action {
        Action { name: name.to_owned(), input }
    }

    #[test]
    fn actions_are_found_however_they_are_written() {
        let weather = || act("weather", json!({"city": "Bonn"}));
        let object = r#"{"action": "weather", "action_input": {"city": "Bonn"}}"#;
        for (written, text, actions) in [
            (format!("Thought: hm.\nAction:\n```\n{object}\n```\n"), " hm.\n\n\n", vec![weather()]),
            (format!("THOUGHT: hm. action: ```json\n{object}```"), " hm.  ", vec![weather()]),
            (format!("So: {object} done"), "So:  done", vec![weather()]),
            (format!("```JSON [{object}]```"), "", vec![weather()]),
            (format!("```\n{object}"), "", vec![weather()]),
            (
                "Action: {'action': 'weather', 'action_input': {'city': 'Bonn'},}".to_owned(),
                " ",
                vec![weather()],
            ),
            (
                r#"{"thought": "x", "Action Name": "f", "Action Input": "a {b} \"c\" ``` d"} Thought"#.to_owned(),
                " Thought",
                vec![act("f", json!("a {b} \"c\" ``` d"))],
            ),
            (
                "```json\n{\"action\": \"run\", \"action_input\": \"say `x`\n```python\nprint()\"}\n```"
                    .to_owned(),
                // A fence at the beginning of a line ends the block, whatever is left of it.
                "python\nprint()\"}\n```",
                vec![act("run", json!("say `x`"))],
            ),
        ] {
            let (read, found) = read(&[&written]);
            assert_eq!((read.as_str(), &found), (text, &actions), "{written}");
        }
    }

    #[test]
    fn what_is_no_action_is_text() {
        for text in [
            "use {name} and {{x}} or { y }",
            "```python\nprint({\"a\": 1})\n```",
            "some `code` and ``more``",
            r#"{"a": 1} {"action": "only"}"#,
            "an actor, a thoughtful reaction: and inaction:",
            "{\"a\": ",
            "``",
            "Actio",
        ] {
            assert_eq!(read(&[text]), (text.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn text_is_not_held_back() {
        let mut parser = Parser::default();
        assert_eq!(parser.push("Thought: I see. Th"), [Piece::Text(" I see. ".to_owned())]);
        assert_eq!(parser.push("en {x"), [Piece::Text("Then {x".to_owned())]);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_pieces_are_cut(
            parts in prop::collection::vec(prop::sample::select(vec![
                "Thought:", "action: ", "`", "```", "```json\n", "{", "}", "\"", "\\", "\n", " ", "é",
                "{\"action\": \"f\", \"action_input\": {\"a\": \"}\"}}", "{\"x\": [1]}", "[", "act",
            ]), 0..12),
            cuts in prop::collection::vec(1_usize..6, 0..40),
        ) {
            let whole = parts.concat();
            let mut chars = whole.chars();
            let mut pieces: Vec<String> = cuts.into_iter().map(|n| chars.by_ref().take(n).collect()).collect();
            pieces.push(chars.collect());
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(read(&pieces), read(&[&whole]));
        }
    }
}
