//! Python's `%(name)05d` patterns.

use std::fmt::Write as _;

/// How a value is put into its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    left: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Literal(String),
    Value { name: String, layout: Layout },
}

/// Widest place and most digits; a pattern with more is a mistake.
const WIDEST: usize = 200;

/// Takes a pattern apart. What is no place for a value stays as it is written.
pub(crate) fn parse(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('%') {
        literal.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            literal.push('%');
            rest = after;
        } else if let Some((name, layout, after)) = value(after) {
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Value { name, layout });
            rest = after;
        } else {
            literal.push('%');
            rest = after;
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

/// `(name)`, flags, width, precision and the letter of the type.
fn value(text: &str) -> Option<(String, Layout, &str)> {
    let (name, mut rest) = text.strip_prefix('(')?.split_once(')')?;
    let mut layout = Layout::default();
    loop {
        let mut chars = rest.chars();
        match chars.next()? {
            '-' => layout.left = true,
            '0' => layout.zeros = true,
            ' ' | '+' | '#' => {}
            _ => break,
        }
        rest = chars.as_str();
    }
    let (width, after) = number(rest);
    layout.width = width.unwrap_or_default();
    rest = after;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = number(after);
        layout.precision = Some(precision.unwrap_or_default());
        rest = after;
    }
    let mut chars = rest.chars();
    chars.next().filter(|kind| "sdifrgexXo".contains(*kind))?;
    Some((name.to_owned(), layout, chars.as_str()))
}

fn number(text: &str) -> (Option<usize>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits).unwrap_or(("", text));
    (number.parse().ok().map(|number: usize| number.min(WIDEST)), rest)
}

impl Layout {
    pub(crate) fn text(self, value: &str, line: &mut String) {
        let cut: String;
        let value = match self.precision {
            Some(precision) => {
                cut = value.chars().take(precision).collect();
                &cut
            }
            None => value,
        };
        let missing = self.width.saturating_sub(value.chars().count());
        if self.left {
            line.push_str(value);
        }
        line.extend(std::iter::repeat_n(' ', missing));
        if !self.left {
            line.push_str(value);
        }
    }

    pub(crate) fn number(self, value: f64, line: &mut String) {
        // Without a precision numbers are whole here: line numbers, process ids, milliseconds.
        let digits = self.precision.unwrap_or_default();
        let width = self.width;
        let _ = if self.zeros && !self.left {
            write!(line, "{value:0width$.digits$}")
        } else if self.left {
            write!(line, "{value:<width$.digits$}")
        } else {
            write!(line, "{value:>width$.digits$}")
        };
    }
}
