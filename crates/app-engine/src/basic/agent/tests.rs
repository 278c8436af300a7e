use std::{sync::Mutex, time::Duration};

use model_runtime::{Content, ContentPart, Feature, PromptMessage};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::*;
use crate::{
    basic::{
        Mode,
        history::Turn,
        run::{self, Outcome},
    },
    fake::{self, Model, Round, Then, World},
    hub::{RunGuard, RunHub},
    log::Item,
};

fn job(model: &Model, query: &str, more: Value) -> Job {
    let mut object = json!({"prompt_type": "simple", "pre_prompt": "Help {{who}}.",
        "model": {"provider": "acme", "name": "m", "completion_params": {}},
        "agent_mode": {"enabled": true, "strategy": "react", "max_iteration": 2, "tools": [
            {"enabled": true, "provider_type": "builtin", "provider_id": "p", "tool_name": "echo", "tool_parameters": {}},
            {"enabled": true, "provider_type": "builtin", "provider_id": "p", "tool_name": "gone", "tool_parameters": {}}]}});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let inputs = json!({"who": "Ana"}).as_object().unwrap().clone();
    Job { inputs, ..fake::job(model, Mode::Agent, &object, query) }
}

/// A model that knows calls, says these things, and then `done`.
fn calling(rounds: Vec<Round>) -> Model {
    let mut model = Model::in_rounds(rounds, &["done"]);
    model.schema.features = Some(vec![Feature::ToolCall, Feature::StreamToolCall]);
    model.schema.model_properties.insert("context_size".to_owned(), json!(100_000));
    model
}

/// A model that does not, and is told how to write what it wants.
fn writing(rounds: Vec<Round>) -> Model {
    let mut model = calling(rounds);
    model.schema.features = None;
    model
}

fn guard() -> RunGuard {
    RunHub::new(Duration::ZERO, CancellationToken::new()).register(Uuid::new_v4())
}

/// How a run ends, what was told on the way, and what was kept.
async fn ended(model: &Model, job: Job) -> (Outcome, Vec<String>, Vec<Thought>) {
    let (guard, world) = (guard(), World::default());
    let thoughts = world.thoughts.clone();
    let (outcome, _) = run::answer(&fake::ports_of(model, world), Box::new(job), guard.run()).await;
    let log = guard.run().log.clone();
    drop(guard);
    let (mut reader, mut told) = (log.reader(0), Vec::new());
    while let Some((_, item)) = reader.next().await {
        told.push(match item {
            Item::Text(chunk, text) => format!("{:?}:{text}", chunk.kind),
            Item::Event(event) => match &*event {
                AppEvent::AgentThought(it) => {
                    format!(
                        "{}|{}|{}|{}|{}",
                        it.position, it.thought, it.tool, it.tool_input, it.observation
                    )
                }
                AppEvent::MessageFile(file) => format!("file {}", file.id),
                AppEvent::MessageReplace { answer, .. } => format!("={answer}"),
                other => format!("{other:?}"),
            },
        });
    }
    (outcome, told, kept(&thoughts))
}

fn kept(thoughts: &Mutex<Vec<Thought>>) -> Vec<Thought> {
    thoughts.lock().unwrap().clone()
}

/// What the model was sent in its last call.
fn sent(model: &Model) -> Vec<String> {
    let calls = model.calls.lock().unwrap();
    let shown = |message: &PromptMessage| {
        let calls: Vec<_> = message
            .tool_calls()
            .iter()
            .map(|call| format!("{}{}", call.function.name, call.function.arguments))
            .collect();
        format!("{}: {}{}", message.role().as_str(), message.text(), calls.join(","))
    };
    calls.last().unwrap().messages.iter().map(shown).collect()
}

