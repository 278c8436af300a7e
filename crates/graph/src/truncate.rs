//! Shortens large values for rows and for the console, keeping their structure.

use crate::{
    segment::{Segment, SegmentType},
    value::{Object, Value, float_str},
};

/// How deep values are looked into.
const MAX_DEPTH: usize = 100;

/// Shortens values to limits (`WORKFLOW_VARIABLE_TRUNCATION_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncator {
    /// Characters of a text.
    pub string_limit: usize,
    /// Items of a list.
    pub array_limit: usize,
    /// Characters of the whole as JSON, roughly.
    pub max_size: usize,
}

impl Default for Truncator {
    /// The reference's defaults.
    fn default() -> Self {
        Self { string_limit: 100_000, array_limit: 1000, max_size: 1_024_000 }
    }
}

struct Part {
    value: Value,
    size: usize,
    truncated: bool,
}

impl Truncator {
    /// Shortens the inputs, process data or outputs of a node; whether anything was cut. Entries
    /// for which there is no room at all become `...` without counting as cut, as in the
    /// reference.
    #[must_use]
    pub fn mapping(&self, entries: &Object) -> (Object, bool) {
        let budget = self.max_size;
        let mut used = 0;
        let mut truncated = false;
        let mut result = Object::with_capacity(entries.len());
        for (key, value) in entries {
            used += text_size(key);
            if used > budget {
                result.insert(key.clone(), Value::from("..."));
                continue;
            }
            let share = (budget - used) / (entries.len() - result.len()).max(1);
            let part = self.part(value, share, 0);
            truncated |= part.truncated;
            used += part.size;
            result.insert(key.clone(), part.value);
        }
        (result, truncated)
    }

    /// Whether `entries` are far from every limit, so that [`Truncator::mapping`] need not look.
    #[must_use]
    pub fn is_small(&self, entries: &Object) -> bool {
        let mut room = self.max_size / 100;
        entries.iter().all(|(key, value)| {
            spend(&mut room, text_size(key)) && self.takes_little(value, &mut room, 0)
        })
    }

    fn takes_little(&self, value: &Value, room: &mut usize, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        match value {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => spend(room, 8),
            Value::String(text) => text.len() < self.string_limit && spend(room, text.len()),
            Value::Array(items) => {
                items.len() <= self.array_limit
                    && spend(room, items.len())
                    && items.iter().all(|it| self.takes_little(it, room, depth + 1))
            }
            Value::Object(entries) => entries.iter().all(|(key, it)| {
                spend(room, text_size(key)) && self.takes_little(it, room, depth + 1)
            }),
            Value::File(_) => spend(room, 500),
        }
    }

    /// Shortens a variable for the list of draft variables; whether anything was cut. What is too
    /// large even so becomes a text: the start of its JSON.
    #[must_use]
    pub fn segment(&self, segment: &Segment) -> (Segment, bool) {
        let target = match segment.kind {
            SegmentType::String | SegmentType::Secret => self.string_limit,
            _ => self.max_size,
        };
        let part = self.part(&segment.value, target, 0);
        if part.size <= self.max_size {
            return (Segment::new(segment.kind, part.value), part.truncated);
        }
        let json = part.value.py_json(false);
        let text = match json.char_indices().nth(self.max_size) {
            Some((end, _)) => json.get(..end).unwrap_or_default().to_owned() + "...",
            None => json,
        };
        (Segment::from(text), true)
    }

    fn part(&self, value: &Value, target: usize, depth: usize) -> Part {
        match value {
            _ if depth > MAX_DEPTH => Part { value: Value::from("..."), size: 5, truncated: true },
            Value::String(text) => self.text(text, target),
            Value::Array(items) => self.array(items, target, depth),
            Value::Object(entries) => self.object(entries, target, depth),
            other => Part { value: other.clone(), size: json_size(other, depth), truncated: false },
        }
    }

    fn text(&self, text: &std::sync::Arc<str>, target: usize) -> Part {
        let size = text_size(text);
        if size < target {
            return Part { value: Value::String(text.clone()), size, truncated: false };
        }
        if target < 5 {
            return Part { value: Value::from("..."), size: 5, truncated: true };
        }
        let kept = self.string_limit.min(target - 5);
        let cut: String = text.chars().take(kept).chain("...".chars()).collect();
        let size = text_size(&cut);
        Part { value: Value::from(cut), size, truncated: true }
    }

    fn array(&self, items: &[Value], target: usize, depth: usize) -> Part {
        let mut kept = Vec::new();
        let mut truncated = false;
        let mut used = 2;
        for (index, item) in items.iter().enumerate() {
            if let Value::File(_) = item {
                kept.push(item.clone());
                continue;
            }
            if index >= self.array_limit {
                return Part { value: Value::array(kept), size: used, truncated: true };
            }
            if index > 0 {
                used += 1;
            }
            if used > target {
                break;
            }
            let part = self.part(item, target - used, depth + 1);
            kept.push(part.value);
            used += part.size;
            // The last item decides, as in the reference.
            truncated = part.truncated;
        }
        Part { value: Value::array(kept), size: used, truncated }
    }

