//! Writing, as `yaml.dump(value, allow_unicode=True)` writes: keys sorted, blocks, lines folded after 80 letters.

use serde_json::{Map, Value};
use types::pyjson::float_repr;

use super::analyse::{self, Style, is_break};

/// Scalars are folded at the first blank beyond this column.
const WIDTH: usize = 80;

/// A value as YAML text.
#[must_use]
pub fn dump(value: &Value) -> String {
    let mut out = Emitter { text: String::new(), column: 0, blank: true, indenting: true };
    out.node(value, None, false, false);
    if out.column != 0 {
        out.line_break();
    }
    out.text
}

struct Emitter {
    text: String,
    /// Letters on the current line.
    column: usize,
    /// Whether the last thing written was a blank, a line break, or an indicator that counts as one.
    blank: bool,
    /// Whether nothing but indentation and indicators is on the line.
    indenting: bool,
}

impl Emitter {
    /// `indent` is that of the collection around; `None` at the root.
    fn node(&mut self, value: &Value, indent: Option<usize>, in_mapping: bool, as_key: bool) {
        match value {
            Value::Object(map) if map.is_empty() => self.indicator("{}", true, false),
            Value::Array(items) if items.is_empty() => self.indicator("[]", true, false),
            Value::Object(map) => self.mapping(map, indent.map_or(0, |indent| indent + 2)),
            Value::Array(items) => {
                let inner = match indent {
                    None => 0,
                    // A list below a key is not indented further.
                    Some(indent) if in_mapping && !self.indenting => indent,
                    Some(indent) => indent + 2,
                };
                self.sequence(items, inner);
            }
            Value::String(text) => {
                let inner = indent.map_or(2, |indent| indent + 2);
                match analyse::style(text, as_key) {
                    Style::Plain => self.plain(text, inner, !as_key),
                    Style::Single => self.single_quoted(text, inner, !as_key),
                    Style::Double => self.double_quoted(text, inner, !as_key),
                }
            }
            Value::Null => self.plain("null", 0, false),
            Value::Bool(flag) => self.plain(if *flag { "true" } else { "false" }, 0, false),
            Value::Number(number) => {
                let text = match number.as_f64().filter(|_| number.is_f64()) {
                    Some(float) => float_text(float),
                    None => number.to_string(),
                };
                self.plain(&text, 0, false);
            }
        }
    }

