//! Reads the almost-JSON that models write: fenced or surrounded by talk, with single or missing
//! quotes, trailing or missing commas, comments, or cut off. What comes out is what the Python
//! package json_repair gives for such texts.

use serde_json::{Map, Value};

/// How deep values may nest.
const MAX_DEPTH: usize = 100;

/// The value of `text`. Valid JSON is read as it is; otherwise the objects and lists found in the
/// text, repaired: one as itself, several as a list, none as an empty text.
#[must_use]
pub fn repair(text: &str) -> Value {
    if let Ok(value) = serde_json::from_str(text) {
        return value;
    }
    let mut parser = Parser { chars: text.chars().collect(), at: 0 };
    let mut found: Vec<Value> = Vec::new();
    while let Some(c) = parser.peek() {
        match c {
            '{' | '[' => {
                let value = parser.value(Place::List, 0);
                // A model that corrects itself repeats the same shape: the last one counts.
                if found.last().is_some_and(|last| same_shape(last, &value)) {
                    found.pop();
                }
                found.push(value);
            }
            _ => parser.at += 1,
        }
    }
    match found.len() {
        0 => Value::String(String::new()),
        1 => found.pop().unwrap_or_default(),
        _ => Value::Array(found),
    }
}

/// Where a value stands: tells what may end it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    Member,
    List,
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn peek_at(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    fn skip_blank(&mut self) {
        while let Some(c) = self.peek() {
            let next = self.peek_at(self.at + 1);
            match (c, next) {
                (c, _) if c.is_whitespace() => self.at += 1,
                ('/', Some('/')) | ('#', _) => self.skip_until(|c| c == '\n'),
                ('/', Some('*')) => {
                    self.at += 2;
                    while self.at < self.chars.len()
                        && !(self.peek() == Some('*') && self.peek_at(self.at + 1) == Some('/'))
                    {
                        self.at += 1;
                    }
                    self.at += 2;
                }
                _ => return,
            }
        }
    }

    fn skip_until(&mut self, end: impl Fn(char) -> bool) {
        while self.peek().is_some_and(|c| !end(c)) {
            self.at += 1;
        }
    }

    /// The position of the next character that is not blank, from `at`.
    fn after_blank(&self, mut at: usize) -> usize {
        while self.peek_at(at).is_some_and(char::is_whitespace) {
            at += 1;
        }
        at
    }

    fn value(&mut self, place: Place, depth: usize) -> Value {
        self.skip_blank();
        match self.peek() {
            Some('{') if depth < MAX_DEPTH => self.object(depth),
            Some('[') if depth < MAX_DEPTH => self.list(depth),
            Some(c) if closing_quote(c).is_some() => Value::String(self.quoted(place)),
            Some(c) if c.is_ascii_digit() || c == '-' || c == '.' => self.number(place),
            Some(_) => self.bare(place),
            None => Value::String(String::new()),
        }
    }

    fn object(&mut self, depth: usize) -> Value {
        self.at += 1;
        let mut members = Map::new();
        loop {
            self.skip_blank();
            match self.peek() {
                None => break,
                Some('}') => {
                    self.at += 1;
                    break;
                }
                // The list around was closed, the object was not.
                Some(']') if depth > 0 => break,
                // A brace too many opens nothing.
                Some(',' | ':' | ']' | '{') => {
                    self.at += 1;
                    continue;
                }
                Some(_) => {}
            }
            let start = self.at;
            let key = match self.peek() {
                Some(c) if closing_quote(c).is_some() => self.quoted(Place::Key),
                _ => self.word(|c| matches!(c, ':' | ',' | '}' | ']' | '\n')),
            };
            self.skip_blank();
            if self.peek() == Some(':') {
                self.at += 1;
                self.skip_blank();
            } else if key.is_empty() || matches!(self.peek(), Some(',' | '}') | None) {
                // A key without value says nothing.
                if self.at == start {
                    self.at += 1;
                }
                continue;
            }
            let value = match self.peek() {
                Some(',' | '}') | None => Value::String(String::new()),
                _ => self.value(Place::Member, depth + 1),
            };
            members.insert(key, value);
            if self.at == start {
                self.at += 1;
            }
        }
        Value::Object(members)
    }

    fn list(&mut self, depth: usize) -> Value {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_blank();
            match self.peek() {
                None => break,
                Some(']') => {
                    self.at += 1;
                    break;
                }
                Some('}') if depth > 0 => break,
                Some(',' | ':' | '}') => {
                    self.at += 1;
                    continue;
                }
                Some('.') if self.is_dots() => {
                    self.at += 3;
                    continue;
                }
                Some(_) => {}
            }
            let start = self.at;
            items.push(self.value(Place::List, depth + 1));
            if self.at == start {
                self.at += 1;
            }
        }
        Value::Array(items)
    }

    fn is_dots(&self) -> bool {
        (0..3).all(|offset| self.peek_at(self.at + offset) == Some('.'))
    }

    /// A text in quotes. A quote that nothing sensible follows is part of the text.
    fn quoted(&mut self, place: Place) -> String {
        let Some(close) = self.peek().and_then(closing_quote) else { return String::new() };
        self.at += 1;
        let start = self.at;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            if c == '\\' {
                self.escape(&mut text);
                continue;
            }
            if c == close && self.closes(place, close) {
                self.at += 1;
                return text;
            }
            // The closing quote is missing, the next member is there.
            let before = text.trim_end().strip_suffix(',');
            if let (Place::Member, true, Some(before)) = (place, c == close, before)
                && self.key_follows(self.at)
            {
                return before.to_owned();
            }
            text.push(c);
            self.at += 1;
        }
        self.cut_off(place, start, &text)
    }

    fn escape(&mut self, text: &mut String) {
        self.at += 1;
        let Some(c) = self.peek() else { return text.push('\\') };
        self.at += 1;
        match c {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            '"' | '\'' | '\\' | '/' => text.push(c),
            'u' => match self.unicode() {
                Some(c) => text.push(c),
                None => text.push_str("\\u"),
            },
            other => {
                text.push('\\');
                text.push(other);
            }
        }
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits: String = self.chars.get(at..at + 4)?.iter().collect();
        u32::from_str_radix(&digits, 16).ok()
    }

    fn unicode(&mut self) -> Option<char> {
        let unit = self.hex(self.at)?;
        self.at += 4;
        if (0xd800..0xdc00).contains(&unit) {
            let is_pair = self.peek() == Some('\\') && self.peek_at(self.at + 1) == Some('u');
            let low = self.hex(self.at + 2).filter(|low| (0xdc00..0xe000).contains(low));
            if let (true, Some(low)) = (is_pair, low) {
                self.at += 6;
                return char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            }
            return Some(char::REPLACEMENT_CHARACTER);
        }
        char::from_u32(unit).or(Some(char::REPLACEMENT_CHARACTER))
    }

    /// Whether the quote here ends its text.
    fn closes(&self, place: Place, quote: char) -> bool {
        let next = self.after_blank(self.at + 1);
        let Some(c) = self.peek_at(next) else { return true };
        let ends = match place {
            Place::Key => c == ':',
            Place::List => matches!(c, ',' | ']' | '}') || closing_quote(c).is_some(),
            Place::Member => match c {
                '}' | ']' => true,
                ',' => self.key_follows(next + 1),
                // The comma is missing, the next member is there.
                c if closing_quote(c).is_some() => self.key_follows(next),
                _ => false,
            },
        };
        // The last quote of all has to be the one.
        ends || !self.chars.iter().skip(self.at + 1).any(|&c| c == quote)
    }

    /// Whether a key, or the end of the object, stands at `at`.
    fn key_follows(&self, at: usize) -> bool {
        let at = self.after_blank(at);
        match self.peek_at(at) {
            None | Some('}' | ',' | '/' | '#') => true,
            Some(c) => match closing_quote(c) {
                Some(close) => {
                    let rest = self.chars.iter().enumerate().skip(at + 1);
                    let mut ends = rest.filter(|&(_, &c)| c == close).map(|(at, _)| at);
                    // A key at the end of a text that was cut off counts.
                    ends.next().is_none_or(|end| {
                        matches!(self.peek_at(self.after_blank(end + 1)), None | Some(':'))
                    })
                }
                None => {
                    let mut rest = self.chars.iter().skip(at);
                    let word = |c: &&char| !(c.is_alphanumeric() || **c == '_' || **c == ' ');
                    rest.find(word) == Some(&':')
                }
            },
        }
    }

    /// A text without its closing quote: what closes the values around is not part of it.
    fn cut_off(&mut self, place: Place, start: usize, text: &str) -> String {
        if place == Place::Key {
            // Up to the colon, which ends keys even so.
            let rest = self.chars.get(start..).unwrap_or_default();
            if let Some(length) = rest.iter().position(|&c| c == ':') {
                self.at = start + length;
                let key: String = rest.iter().take(length).collect();
                return key.trim().to_owned();
            }
        }
        let line_end = text.find('\n').filter(|&end| {
            let line = text.get(..end).unwrap_or_default();
            line.trim_end().ends_with([',', '}', ']'])
        });
        if let Some(end) = line_end {
            let line = text.get(..end).unwrap_or_default();
            self.at = start + line.chars().count();
            return line.trim_end_matches([',', '}', ']', ' ', '\t', '\r']).to_owned();
        }
        text.trim_end_matches(|c: char| c.is_whitespace() || c == '}' || c == ']').to_owned()
    }

    fn word(&mut self, end: impl Fn(char) -> bool) -> String {
        let start = self.at;
        self.skip_until(end);
        let word: String = self.chars.get(start..self.at).unwrap_or_default().iter().collect();
        word.trim().trim_matches(['"', '\'']).to_owned()
    }

    fn number(&mut self, place: Place) -> Value {
        let start = self.at;
        while let Some(c) = self.peek() {
            let next_is_digit = self.peek_at(self.at + 1).is_some_and(|c| c.is_ascii_digit());
            // `1,000` is one value, but not in a list.
            let comma = c == ',' && place == Place::Member && next_is_digit;
            if !c.is_ascii_digit() && !"+-.eE/_".contains(c) && !comma {
                break;
            }
            self.at += 1;
        }
        // It goes on as something else: it is a text.
        if self.peek().is_some_and(char::is_alphanumeric) {
            self.at = start;
            return self.bare(place);
        }
        let digits: String = self.chars.get(start..self.at).unwrap_or_default().iter().collect();
        let plain = digits.trim_end_matches(['.', 'e', 'E', '-', '+', '/']).replace('_', "");
        match serde_json::from_str::<Value>(&plain) {
            Ok(number @ Value::Number(_)) => number,
            _ if plain.is_empty() => Value::String(String::new()),
            _ => match plain.parse::<f64>().ok().and_then(serde_json::Number::from_f64) {
                Some(number) => Value::Number(number),
                None => Value::String(digits),
            },
        }
    }

    /// A word without quotes: a literal of JSON or Python, or a text.
    fn bare(&mut self, place: Place) -> Value {
        let start = self.at;
        let word =
            self.word(|c| matches!(c, ',' | '}' | ']' | '\n') || (place == Place::Key && c == ':'));
        if self.at == start {
            return Value::String(String::new());
        }
        match word.to_ascii_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ => Value::String(word),
        }
    }
}

