//! The nodes that only compute, one at a time.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;
use graph::{
    FileUrls, NoUrls, Node, NodeConfig, NodeError, NodeFactory, NodeOutput, Object, Outcome,
    PauseReason, PureNodes, RunInfo, Value, VariablePool,
    nodes::validate_submission,
    pause::{Form, FormStatus, Forms, NewForm},
    value::object_to_json,
};
use serde_json::{Value as Json, json};

use crate::support::{Factory, node_ctx, pool};

fn build(data: Json) -> Arc<dyn Node> {
    let text = |key: &str| data.get(key).and_then(Json::as_str).unwrap_or_default();
    let version = if text("version").is_empty() { "1" } else { text("version") };
    let config = NodeConfig {
        id: Arc::from("node"),
        node_type: Arc::from(text("type")),
        version: Arc::from(version),
        title: Arc::from("Node"),
        data: data.as_object().unwrap().clone(),
    };
    Factory.create(&config).unwrap().unwrap()
}

fn run(data: Json, pool: VariablePool) -> Result<NodeOutput, NodeError> {
    let ctx = node_ctx("node", Arc::new(pool), 0);
    match build(data).run(&ctx).now_or_never().unwrap()? {
        Outcome::Done(output) => Ok(*output),
        Outcome::Pause(reason) => panic!("paused: {reason:?}"),
    }
}

fn outputs(output: &NodeOutput) -> Json {
    let values: Object =
        output.outputs.iter().map(|(name, it)| (name.clone(), it.value.clone())).collect();
    Json::Object(object_to_json(&values, &NoUrls))
}

fn json_of(object: &Object) -> Json {
    Json::Object(object_to_json(object, &NoUrls))
}

fn values(values: Json) -> VariablePool {
    let mut pool = pool(json!({}));
    for (name, value) in values.as_object().unwrap() {
        pool.set("n", name, Value::from_stored(value.clone()));
    }
    pool
}

#[test]
fn start_gives_inputs_and_system_variables() {
    let output = run(json!({"type": "start"}), pool(json!({"q": 1}))).unwrap();
    assert_eq!(outputs(&output), json!({"q": 1, "sys.files": [], "sys.query": "hi"}));
    assert_eq!(json_of(&output.inputs), outputs(&output));
}

#[test]
fn start_checks_json_objects() {
    let field = |schema: Json| {
        json!({"type": "start", "variables": [{
            "variable": "o", "label": "O", "type": "json_object", "required": true, "json_schema": schema,
        }]})
    };
    let error =
        |schema: Json, inputs: Json| run(field(schema), pool(inputs)).err().map(|it| it.message);
    assert_eq!(error(json!(null), json!({"o": {"a": 1}})), None);
    assert_eq!(error(json!(null), json!({})).as_deref(), Some("o is required in input form"));
    assert_eq!(
        error(json!(null), json!({"o": [1]})).as_deref(),
        Some("JSON object for 'o' must be an object")
    );
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    assert_eq!(
        error(schema, json!({"o": {"a": "x"}})).as_deref(),
        Some("JSON object for 'o' does not match schema: 'x' is not of type 'integer'")
    );
}

#[test]
fn end_names_values() {
    let node = json!({"type": "end", "outputs": [
        {"variable": "a", "value_selector": ["n", "x"]},
        {"variable": "b", "value_selector": ["n", "missing"]},
    ]});
    let output = run(node, values(json!({"x": [1, 2]}))).unwrap();
    assert_eq!(outputs(&output), json!({"a": [1, 2], "b": null}));
    assert_eq!(json_of(&output.inputs), json!({"a": [1, 2], "b": null}));
}

#[test]
fn answer_renders_markdown_and_collects_files() {
    let file = json!({
        "dify_model_identity": "__dify__file__", "type": "image", "filename": "p.png",
        "transfer_method": "remote_url", "remote_url": "http://x/p.png",
    });
    let node = json!({"type": "answer", "answer": "A {{#n.o#}} {{#n.f#}} {{#n.missing#}}"});
    let output = run(node, values(json!({"o": {"k": 1}, "f": file}))).unwrap();
    assert_eq!(outputs(&output)["answer"], "A {\n  \"k\": 1\n} ![p.png](http://x/p.png) n.missing");
    assert_eq!(outputs(&output)["files"][0]["url"], "http://x/p.png");
}

