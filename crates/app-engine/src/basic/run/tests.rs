use model_runtime::PromptMessage;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::*;
use crate::{
    event::AppEvent,
    fake::{self, Model, Then},
    hub::{RunGuard, RunHub},
    log::Item,
};

fn job(model: &Model, query: &str, mut config: Value) -> Job {
    let mut object = json!({"prompt_type": "simple", "pre_prompt": "P {{v}}",
        "model": {"provider": "acme", "name": "m", "completion_params": {"temperature": 1}}});
    object.as_object_mut().unwrap().append(config.as_object_mut().unwrap());
    fake::job(model, Mode::Chat, &object, query)
}

fn guard() -> RunGuard {
    RunHub::new(Duration::ZERO, CancellationToken::new()).register(Uuid::new_v4())
}

async fn ended(model: &Model, job: Job) -> (Outcome, Vec<String>) {
    let guard = guard();
    let (outcome, speech) = answer(&fake::ports(model), Box::new(job), guard.run()).await;
    if let Some(speech) = speech {
        speech.finish().await;
    }
    let log = guard.run().log.clone();
    drop(guard);
    let (mut reader, mut told) = (log.reader(0), Vec::new());
    while let Some((_, item)) = reader.next().await {
        told.push(match item {
            Item::Text(_, text) => text,
            Item::Event(event) => match &*event {
                AppEvent::MessageReplace { answer, .. } => format!("={answer}"),
                AppEvent::Tts(sound) => format!("♪{sound}"),
                AppEvent::TtsEnd => "♪".to_owned(),
                other => format!("{other:?}"),
            },
        });
    }
    (outcome, told)
}

fn sent(model: &Model) -> Vec<String> {
    let calls = model.calls.lock().unwrap();
    calls.iter().flat_map(|call| call.messages.iter().map(PromptMessage::text)).collect()
}

#[tokio::test]
async fn words_reach_the_log_and_the_outcome() {
    let model = Model::saying(&["Hel", "", "lo"]);
    let (outcome, told) = ended(&model, job(&model, "hi", json!({}))).await;
    assert_eq!(
        (outcome.answer.as_str(), outcome.stopped, told),
        ("Hello", false, vec!["Hello".into()])
    );
    assert_eq!(outcome.usage.total_tokens, 5);
    assert_eq!(sent(&model), ["P {v}\n", "hi"]);
    assert_eq!(outcome.prompt[1], json!({"role": "user", "text": "hi", "files": []}));
}

#[tokio::test]
async fn a_blocking_answer_is_not_told_piece_by_piece() {
    let model = Model::saying(&["a", "b"]);
    let (outcome, told) =
        ended(&model, Job { stream: false, ..job(&model, "hi", json!({})) }).await;
    assert_eq!((outcome.answer.as_str(), told.len()), ("ab", 0));
    assert!(!model.calls.lock().unwrap()[0].stream);
}

#[tokio::test]
async fn a_failure_keeps_what_was_said() {
    let model = Model {
        then: Then::Fail(InvokeError::Authorization("no".into())),
        ..Model::saying(&["a"])
    };
    let (outcome, _) = ended(&model, job(&model, "hi", json!({}))).await;
    let error = outcome.error.unwrap();
    assert_eq!(
        (outcome.answer.as_str(), error.message.as_str()),
        ("a", "Incorrect API key provided")
    );
}

