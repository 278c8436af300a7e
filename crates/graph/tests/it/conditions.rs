//! Every operator on the types it knows, and on those it does not.

use graph::{
    Value, VariablePool,
    condition::{Condition, Logic, compare, evaluate},
};
use serde_json::{Value as Json, json};

fn check(operator: &str, actual: Json, expected: Json) -> Result<bool, String> {
    let operator = serde_json::from_value(json!(operator)).unwrap();
    compare(operator, &Value::from_stored(actual), &Value::from_stored(expected))
        .map_err(|err| err.message)
}

#[test]
fn operators() {
    let yes = Ok(true);
    let no = Ok(false);
    let wrong = |text: &str| Err(text.to_owned());
    let number = "Invalid actual value type: number";
    let cases: Vec<(&str, Json, Json, Result<bool, String>)> = vec![
        ("contains", json!("abc"), json!("b"), yes.clone()),
        ("contains", json!(""), json!(""), no.clone()),
        ("contains", json!("a1"), json!(1), yes.clone()),
        ("contains", json!([1, 2]), json!(2.0), yes.clone()),
        ("contains", json!(5), json!("5"), wrong("Invalid actual value type: string or array")),
        ("contains", json!(null), json!("x"), no.clone()),
        ("not contains", json!("abc"), json!("x"), yes.clone()),
        ("not contains", json!(null), json!("x"), yes.clone()),
        ("not contains", json!(["x"]), json!("x"), no.clone()),
        ("start with", json!("abc"), json!("ab"), yes.clone()),
        ("start with", json!(""), json!(""), no.clone()),
        ("start with", json!(1), json!("1"), wrong("Invalid actual value type: string")),
        (
            "start with",
            json!("a"),
            json!(null),
            wrong("Expected value must be a string for startswith"),
        ),
        ("end with", json!("abc"), json!("bc"), yes.clone()),
        (
            "end with",
            json!("a"),
            json!(null),
            wrong("Expected value must be a string for endswith"),
        ),
        ("is", json!("a"), json!("a"), yes.clone()),
        ("is", json!(true), json!(true), yes.clone()),
        ("is", json!(null), json!("a"), no.clone()),
        ("is", json!(1), json!("1"), wrong("Invalid actual value type: string or boolean")),
        ("is not", json!("a"), json!("b"), yes.clone()),
        ("is not", json!(null), json!("b"), no.clone()),
        ("empty", json!(0), json!(null), yes.clone()),
        ("empty", json!("0"), json!(null), no.clone()),
        ("not empty", json!([0]), json!(null), yes.clone()),
        ("not empty", json!(false), json!(null), no.clone()),
        ("=", json!(5), json!("5"), yes.clone()),
        ("=", json!(5), json!(" 5 "), yes.clone()),
        ("=", json!(5), json!("5.0"), wrong("invalid literal for int() with base 10: '5.0'")),
        ("=", json!(5.5), json!("5.5"), yes.clone()),
        ("=", json!(5.5), json!("x"), wrong("could not convert string to float: 'x'")),
        ("=", json!(true), json!("false"), yes.clone()),
        ("=", json!(null), json!("5"), no.clone()),
        ("=", json!("5"), json!("5"), wrong("Invalid actual value type: number or boolean")),
        ("=", json!(5), json!(null), wrong("Cannot convert <class 'NoneType'> to int")),
        ("≠", json!(5), json!("6"), yes.clone()),
        ("≠", json!(null), json!("6"), no.clone()),
        (">", json!(5), json!("4.5"), yes.clone()),
        (">", json!(5), json!("5"), no.clone()),
        (">", json!(null), json!("5"), no.clone()),
        (">", json!("9"), json!("5"), wrong(number)),
        (">", json!(5), json!("x"), wrong("Cannot convert 'x' to number")),
        (">", json!(5), json!([1]), wrong("Cannot convert <class 'list'> to number")),
        ("<", json!(9007199254740993i64), json!("9007199254740994"), yes.clone()),
        ("≥", json!(5.0), json!("5"), yes.clone()),
        ("≤", json!(5), json!("4"), no.clone()),
        ("null", json!(null), json!(null), yes.clone()),
        ("not null", json!(0), json!(null), yes.clone()),
        ("exists", json!(""), json!(null), yes.clone()),
        ("not exists", json!(""), json!(null), no.clone()),
        ("in", json!("a"), json!(["a", "b"]), yes.clone()),
        ("in", json!(""), json!([""]), no.clone()),
        ("in", json!("a"), json!("abc"), wrong("Invalid expected value type: array")),
        ("not in", json!("c"), json!(["a", "b"]), yes.clone()),
        ("not in", json!(""), json!([""]), yes.clone()),
        ("all of", json!(["a", "b", "c"]), json!(["a", "c"]), yes.clone()),
        ("all of", json!(["a"]), json!(["a", "c"]), no.clone()),
        ("all of", json!([true]), json!([true]), yes.clone()),
        ("all of", json!("abc"), json!(["a", "c"]), yes.clone()),
        ("all of", json!("abc"), json!("a"), wrong("Unsupported operator: all of")),
    ];
    for (operator, actual, expected, result) in cases {
        let shown = format!("{actual} {operator} {expected}");
        assert_eq!(check(operator, actual, expected), result, "{shown}");
    }
}

