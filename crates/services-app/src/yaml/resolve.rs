//! What a plain scalar means.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Number, Value};

/// What PyYAML's resolver makes of a plain scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Null,
    Flag,
    Integer,
    Float,
    /// Dates, `<<`, `=`: read as text, but quoted when text of that form is written.
    Other,
}

macro_rules! pattern {
    ($name:ident, $pattern:literal) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($pattern).ok());
    };
}

pattern!(FLAG, r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$");
pattern!(
    FLOAT,
    r"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
);
pattern!(
    INTEGER,
    r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$"
);
pattern!(NULL, r"^(?:~|null|Null|NULL|)$");
pattern!(
    OTHER,
    r"^(?:<<|=|[!&*]|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)$"
);

fn fits(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    // `$` of the regex crate, unlike Python's, does not let a final line break through; neither may a plain scalar
    // have one.
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// What PyYAML makes of `text` as a plain scalar.
pub(super) fn kind(text: &str) -> Kind {
    let Some(first) = text.chars().next() else { return Kind::Null };
    match first {
        'y' | 'Y' | 'n' | 'N' | 't' | 'T' | 'f' | 'F' | 'o' | 'O' if fits(&FLAG, text) => {
            Kind::Flag
        }
        '-' | '+' | '.' | '0'..='9' if fits(&FLOAT, text) => Kind::Float,
        '-' | '+' | '0'..='9' if fits(&INTEGER, text) => Kind::Integer,
        '~' | 'n' | 'N' if fits(&NULL, text) => Kind::Null,
        '<' | '=' | '!' | '&' | '*' | '0'..='9' if fits(&OTHER, text) => Kind::Other,
        _ => Kind::Text,
    }
}

/// The value of a plain scalar.
pub(super) fn value(text: &str) -> Value {
    match kind(text) {
        Kind::Null => Value::Null,
        Kind::Flag => {
            let word = text.to_ascii_lowercase();
            Value::Bool(matches!(word.as_str(), "yes" | "true" | "on"))
        }
        Kind::Integer => integer(text).unwrap_or_else(|| Value::String(text.to_owned())),
        Kind::Float => float(text).unwrap_or_else(|| Value::String(text.to_owned())),
        Kind::Text | Kind::Other => Value::String(text.to_owned()),
    }
}

/// The value of a scalar tagged `!!int`.
pub(super) fn integer(text: &str) -> Option<Value> {
    let digits = text.replace('_', "");
    let (sign, digits) = signed(&digits);
    let number = if digits == "0" {
        0
    } else if let Some(binary) = digits.strip_prefix("0b") {
        i128::from_str_radix(binary, 2).ok()?
    } else if let Some(hex) = digits.strip_prefix("0x") {
        i128::from_str_radix(hex, 16).ok()?
    } else if let Some(octal) = digits.strip_prefix('0') {
        i128::from_str_radix(octal, 8).ok()?
    } else if digits.contains(':') {
        digits
            .split(':')
            .try_fold(0_i128, |sum, part| sum.checked_mul(60)?.checked_add(part.parse().ok()?))?
    } else {
        match digits.parse() {
            Ok(number) => number,
            // Beyond what JSON numbers hold exactly here; Python would keep every digit.
            Err(_) => {
                return Number::from_f64(digits.parse::<f64>().ok()? * sign as f64)
                    .map(Value::Number);
            }
        }
    };
    let number = number.checked_mul(i128::from(sign))?;
    if let Ok(number) = i64::try_from(number) {
        return Some(number.into());
    }
    if let Ok(number) = u64::try_from(number) {
        return Some(number.into());
    }
    Number::from_f64(number as f64).map(Value::Number)
}

/// The value of a scalar tagged `!!float`. Infinities are no JSON: they read as nothing.
pub(super) fn float(text: &str) -> Option<Value> {
    let digits = text.replace('_', "").to_ascii_lowercase();
    let (sign, digits) = signed(&digits);
    if matches!(digits, ".inf" | ".nan") {
        return Some(Value::Null);
    }
    let number = if digits.contains(':') {
        digits
            .split(':')
            .try_fold(0.0_f64, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?
    } else {
        digits.parse().ok()?
    };
    Number::from_f64(number * sign as f64).map(Value::Number)
}

fn signed(digits: &str) -> (i64, &str) {
    match digits.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, digits.strip_prefix('+').unwrap_or(digits)),
    }
}