#[test]
fn if_else_selects_the_first_case_that_holds() {
    let case = |id: &str, value: &str| {
        json!({"case_id": id, "logical_operator": "and", "id": "ui", "conditions": [
            {"id": "ui", "variable_selector": ["n", "x"], "comparison_operator": "is", "value": value},
        ]})
    };
    let node = json!({"type": "if-else", "cases": [case("one", "a"), case("two", "b")]});
    let output = run(node.clone(), values(json!({"x": "b"}))).unwrap();
    assert_eq!(output.handle.as_deref(), Some("two"));
    assert_eq!(outputs(&output), json!({"result": true, "selected_case_id": "two"}));
    assert_eq!(
        json_of(&output.inputs),
        json!({"conditions": [{"actual_value": "b", "expected_value": "b", "comparison_operator": "is"}]})
    );
    assert_eq!(
        json_of(&output.process_data)["condition_results"][1],
        json!({
            "group": {"case_id": "two", "logical_operator": "and", "conditions": [{
                "variable_selector": ["n", "x"], "comparison_operator": "is", "value": "b",
                "sub_variable_condition": null,
            }]},
            "results": [true],
            "final_result": true,
        })
    );
    let output = run(node.clone(), values(json!({"x": "c"}))).unwrap();
    assert_eq!(output.handle.as_deref(), Some("false"));
    let error = run(node, values(json!({}))).unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.error_type.as_str()),
        ("Variable ['n', 'x'] not found", "")
    );
    assert_eq!(json_of(&error.inputs), json!({"conditions": []}));
}

#[test]
fn if_else_of_old_graphs() {
    let node = json!({"type": "if-else", "logical_operator": "or", "conditions": [
        {"variable_selector": ["n", "x"], "comparison_operator": "not empty"},
    ]});
    let output = run(node, values(json!({"x": 1}))).unwrap();
    assert_eq!(output.handle.as_deref(), Some("true"));
    assert_eq!(json_of(&output.process_data)["condition_results"][0]["group"], "default");
}

#[test]
fn aggregator_takes_the_first_that_exists() {
    let node = json!({"type": "variable-aggregator", "output_type": "string", "variables": [["n", "a"], ["n", "b"]]});
    let output = run(node.clone(), values(json!({"b": "B"}))).unwrap();
    assert_eq!(outputs(&output), json!({"output": "B"}));
    assert_eq!(json_of(&output.inputs), json!({"b": "B"}));
    assert_eq!(outputs(&run(node, values(json!({}))).unwrap()), json!({}));
    let node = json!({
        "type": "variable-aggregator", "output_type": "any", "variables": [],
        "advanced_settings": {"group_enabled": true, "groups": [
            {"group_name": "g", "output_type": "string", "variables": [["n", "b"]]},
            {"group_name": "h", "output_type": "string", "variables": [["n", "x"]]},
        ]},
    });
    assert_eq!(
        outputs(&run(node, values(json!({"b": "B"}))).unwrap()),
        json!({"g": {"output": "B"}})
    );
}

#[test]
fn assigner_version_one() {
    let node = |mode: &str, input: &str| {
        json!({
            "type": "assigner", "write_mode": mode, "assigned_variable_selector": ["n", "v"],
            "input_variable_selector": ["n", input],
        })
    };
    let run = |mode: &str, input: &str, start: Json| {
        let result = run(node(mode, input), values(json!({"v": start, "x": 2})));
        result.map(|it| it.writes[0].1.value.py_json(false)).map_err(|it| it.message)
    };
    assert_eq!(run("over-write", "x", json!("s")).as_deref(), Ok("2"));
    assert_eq!(run("append", "x", json!([1])).as_deref(), Ok("[1, 2]"));
    assert_eq!(run("clear", "x", json!([1])).as_deref(), Ok("[]"));
    assert_eq!(run("over-write", "no", json!("s")), Err("input value not found".to_owned()));
    let missing = crate::nodes::run(node("clear", "x"), values(json!({}))).unwrap_err();
    assert_eq!(missing.message, "assigned variable not found");
    assert_eq!(missing.error_type, "WorkflowNodeError");
}

#[test]
fn assigner_version_two_records_what_it_changed() {
    let node = json!({
        "type": "assigner", "version": "2", "title": "T", "selected": false,
        "items": [
            {"variable_selector": ["n", "v"], "input_type": "constant", "operation": "+=", "value": 1},
            {"variable_selector": ["n", "v"], "input_type": "constant", "operation": "*=", "value": 3},
        ],
    });
    let output = run(node, values(json!({"v": 1}))).unwrap();
    assert_eq!(
        json_of(&output.process_data),
        json!({"v": 6, "__updated_variables": [
            {"name": "v", "selector": ["n", "v"], "value_type": "integer", "new_value": 6},
        ]})
    );
    let inputs = json_of(&output.inputs);
    assert_eq!(inputs["items"][0]["operation"], "+=");
    assert_eq!(inputs["retry_config"]["max_retries"], 0);
    // Only what the node declares is recorded.
    assert!(inputs.get("selected").is_none());
    assert!(output.outputs.is_empty());
}

