//! Agent nodes: what their strategies are given, and what comes of what they say.

use serde_json::{Value, json};

use crate::{
    daemon::Daemon,
    graph, node,
    world::{App, OPENAI, World, answer, data},
};

fn agent(tools: Value) -> Value {
    let constant = |value: Value| json!({"type": "constant", "value": value});
    node(
        "agent",
        "agent",
        json!({
            "version": "2", "tool_node_version": "2", "agent_strategy_provider_name": "me/agent/agent",
            "agent_strategy_name": "think", "agent_strategy_label": "Think",
            "memory": {"window": {"enabled": true, "size": 10}},
            "agent_parameters": {
                "model": constant(json!({"provider": OPENAI, "model": "gpt-4o-mini", "model_type": "llm", "mode": "chat",
                    "completion_params": {"temperature": 0.5}})),
                "tools": constant(tools),
                "query": {"type": "mixed", "value": "Q: {{#sys.query#}}"},
                "context": {"type": "variable", "value": ["sys", "dialogue_count"]},
                "unknown": constant(json!("x")),
            },
        }),
    )
}

fn tool(more: Value) -> Value {
    let mut tool = json!({
        "enabled": true, "type": "builtin", "provider_name": "time", "tool_name": "current_time", "schemas": [],
        "settings": {"format": {"value": {"type": "constant", "value": "%Y"}}},
        "parameters": {}, "extra": {"description": "Tells the year"},
    });
    tool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tool
}

fn log(id: &str, status: &str, metadata: Value) -> Value {
    json!({"type": "log", "meta": null, "message": {"id": id, "label": format!("step {id}"), "parent_id": null,
        "error": null, "status": status, "data": {"now": status}, "metadata": metadata}})
}

fn text(text: &str) -> Value {
    json!({"type": "text", "message": {"text": text}, "meta": null})
}

async fn world(daemon: &Daemon) -> (World, App) {
    let settings =
        [("PLUGIN_DAEMON_URL", daemon.url.as_str()), ("CONSOLE_API_URL", "http://api.test")];
    let world = World::new(&settings).await;
    let tools = json!([tool(json!({})), tool(json!({"enabled": false}))]);
    let start = node("start", "start", json!({"variables": []}));
    let said = node("a", "answer", json!({"answer": "{{#agent.text#}} {{#agent.mood#}}"}));
    let graph = graph(vec![start, agent(tools), said], &[("start", "agent"), ("agent", "a")]);
    let app = world.app("advanced-chat", &graph).await;
    (world, app)
}

