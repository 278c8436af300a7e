//! Chatflows: turns, their rows, variables that outlive them, and turns that wait for somebody.

use serde_json::{Value, json};
use services_workflow::run::{Runs, pause};
use test_support::{Client, TestServer};

/// A published chatflow and a client of its service API.
struct Flow {
    server: TestServer,
    owner: Client,
    app: String,
    key: String,
    api: Client,
}

impl Flow {
    async fn new(nodes: Value, edges: Value, variables: Value, features: Value) -> Self {
        let (server, owner) = TestServer::set_up().await;
        let new =
            json!({"name": "flow", "mode": "advanced-chat", "icon_type": "emoji", "icon": "x"});
        let app = owner.post("/console/api/apps", new).await.expect(201);
        let app = app["id"].as_str().unwrap().to_owned();
        let draft = json!({"graph": {"nodes": nodes, "edges": edges}, "features": features,
            "environment_variables": [], "conversation_variables": variables});
        let at = |tail: &str| format!("/console/api/apps/{app}/{tail}");
        owner.post(&at("workflows/draft"), draft).await.expect(200);
        owner.post(&at("workflows/publish"), json!({})).await.expect(200);
        let key = owner.post(&at("api-keys"), json!({})).await.expect(201);
        let key = key["token"].as_str().unwrap().to_owned();
        let api = server.client().bearer(&key);
        Self { server, owner, app, key, api }
    }

    fn question(query: &str, mode: &str, conversation: &str) -> Value {
        json!({"inputs": {}, "query": query, "response_mode": mode, "user": "u", "conversation_id": conversation,
            "auto_generate_name": false})
    }

    async fn ask(&self, query: &str, conversation: &str) -> Value {
        let question = Self::question(query, "blocking", conversation);
        self.api.post("/v1/chat-messages", question).await.expect(200)
    }

    async fn stream(&self, query: &str) -> Vec<Value> {
        let reply =
            self.api.post("/v1/chat-messages", Self::question(query, "streaming", "")).await;
        assert_eq!(reply.status.as_u16(), 200);
        frames(&reply.bytes)
    }

    async fn messages(&self, conversation: &str) -> Value {
        let path = format!("/v1/messages?user=u&conversation_id={conversation}");
        self.api.get(&path).await.expect(200)["data"].clone()
    }
}