#[tokio::test]
async fn a_stop_ends_a_hanging_provider_and_keeps_what_was_said() {
    let model = Model { then: Then::Hang, ..Model::saying(&["two", " words"]) };
    let guard = guard();
    let run = guard.run().clone();
    let stopper = {
        let (run, mut reader) = (run.clone(), run.log.reader(0));
        tokio::spawn(async move {
            while !matches!(reader.next().await, Some((_, Item::Text(_, text))) if text.ends_with("words"))
            {
            }
            run.stop();
        })
    };
    let job = job(&model, "hi", json!({}));
    let (outcome, _) = answer(&fake::ports(&model), Box::new(job), &run).await;
    stopper.await.unwrap();
    assert!(outcome.stopped && outcome.error.is_none());
    assert_eq!((outcome.answer.as_str(), outcome.usage.completion_tokens), ("two words", 2));
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_ended() {
    let model = Model { then: Then::Hang, ..Model::saying(&["a"]) };
    let job = Job { time_limit: Duration::from_millis(5), ..job(&model, "hi", json!({})) };
    let (outcome, _) = ended(&model, job).await;
    assert!(outcome.stopped);
}

fn keywords(inputs: bool, outputs: bool) -> Value {
    json!({"sensitive_word_avoidance": {"enabled": true, "type": "keywords", "config": {"keywords": "grue\n",
        "inputs_config": {"enabled": inputs, "preset_response": "refused"},
        "outputs_config": {"enabled": outputs, "preset_response": "hidden"}}}})
}

#[tokio::test]
async fn keywords_keep_a_question_from_the_model() {
    let model = Model::saying(&["x"]);
    let (outcome, told) = ended(&model, job(&model, "a GRUE", keywords(true, false))).await;
    assert_eq!((outcome.answer.as_str(), told), ("refused", vec!["refused".into()]));
    assert!(sent(&model).is_empty());
}

#[tokio::test]
async fn keywords_end_an_answer_while_it_grows() {
    let model = Model { then: Then::Hang, ..Model::saying(&["a gr", "ue!"]) };
    let (outcome, told) = ended(&model, job(&model, "q", keywords(false, true))).await;
    assert_eq!(outcome.answer, "hidden");
    assert_eq!(told.last().unwrap(), "=hidden");
    assert!(!outcome.stopped);
}

#[tokio::test]
async fn others_may_rewrite_question_and_answer() {
    let model = Model::saying(&["so ", "bad", " indeed"]);
    let rule = json!({"sensitive_word_avoidance": {"enabled": true, "type": "api", "config": {
        "inputs_config": {"enabled": true}, "outputs_config": {"enabled": true}}}});
    let (outcome, told) = ended(&model, job(&model, "bad?", rule)).await;
    assert_eq!(sent(&model)[1], "***?");
    assert_eq!(outcome.answer, "so *** indeed");
    assert!(told.iter().any(|it| it.starts_with("=so ***")), "{told:?}");
}

#[tokio::test]
async fn an_annotation_answers_instead_of_the_model() {
    let model = Model::saying(&["x"]);
    let (outcome, _) = ended(&model, job(&model, "known", json!({}))).await;
    assert_eq!((outcome.answer.as_str(), outcome.annotation), ("noted", Some(json!({"id": "a"}))));
    assert!(sent(&model).is_empty());
}

#[tokio::test]
async fn knowledge_and_external_data_reach_the_prompt() {
    let model = Model::saying(&["x"]);
    let config = json!({
        "external_data_tools": [{"enabled": true, "variable": "v", "type": "api", "config": {}}],
        "retriever_resource": {"enabled": true},
        "dataset_configs": {"datasets": {"datasets": [{"dataset": {"enabled": true, "id": "d"}}]}},
    });
    let (outcome, _) = ended(&model, job(&model, "q", config)).await;
    let system = &sent(&model)[0];
    assert!(
        system.contains("<context>\nfact about q\n</context>") && system.contains("P <v>"),
        "{system}"
    );
    let numbers: Vec<_> = outcome.sources.iter().map(|source| source["position"].clone()).collect();
    assert_eq!(numbers, [json!(1), json!(2)]);
}

#[tokio::test]
async fn a_long_history_loses_its_oldest_messages() {
    let model = Model::saying(&["x"]);
    let turn = |words: usize| Turn {
        query: "q ".repeat(words),
        answer: "a ".repeat(words),
        ..Turn::default()
    };
    let history = Some(vec![turn(30), turn(20)]);
    ended(&model, Job { history, ..job(&model, "now", json!({})) }).await;
    let sent = sent(&model);
    assert_eq!(sent.len(), 5, "{sent:?}");
    assert!(sent[1].starts_with("a a"));
}

#[tokio::test]
async fn an_answer_s_limit_makes_room_for_the_prompt() {
    let model = Model::saying(&["x"]);
    let config = json!({"model": {"provider": "acme", "name": "m", "completion_params": {"max_tokens": 80}}});
    ended(&model, job(&model, &"word ".repeat(70), config)).await;
    assert_eq!(model.calls.lock().unwrap()[0].parameters["max_tokens"], json!(28));
}

#[tokio::test]
async fn an_answer_is_spoken_to_its_end() {
    let model = Model::saying(&["One. Two! Th", "ree"]);
    let config = json!({"text_to_speech": {"enabled": true, "autoPlay": "enabled", "voice": "v"}});
    let (_, told) = ended(&model, job(&model, "q", config)).await;
    let sounds: Vec<_> = told.iter().filter(|it| it.starts_with('♪')).cloned().collect();
    assert_eq!(sounds, ["♪T05FLiBUV08h", "♪VEhSRUU=", "♪"]);
}
