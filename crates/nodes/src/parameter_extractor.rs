//! `parameter-extractor`: a model reads values out of a text.

mod parameter;
mod prompt;

use std::sync::Arc;

use async_trait::async_trait;
use graph::{
    GraphError, Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Object, Outcome, Outputs,
    RunInfo, Segment, Value, pool::Selector,
};
use indexmap::IndexMap;
use model_runtime::{
    Feature, LlmResult, PromptMessage, PromptTool,
    source::{LlmCall, LlmModel},
};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use self::parameter::Parameter;
use crate::{
    common::{
        Fail, MemoryConfig, ModelConfig, VisionConfig, engine_usage, nullable, object,
        shown_prompts, template_entries, usage_metadata, vision_files,
    },
    ports::Ports,
};

/// A node that extracts parameters.
pub(crate) struct Extractor {
    settings: Settings,
    ports: Arc<Ports>,
}

#[derive(Deserialize)]
struct Settings {
    model: ModelConfig,
    query: Selector,
    parameters: Vec<Parameter>,
    #[serde(default)]
    instruction: Option<String>,
    #[serde(default)]
    memory: Option<MemoryConfig>,
    #[serde(default, deserialize_with = "nullable")]
    reasoning_mode: Reasoning,
    #[serde(default, deserialize_with = "nullable")]
    vision: VisionConfig,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reasoning {
    #[default]
    FunctionCall,
    Prompt,
}

impl Extractor {
    pub(crate) fn new(config: &NodeConfig, ports: Arc<Ports>) -> Result<Self, GraphError> {
        let settings: Settings = config.parse()?;
        for parameter in &settings.parameters {
            parameter.check().map_err(|message| GraphError::InvalidNode {
                node_id: config.id.to_string(),
                message,
            })?;
        }
        Ok(Self { settings, ports })
    }

    /// The prompt, and the function to call where the model can.
    async fn prompt(
        &self,
        ctx: &NodeCtx,
        model: &dyn LlmModel,
        query: &str,
    ) -> Result<(Vec<PromptMessage>, Option<PromptTool>), Fail> {
        let schema = model.schema();
        let calls = schema.has(Feature::ToolCall) || schema.has(Feature::MultiToolCall);
        let prompt = prompt::Prompt {
            ports: &self.ports,
            ctx,
            settings: &self.settings,
            model,
            structure: parameter::structure(&self.settings.parameters),
        };
        if calls && self.settings.reasoning_mode == Reasoning::FunctionCall {
            let (messages, tool) = prompt.function_call(query).await?;
            Ok((messages, Some(tool)))
        } else {
            Ok((prompt.in_words(query).await?, None))
        }
    }

    /// What the model found, and what is wrong with it.
    fn read(&self, answer: &LlmResult) -> (Map<String, Json>, Option<String>) {
        let parameters = &self.settings.parameters;
        let found = match answer.tool_calls.first() {
            Some(call) => first_json(&call.function.arguments).unwrap_or_default(),
            None => match first_json(&answer.text).filter(|found| !found.is_empty()) {
                Some(found) => found,
                None => {
                    let error = "Failed to extract result from function call or text response, using empty result.";
                    let empty = parameter::defaults(parameters);
                    let error = parameter::validate(parameters, &empty)
                        .err()
                        .unwrap_or_else(|| error.to_owned());
                    return (empty, Some(error));
                }
            },
        };
        let error = parameter::validate(parameters, &found).err();
        (found, error)
    }
}

/// The first JSON object in a text that may say other things as well.
fn first_json(text: &str) -> Option<Map<String, Json>> {
    for (at, _) in text.match_indices(['{', '[']) {
        let rest = text.get(at..).unwrap_or_default();
        match serde_json::Deserializer::from_str(rest).into_iter().next() {
            Some(Ok(Json::Object(object))) => return Some(object),
            Some(Ok(_)) => return None,
            Some(Err(_)) | None => {}
        }
    }
    None
}

#[async_trait]
impl Node for Extractor {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let settings = &self.settings;
        let query = ctx.pool.get(&settings.query).map(|found| found.text()).unwrap_or_default();
        let uncaught = |fail: Fail| NodeError::uncaught(fail.message);
        let model = settings.model.find(&self.ports, &ctx.run).await;
        let model = model.map_err(|err| uncaught(err.into()))?;
        let (messages, tool) = self.prompt(ctx, &*model, &query).await.map_err(uncaught)?;
        let files = vision_files(ctx, &settings.vision).map_err(uncaught)?;
        let shown: Vec<Json> = settings.parameters.iter().map(Parameter::shown).collect();
        let inputs: Object = object([
            ("query", Value::from(query)),
            ("files", files.iter().map(|file| Value::File(Arc::clone(file))).collect()),
            ("parameters", Value::from_json(Json::Array(shown))),
            ("instruction", Value::from(settings.instruction.clone())),
        ]);
        let function = tool.as_ref().map_or_else(
            || Json::Object(Map::new()),
            |tool| serde_json::to_value(tool).unwrap_or_default(),
        );
        let mode = settings.model.mode;
        let mut process_data = object([
            ("model_mode", Value::from(mode.as_str())),
            ("prompts", shown_prompts(mode, &messages)),
            ("usage", Value::Null),
            ("function", Value::from_json(function)),
            ("tool_call", Value::Null),
            ("model_provider", Value::from(model.provider())),
            ("model_name", Value::from(settings.model.name.as_str())),
        ]);
        let (parameters, stop) = settings.model.parameters();
        let call = LlmCall {
            messages,
            parameters,
            tools: tool.into_iter().collect(),
            stop,
            stream: false,
            user: ctx.run.user_id.clone(),
        };
        let answer = match model.invoke(call).await {
            Ok(stream) => model_runtime::collect(&settings.model.name, stream).await,
            Err(err) => Err(err),
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(err) => {
                let mut outputs = Outputs::new();
                outputs.insert("__is_success".to_owned(), 0_i64.into());
                outputs.insert("__reason".to_owned(), "Failed to invoke model".into());
                outputs.insert("__error".to_owned(), err.to_string().into());
                return Err(NodeError::new(err.to_string(), "")
                    .with_inputs(inputs)
                    .with_process_data(process_data)
                    .with_outputs(outputs));
            }
        };
        let usage = engine_usage(&answer.usage);
        process_data.insert("usage".to_owned(), usage.to_value());
        let tool_call = answer.tool_calls.first().and_then(|call| serde_json::to_value(call).ok());
        process_data
            .insert("tool_call".to_owned(), Value::from_json(tool_call.unwrap_or_default()));
        process_data.insert("llm_text".to_owned(), Value::from(answer.text.as_str()));
        let (found, error) = self.read(&answer);
        let mut outputs = Outputs::new();
        let is_success = i64::from(error.is_none());
        outputs.insert("__is_success".to_owned(), is_success.into());
        outputs.insert("__reason".to_owned(), Value::from(error).into());
        outputs.insert("__usage".to_owned(), usage.to_value().into());
        for parameter in &settings.parameters {
            let value: Segment = parameter.transform(found.get(&parameter.name));
            outputs.insert(parameter.name.clone(), value);
        }
        Ok(NodeOutput {
            inputs,
            process_data,
            outputs,
            metadata: usage_metadata(&usage),
            usage: Some(usage),
            ..NodeOutput::default()
        }
        .into())
    }

