//! `question-classifier`: a model decides which branch a question takes.

use std::sync::Arc;

use async_trait::async_trait;
use graph::{
    ExecutionKind, GraphError, Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Object, Outcome,
    Outputs, RunInfo, Usage, Value, pool::Selector,
};
use indexmap::IndexMap;
use model_runtime::{ContentPart, PromptMessage, source::LlmCall};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use types::pyjson;

use crate::{
    common::{
        Fail, MemoryConfig, Mode, ModelConfig, VisionConfig, history, history_text, nullable,
        object, shown_prompts, template_entries, usage_metadata, vision_files,
    },
    llm::{ask, checked, with_files, without_reasoning},
    ports::Ports,
};

/// Tokens the instructions and examples take at most.
const BESIDE: i64 = 1000;

/// Categories of the examples, named as the editor names them.
const DELIVERY: &str = "0ea19e6d-70d1-49c6-8dc5-339a44dd27be";
const ACCOUNT: &str = "8f2a8cc9-094d-4097-8a58-164697f8d654";

/// A node that classifies questions.
pub(crate) struct Classifier {
    settings: Settings,
    ports: Arc<Ports>,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(default, deserialize_with = "nullable")]
    query_variable_selector: Selector,
    model: ModelConfig,
    classes: Vec<Class>,
    #[serde(default, deserialize_with = "nullable")]
    instruction: String,
    #[serde(default)]
    memory: Option<MemoryConfig>,
    #[serde(default, deserialize_with = "nullable")]
    vision: VisionConfig,
}

#[derive(Deserialize)]
struct Class {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct Category<'a> {
    category_id: &'a str,
    category_name: String,
}

impl Classifier {
    pub(crate) fn new(config: &NodeConfig, ports: Arc<Ports>) -> Result<Self, GraphError> {
        Ok(Self { settings: config.parse()?, ports })
    }

    fn categories(&self, ctx: &NodeCtx) -> Vec<Category<'_>> {
        let classes = self.settings.classes.iter();
        classes
            .map(|class| Category {
                category_id: &class.id,
                category_name: ctx.pool.render(&class.name),
            })
            .collect()
    }

    async fn prompt(
        &self,
        ctx: &NodeCtx,
        model: &dyn model_runtime::source::LlmModel,
        parameters: &Map<String, Json>,
        query: &str,
    ) -> Result<Vec<PromptMessage>, Fail> {
        let settings = &self.settings;
        let mut earlier = String::new();
        if let Some(memory) = &settings.memory {
            let limit = memory.window.size;
            let messages = history(&self.ports, ctx, model, parameters, limit, BESIDE).await?;
            earlier = history_text(&messages, "Human", "Assistant");
        }
        let question = Question {
            input_text: [query],
            categories: self.categories(ctx),
            classification_instructions: [ctx.pool.render(&settings.instruction)],
        };
        let question = pyjson::dumps_utf8(&question).unwrap_or_default();
        let mut messages = match settings.model.mode {
            Mode::Chat => chat(&earlier, question),
            Mode::Completion => vec![PromptMessage::user(vec![ContentPart::text(format!(
                "\n{}\nHuman: {question}\nAssistant:",
                system(&earlier)
            ))])],
        };
        let files = vision_files(ctx, &settings.vision)?;
        let files: Vec<_> = files.iter().map(|file| &**file).collect();
        let detail = settings.vision.configs.detail;
        with_files(&self.ports, ctx, &mut messages, &files, detail).await?;
        checked(messages, model.schema())
    }
}

#[derive(Serialize)]
struct Question<'a> {
    input_text: [&'a str; 1],
    categories: Vec<Category<'a>>,
    classification_instructions: [String; 1],
}

