//! Agents: tools called by functions and by text, their failures, limits, stops, and what later turns know of it.

use serde_json::{Value, json};

use crate::support::{App, Event, OPENAI, World, question, text};

const LEAP_DAY: &str = r#"[[tool:weekday {"year": 2024, "month": 2, "day": 29}]]"#;

const MARS: &str = r#"[[tool:timezone_conversion {"current_time": "2024-01-01 08:00:00", "current_timezone": "Mars", "target_timezone": "UTC"}]]"#;

fn tool(name: &str) -> Value {
    json!({"enabled": true, "provider_id": "time", "provider_name": "time", "provider_type": "builtin",
        "tool_label": name, "tool_name": name, "tool_parameters": {}})
}

fn config(strategy: &str, model: &str, rounds: i64) -> Value {
    json!({
        "model": {"provider": OPENAI, "name": model, "mode": "chat", "completion_params": {}},
        "agent_mode": {"enabled": true, "max_iteration": rounds, "strategy": strategy,
            "tools": [tool("weekday"), tool("timezone_conversion")]},
    })
}

/// The last state of each thought.
fn thoughts(events: &[Event]) -> Vec<&Value> {
    let mut thoughts: Vec<&Value> = Vec::new();
    for event in events.iter().map(|event| &event.data).filter(|it| it["event"] == "agent_thought")
    {
        match thoughts.iter_mut().find(|known| known["id"] == event["id"]) {
            Some(known) => *known = event,
            None => thoughts.push(event),
        }
    }
    thoughts
}

fn said(events: &[Event]) -> String {
    let pieces = events.iter().filter(|event| event.data["event"] == "agent_message");
    pieces.map(|event| event.data["answer"].as_str().unwrap()).collect()
}

fn inner(value: &Value) -> Value {
    serde_json::from_str(value.as_str().unwrap()).unwrap()
}

async fn go_on(app: &App, conversation: &str, query: &str) -> Vec<Event> {
    let mut body = question(query, "streaming");
    body["conversation_id"] = json!(conversation);
    app.stream_body(&body).await.rest().await
}

/// The prompts of the last run, as the model saw them.
async fn prompts(world: &World, marker: &str) -> Vec<Vec<Value>> {
    let asked = world.asked("chat").await;
    asked
        .iter()
        .filter(|entry| entry["body"]["messages"].to_string().contains(marker))
        .map(|entry| entry["body"]["messages"].as_array().unwrap().clone())
        .collect()
}

#[tokio::test]
async fn tools_are_called_together_and_remembered() {
    let world = World::new(&[]).await;
    let app = world.app("agent-chat", config("function_call", "gpt-4o-mini", 5)).await;
    let query = format!("one [[parallel]] {LEAP_DAY} {MARS}");
    let events = app.stream(&query, &[]).await.rest().await;
    let names: Vec<&str> = events.iter().map(|event| text(&event.data, "event")).collect();
    let thought = "agent_thought";
    assert_eq!(names[..4], [thought, "agent_message", thought, thought]);
    assert_eq!((names[4], *names.last().unwrap()), (thought, "message_end"));
    let found = thoughts(&events);
    let observed = json!({"weekday": "February 29, 2024 is Thursday.", "timezone_conversion": "tool invoke error: 'Mars'"});
    assert_eq!(text(found[0], "tool"), "weekday;timezone_conversion");
    assert_eq!(inner(&found[0]["observation"]), observed);
    assert_eq!(found[0]["tool_labels"]["weekday"]["en_US"], "Weekday Calculator");
    assert_eq!(found[1]["position"], 2);
    let answer = "Tool said: February 29, 2024 is Thursday. | tool invoke error: 'Mars'";
    assert_eq!((said(&events).as_str(), text(found[1], "thought")), (answer, answer));

    let end = &events.last().unwrap().data;
    let (conversation, message) = (text(end, "conversation_id"), text(end, "message_id"));
    let kept = app.messages(conversation).await;
    assert_eq!(text(&kept[0], "answer"), answer);
    assert_eq!(inner(&kept[0]["agent_thoughts"][0]["observation"]), observed);
    let sums = "SELECT count(*) FROM messages m WHERE m.message_tokens + m.answer_tokens =
        (SELECT sum(t.tokens) FROM message_agent_thoughts t WHERE t.message_id = m.id)
        AND m.total_price = (SELECT sum(t.total_price) FROM message_agent_thoughts t WHERE t.message_id = m.id)";
    assert_eq!(world.count(sums).await, 1);
    let copies = r#"SELECT count(*) FROM conversation_messages WHERE role = 'assistant'
        AND metadata @> '{"app_mode": "agent-chat", "plugin_calls": [], "tool_calls": [
            {"name": "weekday", "provider": "time", "error": null, "arguments": {"day": 29}}, {"error": "''Mars''"}]}'"#;
    assert_eq!(world.count(copies).await, 1);
    let used = "SELECT count(*) FROM providers WHERE last_used IS NOT NULL";
    assert_eq!(world.count(used).await, 1);

    let path = format!(
        "/console/api/apps/{}/agent/logs?conversation_id={conversation}&message_id={message}",
        app.id
    );
    let log = world.owner.get(&path).await.expect(200);
    let calls = &log["iterations"][0]["tool_calls"];
    assert_eq!(
        json!([calls[0]["status"], calls[1]["status"], calls[1]["error"]]),
        json!(["success", "error", "'Mars'"])
    );
    assert!(text(&calls[0], "tool_icon").ends_with("/tool-provider/builtin/time/icon"));
    assert_eq!(log["iterations"][0]["tool_calls"][0]["tool_input"]["day"], 29);

    let events = go_on(&app, conversation, "two, without tools").await;
    assert_eq!(thoughts(&events).len(), 1);
    let prompt = &prompts(&world, "two, without tools").await[0];
    let roles: Vec<&str> = prompt.iter().map(|message| text(message, "role")).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool", "assistant", "user"]);
    assert_eq!(prompt[2]["tool_calls"][0]["function"]["name"], "weekday");
    assert_eq!(prompt[3]["tool_call_id"], prompt[2]["tool_calls"][0]["id"]);
    assert_eq!(text(&prompt[4], "content"), "tool invoke error: 'Mars'");
}