#[tokio::test]
async fn tools_are_called_until_the_model_answers() {
    let model = calling(vec![(
        "",
        vec![("echo", r#"{"text": "a", "picture": 1}"#), ("nothing", "{'x': 1,}")],
    )]);
    let (outcome, told, kept) = ended(&model, job(&model, "hi", json!({}))).await;
    let input = r#"{"echo": {"text": "a", "picture": 1}, "nothing": {"x": 1}}"#;
    let seen = r#"{"echo": "A", "nothing": "there is not a tool named nothing"}"#;
    assert_eq!(
        told,
        [
            "1||||",
            "Agent:",
            &format!("1||echo;nothing|{input}|"),
            "file kept",
            &format!("1||echo;nothing|{input}|{seen}"),
            "2||||",
            "Agent:done",
            "2|done|||",
        ]
    );
    assert_eq!(outcome.answer, "\ndone\n");
    assert_eq!((outcome.usage.total_tokens, outcome.files.len(), outcome.calls.len()), (10, 1, 2));
    assert_eq!(
        sent(&model),
        [
            "system: Help Ana.\n",
            "user: hi",
            r#"assistant: echo{"text": "a", "picture": 1},nothing{"x": 1}"#,
            "tool: A",
            "tool: there is not a tool named nothing",
        ]
    );
    let tools: Vec<_> = model.calls.lock().unwrap().iter().map(|call| call.tools.len()).collect();
    assert_eq!(tools, [1, 1]);
    assert_eq!(kept.iter().map(|it| it.position).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        (kept[0].files.clone(), kept[0].usage.as_ref().unwrap().total_tokens),
        (vec!["kept".to_owned()], 5)
    );
    assert_eq!(
        json!([kept[0].labels, kept[0].meta["nothing"]["error"]]),
        json!([{"echo": {"en_US": "Echo"}, "nothing": {"en_US": "nothing", "zh_Hans": "nothing"}},
               "there is not a tool named nothing"])
    );
}

#[tokio::test]
async fn the_last_round_has_no_tools_and_must_answer() {
    let call = || ("", vec![("echo", "{}")]);
    let model = calling(vec![call(), call()]);
    let (outcome, ..) = ended(&model, job(&model, "hi", json!({}))).await;
    assert_eq!(outcome.answer.trim(), "done");
    assert!(model.calls.lock().unwrap()[2].tools.is_empty());

    let model = calling(vec![call(), call(), call()]);
    let (outcome, _, kept) = ended(&model, job(&model, "hi", json!({}))).await;
    let error = outcome.error.unwrap();
    assert!(
        error.message.starts_with("Agent exceeded the maximum iteration limit of 2."),
        "{error}"
    );
    assert_eq!((kept.len(), kept[2].tool.as_str()), (3, "echo"));
}

#[tokio::test]
async fn a_stop_keeps_what_was_thought_by_then() {
    let model =
        Model { then: Then::Hang, ..calling(vec![("first", vec![("echo", r#"{"text": "x"}"#)])]) };
    let (guard, world) = (guard(), World::default());
    let (run, thoughts) = (guard.run().clone(), world.thoughts.clone());
    let stopper = {
        let (run, mut reader) = (run.clone(), run.log.reader(0));
        tokio::spawn(async move {
            while !matches!(reader.next().await, Some((_, Item::Text(_, text))) if text.ends_with("done"))
            {
            }
            run.stop();
        })
    };
    let (outcome, _) =
        run::answer(&fake::ports_of(&model, world), Box::new(job(&model, "hi", json!({}))), &run)
            .await;
    stopper.await.unwrap();
    assert!(outcome.stopped && outcome.error.is_none());
    // The first round told what it cost; the second is estimated, a token a word.
    assert_eq!((outcome.answer.as_str(), outcome.usage.completion_tokens), ("firstdone", 3));
    let kept = kept(&thoughts);
    assert_eq!(kept.iter().map(|it| it.thought.as_str()).collect::<Vec<_>>(), ["first", "done"]);

    // In the middle of a tool, too.
    let model = calling(vec![("", vec![("echo", r#"{"text": "hang"}"#)])]);
    let job = Job { time_limit: Duration::from_secs(20), ..job(&model, "hi", json!({})) };
    // It passes when nothing else is left to happen.
    tokio::time::pause();
    let (outcome, _, kept) = ended(&model, job).await;
    assert!(outcome.stopped);
    assert_eq!((kept[0].tool.as_str(), kept[0].observation.as_str()), ("echo", ""));
}

#[tokio::test]
async fn moderation_ends_an_agent_too() {
    let rule = json!({"sensitive_word_avoidance": {"enabled": true, "type": "keywords", "config": {"keywords": "grue",
        "inputs_config": {"enabled": true, "preset_response": "no"},
        "outputs_config": {"enabled": true, "preset_response": "hidden"}}}});
    let model = calling(vec![("a grue", vec![("echo", "{}")])]);
    let (outcome, told, kept) = ended(&model, job(&model, "hi", rule.clone())).await;
    assert_eq!((outcome.answer.as_str(), kept[0].thought.as_str()), ("hidden", ""));
    assert_eq!(told.last().unwrap(), "=hidden");
    let (outcome, told, _) = ended(&model, job(&model, "grue?", rule)).await;
    assert_eq!((outcome.answer.as_str(), told), ("no", vec!["Answer:no".to_owned()]));
}

#[tokio::test]
async fn earlier_calls_are_told_again_and_old_turns_forgotten_whole() {
    let thought = |thought: &str, tool: &str| PastThought {
        thought: thought.to_owned(),
        tool: tool.to_owned(),
        tool_input: r#"{"echo": {"text": "é"}}"#.to_owned(),
        observation: r#"{"echo": "É"}"#.to_owned(),
    };
    let turn = Turn {
        query: "before".into(),
        answer: "x".into(),
        thoughts: vec![thought("", "echo"), thought("x", "")],
        ..Turn::default()
    };
    let long = Turn { query: "word ".repeat(500), answer: "y".into(), ..Turn::default() };
    let history = || Some(vec![long.clone(), turn.clone()]);
    let mut model = calling(Vec::new());
    model.schema.model_properties.insert("context_size".to_owned(), json!(300));
    ended(&model, Job { history: history(), ..job(&model, "now", json!({})) }).await;
    assert_eq!(
        sent(&model),
        [
            "system: Help Ana.\n",
            "user: before",
            r#"assistant: echo{"text": "\u00e9"}"#,
            "tool: É",
            "assistant: x",
            "user: now",
        ]
    );
    let mut model = writing(Vec::new());
    model.schema.model_properties.insert("context_size".to_owned(), json!(400));
    ended(&model, Job { history: history(), ..job(&model, "now", json!({})) }).await;
    let sent = sent(&model);
    assert_eq!(
        sent[1..],
        [
            "user: before",
            "assistant: Thought: \n\nAction: {\"action\": \"echo\", \"action_input\": {\"text\": \"é\"}}\n\nObservation: \
             É\n\nFinal Answer: x",
            "user: now",
        ]
    );
}

#[tokio::test]
async fn a_knowledge_base_is_a_tool() {
    let model = calling(vec![("", vec![("dataset_d_1", r#"{"query": "owls"}"#)])]);
    let config = json!({"retriever_resource": {"enabled": true},
        "dataset_configs": {"datasets": {"datasets": [{"dataset": {"enabled": true, "id": "d-1"}}]}}});
    let (outcome, _, kept) = ended(&model, job(&model, "hi", config)).await;
    assert_eq!(kept[0].observation, r#"{"dataset_d_1": "fact about owls"}"#);
    assert_eq!(outcome.sources.len(), 2);
    assert_eq!(sent(&model)[3], "tool: fact about owls");
}

#[tokio::test]
async fn a_model_without_calls_writes_what_it_wants() {
    let act = "Thought: I need it.\nAction:\n```\n{\"action\": \"echo\", \"action_input\": {\"text\": \"a\"}}\n```\nObservation: made up";
    let end = "Thought: Now I know.\nAction:\n```\n{\"action\": \"Final Answer\", \"action_input\": \"It is A.\"}\n```";
    let model = writing(vec![(act, Vec::new()), (end, Vec::new())]);
    let (outcome, told, kept) = ended(&model, job(&model, "hi", json!({}))).await;
    let given = r#"{"echo": {"text": "a"}}"#;
    assert_eq!(
        told,
        [
            "1||||",
            "Agent: I need it.\n\n\n",
            &format!("1|I need it.|echo|{given}|"),
            r#"1|I need it.|echo|{"echo": {"text": "a", "loud": true}}|{"echo": "A"}"#,
            "2||||",
            "Agent: Now I know.\n\nIt is A.",
        ]
    );
    assert_eq!((outcome.answer.as_str(), outcome.usage.total_tokens), ("It is A.", 10));
    assert_eq!(kept[1].thought, "Now I know.It is A.");
    assert_eq!(kept[1].tool_input, r#"{"Final Answer": "It is A."}"#);
    let sent = sent(&model);
    assert!(sent[0].contains("Help Ana.") && sent[0].contains(r#""name": "echo""#), "{}", sent[0]);
    assert_eq!(
        sent[1..],
        [
            "user: hi",
            "assistant: Thought: I need it.\n\nAction: {\"action\": \"echo\", \"action_input\": {\"text\": \"a\"}}\n\n\
             Observation: A\n\n",
            "user: continue",
        ]
    );
    let calls = model.calls.lock().unwrap();
    assert_eq!((calls[0].stop.clone(), calls[0].tools.len()), (vec!["Observation".to_owned()], 0));
}

#[tokio::test]
async fn an_answer_without_an_action_is_an_answer() {
    let mut model = writing(vec![("Just {so}.", Vec::new())]);
    model.schema.model_properties.insert("mode".to_owned(), json!("completion"));
    let (outcome, _, kept) = ended(&model, job(&model, "hi", json!({}))).await;
    assert_eq!((outcome.answer.as_str(), kept[0].thought.as_str()), ("Just {so}.", "Just {so}."));
    let sent = sent(&model);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].ends_with("\nQuestion: hi\n\nThought:"), "{}", sent[0]);
}

#[tokio::test]
async fn pictures_are_seen_once() {
    let message =
        || PromptMessage::user(vec![ContentPart::text("[a.png]"), ContentPart::text("look")]);
    let mut model = calling(vec![("", vec![("echo", "{}")])]);
    model.schema.features.get_or_insert_default().push(Feature::Vision);
    let file = graph::file::File {
        id: None,
        tenant_id: String::new(),
        r#type: graph::FileType::Image,
        transfer_method: graph::TransferMethod::LocalFile,
        remote_url: None,
        related_id: None,
        filename: Some("a.png".into()),
        extension: None,
        mime_type: None,
        size: 1,
    };
    ended(&model, Job { files: vec![file], ..job(&model, "look", json!({})) }).await;
    let calls = model.calls.lock().unwrap();
    assert_eq!(calls[0].messages[1], message());
    assert_eq!(calls[1].messages[1].content(), Some(&Content::Text("[a.png]\nlook".into())));
}
