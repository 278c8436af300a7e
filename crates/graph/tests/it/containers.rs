//! Iterations and loops.

use graph::{GraphEvent, Limits, NoUrls};
use serde_json::{Value as Json, json};

use crate::support::{Driver, graph, node, pool};

fn inner(id: &str, container: &str, key: &str, mut data: Json) -> Json {
    data[key] = json!(container);
    if data.get("type").is_none() {
        data["type"] = json!("fake");
    }
    node(id, data)
}

fn iteration(settings: Json, body: Json) -> Vec<Json> {
    let mut data = json!({
        "type": "iteration",
        "iterator_selector": ["start", "list"],
        "output_selector": ["in", "out"],
        "start_node_id": "it-start",
    });
    for (key, value) in settings.as_object().unwrap() {
        data[key] = value.clone();
    }
    let mut body = body;
    if body.get("reads").is_none() {
        body["reads"] = json!([["it", "item"]]);
    }
    vec![
        node("it", data),
        inner("it-start", "it", "iteration_id", json!({"type": "iteration-start"})),
        inner("in", "it", "iteration_id", body),
    ]
}

fn run_iteration(list: Json, settings: Json, body: Json) -> Driver {
    let mut nodes = iteration(settings, body);
    nodes.push(node(
        "end",
        json!({"type": "end", "outputs": [{"variable": "r", "value_selector": ["it", "output"]}]}),
    ));
    let graph = graph(&nodes, &["start>it", "it>end", "it-start>in"]);
    let mut run = Driver::new(graph, pool(json!({"list": list})), Limits::default());
    run.run();
    run
}

fn last(run: &Driver) -> String {
    run.log().last().cloned().unwrap_or_default()
}

