//! Moderation by a model or by an extension of the workspace.

use app_engine::{
    RunError,
    basic::{config::Moderation, inputs::as_text},
    ports::{InputVerdict, Moderator, OutputVerdict, RunContext},
};
use async_trait::async_trait;
use model_runtime::{CallContext, ModelType};
use serde_json::{Map, Value};
use services_model::Models;
use types::TenantId;

use super::extensions::Extensions;

/// The provider and the model of `openai_moderation`.
const MODEL: (&str, &str) = ("openai", "omni-moderation-latest");

pub(super) struct Asked {
    pub models: Models,
    pub extensions: Extensions,
}

impl Asked {
    async fn is_flagged(&self, tenant: TenantId, text: &str) -> Result<bool, RunError> {
        let (provider, model) = MODEL;
        let model = self.models.resolve(tenant, ModelType::Moderation, provider, model).await;
        let model = model.map_err(|err| RunError::invalid_param(err.to_string()))?;
        let flagged =
            model.provider.moderate(&CallContext::new(tenant), model.as_ref(), text).await;
        flagged.map_err(|err| RunError::model(err.to_string()))
    }
}

#[async_trait]
impl Moderator for Asked {
    async fn check_input(
        &self,
        run: &RunContext,
        rule: &Moderation,
        inputs: &Map<String, Value>,
        query: &str,
    ) -> Result<InputVerdict, RunError> {
        match rule.kind.as_str() {
            "openai_moderation" => {}
            "api" => return self.extensions.check_input(run, rule, inputs, query).await,
            _ => return Err(unknown(rule)),
        }
        let mut lines: Vec<_> = inputs.values().map(as_text).collect();
        lines.push(query.into());
        let flagged = self.is_flagged(run.tenant, &lines.join("\n")).await?;
        Ok(if flagged {
            InputVerdict::Preset(preset(rule, "inputs_config"))
        } else {
            InputVerdict::Clean
        })
    }

    async fn check_output(
        &self,
        run: &RunContext,
        rule: &Moderation,
        text: &str,
    ) -> Result<OutputVerdict, RunError> {
        match rule.kind.as_str() {
            "openai_moderation" => {}
            "api" => return self.extensions.check_output(run, rule, text).await,
            _ => return Err(unknown(rule)),
        }
        let flagged = self.is_flagged(run.tenant, text).await?;
        Ok(if flagged {
            OutputVerdict::Preset(preset(rule, "outputs_config"))
        } else {
            OutputVerdict::Clean
        })
    }
}

fn unknown(rule: &Moderation) -> RunError {
    RunError::invalid_param(format!("Extension {} not found", rule.kind))
}

fn preset(rule: &Moderation, side: &str) -> String {
    let text = rule.config.get(side).and_then(|side| side.get("preset_response"));
    text.and_then(Value::as_str).unwrap_or_default().to_owned()
}