#[tokio::test]
async fn an_agent_answers_when_it_may_call_nothing_more() {
    let world = World::new(&[]).await;
    let app = world.app("agent-chat", config("function_call", "gpt-4o-mini", 1)).await;
    let query = format!("limited {LEAP_DAY} {MARS} [[tool:unknown {{}}]]");
    let events = app.stream(&query, &[]).await.rest().await;
    assert_eq!(said(&events), "Tool said: February 29, 2024 is Thursday.");
    let asked = world.asked("chat").await;
    let tools: Vec<usize> =
        asked.iter().map(|entry| entry["body"]["tools"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(tools, [2, 0]);
}

#[tokio::test]
async fn a_model_without_functions_writes_what_it_wants() {
    let world = World::new(&[]).await;
    let app = world.app("agent-chat", config("function_call", "gpt-4o-mini", 5)).await;
    app.configure(&world, config("react", "gpt-4-legacy", 5)).await;
    let query = format!("written {LEAP_DAY} [[reply:so it is]]");
    let events = app.stream(&query, &[]).await.rest().await;
    assert_eq!(said(&events), " I should call weekday.\n\n\n I can answer now.\n\n\nso it is");
    let found = thoughts(&events);
    assert_eq!(
        inner(&found[0]["observation"]),
        json!({"weekday": "February 29, 2024 is Thursday."})
    );
    assert_eq!(
        (text(found[0], "thought"), text(found[1], "thought")),
        ("I should call weekday.", "")
    );
    let conversation = text(&events[0].data, "conversation_id").to_owned();
    let kept = app.messages(&conversation).await;
    assert_eq!(text(&kept[0], "answer"), "so it is");
    assert_eq!(text(&kept[0]["agent_thoughts"][1], "thought"), "I can answer now.so it is");

    go_on(&app, &conversation, "and now?").await;
    let prompt = &prompts(&world, "and now?").await[0];
    let earlier = text(&prompt[2], "content");
    assert!(earlier.contains("Observation: February 29, 2024 is Thursday."), "{earlier}");
    assert!(earlier.ends_with("so it is"), "{earlier}");
}

#[tokio::test]
async fn an_agent_is_stopped_in_the_middle() {
    let world = World::new(&[]).await;
    let app = world.app("agent-chat", config("function_call", "gpt-4o-mini", 5)).await;
    let query = format!("long {LEAP_DAY} [[tokens:400]] [[delay_ms:10]]");
    let mut events = app.stream(&query, &[]).await;
    let mut seen = Vec::new();
    while said(&seen).is_empty() {
        seen.push(events.next().await.unwrap());
    }
    app.stop(text(&seen[0].data, "task_id")).await;
    seen.extend(events.rest().await);
    let end = &seen.last().unwrap().data;
    assert_eq!(text(end, "event"), "message_end");
    let kept = app.messages(text(end, "conversation_id")).await;
    let thoughts = kept[0]["agent_thoughts"].as_array().unwrap();
    assert_eq!(thoughts.len(), 2);
    assert_eq!(text(&thoughts[0], "tool"), "weekday");
    assert!(!text(&thoughts[1], "thought").is_empty());
    assert_eq!(world.count("SELECT count(*) FROM dify_rs_running").await, 0);
}

#[tokio::test]
async fn agents_only_stream_and_their_failures_are_told() {
    let world = World::new(&[]).await;
    let app = world.app("agent-chat", config("function_call", "gpt-4o-mini", 5)).await;
    let refused = app.ask("x").await.expect(400);
    assert_eq!(
        (text(&refused, "code"), text(&refused, "message")),
        ("invalid_param", "Agent Chat App does not support blocking mode")
    );
    let events = app.stream("x [[error:500 no]]", &[]).await.rest().await;
    let last = &events.last().unwrap().data;
    assert_eq!((text(last, "event"), text(last, "code")), ("error", "completion_request_error"));

    // A chat app with tools is an agent, as those from before there were agent apps are.
    let chat = world.app("chat", config("function_call", "gpt-4o-mini", 5)).await;
    let events = chat.stream(&format!("old {LEAP_DAY}"), &[]).await.rest().await;
    assert_eq!(said(&events), "Tool said: February 29, 2024 is Thursday.");
    // Who debugs sees the same.
    let path = format!("/console/api/apps/{}/chat-messages", app.id);
    let mut body = json!({"inputs": {}, "query": "x", "response_mode": "blocking"});
    body["model_config"] = config("function_call", "gpt-4o-mini", 5);
    body["model_config"]["pre_prompt"] = json!("");
    world.owner.post(&path, body).await.expect(400);
}
