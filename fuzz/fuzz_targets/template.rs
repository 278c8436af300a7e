//! Texts of prompts and templates, and the JSON models write.

#![no_main]

use libfuzzer_sys::fuzz_target;
use template::{jinja, json_repair, prompt, variable};

fuzz_target!(|text: &str| {
    let _ = prompt::format(text, |name| (name.len() % 2 == 0).then(|| name.into()));
    let _ = prompt::without_variables(text);
    let _ = prompt::without_special_tokens(text);
    let _ = prompt::names(text).count();
    let _ = variable::format(text, |name| Some(name.to_owned()));
    let _ = variable::selectors(text);
    let joined: String = variable::parts(text)
        .iter()
        .map(|part| match part {
            variable::Part::Text(text) => (*text).to_owned(),
            variable::Part::Variable(name) => format!("{{{{#{name}#}}}}"),
        })
        .collect();
    assert_eq!(joined, text, "the parts are the text");
    let repaired = json_repair::repair(text);
    // What was repaired is JSON and needs no second repair.
    assert_eq!(json_repair::repair(&repaired.to_string()), repaired);
    let values = serde_json::json!({"a": [1, "b", null], "text": "text"});
    let _ = jinja::render(text, &values);
});