    async fn prepare(&self, run: &RunInfo) -> Result<(), String> {
        let found = self.settings.model.find(&self.ports, run).await;
        found.map(|_| ()).map_err(|err| err.to_string())
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let mut mapping =
            IndexMap::from([(format!("{node_id}.query"), self.settings.query.clone())]);
        let instruction = self.settings.instruction.as_deref().unwrap_or_default();
        mapping.extend(template_entries(node_id, instruction));
        mapping
    }
}

#[cfg(test)]
mod tests {
    use graph::VariablePool;
    use model_runtime::ToolCall;
    use serde_json::json;

    use super::*;
    use crate::fake::{Script, outputs, run};

    fn data(mode: &str) -> Json {
        json!({
            "query": ["s", "q"], "reasoning_mode": mode,
            "model": {"provider": "openai", "name": "m", "mode": "chat"},
            "parameters": [
                {"name": "city", "type": "string", "description": "c", "required": true},
                {"name": "days", "type": "number", "description": "d", "required": true},
                {"name": "size", "type": "select", "options": ["small"], "description": "s", "required": false}],
        })
    }

    async fn extract(mode: &str, script: Script) -> (NodeOutput, Arc<Script>) {
        let script = Arc::new(script);
        let mut pool = VariablePool::default();
        pool.set("s", "q", "to Paris");
        let output = run(&script, "parameter-extractor", data(mode), pool).await.0.unwrap();
        (output, script)
    }

    #[tokio::test]
    async fn values_come_from_a_call_or_from_the_text() {
        let arguments = r#"{"city": "Paris", "days": 3, "size": "small"}"#;
        let call = Some(ToolCall::new("1", "extract_parameters", arguments));
        let script = Script { tool_call: call, features: vec!["tool-call"], ..Script::default() };
        let (output, script) = extract("function_call", script).await;
        let shown = outputs(&output);
        assert_eq!((&shown["__is_success"], &shown["days"]), (&json!(1), &json!(3)));
        assert_eq!(
            script.asked.lock().unwrap()[0].tools[0].parameters["required"],
            json!(["city", "days"])
        );

        let script = Script { pieces: vec!["Here: ", arguments, " ok"], ..Script::default() };
        let (output, script) = extract("prompt", script).await;
        assert_eq!(outputs(&output)["city"], "Paris");
        let asked = script.asked.lock().unwrap();
        assert!(asked[0].tools.is_empty());
        assert!(asked[0].messages.last().unwrap().text().contains("<text>\nto Paris\n</text>"));
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_explained() {
        for (text, reason) in [
            (r#"{"city": "Paris"}"#, "Invalid number of parameters"),
            (
                r#"{"city": "P", "days": "x", "size": "small"}"#,
                "Invalid value for parameter days, expected segment type: number, actual_type: string, python_type: \
                 <class 'str'>, value: x",
            ),
            (
                r#"{"city": "P", "days": 1, "size": "big"}"#,
                "Invalid `select` value for parameter size",
            ),
        ] {
            let script = Script { pieces: vec![text], ..Script::default() };
            let shown = outputs(&extract("prompt", script).await.0);
            assert_eq!((&shown["__is_success"], &shown["__reason"]), (&json!(0), &json!(reason)));
        }
    }
}