fn closing_quote(c: char) -> Option<char> {
    match c {
        '"' | '\'' => Some(c),
        '“' | '”' => Some('”'),
        _ => None,
    }
}

/// Whether two values have the same keys and kinds.
fn same_shape(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|it| same_shape(value, it)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b))
        }
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn broken_json_is_repaired() {
        let cases = [
            (r#"{"a": 1}"#, json!({"a": 1})),
            ("\"text\"", json!("text")),
            ("just words", json!("")),
            ("(1,2)", json!("")),
            ("", json!("")),
            ("Sure!\n```json\n{\"a\": [1, 2]}\n```\nDone.", json!({"a": [1, 2]})),
            ("{'a': 'b', 'c': True, 'd': None}", json!({"a": "b", "c": true, "d": "None"})),
            ("{a: b, c: 1.5}", json!({"a": "b", "c": 1.5})),
            (r#"{"a": tRUE, "b": nul}"#, json!({"a": true, "b": "nul"})),
            (r#"{"a": 1, "b": [1, 2,], }"#, json!({"a": 1, "b": [1, 2]})),
            (r#"{"a": "x" "b": "y"}"#, json!({"a": "x", "b": "y"})),
            (r#"{"a": {"b": [1, 2"#, json!({"a": {"b": [1, 2]}})),
            (r#"{"a": [1, 2}"#, json!({"a": [1, 2]})),
            (r#"[{"a": 1, {"b": 2}]"#, json!([{"a": 1, "b": 2}])),
            (r#"{"a": "cut of"#, json!({"a": "cut of"})),
            (r#"{"a": "b}"#, json!({"a": "b"})),
            (r#"{"a":"one","b":"two"#, json!({"a": "one", "b": "two"})),
            ("{\"a\": \"b\",\n\"c\": \"d\n}", json!({"a": "b", "c": "d"})),
            ("{\"a\": \"line1\nline2, \"c\": 3}", json!({"a": "line1\nline2", "c": 3})),
            (
                r#"{"a": "he said "hi" to me", "b": 1}"#,
                json!({"a": "he said \"hi\" to me", "b": 1}),
            ),
            (r#"{"a": "x, "y", z"}"#, json!({"a": "x, \"y\", z"})),
            ("{\"a\": 1 // note\n, /* more */ \"b\": 2}", json!({"a": 1, "b": 2})),
            ("{\"a\": \"b\" // c\n}", json!({"a": "b"})),
            (r#"{"a": , "b": 2}"#, json!({"a": "", "b": 2})),
            (r#"{"a": 1, "b"}"#, json!({"a": 1})),
            (r#"{"a": "b", "c""#, json!({"a": "b"})),
            (r#"["a", "b" "c"]"#, json!(["a", "b", "c"])),
            ("[a, b c]", json!(["a", "b c"])),
            ("[1, 2, ...]", json!([1, 2])),
            ("[1 2 3]", json!([1, 2, 3])),
            (r#"["x" , ]"#, json!(["x"])),
            (r#"{"a": "line\nbreak é \ud83d\ude00"}"#, json!({"a": "line\nbreak é 😀"})),
            ("{\"a\": \"raw\nbreak\"}", json!({"a": "raw\nbreak"})),
            (r#"{"a": "b\"#, json!({"a": "b\\"})),
            (r#"{"a": 1}{"b": "x"}"#, json!([{"a": 1}, {"b": "x"}])),
            (r#"{"a": 1} sorry, {"a": 2}"#, json!({"a": 2})),
            (r#"text [not json] {"a": 1}"#, json!([["not json"], {"a": 1}])),
            (r#"{"a": 10%}"#, json!({"a": 10})),
            (
                r#"{"k": "v", k2: v2 and more, "k3": 5 apples}"#,
                json!({"k": "v", "k2": "v2 and more", "k3": 5}),
            ),
            (
                r#"{"a": 2024-01-02, "b": 1/2, "c": 1,000}"#,
                json!({"a": "2024-01-02", "b": "1/2", "c": "1,000"}),
            ),
            (r#"{"a": -}"#, json!({"a": ""})),
            ("{“a”: “b”}", json!({"a": "b"})),
            (r#"{"a": {"b": 1}, "a": {"c": 2}}"#, json!({"a": {"c": 2}})),
        ];
        for (text, expected) in cases {
            assert_eq!(repair(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".*") {
            let _ = repair(&text);
        }

        #[test]
        fn any_brackets_are_read(text in "[\\[\\]{}:,\"'a1. \\\\/#*\n]{0,40}") {
            let _ = repair(&text);
        }

        #[test]
        fn what_is_cut_off_keeps_its_beginning(cut in 8usize..20) {
            let text = r#"{"a": 1, "b": "two", "c": [3]}"#;
            let repaired = repair(text.get(..cut).unwrap());
            prop_assert_eq!(&repaired["a"], &json!(1));
        }
    }
}