    fn object(&self, entries: &Object, target: usize, depth: usize) -> Part {
        let mut kept = Object::new();
        let mut truncated = false;
        let mut used = 2;
        let mut keys: Vec<&String> = entries.keys().collect();
        keys.sort();
        let count = keys.len();
        for (index, key) in keys.into_iter().enumerate() {
            let Some(value) = entries.get(key) else { continue };
            if used > target {
                truncated = true;
                break;
            }
            let pair = usize::from(index > 0) + text_size(key) + 1;
            let share = target.saturating_sub(pair + used) / (count - index).max(1);
            if share == 0 {
                truncated = true;
                break;
            }
            let part = self.part(value, share, depth + 1);
            used += pair + part.size;
            truncated |= part.truncated;
            kept.insert(key.clone(), part.value);
        }
        Part { value: Value::object(kept), size: used, truncated }
    }
}

/// Takes `size` out of `room`; whether there was enough.
fn spend(room: &mut usize, size: usize) -> bool {
    match room.checked_sub(size) {
        Some(left) => {
            *room = left;
            true
        }
        None => false,
    }
}

fn text_size(text: &str) -> usize {
    text.chars().count() + 2
}

/// Characters of the value as JSON, by the reference's estimate.
fn json_size(value: &Value, depth: usize) -> usize {
    match value {
        Value::Null => 4,
        Value::Bool(value) => 5 - usize::from(*value),
        Value::Int(number) => number.to_string().len(),
        Value::Float(number) => float_str(*number).len(),
        Value::String(text) => text_size(text),
        _ if depth > MAX_DEPTH => 5,
        Value::Array(items) => {
            let items_size: usize = items.iter().map(|item| json_size(item, depth + 1)).sum();
            2 + items_size + items.len().saturating_sub(1)
        }
        Value::Object(entries) => {
            let size =
                |(key, value): (&String, &Value)| text_size(key) + 1 + json_size(value, depth + 1);
            2 + entries.iter().map(size).sum::<usize>() + entries.len().saturating_sub(1)
        }
        Value::File(file) => {
            json_size(&Value::from_json(serde_json::Value::Object(file.stored_json())), depth + 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn small() -> Truncator {
        Truncator { string_limit: 10, array_limit: 3, max_size: 60 }
    }

    fn mapping(value: Json) -> (String, bool) {
        let Value::Object(entries) = Value::from_json(value) else { panic!("not an object") };
        let (result, truncated) = small().mapping(&entries);
        (Value::object(result).py_json(false), truncated)
    }

    #[test]
    fn mappings_are_shortened() {
        let cases = [
            (json!({}), "{}", false),
            (json!({"a": 1, "b": null, "c": true}), r#"{"a": 1, "b": null, "c": true}"#, false),
            (json!({"a": "short"}), r#"{"a": "short"}"#, false),
            (json!({"a": "x".repeat(80)}), r#"{"a": "xxxxxxxxxx..."}"#, true),
            (json!({"a": [1, 2, 3, 4]}), r#"{"a": [1, 2, 3]}"#, true),
            (json!({"b": {"z": 1, "y": 2}}), r#"{"b": {"y": 2, "z": 1}}"#, false),
            (json!({"k".repeat(70): 1}), &format!("{{\"{}\": \"...\"}}", "k".repeat(70)), false),
        ];
        for (value, expected, truncated) in cases {
            let shown = value.to_string();
            assert_eq!(mapping(value), (expected.to_owned(), truncated), "{shown}");
        }
    }

    #[test]
    fn small_mappings_are_recognised() {
        let is_small = |value: Json| {
            let Value::Object(entries) = Value::from_json(value) else { panic!("not an object") };
            let limits = Truncator { string_limit: 50, array_limit: 3, max_size: 6000 };
            limits.is_small(&entries)
        };
        assert!(is_small(json!({"a": [1, 2, 3], "b": {"c": "text"}})));
        assert!(!is_small(json!({"a": [1, 2, 3, 4]})));
        assert!(!is_small(json!({"a": "x".repeat(50)})));
        assert!(!is_small(json!({"a": ["x".repeat(30), "x".repeat(30)]})));
    }

    #[test]
    fn variables_that_stay_too_large_become_text() {
        let tight = Truncator { string_limit: 10, array_limit: 3, max_size: 10 };
        let (segment, truncated) = tight.segment(&Segment::from("a long text indeed"));
        assert_eq!((segment.value.py_str().as_str(), truncated), ("a lon...", true));
        let (segment, truncated) = tight.segment(&Segment::from(json!([123_456_789, 2])));
        assert_eq!((segment.value.py_str().as_str(), truncated), ("[123456789...", true));
        assert_eq!(segment.kind, SegmentType::String);
        let whole = Segment::from(json!({"a": 1}));
        assert_eq!(Truncator::default().segment(&whole), (whole, false));
    }
}