fn list_node(settings: Json) -> Json {
    let mut node = json!({
        "type": "list-operator", "variable": ["n", "l"], "filter_by": {"enabled": false},
        "order_by": {"enabled": false}, "limit": {"enabled": false},
    });
    for (key, value) in settings.as_object().unwrap() {
        node[key] = value.clone();
    }
    node
}

fn list(settings: Json, list: Json) -> Result<Json, String> {
    let output = run(list_node(settings), values(json!({"l": list})));
    output.map(|it| outputs(&it)["result"].clone()).map_err(|it| it.message)
}

#[test]
fn list_operator_steps() {
    let filter = |operator: &str, value: Json| {
        json!({"filter_by": {"enabled": true, "conditions": [
            {"comparison_operator": operator, "value": value},
        ]}})
    };
    let ok = |settings: Json, input: Json, expected: Json| {
        assert_eq!(list(settings.clone(), input), Ok(expected), "{settings}");
    };
    ok(filter("contains", json!("a")), json!(["ab", "c"]), json!(["ab"]));
    ok(filter("not in", json!("abc")), json!(["ab", "x"]), json!(["x"]));
    ok(filter("empty", json!("")), json!(["", "x"]), json!([""]));
    ok(filter("≥", json!("2")), json!([1, 2, 3.5]), json!([2, 3.5]));
    ok(filter("is", json!(true)), json!([true, false]), json!([true]));
    ok(json!({"order_by": {"enabled": true, "value": "desc"}}), json!([1, 3, 2]), json!([3, 2, 1]));
    ok(
        json!({"order_by": {"enabled": true, "value": "asc"}}),
        json!(["b", "a"]),
        json!(["a", "b"]),
    );
    ok(json!({"limit": {"enabled": true, "size": 2}}), json!([1, 2, 3]), json!([1, 2]));
    ok(json!({"limit": {"enabled": true, "size": -1}}), json!([1, 2, 3]), json!([1, 2]));
    ok(json!({"extract_by": {"enabled": true, "serial": "2"}}), json!([1, 2, 3]), json!([2]));
    ok(json!({}), json!([]), json!([]));

    let wrong = |settings: Json, input: Json, expected: &str| {
        assert_eq!(list(settings.clone(), input), Err(expected.to_owned()), "{settings}");
    };
    let serial = |serial: &str| json!({"extract_by": {"enabled": true, "serial": serial}});
    wrong(serial("4"), json!([1, 2, 3]), "Invalid serial index: must be <= 3, got 4");
    wrong(serial("0"), json!([1]), "Invalid serial index: must be >= 1, got 0");
    wrong(serial("x"), json!([1]), "invalid literal for int() with base 10: 'x'");
    wrong(filter("=", json!("a")), json!(["a"]), "Invalid condition: =");
    wrong(filter("=", json!("a")), json!([1]), "could not convert string to float: 'a'");
    wrong(
        json!({}),
        json!("text"),
        "Variable ['n', 'l'] is not an array type, actual type: <class 'dify_graph.variables.variables.StringVariable'>",
    );
    let error = run(list_node(json!({})), values(json!({}))).unwrap_err();
    assert_eq!(error.message, "Variable not found for selector: ['n', 'l']");
}

#[test]
fn list_operator_on_files() {
    let file = |name: &str, size: i64| {
        json!({
            "dify_model_identity": "__dify__file__", "type": "document", "filename": name,
            "transfer_method": "remote_url", "remote_url": format!("http://x/{name}"), "size": size,
        })
    };
    let names = |settings: Json| {
        let files = json!([file("b", 1), file("a", 3), file("c", 2)]);
        list(settings, files).map(|it| {
            let names = it.as_array().unwrap().iter();
            names.map(|it| it["filename"].as_str().unwrap().to_owned()).collect::<String>()
        })
    };
    let order =
        |key: &str, value: &str| json!({"order_by": {"enabled": true, "key": key, "value": value}});
    let filter = |key: &str, operator: &str, value: Json| {
        json!({"filter_by": {"enabled": true, "conditions": [
            {"key": key, "comparison_operator": operator, "value": value},
        ]}})
    };
    assert_eq!(names(order("name", "asc")).as_deref(), Ok("abc"));
    assert_eq!(names(order("size", "desc")).as_deref(), Ok("acb"));
    assert_eq!(names(order("x", "asc")), Err("Invalid order key: x".to_owned()));
    assert_eq!(names(filter("size", ">", json!("1"))).as_deref(), Ok("ac"));
    assert_eq!(names(filter("type", "in", json!(["image"]))).as_deref(), Ok(""));
    assert_eq!(names(filter("name", "is", json!("c"))).as_deref(), Ok("c"));
    assert_eq!(names(filter("x", "is", json!("c"))), Err("Invalid key: x".to_owned()));
}

