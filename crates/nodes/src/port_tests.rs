//! Nodes whose work is done behind a port: what they ask of it, and what they make of its answer.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::StreamExt as _;
use graph::{
    NoUrls, NodeConfig, NodeCtx, NodeError, NodeOutput, Object, Outcome, SystemVariables, Value,
    VariablePool, value::object_to_json,
};
use serde_json::{Map, Value as Json, json};
use types::TenantId;

use crate::{
    fake::{Script, outputs, run_in, world},
    ports::{
        DatasourcePort, Found, PortError, Ports, Question, RetrievalPort, ToolCall, ToolPort,
        agent::{
            AgentPort, AgentSaid, AgentSpeech, AgentStep, AgentStrategy, AgentTool, DescribedTool,
            StepIcons,
        },
    },
};

/// Notes what it is asked and answers as little as it can.
#[derive(Default)]
struct Desk {
    asked: Arc<Mutex<Vec<Json>>>,
}

impl Desk {
    fn note(&self, asked: Json) {
        self.asked.lock().unwrap().push(asked);
    }
}

fn done(name: &str, value: &str) -> Outcome {
    let outputs = [(name.to_owned(), Value::from(value).into())].into_iter().collect();
    NodeOutput { outputs, ..NodeOutput::default() }.into()
}

#[async_trait]
impl ToolPort for Desk {
    async fn call(&self, call: ToolCall<'_>) -> Result<Outcome, NodeError> {
        self.note(json!({
            "tool": [call.provider_type, call.provider_id, call.tool_name], "missing": call.missing,
            "parameters": object_to_json(&call.parameters, &NoUrls), "is_templated": call.is_templated,
        }));
        Ok(done("text", "called"))
    }
}

#[async_trait]
impl RetrievalPort for Desk {
    async fn retrieve(&self, _: &NodeCtx, question: Question) -> Result<Found, PortError> {
        self.note(json!({"query": question.query, "datasets": question.datasets}));
        if question.datasets.is_empty() {
            return Err(PortError::new("no bases", "KnowledgeRetrievalNodeError"));
        }
        Ok(Found { sources: vec![json!({"content": "c"})], ..Found::default() })
    }
}

#[async_trait]
impl DatasourcePort for Desk {
    async fn run(&self, _: &NodeCtx, config: &NodeConfig) -> Result<Outcome, NodeError> {
        self.note(json!({"source": config.data["provider_name"]}));
        Ok(done("page", "p"))
    }
}

#[async_trait]
impl AgentPort for Desk {
    async fn icon(&self, _: TenantId, _: &str) -> Option<String> {
        Some("icon.svg".to_owned())
    }

    async fn step_icons(&self, _: TenantId, provider: &str) -> StepIcons {
        self.note(json!({"icons": provider}));
        StepIcons { light: Some(json!("light")), dark: json!("dark") }
    }

    async fn strategy(
        &self,
        _: TenantId,
        _: &str,
        name: &str,
    ) -> Result<Box<dyn AgentStrategy>, PortError> {
        if name != "think" {
            return Err(PortError::new("no such strategy", ""));
        }
        Ok(Box::new(Self { asked: Arc::clone(&self.asked) }))
    }

    async fn tool(&self, _: &NodeCtx, tool: AgentTool<'_>) -> Result<DescribedTool, PortError> {
        let entity = json!({
            "identity": {"name": tool.name, "provider": "full/name"}, "description": {"llm": "old"},
            "parameters": [{"name": "fixed", "form": "llm"}, {"name": "free", "form": "llm"}],
        });
        let entity = entity.as_object().cloned().unwrap_or_default();
        let settings = [("style".to_owned(), Value::from("s"))].into_iter().collect();
        Ok(DescribedTool { entity, settings })
    }
}

#[async_trait]
impl AgentStrategy for Desk {
    fn parameters(&self) -> Vec<(&str, &str)> {
        vec![("query", "string"), ("tools", "array[tools]"), ("model", "model-selector")]
    }

    fn takes_mcp(&self) -> bool {
        false
    }

    async fn invoke(
        &self,
        _: &NodeCtx,
        parameters: Object,
        tool_credentials: Map<String, Json>,
    ) -> Result<AgentSpeech, NodeError> {
        let parameters = object_to_json(&parameters, &NoUrls);
        self.note(json!({"parameters": parameters, "tool_credentials": tool_credentials}));
        let step = |status| {
            let metadata = json!({"provider": "p"}).as_object().cloned().unwrap_or_default();
            let (id, label) = ("1".to_owned(), "l".to_owned());
            let (parent_id, error, data) = (None, None, Map::new());
            Ok(AgentSaid::Step(AgentStep { id, label, parent_id, error, status, data, metadata }))
        };
        let costs = json!({"execution_metadata": {"prompt_tokens": 2, "completion_tokens": 1, "total_price": "0.5"}});
        let said = vec![
            step("start"),
            Ok(AgentSaid::Text("a".to_owned())),
            Ok(AgentSaid::Json(costs)),
            step("success"),
            Ok(AgentSaid::Text("b".to_owned())),
            // What says nothing of costs leaves them as they are.
            Ok(AgentSaid::Json(json!([1]))),
        ];
        Ok(futures::stream::iter(said).boxed())
    }
}

fn ports(desk: &Arc<Desk>) -> Ports {
    Ports {
        tools: desk.clone(),
        agents: desk.clone(),
        retrieval: desk.clone(),
        datasources: desk.clone(),
        ..world(&Arc::new(Script {
            features: vec!["tool-call", "structured-output"],
            ..Script::default()
        }))
    }
}

