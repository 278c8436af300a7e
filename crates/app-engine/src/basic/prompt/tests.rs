use model_runtime::{Media, Role};
use serde_json::json;

use super::*;

fn said(messages: &[PromptMessage]) -> Vec<String> {
    messages
        .iter()
        .map(|message| format!("{}: {}", message.role().as_str(), message.text()))
        .collect()
}

fn built(from: Ingredients<'_>) -> Vec<String> {
    said(&build(from).unwrap().messages)
}

fn chat<'a>(prompt: &'a Prompt, inputs: &'a Map<String, Value>, query: &'a str) -> Ingredients<'a> {
    Ingredients {
        mode: Mode::Chat,
        completion_model: false,
        prompt,
        inputs,
        query,
        context: None,
        files: &[],
        history: Some(&[]),
    }
}

#[test]
fn a_simple_chat_has_system_history_and_question() {
    let inputs = json!({"who": "Brenna", "trade": null});
    let inputs = inputs.as_object().unwrap();
    let prompt = Prompt::Simple("You are {{who}}, a {{trade}}.\nNever say {{unknown}}.".into());
    let history = [PromptMessage::user("one"), PromptMessage::assistant("1", Vec::new())];
    let from = Ingredients { history: Some(&history), ..chat(&prompt, inputs, "two") };
    assert_eq!(
        built(from),
        [
            "system: You are Brenna, a None.\nNever say {unknown}.\n",
            "user: one",
            "assistant: 1",
            "user: two"
        ]
    );
    let blank = Prompt::Simple(String::new());
    assert_eq!(built(chat(&blank, inputs, "two")), ["user: two"]);
}

#[test]
fn a_completion_without_question_sends_its_prompt_as_the_user() {
    let inputs = json!({"text": "body"});
    let prompt = Prompt::Simple("Translate {{text}}".into());
    let from = Ingredients {
        mode: Mode::Completion,
        history: None,
        ..chat(&prompt, inputs.as_object().unwrap(), "")
    };
    assert_eq!(built(from), ["user: Translate body\n"]);
    assert_eq!(built(Ingredients { query: "q", ..from }), ["system: Translate body\n", "user: q"]);
    let one_text = Ingredients { completion_model: true, query: "q", ..from };
    assert_eq!(built(one_text), ["user: Translate body\nq"]);
}

#[test]
fn a_completion_model_gets_history_and_question_in_one_text() {
    let inputs = Map::new();
    let prompt = Prompt::Simple("Hi.".into());
    let history = [PromptMessage::user("one"), PromptMessage::assistant("1", Vec::new())];
    let from = Ingredients {
        completion_model: true,
        history: Some(&history),
        context: Some("C {{who}}"),
        ..chat(&prompt, &inputs, "two")
    };
    let all = build(from).unwrap();
    let text = all.messages[0].text();
    assert!(text.contains("<context>\nC {who}\n</context>") && text.contains("Hi.\n"), "{text}");
    assert!(text.contains("<histories>\nHuman: one\nAssistant: 1\n</histories>"), "{text}");
    assert!(text.ends_with("\n\nHuman: two\n\nAssistant: "), "{text}");
    assert_eq!(all.stop, ["\nHuman:", "</histories>"]);
}

#[test]
fn experts_place_context_and_history_themselves() {
    let inputs = json!({"place": "Oslo"});
    let inputs = inputs.as_object().unwrap();
    let prompt = Prompt::Advanced {
        chat: Some(vec![
            (Role::System, "Guide for {{place}}. {{#context#}}".into()),
            (Role::User, "Q: {{#query#}}".into()),
        ]),
        completion: Some(CompletionPrompt {
            text: "So far:\n{{#histories#}}\n\nPerson: {{#query#}}\nBot:".into(),
            prefixes: Some(("Person".into(), "Bot".into())),
        }),
    };
    assert_eq!(
        built(chat(&prompt, inputs, "where?")),
        ["system: Guide for Oslo. ", "user: Q: {#query#}", "user: where?"]
    );
    let history = [PromptMessage::user("a"), PromptMessage::assistant("b", Vec::new())];
    let from = Ingredients {
        completion_model: true,
        history: Some(&history),
        ..chat(&prompt, inputs, "c")
    };
    assert_eq!(built(from), ["user: So far:\nPerson: a\nBot: b\n\nPerson: c\nBot:"]);
}

#[test]
fn files_come_before_the_text() {
    let inputs = Map::new();
    let prompt =
        Prompt::Advanced { chat: Some(vec![(Role::User, "see".into())]), completion: None };
    let files = [ContentPart::Document(Media::default())];
    let from = Ingredients { files: &files, history: None, ..chat(&prompt, &inputs, "") };
    let messages = build(from).unwrap().messages;
    assert_eq!(messages.len(), 1);
    assert!(matches!(messages[0].content(), Some(Content::Parts(parts)) if parts.len() == 2));
    assert_eq!(messages[0].text(), "see");
    assert!(build(Ingredients { completion_model: true, ..from }).is_err());
}