fn conditions(json: Json) -> Vec<Condition> {
    serde_json::from_value(json).unwrap()
}

#[test]
fn conditions_are_evaluated_until_the_result_is_known() {
    let mut pool = VariablePool::default();
    pool.set("n", "a", "x");
    let list = conditions(json!([
        {"variable_selector": ["n", "a"], "comparison_operator": "is", "value": "{{#n.a#}}"},
        {"variable_selector": ["n", "a"], "comparison_operator": "is", "value": "y"},
        {"variable_selector": ["n", "missing"], "comparison_operator": "is", "value": "y"},
    ]));
    let or = evaluate(&pool, &list, Logic::Or).unwrap();
    assert!(or.holds);
    assert_eq!(or.results, [true]);
    assert_eq!(
        or.inputs[0].py_json(false),
        r#"{"actual_value": "x", "expected_value": "x", "comparison_operator": "is"}"#
    );
    let and = evaluate(&pool, &list, Logic::And).unwrap();
    assert!(!and.holds);
    assert_eq!(and.results, [true, false]);
    let missing = evaluate(&pool, &list[2..], Logic::And).unwrap_err();
    assert_eq!(missing.message, "Variable ['n', 'missing'] not found");
    assert!(evaluate(&pool, &[], Logic::And).unwrap().holds);
    assert!(!evaluate(&pool, &[], Logic::Or).unwrap().holds);
}

#[test]
fn booleans_come_as_text_too() {
    let mut pool = VariablePool::default();
    pool.set("n", "b", true);
    let holds = |value: Json| {
        let list = conditions(json!([
            {"variable_selector": ["n", "b"], "comparison_operator": "is", "value": value},
        ]));
        evaluate(&pool, &list, Logic::And).map(|it| it.holds).map_err(|err| err.message)
    };
    assert_eq!(holds(json!("true")), Ok(true));
    assert_eq!(holds(json!("0")), Ok(false));
    assert_eq!(holds(json!(true)), Ok(true));
    assert_eq!(
        holds(json!("[]")),
        Err("unexpected value: type=<class 'str'>, value=[]".to_owned())
    );
}

#[test]
fn files_of_a_list_have_conditions_of_their_own() {
    let file = |name: &str, extension: &str| {
        json!({
            "dify_model_identity": "__dify__file__", "type": "document", "filename": name,
            "transfer_method": "remote_url", "remote_url": "http://x/y", "extension": extension,
        })
    };
    let mut pool = VariablePool::default();
    pool.set(
        "n",
        "files",
        Value::from_stored(json!([file("a.txt", ".txt"), file("b.pdf", "pdf")])),
    );
    let holds = |operator: &str, sub: Json| {
        let list = conditions(json!([{
            "variable_selector": ["n", "files"], "comparison_operator": operator,
            "sub_variable_condition": sub,
        }]));
        evaluate(&pool, &list, Logic::And).map(|it| it.holds).map_err(|err| err.message)
    };
    let sub = |key: &str, operator: &str, value: &str| {
        json!({"logical_operator": "and", "conditions": [
            {"key": key, "comparison_operator": operator, "value": value},
        ]})
    };
    assert_eq!(holds("contains", sub("name", "contains", "b.")), Ok(true));
    assert_eq!(holds("contains", sub("name", "not contains", "b.")), Ok(false));
    assert_eq!(holds("contains", sub("extension", "is", "pdf")), Ok(true));
    assert_eq!(holds("contains", json!(null)), Err("Sub variable is required".to_owned()));
    assert_eq!(
        holds("contains", sub("nothing", "is", "pdf")),
        Err("'nothing' is not a valid FileAttribute".to_owned())
    );
}
