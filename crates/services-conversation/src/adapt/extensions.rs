//! Extensions of a workspace: its own endpoints for moderation and for variables.

use app_engine::{
    RunError,
    basic::config::{ExternalVariable, Moderation},
    ports::{ExternalData, InputVerdict, OutputVerdict, RunContext},
};
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use services_core::Ctx;
use services_platform::extension;
use uuid::Uuid;

pub(super) struct Extensions(pub Ctx);

impl Extensions {
    /// What the extension an app's settings name says to a question.
    async fn ask(
        &self,
        run: &RunContext,
        settings: &Map<String, Value>,
        point: &str,
        params: Value,
    ) -> Result<Value, String> {
        let id = settings.get("api_based_extension_id").and_then(Value::as_str);
        let id: Uuid = id.and_then(|id| id.parse().ok()).ok_or(NOT_FOUND)?;
        let found = extension::find(&self.0, run.tenant, id).await.map_err(|err| {
            tracing::warn!(error = &err as &dyn std::error::Error, "an extension is not asked");
            NOT_FOUND.to_owned()
        })?;
        let params = params.as_object().cloned().unwrap_or_default();
        extension::ask(&self.0, &found.api_endpoint, &found.api_key, point, params).await
    }

    /// Judges form values and question.
    pub(super) async fn check_input(
        &self,
        run: &RunContext,
        rule: &Moderation,
        inputs: &Map<String, Value>,
        query: &str,
    ) -> Result<InputVerdict, RunError> {
        let params = json!({"app_id": run.app, "inputs": inputs, "query": query});
        let answer = self.ask(run, &rule.config, "app.moderation.input", params).await;
        let answer = answer.map_err(RunError::invalid_param)?;
        if !flagged(&answer) {
            return Ok(InputVerdict::Clean);
        }
        Ok(match action(&answer) {
            "overridden" => InputVerdict::Overridden {
                inputs: answer
                    .get("inputs")
                    .and_then(Value::as_object)
                    .cloned()
                    .unwrap_or_default(),
                query: text(&answer, "query"),
            },
            _ => InputVerdict::Preset(text(&answer, "preset_response")),
        })
    }

    /// Judges an answer.
    pub(super) async fn check_output(
        &self,
        run: &RunContext,
        rule: &Moderation,
        answer: &str,
    ) -> Result<OutputVerdict, RunError> {
        let params = json!({"app_id": run.app, "text": answer});
        let answer = self.ask(run, &rule.config, "app.moderation.output", params).await;
        let answer = answer.map_err(RunError::invalid_param)?;
        if !flagged(&answer) {
            return Ok(OutputVerdict::Clean);
        }
        Ok(match action(&answer) {
            "overridden" => OutputVerdict::Overridden(text(&answer, "text")),
            _ => OutputVerdict::Preset(text(&answer, "preset_response")),
        })
    }
}

const NOT_FOUND: &str = "API-based Extension not found. Please check it again.";

fn flagged(answer: &Value) -> bool {
    answer.get("flagged").and_then(Value::as_bool).unwrap_or(false)
}

fn action(answer: &Value) -> &str {
    answer.get("action").and_then(Value::as_str).unwrap_or_default()
}

fn text(answer: &Value, key: &str) -> String {
    answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[async_trait]
impl ExternalData for Extensions {
    async fn fetch(
        &self,
        run: &RunContext,
        variable: &ExternalVariable,
        inputs: &Map<String, Value>,
        query: &str,
    ) -> Result<String, RunError> {
        let name = &variable.name;
        let failed = |why: &str| {
            RunError::invalid_param(format!(
                "[External data tool] API query failed, variable: {name}, error: {why}"
            ))
        };
        if variable.kind != "api" {
            return Err(RunError::invalid_param(format!("Extension {} not found", variable.kind)));
        }
        let params =
            json!({"app_id": run.app, "tool_variable": name, "inputs": inputs, "query": query});
        let answer = self.ask(run, &variable.config, "app.external_data_tool.query", params).await;
        let answer = answer.map_err(|why| match why.as_str() {
            NOT_FOUND => failed("api_based_extension_id is invalid"),
            _ => RunError::invalid_param(why),
        })?;
        match answer.get("result") {
            Some(Value::String(result)) => Ok(result.clone()),
            Some(_) => Err(failed("result is not string")),
            None => Err(failed("result not found in response")),
        }
    }
}
