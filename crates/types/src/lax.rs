//! Values read as pydantic reads them where it is not strict.

use serde_json::Value;

/// A flag: a boolean, 0 or 1, or one of the words for them in any case.
#[must_use]
pub fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(word) => match word.to_ascii_lowercase().as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
            "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::flag;

    #[test]
    fn flags_have_many_words() {
        for yes in [json!(true), json!(1), json!(1.0), json!("On"), json!("t"), json!("YES")] {
            assert_eq!(flag(&yes), Some(true), "{yes}");
        }
        for no in [json!(false), json!(0), json!("off"), json!("F"), json!("n"), json!("0")] {
            assert_eq!(flag(&no), Some(false), "{no}");
        }
        for neither in [json!(null), json!(2), json!(""), json!("perhaps"), json!([]), json!({})] {
            assert_eq!(flag(&neither), None, "{neither}");
        }
    }
}