fn pool() -> VariablePool {
    let system = SystemVariables {
        datasource_type: Some("online_document".to_owned()),
        datasource_info: Some(Object::new()),
        ..SystemVariables::default()
    };
    let mut pool = VariablePool::new(system, Object::new(), Arc::new(NoUrls));
    pool.set("s", "q", "tea");
    pool
}

async fn ran(kind: &str, data: Json) -> (Result<NodeOutput, NodeError>, Vec<Json>) {
    let desk = Arc::new(Desk::default());
    let (outcome, _) = run_in(ports(&desk), kind, data, pool()).await;
    let asked = desk.asked.lock().unwrap().clone();
    (outcome, asked)
}

#[tokio::test]
async fn code_is_run_and_its_answer_checked() {
    let data = |kind: &str| {
        json!({"code_language": "javascript", "code": "function main({q}) { return {out: q + '!'} }",
            "variables": [{"variable": "q", "value_selector": ["s", "q"]}], "outputs": {"out": {"type": kind}}})
    };
    let output = ran("code", data("string")).await.0.unwrap();
    assert_eq!(outputs(&output), json!({"out": "tea!"}));
    let error = ran("code", data("number")).await.0.unwrap_err();
    assert!(error.message.starts_with("Output out is not a number"), "{}", error.message);
}

#[tokio::test]
async fn a_tool_is_called_with_its_variables() {
    let data = json!({"provider_id": "id", "provider_type": "api", "provider_name": "n", "tool_name": "t",
        "tool_parameters": {"a": {"type": "variable", "value": ["s", "q"]}, "b": {"type": "mixed", "value": "{{#s.q#}}!"},
            "c": {"type": "variable", "value": ["s", "none"]}, "d": null},
        "tool_node_version": "2"});
    let (output, asked) = ran("tool", data).await;
    assert_eq!(outputs(&output.unwrap())["text"], "called");
    assert_eq!(
        asked,
        [json!({"tool": ["api", "id", "t"], "missing": {"c": ["s", "none"]}, "is_templated": true,
            "parameters": {"a": "tea", "b": "tea!"}})]
    );
}

#[tokio::test]
async fn a_question_is_looked_up() {
    let data = |datasets: Json| json!({"query_variable_selector": ["s", "q"], "dataset_ids": datasets, "retrieval_mode": "multiple"});
    let (output, asked) = ran("knowledge-retrieval", data(json!(["b"]))).await;
    assert_eq!(outputs(&output.unwrap())["result"], json!([{"content": "c"}]));
    assert_eq!(asked, [json!({"query": "tea", "datasets": ["b"]})]);
    let error = ran("knowledge-retrieval", data(json!([]))).await.0.unwrap_err();
    assert_eq!(error.message, "no bases");
    assert_eq!(error.inputs["query"], Value::from("tea"));
}

#[tokio::test]
async fn a_source_is_read() {
    let data =
        json!({"plugin_id": "p", "provider_name": "pages", "provider_type": "online_document"});
    let (output, asked) = ran("datasource", data).await;
    assert_eq!(outputs(&output.unwrap())["page"], "p");
    assert_eq!(asked, [json!({"source": "pages"})]);
}

#[tokio::test]
async fn an_agent_is_given_tools_and_a_model_and_listened_to() {
    let constant = |value: Json| json!({"type": "constant", "value": value});
    let data = |name: &str| {
        json!({"agent_strategy_provider_name": "p", "agent_strategy_name": name, "agent_strategy_label": "l",
        "agent_parameters": {
            "query": {"type": "variable", "value": ["s", "q"]},
            "model": constant(json!({"provider": "openai", "model": "m"})),
            "tools": constant(json!([{"enabled": true, "tool_name": "t", "credential_id": "c", "type": "api",
                "extra": {"description": "new"}, "parameters": {
                    "fixed": {"auto": 0, "value": {"type": "constant", "value": 1}}, "free": {"auto": 1}}}])),
        }})
    };
    let (output, asked) = ran("agent", data("think")).await;
    let output = output.unwrap();
    let given = &asked[0]["parameters"];
    assert_eq!(given["query"], "tea");
    assert_eq!(given["model"]["entity"]["features"], json!(["tool-call"]));
    assert_eq!(given["model"]["history_prompt_messages"], json!([]));
    let tool = &given["tools"][0];
    assert_eq!(tool["parameters"][0]["form"], "form");
    assert_eq!(tool["parameters"][1]["form"], "llm");
    assert_eq!(tool["runtime_parameters"], json!({"style": "s", "fixed": 1}));
    assert_eq!(
        (&tool["description"]["llm"], &tool["provider_type"]),
        (&json!("new"), &json!("api"))
    );
    assert_eq!(asked[0]["tool_credentials"], json!({"full/name": "c"}));
    // The picture is looked up once.
    assert_eq!(asked[1..], [json!({"icons": "p"})]);
    let shown = outputs(&output);
    assert_eq!(shown["text"], "ab");
    assert_eq!(shown["json"].as_array().unwrap().len(), 2);
    assert_eq!(
        shown["json"][0]["metadata"],
        json!({"provider": "p", "icon": "light", "icon_dark": "dark"})
    );
    assert_eq!(output.usage.unwrap().total_tokens, 3);
    let metadata = object_to_json(&output.metadata.entries, &NoUrls);
    assert_eq!((&metadata["total_price"], metadata.get("currency")), (&json!("0.5"), None));
    assert_eq!(metadata["agent_log"][0]["status"], "success");

    let error = ran("agent", data("dream")).await.0.unwrap_err();
    assert_eq!(error.message, "Failed to get agent strategy: no such strategy");
}