#[test]
fn template_transform_renders_jinja() {
    let node = |template: &str| {
        json!({
            "type": "template-transform", "template": template,
            "variables": [
                {"variable": "x", "value_selector": ["n", "x"]},
                {"variable": "gone", "value_selector": ["n", "gone"]},
            ],
        })
    };
    let output = run(node("{{ x|join('-') }} {{ gone }}"), values(json!({"x": [1, 2]}))).unwrap();
    assert_eq!(outputs(&output), json!({"output": "1-2 None"}));
    assert_eq!(json_of(&output.inputs), json!({"x": [1, 2], "gone": null}));
    let long = "a".repeat(400_001);
    let error = run(node(&long), values(json!({}))).unwrap_err();
    assert_eq!(error.message, "Output length exceeds 400000 characters");
}

#[test]
fn webhook_gives_the_configured_parts() {
    let node = json!({
        "type": "trigger-webhook", "content_type": "application/json",
        "headers": [{"name": "X-Key"}], "params": [{"name": "p"}],
        "body": [{"name": "b", "type": "string"}, {"name": "f", "type": "file"}],
    });
    let data = json!({
        "headers": {"x-key": "k"}, "query_params": {"p": "1"}, "body": {"b": "B"},
        "files": {"f": {"type": "image", "transfer_method": "tool_file", "related_id": "r", "filename": "p.png"}},
    });
    let output = run(node, pool(json!({"webhook_data": data}))).unwrap();
    let shown = outputs(&output);
    assert_eq!(
        (&shown["X_Key"], &shown["p"], &shown["b"]),
        (&json!("k"), &json!("1"), &json!("B"))
    );
    assert_eq!(shown["f"]["dify_model_identity"], "__dify__file__");
    assert_eq!(shown["_webhook_raw"], data);
    assert_eq!(shown["sys.query"], "hi");
}

#[test]
fn triggers_hand_on_what_they_were_given() {
    let node = json!({"type": "trigger-plugin", "provider_id": "p/e/e", "event_name": "push",
        "plugin_unique_identifier": "p:1@c"});
    assert_eq!(build(node.clone()).start_info().provider_id.as_deref(), Some("p/e/e"));
    let output = run(node, pool(json!({"branch": "main"}))).unwrap();
    assert_eq!(outputs(&output)["branch"], "main");
    assert_eq!(output.metadata.to_json(&NoUrls)["trigger_info"]["event_name"], "push");
}

#[derive(Default)]
struct Desk {
    form: Mutex<Option<Form>>,
    last_moment: Mutex<Option<Form>>,
    made: Mutex<Vec<NewForm>>,
}

#[async_trait]
impl Forms for Desk {
    async fn find(&self, _: &RunInfo, _: &str, _: &str) -> Result<Option<Form>, String> {
        Ok(self.form.lock().unwrap().clone())
    }

    async fn time_out(&self, _: &RunInfo, _: &str) -> Result<bool, String> {
        // Whoever submits it in the last moment is first.
        if let Some(last) = self.last_moment.lock().unwrap().take() {
            *self.form.lock().unwrap() = Some(last);
            return Ok(false);
        }
        Ok(true)
    }

    async fn create(&self, _run: &RunInfo, form: NewForm) -> Result<Form, String> {
        let made = Form {
            id: "form".to_owned(),
            token: Some("token".to_owned()),
            rendered_content: form.rendered_content.clone(),
            status: FormStatus::Waiting,
            expiration_time: form.expiration_time,
            selected_action_id: None,
            submitted_data: Object::new(),
        };
        self.made.lock().unwrap().push(form);
        *self.form.lock().unwrap() = Some(made.clone());
        Ok(made)
    }
}