#[tokio::test]
async fn a_strategy_is_given_what_it_needs_and_what_it_says_is_kept() {
    let daemon = Daemon::new().await;
    let (world, app) = world(&daemon).await;
    let costs = json!({"total_tokens": 7, "prompt_tokens": 5, "completion_tokens": 2, "total_price": 5.9e-05,
        "currency": "EUR", "latency": 0.5});
    daemon.say(vec![
        log("1", "start", json!({"provider": "time"})),
        text("It is "),
        log("1", "success", json!({"provider": "time", "elapsed_time": 1.5})),
        text("2026."),
        json!({"type": "variable", "message": {"variable_name": "mood", "variable_value": "fi", "stream": true}}),
        json!({"type": "variable", "message": {"variable_name": "mood", "variable_value": "ne", "stream": true}}),
        json!({"type": "blob", "message": {"blob": "aGk="}, "meta": {"mime_type": "text/plain", "filename": "a.txt"}}),
        json!({"type": "json", "message": {"json_object": {"execution_metadata": costs}}}),
        json!({"type": "json", "message": {"json_object": {"k": 1}}}),
    ]);
    let first = app.ask("year?", "").await;
    assert_eq!(answer(&first), "It is 2026. fine");
    let conversation = first[0]["conversation_id"].as_str().unwrap();
    let events = app.ask("and now?", conversation).await;

    // What it is given.
    let invoked = daemon.invoked();
    assert_eq!(invoked["conversation_id"], conversation);
    assert_eq!(invoked["app_id"], json!(app.id));
    assert_eq!(invoked["context"]["credentials"]["tool_credentials"], json!({}));
    let invoked = &invoked["data"];
    assert_eq!(invoked["agent_strategy_provider"], "agent");
    assert_eq!(invoked["agent_strategy"], "think");
    let given = &invoked["agent_strategy_params"];
    assert_eq!(given["query"], "Q: and now?");
    assert_eq!((&given["context"], &given["rounds"]), (&json!(2), &json!(3)));
    assert_eq!(given["unknown"], Value::Null);
    assert_eq!(given["model"]["entity"]["model"], "gpt-4o-mini");
    let features = given["model"]["entity"]["features"].as_array().unwrap();
    assert!(
        features.contains(&json!("multi-tool-call"))
            && !features.contains(&json!("structured-output"))
    );
    let history = given["model"]["history_prompt_messages"].as_array().unwrap();
    let history: Vec<(&Value, &Value)> =
        history.iter().map(|it| (&it["role"], &it["content"])).collect();
    assert_eq!(
        history,
        [(&json!("user"), &json!("year?")), (&json!("assistant"), &json!("It is 2026. fine"))]
    );
    assert_eq!(given["tools"].as_array().unwrap().len(), 1);
    let tool = &given["tools"][0];
    assert_eq!(
        (&tool["identity"]["name"], &tool["identity"]["provider"]),
        (&json!("current_time"), &json!("time"))
    );
    assert_eq!(tool["description"]["llm"], "Tells the year");
    assert_eq!(tool["runtime_parameters"], json!({"format": "%Y"}));
    assert_eq!((&tool["provider_type"], &tool["credential_id"]), (&json!("builtin"), &Value::Null));

    // What comes of what it says.
    let of_agent = |name: &str| {
        let mut all =
            events.iter().filter(|it| it["event"] == name && it["data"]["node_id"] == "agent");
        all.next().unwrap()["data"].clone()
    };
    assert_eq!(
        of_agent("node_started")["agent_strategy"],
        json!({"name": "think", "icon": "agent.svg"})
    );
    let step = of_agent("agent_log");
    assert_eq!(
        (&step["id"], &step["status"], &step["node_execution_id"]),
        (&json!("1"), &json!("start"), &json!("agent"))
    );
    assert_eq!(
        step["metadata"],
        json!({"provider": "time", "icon_dark": "",
            "icon": "http://api.test/console/api/workspaces/current/tool-provider/builtin/time/icon"})
    );
    let done = of_agent("node_finished");
    assert_eq!(done["inputs"]["query"], "Q: and now?");
    assert_eq!(
        done["inputs"]["tools"][0]["settings"],
        json!({"format": {"type": "constant", "value": "%Y"}})
    );
    let outputs = &done["outputs"];
    assert_eq!((&outputs["text"], &outputs["mood"]), (&json!("It is 2026."), &json!("fine")));
    assert_eq!(outputs["usage"]["total_price"], "0.000059");
    assert_eq!(outputs["files"][0]["filename"], "a.txt");
    // One step, as it ended, then what it answered.
    let values = outputs["json"].as_array().unwrap();
    assert_eq!(values.len(), 2);
    assert_eq!((&values[0]["id"], &values[0]["status"]), (&json!("1"), &json!("success")));
    assert_eq!(values[1], json!({"k": 1}));
    let metadata = &done["execution_metadata"];
    assert_eq!(metadata["tool_info"], json!({"agent_strategy": "think", "icon": "agent.svg"}));
    assert_eq!(metadata["total_tokens"], 7);
    assert_eq!(metadata["agent_log"][0]["message_id"], "1");
    assert_eq!(data(&events, "workflow_finished")["total_tokens"], 7);
    drop(world);
}

#[tokio::test]
async fn failures_say_whose_they_are() {
    let daemon = Daemon::new().await;
    let (world, app) = world(&daemon).await;
    let raised = json!({"error_type": "KeyError", "message": "'x'", "args": {}}).to_string();
    let raised =
        json!({"error_type": "PluginInvokeError", "message": raised, "args": null}).to_string();
    daemon.say(vec![text("Hm"), json!({"code": -500, "message": raised, "data": null})]);
    let error = async || {
        let events = app.ask("x", "").await;
        let end = data(&events, "workflow_finished");
        assert_eq!(end["status"], "failed");
        end["error"].as_str().unwrap().to_owned()
    };
    let told = error().await;
    assert!(told.starts_with("Failed to transform agent message: req_id: "), "{told}");
    assert!(told.contains("PluginInvokeError") && told.contains("KeyError"), "{told}");
    // A link to a file that nobody made.
    let link = json!({"type": "image_link", "message": {"text": "/files/tools/0190a2d1-0000-7000-8000-000000000000.png"}});
    daemon.say(vec![link]);
    assert_eq!(error().await, "Tool file '0190a2d1-0000-7000-8000-000000000000' does not exist");

    let start = node("start", "start", json!({"variables": []}));
    let broken = |tools: Value, strategy: &str| {
        let mut agent = agent(tools);
        agent["data"]["agent_strategy_name"] = strategy.into();
        graph(vec![start.clone(), agent], &[("start", "agent")])
    };
    for (tools, strategy, message) in [
        (json!([]), "dream", "Failed to get agent strategy: Agent strategy dream not found"),
        (json!([tool(json!({"tool_name": "no_time"}))]), "think", "builtin tool no_time not found"),
        (json!("none"), "think", "The tools of an agent must be a list of tools."),
    ] {
        world.save(&app, &broken(tools, strategy)).await;
        let path = app.path("/workflows/draft/nodes/agent/run");
        let inputs = json!({"#sys.query#": "q", "context": 1});
        let done = world.owner.post(&path, json!({"inputs": inputs})).await.expect(200);
        assert_eq!((&done["status"], &done["error"]), (&json!("failed"), &json!(message)));
    }
}
