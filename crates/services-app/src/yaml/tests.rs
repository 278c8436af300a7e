use proptest::prelude::*;
use serde_json::{Value, json};

use super::{dump, load};

/// What PyYAML's `safe_load` makes of the texts, as `json.dumps` shows it.
#[test]
fn reads_scalars_as_pyyaml_does() {
    for (text, expected) in [
        ("on", json!(true)),
        ("No", json!(false)),
        ("y", json!("y")),
        ("'on'", json!("on")),
        ("010", json!(8)),
        ("08", json!("08")),
        ("0x1F", json!(31)),
        ("1_000", json!(1000)),
        ("1:30", json!(90)),
        ("1e3", json!("1e3")),
        ("1.0e+3", json!(1000.0)),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("-.inf", json!(null)),
        ("~", json!(null)),
        ("", json!(null)),
        ("!!str 5", json!("5")),
        ("!!int '5'", json!(5)),
        ("2024-01-02", json!("2024-01-02")),
        ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ("|\n  a\n  b\n", json!("a\nb\n")),
        (">-\n  a\n  b\n", json!("a b")),
        ("{a: 1, 2: b, true: c}", json!({"a": 1, "2": "b", "true": "c"})),
        (
            "a: &x {k: 1}\nb: *x\nc: {<<: *x, k: 2, l: 3}",
            json!({"a": {"k": 1}, "b": {"k": 1}, "c": {"k": 2, "l": 3}}),
        ),
        ("- a\n# note\n- b", json!(["a", "b"])),
    ] {
        assert_eq!(load(text).unwrap(), expected, "{text:?}");
    }
}

#[test]
fn refuses_what_is_no_yaml_or_means_too_much() {
    for text in ["a: [unclosed", "a: b: c", "*nobody", "a: 1\n---\nb: 2", "\"open"] {
        assert!(load(text).is_err(), "{text:?}");
    }
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
    }
    assert!(matches!(load(&bomb), Err(super::YamlError::TooComplex)));
    assert!(load(&"[".repeat(5000)).is_err());
}

/// Written by `yaml.dump(value, allow_unicode=True)` of PyYAML 6.
#[test]
fn writes_what_pyyaml_writes() {
    let vectors: Vec<(Value, String)> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    assert!(40 < vectors.len());
    for (value, expected) in vectors {
        assert_eq!(dump(&value), expected, "{value}");
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~\\n\\t]{0,40}",
        "[a-z ]{60,200}",
        any::<String>(),
        prop::sample::select(vec![
            "yes",
            "0x1",
            "1e3",
            "null",
            "~",
            "",
            "- a",
            "a: b",
            "#x",
            "2024-01-02",
            "=",
            "1.5"
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e20..1e20_f64).prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(value in json_value()) {
        let text = dump(&value);
        // Lone carriage returns and other control characters included: everything comes back.
        prop_assert_eq!(load(&text).map_err(|err| TestCaseError::fail(format!("{err}: {text:?}")))?, value);
    }
}