/// The instructions, with what was said before.
fn system(earlier: &str) -> String {
    format!(
        "### Role\nYou sort texts into categories.\n### Task\nRead the text in `input_text` and choose exactly one entry \
         of `categories`: the one that fits it best. Pick out the words of the text that speak for your choice. Follow \
         `classification_instructions` where there are any.\n### Format\nThe input is a JSON object with the fields \
         `input_text`, `categories` (each with `category_id` and `category_name`) and `classification_instructions`. \
         Answer with one JSON object with the fields `keywords`, `category_id` and `category_name`.\n### Constraint\n\
         Write nothing but that JSON object.\n### Memory\nWhat was said so far stands inside <histories></histories> \
         tags.\n<histories>\n{earlier}\n</histories>"
    )
}

/// Instructions, two examples, and the question.
fn chat(earlier: &str, question: String) -> Vec<PromptMessage> {
    let asked = |text: &str, categories: Json, instructions: Json| {
        let question = json!({"input_text": [text], "categories": categories,
            "classification_instructions": instructions});
        PromptMessage::user(pyjson::dumps_utf8(&question).unwrap_or_default())
    };
    let answered = |keywords: Json, id: &str, name: &str| {
        let answer = json!({"keywords": keywords, "category_id": id, "category_name": name});
        let answer = pyjson::dumps_utf8(&answer).unwrap_or_default();
        PromptMessage::assistant(format!("```json\n{answer}\n```"), Vec::new())
    };
    let category = |id: &str, name: &str| json!({"category_id": id, "category_name": name});
    vec![
        PromptMessage::system(system(earlier)),
        asked(
            "The parcel came a week late and nobody answered my letters.",
            json!([
                category(DELIVERY, "Delivery"),
                category("7596ac5d-a9cb-44cf-a62e-c657addda67e", "Prices"),
                category("23c7c418-3246-478b-bd80-706742f6e698", "Quality"),
                category("fe664ebc-00aa-4bfa-9635-3dab22d2e75d", "Staff")
            ]),
            json!(["sort complaints by what went wrong first"]),
        ),
        answered(json!(["parcel", "week late", "nobody answered"]), DELIVERY, "Delivery"),
        asked(
            "how do I change my password",
            json!([
                category("83bce5a9-5c35-47fb-8df9-a4a1a8f8e1af", "Invoices"),
                category(ACCOUNT, "Account"),
                category("1473dc53-904f-45fe-8a97-4310e0ca93a7", "Other")
            ]),
            json!([]),
        ),
        answered(json!(["change", "password"]), ACCOUNT, "Account"),
        PromptMessage::user(vec![ContentPart::text(question)]),
    ]
}

/// The JSON object of an answer, which may stand in a Markdown block.
fn answer_object(text: &str) -> Result<Map<String, Json>, Fail> {
    let start = text.find(['{', '[']);
    let end = text.rfind(['}', ']']);
    let block = match (start, end) {
        (Some(start), Some(end)) if start < end => text.get(start..=end),
        _ => None,
    };
    let Some(block) = block else {
        return Err(Fail::new("could not find json block in the output.", "ValueError"));
    };
    Ok(match template::json_repair::repair(block) {
        Json::Object(object) => object,
        Json::Array(items) => items
            .into_iter()
            .find_map(|item| match item {
                Json::Object(object) => Some(object),
                _ => None,
            })
            .unwrap_or_default(),
        _ => Map::new(),
    })
}

