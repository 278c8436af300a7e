//! How a text may be written.

use super::resolve::{self, Kind};

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
}

/// Characters after which a `:` or before which a `#` means something.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, '\0' | ' ' | '\t' | '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Characters that end a line.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Characters that can stand outside double quotes. PyYAML lets three line ends of YAML 1.1 stand there too, which
/// readers of YAML 1.2, ours among them, take for letters; escaped they mean the same to everybody.
fn is_printable(c: char) -> bool {
    matches!(c,
        '\n' | '\u{20}'..='\u{7E}' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}'
        | '\u{10000}'..='\u{10FFFE}'
    ) && !matches!(c, '\u{FEFF}' | '\u{2028}' | '\u{2029}')
}

#[derive(Default)]
struct Signs {
    /// Something only a block forbids, like a `#` after a blank.
    indicator: bool,
    breaks: bool,
    special: bool,
    /// A blank or break at either end.
    edge: bool,
    /// A blank right after a break.
    break_space: bool,
    /// A break right after a blank.
    space_break: bool,
}

fn signs(text: &str) -> Signs {
    let letters: Vec<char> = text.chars().collect();
    let mut signs =
        Signs { indicator: text.starts_with("---") || text.starts_with("..."), ..Signs::default() };
    let last = letters.len().saturating_sub(1);
    let (mut after_blank, mut after_space, mut after_break) = (true, false, false);
    for (index, &c) in letters.iter().enumerate() {
        let before_blank = letters.get(index + 1).copied().is_none_or(is_blank);
        signs.indicator |= match c {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`'
                if index == 0 =>
            {
                true
            }
            '?' | '-' if index == 0 => before_blank,
            ':' => before_blank,
            '#' => after_blank,
            _ => false,
        };
        signs.breaks |= is_break(c);
        signs.special |= !is_printable(c);
        let is_edge = index == 0 || index == last;
        if c == ' ' {
            signs.edge |= is_edge;
            signs.break_space |= after_break;
        } else if is_break(c) {
            signs.edge |= is_edge;
            signs.space_break |= after_space;
        }
        (after_space, after_break, after_blank) = (c == ' ', is_break(c), is_blank(c));
    }
    signs
}

/// How PyYAML writes a text in block context; `as_key` = as a simple key.
pub(super) fn style(text: &str, as_key: bool) -> Style {
    if text.is_empty() {
        // Plain, it would be null.
        return Style::Single;
    }
    let signs = signs(text);
    let quotes_do = !(signs.space_break || signs.special || signs.break_space);
    let plain_does = quotes_do && !(signs.edge || signs.breaks || signs.indicator);
    if plain_does && resolve::kind(text) == Kind::Text {
        return Style::Plain;
    }
    if quotes_do && !(as_key && signs.breaks) {
        return Style::Single;
    }
    Style::Double
}

/// Whether a key can stand on one line before its `:`. PyYAML counts the five letters of `!!str`.
pub(super) fn is_simple_key(key: &str) -> bool {
    !key.is_empty() && key.chars().count() + 5 < 128 && !key.chars().any(is_break)
}