#[test]
fn items_run_one_after_the_other() {
    let run = run_iteration(json!([1, 2]), json!({}), json!({"value": "v"}));
    assert_eq!(
        run.log(),
        [
            "run initial",
            "+start",
            "-start",
            "+it",
            "[it 2",
            "|it 0",
            "+in",
            "-in",
            "|it 1",
            "+in",
            "-in",
            "]it 2",
            "'- v\n- v' it.output.",
            "-it",
            "+end",
            "-end",
            r#"succeeded {"r": ["v", "v"]}"#,
        ]
    );
    let tags: Vec<Json> = run
        .events
        .iter()
        .filter_map(|event| match event {
            GraphEvent::NodeSucceeded { node, result } if &*node.node_id == "in" => {
                assert_eq!(node.in_iteration_id.as_deref(), Some("it"));
                Some(Json::Object(result.metadata.to_json(&NoUrls)))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        tags,
        [
            json!({"iteration_id": "it", "iteration_index": 0}),
            json!({"iteration_id": "it", "iteration_index": 1}),
        ]
    );
    assert_eq!(run.machine.stats().steps, 3, "inner nodes are not counted");
}

#[test]
fn parallel_items_come_in_bursts() {
    let mut nodes =
        iteration(json!({"is_parallel": true, "parallel_nums": 2}), json!({"value": "v"}));
    nodes.push(node("end", json!({"type": "end", "outputs": []})));
    let graph = graph(&nodes, &["start>it", "it>end", "it-start>in"]);
    let mut run = Driver::new(graph, pool(json!({"list": [1, 2, 3]})), Limits::default());
    assert_eq!(run.running.len(), 2, "two of three items at a time");
    run.finish(1);
    run.run();
    assert_eq!(
        run.log(),
        [
            "run initial",
            "+start",
            "-start",
            "+it",
            "[it 3",
            "|it 0",
            "|it 1",
            "|it 2",
            "+in",
            "-in",
            "+in",
            "-in",
            "+in",
            "-in",
            "]it 3",
            "-it",
            "+end",
            "-end",
            "succeeded {}",
        ]
    );
}

#[test]
fn an_empty_list_has_no_rounds() {
    for list in [json!([]), json!(null)] {
        let run = run_iteration(list, json!({}), json!({}));
        assert_eq!(last(&run), r#"succeeded {"r": []}"#);
        assert!(!run.log().iter().any(|it| it.starts_with('[')));
    }
}

#[test]
fn what_is_no_list_fails() {
    let run = run_iteration(json!("abc"), json!({}), json!({}));
    assert_eq!(last(&run), "failed invalid iterator value: abc, please provide a list.");
    let run = run_iteration(json!([1]), json!({"iterator_selector": ["start", "no"]}), json!({}));
    assert_eq!(last(&run), "failed iterator variable ['start', 'no'] not found");
    let run = run_iteration(json!([1]), json!({"start_node_id": null}), json!({}));
    assert_eq!(last(&run), "failed field start_node_id in iteration it not found");
}

#[test]
fn error_modes() {
    // The fake's sum of "1" is odd, of "2" even.
    let body = json!({"fails_on_even": true});
    for (parallel, expected) in [(false, "]it boom 0"), (true, "]it boom 0")] {
        let run = run_iteration(json!([1, 2, 3]), json!({"is_parallel": parallel}), body.clone());
        assert_eq!(last(&run), "failed boom 0");
        assert!(run.log().contains(&expected.to_owned()));
        assert!(run.log().contains(&"!it boom 0".to_owned()));
    }
    for parallel in [false, true] {
        let settings = json!({"error_handle_mode": "continue-on-error", "is_parallel": parallel});
        let run = run_iteration(json!([1, 2, 3]), settings, body.clone());
        assert_eq!(last(&run), r#"succeeded {"r": [49, null, 51]}"#);
        let settings =
            json!({"error_handle_mode": "remove-abnormal-output", "is_parallel": parallel});
        let run = run_iteration(json!([1, 2, 3]), settings, body.clone());
        assert_eq!(last(&run), r#"succeeded {"r": [49, 51]}"#);
    }
}

#[test]
fn results_that_are_lists_are_flattened() {
    let body = json!({"value": [1, 2]});
    let run = run_iteration(json!(["a", "b"]), json!({}), body.clone());
    assert_eq!(last(&run), r#"succeeded {"r": [1, 2, 1, 2]}"#);
    let run = run_iteration(json!(["a", "b"]), json!({"flatten_output": false}), body);
    assert_eq!(last(&run), r#"succeeded {"r": [[1, 2], [1, 2]]}"#);
}

#[test]
fn items_change_conversation_variables() {
    let assign = inner(
        "in",
        "it",
        "iteration_id",
        json!({
            "type": "assigner", "version": "2",
            "items": [{"variable_selector": ["conversation", "n"], "input_type": "constant", "operation": "+=", "value": 1}],
        }),
    );
    let mut nodes = iteration(json!({"output_selector": ["it", "index"]}), json!({}));
    nodes[2] = assign;
    let graph = graph(&nodes, &["start>it", "it-start>in"]);
    let mut pool = pool(json!({"list": [5, 6, 7]}));
    pool.set("conversation", "n", 10i64);
    let mut run = Driver::new(graph, pool, Limits::default());
    run.run();
    assert_eq!(run.machine.pool().render("{{#conversation.n#}}"), "13");
    assert_eq!(run.machine.pool().render("{{#it.output#}}"), "[0, 1, 2]");
    assert!(run.machine.pool().variable("it", "item").is_none(), "items stay inside");
}

#[test]
fn metadata_of_an_iteration() {
    let run = run_iteration(json!([1]), json!({}), json!({"tokens": 5}));
    let metadata = run.events.iter().find_map(|event| match event {
        GraphEvent::ContainerFinished { metadata, inputs, .. } => {
            Some((metadata.to_json(&NoUrls), graph::value::object_to_json(inputs, &NoUrls)))
        }
        _ => None,
    });
    let (metadata, inputs) = metadata.unwrap();
    assert_eq!(Json::Object(inputs), json!({"iterator_selector": [1]}));
    assert_eq!(
        Json::Object(metadata),
        json!({
            "total_tokens": 5, "total_price": "0.0", "currency": "USD",
            "iteration_duration_map": {"0": 0.01},
        })
    );
    assert_eq!(run.machine.stats().total_tokens, 5);
}

fn run_loop(settings: Json, body: Json, links: &[&str]) -> Driver {
    let mut data = json!({
        "type": "loop", "loop_count": 3, "break_conditions": [], "logical_operator": "and",
        "start_node_id": "lp-start",
        "loop_variables": [
            {"label": "n", "var_type": "number", "value_type": "constant", "value": 1},
        ],
    });
    for (key, value) in settings.as_object().unwrap() {
        data[key] = value.clone();
    }
    let nodes = [
        node("lp", data),
        inner("lp-start", "lp", "loop_id", json!({"type": "loop-start"})),
        inner("in", "lp", "loop_id", body),
        inner("lp-end", "lp", "loop_id", json!({"type": "loop-end"})),
        node(
            "end",
            json!({"type": "end", "outputs": [
                {"variable": "n", "value_selector": ["lp", "n"]},
                {"variable": "round", "value_selector": ["lp", "loop_round"]},
            ]}),
        ),
    ];
    let mut all = vec!["start>lp", "lp>end", "lp-start>in"];
    all.extend_from_slice(links);
    let mut run = Driver::new(graph(&nodes, &all), pool(json!({})), Limits::default());
    run.run();
    run
}

fn increment() -> Json {
    json!({
        "type": "assigner", "version": "2",
        "items": [{"variable_selector": ["lp", "n"], "input_type": "constant", "operation": "*=", "value": 2}],
    })
}

fn reason(run: &Driver) -> Json {
    let reason = run.events.iter().find_map(|event| match event {
        GraphEvent::ContainerFinished { metadata, .. } => Some(metadata.to_json(&NoUrls)),
        _ => None,
    });
    reason.unwrap()["completed_reason"].clone()
}

#[test]
fn a_loop_runs_its_rounds() {
    let run = run_loop(json!({}), increment(), &[]);
    assert_eq!(
        run.log(),
        [
            "run initial",
            "+start",
            "-start",
            "+lp",
            "[lp 3",
            "+in",
            "-in",
            "|lp 1",
            "+in",
            "-in",
            "|lp 2",
            "+in",
            "-in",
            "|lp 3",
            "]lp 3",
            "'8' lp.n",
            "'\n' end.answer",
            "'3' lp.loop_round.",
            "-lp",
            "+end",
            "-end",
            r#"succeeded {"n": 8, "round": 3}"#,
        ]
    );
    assert_eq!(reason(&run), "loop_completed");
}

#[test]
fn a_condition_breaks_a_loop() {
    let condition = |value: &str| {
        json!({"break_conditions": [
            {"variable_selector": ["lp", "n"], "comparison_operator": "≥", "value": value},
        ]})
    };
    let run = run_loop(condition("4"), increment(), &[]);
    assert_eq!(last(&run), r#"succeeded {"n": 4, "round": 2}"#);
    assert!(run.log().contains(&"]lp 3".to_owned()), "steps are the planned rounds");
    assert_eq!(reason(&run), "loop_break");

    let run = run_loop(condition("1"), increment(), &[]);
    assert_eq!(last(&run), r#"succeeded {"n": 1, "round": null}"#);
    assert!(run.log().contains(&"]lp 0".to_owned()));
    assert_eq!(reason(&run), "loop_break");
}

#[test]
fn a_loop_end_node_breaks_a_loop() {
    let run = run_loop(json!({}), increment(), &["in>lp-end"]);
    assert_eq!(last(&run), r#"succeeded {"n": 2, "round": 1}"#);
    assert_eq!(reason(&run), "loop_completed");
}

#[test]
fn a_failure_fails_the_loop() {
    let run = run_loop(json!({}), json!({"fails": -1}), &[]);
    let log = run.log();
    assert_eq!(
        log[log.len() - 5..],
        ["+in", "!in boom 0", "]lp boom 0", "!lp boom 0", "failed boom 0"]
    );
    assert_eq!(reason(&run), "error");
}

#[test]
fn wrong_loop_variables_fail() {
    let variable = |it: Json| json!({"loop_variables": [it]});
    let run = run_loop(
        variable(
            json!({"label": "x", "var_type": "string", "value_type": "variable", "value": ["no", "thing"]}),
        ),
        json!({}),
        &[],
    );
    assert_eq!(last(&run), "failed Invalid value for loop variable x");
    let run = run_loop(
        variable(json!({"label": "x", "var_type": "string", "value_type": "constant", "value": 5})),
        json!({}),
        &[],
    );
    assert_eq!(last(&run), "failed Type mismatch: expected string, but got integer, value=5");
}

#[test]
fn outputs_of_earlier_rounds_are_forgotten() {
    // The inner node adds what it read of itself: nothing, in every round.
    let body = json!({"reads": [["in", "out"]], "salt": 7});
    let run = run_loop(json!({}), body, &[]);
    assert_eq!(run.machine.pool().render("{{#in.out#}}"), "7");
}

#[test]
fn answers_inside_containers_stream() {
    let nodes = {
        let mut nodes = iteration(json!({}), json!({"chunks": ["a", "b"]}));
        nodes.push(inner(
            "ans",
            "it",
            "iteration_id",
            json!({
                "type": "answer", "answer": "<{{#in.text#}}>",
            }),
        ));
        nodes
    };
    let graph = graph(&nodes, &["start>it", "it-start>in", "in>ans"]);
    let mut run = Driver::new(graph, pool(json!({"list": [1, 2]})), Limits::default());
    run.run();
    let chunks: String = run
        .events
        .iter()
        .filter_map(|event| match event {
            GraphEvent::Chunk { text, node, .. } => {
                assert_eq!(node.in_iteration_id.as_deref(), Some("it"));
                Some(text.as_str())
            }
            _ => None,
        })
        .collect();
    assert_eq!(chunks, "<ab><ab>");
    assert_eq!(last(&run), "succeeded {}", "an iteration's answers are not outputs of the run");
}

#[test]
fn a_pause_inside_a_container_is_resumed() {
    let mut nodes = iteration(json!({}), json!({"pauses": true, "value": 1}));
    nodes.push(node(
        "end",
        json!({"type": "end", "outputs": [{"variable": "r", "value_selector": ["it", "output"]}]}),
    ));
    let graph = graph(&nodes, &["start>it", "it>end", "it-start>in"]);
    let mut run = Driver::new(graph, pool(json!({"list": [1, 2]})), Limits::default());
    run.run();
    assert_eq!(last(&run), "paused in");
    run.resume();
    run.run();
    assert_eq!(last(&run), "paused in");
    run.resume();
    run.run();
    assert_eq!(last(&run), r#"succeeded {"r": [1, 1]}"#);
}

#[test]
fn loops_inside_iterations_keep_both_tags() {
    let nodes = [
        node(
            "it",
            json!({
                "type": "iteration", "iterator_selector": ["start", "list"],
                "output_selector": ["lp", "loop_round"], "start_node_id": "it-start",
            }),
        ),
        inner("it-start", "it", "iteration_id", json!({"type": "iteration-start"})),
        inner(
            "lp",
            "it",
            "iteration_id",
            json!({
                "type": "loop", "loop_count": 2, "break_conditions": [], "logical_operator": "and",
                "start_node_id": "lp-start",
            }),
        ),
        inner("lp-start", "lp", "loop_id", json!({"type": "loop-start"})),
        inner("in", "lp", "loop_id", json!({"value": 1})),
    ];
    let graph = graph(&nodes, &["start>it", "it-start>lp", "lp-start>in"]);
    let mut run = Driver::new(graph, pool(json!({"list": [1]})), Limits::default());
    run.run();
    assert_eq!(run.machine.pool().render("{{#it.output#}}"), "[2]");
    let metadata = run.events.iter().rev().find_map(|event| match event {
        GraphEvent::NodeSucceeded { node, result } if &*node.node_id == "in" => {
            assert_eq!(node.in_iteration_id.as_deref(), Some("it"));
            assert_eq!(node.in_loop_id.as_deref(), Some("lp"));
            Some(result.metadata.to_json(&NoUrls))
        }
        _ => None,
    });
    assert_eq!(
        Json::Object(metadata.unwrap()),
        json!({"iteration_id": "it", "iteration_index": 0, "loop_id": "lp", "loop_index": 1})
    );
}