fn frames(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

fn edge(from: &str, handle: &str, to: &str) -> Value {
    json!({"id": format!("{from}-{to}"), "source": from, "sourceHandle": handle, "target": to, "targetHandle": "target"})
}

fn start() -> Value {
    json!({"id": "start", "data": {"type": "start", "title": "start", "variables": []}})
}

fn answer(text: &str) -> Value {
    json!({"id": "answer", "data": {"type": "answer", "title": "answer", "answer": text, "variables": []}})
}

#[tokio::test]
async fn a_turn_is_answered_and_its_rows_belong_together() {
    let nodes = json!([start(), answer("{{#sys.query#}} ({{#sys.dialogue_count#}})")]);
    let edges = json!([edge("start", "source", "answer")]);
    let flow = Flow::new(nodes, edges, json!([]), json!({"opening_statement": "Hello"})).await;
    let first = flow.ask("one", "").await;
    assert_eq!(first["answer"], "one (1)");
    assert_eq!(first["mode"], "advanced-chat");
    let conversation = first["conversation_id"].as_str().unwrap();
    assert_eq!(flow.ask("two", conversation).await["answer"], "two (2)");
    let messages = flow.messages(conversation).await;
    let said: Vec<_> = messages.as_array().unwrap().iter().map(|it| &it["answer"]).collect();
    assert_eq!(said, ["one (1)", "two (2)"]);
    let runs = format!(
        "/console/api/apps/{}/advanced-chat/workflow-runs?triggered_from=app-run",
        flow.app
    );
    let runs = flow.owner.get(&runs).await.expect(200);
    assert_eq!(runs["data"][1]["status"], "succeeded");
    assert_eq!(runs["data"][1]["message_id"], first["message_id"]);
    assert_eq!(runs["data"][1]["conversation_id"], first["conversation_id"]);
}

#[tokio::test]
async fn the_end_of_the_message_comes_before_the_end_of_the_run() {
    let nodes = json!([start(), answer("Hi")]);
    let flow =
        Flow::new(nodes, json!([edge("start", "source", "answer")]), json!([]), json!({})).await;
    let events = flow.stream("x").await;
    let order = names(&events);
    assert_eq!(order.first(), Some(&"workflow_started"));
    assert_eq!(order[order.len() - 2..], ["message_end", "workflow_finished"]);
    assert!(order.contains(&"message"));
    for event in &events {
        assert_eq!(event["conversation_id"], events[0]["conversation_id"]);
        assert_eq!(event["message_id"], events[0]["message_id"]);
    }
}

#[tokio::test]
async fn a_turn_asked_for_twice_under_a_key_is_one() {
    let nodes = json!([start(), answer("Hi")]);
    let flow =
        Flow::new(nodes, json!([edge("start", "source", "answer")]), json!([]), json!({})).await;
    let keyed = |key| flow.server.client().bearer(&flow.key).header("idempotency-key", key);
    for mode in ["streaming", "blocking", "async"] {
        let client = keyed(mode);
        let question = Flow::question("x", mode, "");
        let first = client.post("/v1/chat-messages", question.clone()).await;
        assert!(first.status.is_success() && !first.headers.contains_key("idempotency-replayed"));
        let again = client.post("/v1/chat-messages", question).await;
        assert!(again.headers.contains_key("idempotency-replayed"), "{mode}");
        assert_eq!(first.status, again.status);
        assert_eq!(
            String::from_utf8_lossy(&first.bytes),
            String::from_utf8_lossy(&again.bytes),
            "{mode}"
        );
        let other = client.post("/v1/chat-messages", Flow::question("y", mode, "")).await;
        assert_eq!(other.code(422), "idempotency_key_reused");
    }
    assert_eq!(flow.server.db().count("SELECT count(*) FROM messages").await, 3);
    assert_eq!(flow.server.db().count("SELECT count(*) FROM workflow_runs").await, 3);
}

#[tokio::test]
async fn what_an_assigner_sets_is_there_in_the_next_turn() {
    let assigner = json!({"id": "as", "data": {"type": "assigner", "title": "as", "version": "2", "items": [
        {"variable_selector": ["conversation", "words"], "input_type": "variable", "operation": "append",
         "value": ["sys", "query"]}]}});
    let nodes = json!([start(), assigner, answer("{{#conversation.words#}}")]);
    let edges = json!([edge("start", "source", "as"), edge("as", "source", "answer")]);
    let variables = json!([{"id": "aaaaaaaa-0000-4000-8000-000000000001", "name": "words", "value_type": "array[string]",
        "value": [], "description": ""}]);
    let flow = Flow::new(nodes, edges, variables, json!({})).await;
    let first = flow.ask("one", "").await;
    let conversation = first["conversation_id"].as_str().unwrap();
    assert_eq!(flow.ask("two", conversation).await["answer"], "- one\n- two");
    let path = format!("/v1/conversations/{conversation}/variables?user=u");
    let variables = flow.api.get(&path).await.expect(200);
    // The service API shows every value as Python's text of it.
    assert_eq!(variables["data"][0]["value"], "['one', 'two']");
}

#[tokio::test]
async fn moderation_of_the_question_answers_without_a_run() {
    let features = json!({"sensitive_word_avoidance": {"enabled": true, "type": "keywords", "config": {
        "keywords": "forbidden", "inputs_config": {"enabled": true, "preset_response": "No."},
        "outputs_config": {"enabled": false}}}});
    let nodes = json!([start(), answer("Hi")]);
    let flow =
        Flow::new(nodes, json!([edge("start", "source", "answer")]), json!([]), features).await;
    let events = flow.stream("a forbidden word").await;
    assert_eq!(names(&events), ["message", "message_end"]);
    assert_eq!(events[0]["answer"], "No.");
    let conversation = events[0]["conversation_id"].as_str().unwrap().to_owned();
    assert_eq!(flow.messages(&conversation).await[0]["answer"], "No.");
}

#[tokio::test]
async fn a_turn_waits_for_a_form_and_goes_on_with_it() {
    let form = json!({"id": "ask", "data": {"type": "human-input", "title": "Ask", "form_content": "Name? {{#$output.name#}}",
        "delivery_methods": [{"id": "aaaaaaaa-0000-4000-8000-000000000001", "type": "webapp", "enabled": true, "config": {}}],
        "inputs": [{"type": "text_input", "output_variable_name": "name", "default": null}],
        "user_actions": [{"id": "go", "title": "Go", "button_style": "accent"}], "timeout": 1, "timeout_unit": "hour"}});
    let nodes = json!([start(), form, answer("Hi {{#ask.name#}}")]);
    let edges = json!([edge("start", "source", "ask"), edge("ask", "go", "answer")]);
    let flow = Flow::new(nodes, edges, json!([]), json!({})).await;
    let events = flow.stream("start").await;
    assert_eq!(names(&events).last(), Some(&"workflow_paused"));
    let asked = events.iter().find(|it| it["event"] == "human_input_required").unwrap();
    assert!(asked["data"]["expiration_time"].is_i64());
    let run = asked["workflow_run_id"].as_str().unwrap();
    let conversation = asked["conversation_id"].as_str().unwrap();
    assert_eq!(flow.messages(conversation).await[0]["status"], "paused");
    let seen = format!("/v1/workflow/{run}/events?user=u&include_state_snapshot=true");
    let seen = frames(&flow.api.get(&seen).await.bytes);
    assert_eq!(names(&seen).last(), Some(&"workflow_paused"));
    assert_eq!(seen[1]["event"], "message_replace");

    let path = format!("/api/form/human_input/{}", asked["data"]["form_token"].as_str().unwrap());
    let filled = json!({"inputs": {"name": "Bo"}, "action": "go"});
    flow.server.client().post(&path, filled).await.expect(200);
    let runs = Runs::clone(&flow.server.state().part::<Runs>().unwrap());
    let id = run.parse().unwrap();
    assert!(pause::resume(&runs, id).await.unwrap());
    assert!(!pause::resume(&runs, id).await.unwrap(), "somebody has it already");
    let here = runs.find(app_engine::RunKey::WorkflowRun(id.0)).unwrap();
    let mut reader = here.log.reader(0);
    while reader.next().await.is_some() {}
    let message = flow.messages(conversation).await[0].clone();
    assert_eq!((&message["status"], &message["answer"]), (&json!("normal"), &json!("Hi Bo")));
    let ended = format!("/v1/workflow/{run}/events?user=u");
    let ended = frames(&flow.api.get(&ended).await.bytes);
    assert_eq!(names(&ended), ["workflow_finished"]);
}