    fn mapping(&mut self, map: &Map<String, Value>, indent: usize) {
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_by_key(|(key, _)| *key);
        for (key, value) in entries {
            self.indent(indent);
            let key_value = Value::String(key.clone());
            if analyse::is_simple_key(key) {
                self.node(&key_value, Some(indent), true, true);
                self.indicator(":", false, false);
            } else {
                self.indicator("?", true, true);
                self.node(&key_value, Some(indent), true, false);
                self.indent(indent);
                self.indicator(":", true, true);
            }
            self.node(value, Some(indent), true, false);
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for item in items {
            self.indent(indent);
            self.indicator("-", true, true);
            self.node(item, Some(indent), false, false);
        }
    }

    fn write(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    /// Writes an indicator, after a blank if it needs one. What follows an `indenting` one may stand beside it.
    fn indicator(&mut self, text: &str, needs_blank: bool, indenting: bool) {
        if needs_blank && !self.blank {
            self.write(" ");
        }
        self.blank = false;
        self.indenting &= indenting;
        self.write(text);
    }

    fn line_break(&mut self) {
        self.text.push('\n');
        self.column = 0;
        self.blank = true;
        self.indenting = true;
    }

    /// Goes to column `indent`, on a new line unless the current one is still empty there.
    fn indent(&mut self, indent: usize) {
        if !self.indenting || indent < self.column || (self.column == indent && !self.blank) {
            self.line_break();
        }
        while self.column < indent {
            self.write(" ");
            self.blank = true;
        }
    }

    fn plain(&mut self, text: &str, indent: usize, may_fold: bool) {
        if !self.blank {
            self.write(" ");
        }
        self.blank = false;
        self.indenting = false;
        // Texts with blanks at the ends or line breaks are never plain, so there are only inner blanks.
        for (index, part) in split_blanks(text).into_iter().enumerate() {
            let is_blank_run = index % 2 == 1;
            if is_blank_run && part.len() == 1 && may_fold && WIDTH < self.column {
                self.indent(indent);
                self.blank = false;
                self.indenting = false;
            } else {
                self.write(part);
            }
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize, may_fold: bool) {
        self.indicator("'", true, false);
        let mut rest = text;
        let mut is_first = true;
        while let Some(first) = rest.chars().next() {
            let same: fn(char) -> bool = match first {
                ' ' => |c| c == ' ',
                c if is_break(c) => is_break,
                _ => |c| c != ' ' && !is_break(c),
            };
            let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            if first == ' ' {
                let is_inner = !is_first && !after.is_empty();
                if run.len() == 1 && WIDTH < self.column && may_fold && is_inner {
                    self.indent(indent);
                } else {
                    self.write(run);
                }
            } else if is_break(first) {
                if first == '\n' {
                    self.line_break();
                }
                for c in run.chars() {
                    if c == '\n' {
                        self.line_break();
                    } else {
                        self.text.push(c);
                        (self.column, self.blank, self.indenting) = (0, true, true);
                    }
                }
                self.indent(indent);
            } else {
                self.write(&run.replace('\'', "''"));
            }
            rest = after;
            is_first = false;
        }
        self.write("'");
        self.blank = false;
        self.indenting = false;
    }

    fn double_quoted(&mut self, text: &str, indent: usize, may_fold: bool) {
        self.indicator("\"", true, false);
        let letters: Vec<char> = text.chars().collect();
        let count = letters.len();
        // Letters that wait to be written: PyYAML folds before a run as a whole, not inside it.
        let mut run = String::new();
        for (index, &c) in letters.iter().enumerate() {
            let escaped = escape(c);
            if let Some(escape) = &escaped {
                self.write(&std::mem::take(&mut run));
                self.write(escape);
            }
            let can_fold = 0 < index && index + 1 < count && (c == ' ' || escaped.is_some());
            if can_fold && may_fold && WIDTH < self.column + run.chars().count() {
                self.write(&std::mem::take(&mut run));
                self.write("\\");
                self.indent(indent);
                self.blank = false;
                self.indenting = false;
                let next = if escaped.is_some() { letters.get(index + 1) } else { Some(&c) };
                if next == Some(&' ') {
                    self.write("\\");
                }
            }
            if escaped.is_none() {
                run.push(c);
            }
        }
        self.write(&run);
        self.write("\"");
        self.blank = false;
        self.indenting = false;
    }
}

/// Words and the runs of blanks between them, in turns.
fn split_blanks(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut in_blanks = false;
    while !rest.is_empty() {
        let end = rest.find(|c| (c == ' ') != in_blanks).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after;
        in_blanks = !in_blanks;
    }
    parts
}

/// How a letter is written in double quotes if it cannot stand for itself.
fn escape(c: char) -> Option<String> {
    let short = match c {
        '\0' => '0',
        '\u{07}' => 'a',
        '\u{08}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{0B}' => 'v',
        '\u{0C}' => 'f',
        '\r' => 'r',
        '\u{1B}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{A0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let stands =
                matches!(c, '\u{20}'..='\u{7E}' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}');
            if stands && c != '\u{FEFF}' {
                return None;
            }
            let code = u32::from(c);
            return Some(match code {
                0..=0xFF => format!("\\x{code:02X}"),
                0x100..=0xFFFF => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            });
        }
    };
    // A no-break space can stand for itself; only what cannot is written short.
    if c == '\u{A0}' { None } else { Some(format!("\\{short}")) }
}

/// A float as PyYAML writes one: `1e+16` needs its point to be read as a float again.
fn float_text(float: f64) -> String {
    let text = float_repr(float);
    match text.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => text,
    }
}