#[async_trait]
impl Node for Classifier {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let settings = &self.settings;
        let query = ctx.pool.get(&settings.query_variable_selector).map(|found| found.value);
        let query = query.unwrap_or_default();
        let inputs: Object = object([("query", query.clone())]);
        let text = if query.is_null() { String::new() } else { query.py_str() };
        let uncaught = |fail: Fail| NodeError::uncaught(fail.message);
        let model = settings.model.find(&self.ports, &ctx.run).await;
        let model = model.map_err(|err| uncaught(err.into()))?;
        let (parameters, stop) = settings.model.parameters();
        let messages = self.prompt(ctx, &*model, &parameters, &text).await.map_err(uncaught)?;
        let call = LlmCall {
            messages: messages.clone(),
            parameters,
            tools: Vec::new(),
            stop,
            stream: true,
            user: ctx.run.user_id.clone(),
        };
        let failed = |fail: Fail, usage: Usage| NodeError {
            metadata: usage_metadata(&usage),
            usage: Some(Box::new(usage)),
            ..fail.into_error().with_inputs(inputs.clone())
        };
        let answer = ask(&self.ports, ctx, &*model, call, false).await;
        let answer = answer.map_err(|fail| failed(fail, Usage::default()))?;
        let chosen = answer_object(&without_reasoning(&answer.text));
        let chosen = chosen.map_err(|fail| failed(fail, answer.usage.clone()))?;
        let id = chosen.get("category_id").map(|id| Value::from_json(id.clone()).py_str());
        let id = id.filter(|_| chosen.contains_key("category_name"));
        let categories = self.categories(ctx);
        let found = categories.iter().find(|it| id.as_deref() == Some(it.category_id));
        let Some(class) = found.or(categories.first()) else {
            return Err(NodeError::uncaught("list index out of range").with_inputs(inputs));
        };
        let mode = settings.model.mode;
        let process_data = object([
            ("model_mode", Value::from(mode.as_str())),
            ("prompts", shown_prompts(mode, &messages)),
            ("usage", answer.usage.to_value()),
            ("finish_reason", Value::from(answer.finish_reason)),
            ("model_provider", Value::from(model.provider())),
            ("model_name", Value::from(settings.model.name.as_str())),
        ]);
        let mut outputs = Outputs::new();
        outputs.insert("class_name".to_owned(), class.category_name.clone().into());
        outputs.insert("class_id".to_owned(), class.category_id.into());
        outputs.insert("usage".to_owned(), answer.usage.to_value().into());
        Ok(NodeOutput {
            inputs,
            process_data,
            outputs,
            metadata: usage_metadata(&answer.usage),
            usage: Some(answer.usage),
            handle: Some(class.category_id.to_owned()),
            ..NodeOutput::default()
        }
        .into())
    }

    fn kind(&self) -> ExecutionKind {
        ExecutionKind::Branch
    }

    async fn prepare(&self, run: &RunInfo) -> Result<(), String> {
        let found = self.settings.model.find(&self.ports, run).await;
        found.map(|_| ()).map_err(|err| err.to_string())
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let query = self.settings.query_variable_selector.clone();
        let mut mapping = IndexMap::from([(format!("{node_id}.query"), query)]);
        mapping.extend(template_entries(node_id, &self.settings.instruction));
        mapping
    }
}

#[cfg(test)]
mod tests {
    use graph::VariablePool;

    use super::*;
    use crate::fake::{Script, outputs, run};

    async fn classify(answer: &'static str) -> Result<NodeOutput, NodeError> {
        let script = Arc::new(Script { pieces: vec![answer], ..Script::default() });
        let mut pool = VariablePool::default();
        pool.set("s", "q", "rain \"today\"?");
        let data = json!({
            "query_variable_selector": ["s", "q"],
            "model": {"provider": "openai", "name": "m", "mode": "chat"},
            "classes": [{"id": "1", "name": "weather"}, {"id": "2", "name": "about {{#s.q#}}"}],
        });
        run(&script, "question-classifier", data, pool).await.0
    }

    #[tokio::test]
    async fn the_chosen_class_is_the_handle() {
        let output = classify(
            "<think>x</think>```json\n{\"category_id\": \"2\", \"category_name\": \"c\"}\n```",
        );
        let output = output.await.unwrap();
        assert_eq!(output.handle.as_deref(), Some("2"));
        assert_eq!(outputs(&output)["class_name"], "about rain \"today\"?");
        let output = classify("{\"category_id\": \"7\", \"category_name\": \"c\"}").await.unwrap();
        assert_eq!(output.handle.as_deref(), Some("1"));
        let error = classify("no idea").await.unwrap_err();
        assert_eq!(error.message, "could not find json block in the output.");
    }
}
