//! JSON text the way Python's `json.dumps` writes it: `", "` and `": "` separators and, unless asked otherwise, only
//! ASCII. Rows that the Python server compares or hashes as text need exactly this form.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// `json.dumps(value)`.
///
/// # Errors
/// When `value` does not serialise (a map with keys that are not strings).
pub fn dumps<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    write(value, PyFormatter { ascii: true })
}

/// `json.dumps(value, ensure_ascii=False)`.
///
/// # Errors
/// When `value` does not serialise.
pub fn dumps_utf8<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    write(value, PyFormatter { ascii: false })
}

/// `json.dumps(value, sort_keys=True)`.
///
/// # Errors
/// When `value` does not serialise.
pub fn dumps_sorted<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    dumps(&sorted(serde_json::to_value(value)?))
}

fn sorted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.into_iter().map(|(key, value)| (key, sorted(value))).collect()
        }
        serde_json::Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn write<T: Serialize + ?Sized>(value: &T, formatter: PyFormatter) -> serde_json::Result<String> {
    let mut out = Vec::with_capacity(128);
    value.serialize(&mut Serializer::with_formatter(&mut out, formatter))?;
    // The serialiser and the formatter below write only whole characters.
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[derive(Clone, Copy)]
struct PyFormatter {
    ascii: bool,
}

impl Formatter for PyFormatter {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        out.write_all(float_repr(value).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        if !self.ascii {
            return out.write_all(text.as_bytes());
        }
        for c in text.chars() {
            // Python escapes DEL's neighbours only from 0x80 on.
            if c.is_ascii() {
                out.write_all(&[c as u8])?;
            } else {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

/// A float as Python's `repr` prints it: `1.0`, `1e-07`, `1e+16`.
#[must_use]
pub fn float_repr(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN".to_owned()
        } else if value > 0.0 {
            "Infinity".to_owned()
        } else {
            "-Infinity".to_owned()
        };
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0.0".to_owned() } else { "0.0".to_owned() };
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn writes_what_python_writes() {
        for (value, expected) in [
            (json!({"a": [1, 2], "b": {}}), r#"{"a": [1, 2], "b": {}}"#),
            (json!("é\u{1F600}/\n\""), r#""\u00e9\ud83d\ude00/\n\"""#),
            (json!([1.0, 0.1, 1e-7, 1e16, 123456789.5]), "[1.0, 0.1, 1e-07, 1e+16, 123456789.5]"),
            (json!([null, true, false, -0.0]), "[null, true, false, -0.0]"),
        ] {
            assert_eq!(dumps(&value).unwrap(), expected);
        }
    }

    #[test]
    fn keeps_letters_when_asked_and_sorts_keys_at_every_depth() {
        assert_eq!(dumps_utf8(&json!({"ü": 1})).unwrap(), r#"{"ü": 1}"#);
        assert_eq!(
            dumps_sorted(&json!({"b": [{"z": 1, "a": 2}], "a": 1})).unwrap(),
            r#"{"a": 1, "b": [{"a": 2, "z": 1}]}"#
        );
    }
}
