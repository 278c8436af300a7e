//! Trying values out in places of a request, to find out what each place takes.

use serde_json::{Value, json};

pub(super) fn probes() -> Vec<Value> {
    vec![
        json!(""),
        json!(1),
        json!(false),
        json!([]),
        json!({}),
        json!("00000000-0000-4000-8000-000000000000"),
        json!("2000-01-01T00:00:00"),
        Value::Null,
    ]
}

/// The variants an enum would have taken, out of serde's message.
pub(super) fn variants(message: &str) -> impl Iterator<Item = Value> {
    let list = message.split("expected ").nth(1).filter(|_| message.starts_with("unknown variant"));
    list.unwrap_or_default()
        .split('`')
        .skip(1)
        .step_by(2)
        .take(1)
        .map(|name| json!(name))
        .collect::<Vec<_>>()
        .into_iter()
}

pub(super) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, step| match value {
        Value::Object(map) => map.get(step),
        Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
        _ => None,
    })
}

/// Puts `probe` at `path`; answers whether the place exists.
pub(super) fn put(value: &mut Value, path: &str, probe: Value) -> bool {
    let (parent, last) = match path.rsplit_once('.') {
        Some((parent, last)) => (parent, last),
        None => ("", path),
    };
    let mut place = value;
    for step in parent.split('.').filter(|step| !step.is_empty()) {
        let next = match place {
            Value::Object(map) => map.get_mut(step),
            Value::Array(items) => {
                step.parse::<usize>().ok().and_then(|index| items.get_mut(index))
            }
            _ => None,
        };
        let Some(next) = next else { return false };
        place = next;
    }
    match place {
        Value::Object(map) => {
            map.insert(last.to_owned(), probe);
            true
        }
        Value::Array(items) => {
            match last.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                Some(item) => {
                    *item = probe;
                    true
                }
                None => false,
            }
        }
        _ => false,
    }
}