#[test]
fn human_input_waits_for_its_form() {
    let desk = Arc::new(Desk::default());
    let data = json!({
        "type": "human-input", "form_content": "Hi {{#n.x#}}: {{#$output.note#}}",
        "inputs": [{"type": "text_input", "output_variable_name": "note", "default": {"type": "variable", "selector": ["n", "x"]}}],
        "user_actions": [{"id": "ok", "title": "Fine"}],
        "delivery_methods": [{"type": "webapp", "enabled": true, "config": {}}],
        "timeout": 2, "timeout_unit": "day",
    });
    let config = NodeConfig {
        id: Arc::from("ask"),
        node_type: Arc::from("human-input"),
        version: Arc::from("1"),
        title: Arc::from("Ask"),
        data: data.as_object().unwrap().clone(),
    };
    let factory = PureNodes { template_max_length: 10, forms: desk.clone() };
    let node = factory.create(&config).unwrap().unwrap();
    let ctx = node_ctx("ask", Arc::new(values(json!({"x": "Bo"}))), 0);
    let run = || node.run(&ctx).now_or_never().unwrap().unwrap();

    for _ in 0..2 {
        let Outcome::Pause(PauseReason::HumanInputRequired(reason)) = run() else { panic!() };
        assert_eq!(reason.form_content, "Hi Bo: {{#$output.note#}}");
        assert!(reason.display_in_ui);
        let json = serde_json::to_value(PauseReason::HumanInputRequired(reason)).unwrap();
        assert_eq!(json["TYPE"], "human_input_required");
        assert_eq!(json["resolved_default_values"], json!({"note": "Bo"}));
        assert_eq!(
            json["actions"],
            json!([{"id": "ok", "title": "Fine", "button_style": "default"}])
        );
    }
    let made = desk.made.lock().unwrap().clone();
    assert_eq!(made.len(), 1, "the second run finds the form of the first");
    assert_eq!(made[0].expiration_time, DateTime::UNIX_EPOCH + TimeDelta::days(2));

    let submit = |status: FormStatus, expires: DateTime<Utc>| {
        let mut form = desk.form.lock().unwrap();
        let form = form.as_mut().unwrap();
        form.status = status;
        form.expiration_time = expires;
        form.selected_action_id = Some("ok".to_owned());
        form.submitted_data = [("note".to_owned(), Value::from("yes"))].into_iter().collect();
    };
    submit(FormStatus::Submitted, DateTime::UNIX_EPOCH + TimeDelta::days(2));
    let Outcome::Done(output) = run() else { panic!() };
    assert_eq!(output.handle.as_deref(), Some("ok"));
    assert_eq!(
        outputs(&output),
        json!({"note": "yes", "__action_id": "ok", "__rendered_content": "Hi Bo: yes"})
    );
    submit(FormStatus::Waiting, DateTime::UNIX_EPOCH);
    let Outcome::Done(output) = run() else { panic!() };
    assert_eq!(output.handle.as_deref(), Some("__timeout"));
    assert_eq!(outputs(&output), json!({"__action_id": ""}));

    // What was submitted in time counts, also when the run goes on later.
    submit(FormStatus::Submitted, DateTime::UNIX_EPOCH);
    let Outcome::Done(output) = run() else { panic!() };
    assert_eq!(output.handle.as_deref(), Some("ok"));
    *desk.last_moment.lock().unwrap() = desk.form.lock().unwrap().clone();
    submit(FormStatus::Waiting, DateTime::UNIX_EPOCH);
    let Outcome::Done(output) = run() else { panic!() };
    assert_eq!(output.handle.as_deref(), Some("ok"));
}

#[test]
fn submissions_are_checked() {
    let inputs = serde_json::from_value::<Vec<graph::pause::FormInput>>(json!([
        {"type": "text_input", "output_variable_name": "a"},
        {"type": "paragraph", "output_variable_name": "b"},
    ]))
    .unwrap();
    let actions = serde_json::from_value::<Vec<graph::pause::UserAction>>(json!([
        {"id": "ok", "title": "Ok"},
    ]))
    .unwrap();
    let check = |action: &str, values: Json| {
        validate_submission(&inputs, &actions, action, values.as_object().unwrap())
    };
    assert_eq!(check("ok", json!({"a": 1, "b": 2})), Ok(()));
    assert_eq!(check("no", json!({})), Err("Invalid action: no".to_owned()));
    assert_eq!(check("ok", json!({})), Err("Missing required inputs: a, b".to_owned()));
}

#[test]
fn files_print_with_fresh_urls() {
    struct Signed;
    impl FileUrls for Signed {
        fn url(&self, file: &graph::File) -> Option<String> {
            file.related_id.as_ref().map(|id| format!("http://files/{id}?sign=1"))
        }
    }
    let file = Value::from_stored(json!({
        "dify_model_identity": "__dify__file__", "type": "document", "filename": "d.txt",
        "transfer_method": "local_file", "related_id": "u1",
    }));
    assert_eq!(file.to_json(&Signed)["url"], "http://files/u1?sign=1");
    assert_eq!(graph::Segment::from(file).markdown(&Signed), "[d.txt](http://files/u1?sign=1)");
}
