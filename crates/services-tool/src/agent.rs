//! Tools for agents.

use std::{sync::Arc, time::Instant};

use app_engine::{
    basic::{self, config::ToolChoice},
    ports::{MadeFile, RunContext, Tool, ToolAnswer, Toolbox},
};
use async_trait::async_trait;
use futures::StreamExt;
use graph::{InvokeFrom, Object, TransferMethod, UserFrom, Value as Argument};
use model_runtime::PromptTool;
use plugin::entity::ToolParameter;
use serde_json::{Map, Value, json};
use services_core::tenant_secret;
use types::ToolFileId;

use crate::{
    ToolError,
    builtin::Tools,
    call::{
        CallError, Caller, Ready, Wanted,
        argument::{cast, of_form, plain},
        message::{Kept, for_model},
    },
    native,
};

#[async_trait]
impl Toolbox for Tools {
    async fn open(&self, run: &RunContext, choice: &ToolChoice) -> Option<Arc<dyn Tool>> {
        match self.open_for_agent(run, choice).await {
            Ok(tool) => Some(Arc::new(tool)),
            Err(err) => {
                tracing::warn!(
                    app.id = %run.app,
                    tool = choice.tool_name,
                    error = &err as &dyn std::error::Error,
                    "an agent goes on without a tool"
                );
                None
            }
        }
    }

    fn label(&self, tool: &str) -> Option<Value> {
        let mut tools = native::all().iter().flat_map(|provider| &provider.tools);
        let tool = tools.find(|known| known.identity.name == tool)?;
        serde_json::to_value(&tool.identity.label).ok()
    }
}

impl Tools {
    async fn open_for_agent(
        &self,
        run: &RunContext,
        choice: &ToolChoice,
    ) -> Result<AgentTool, ToolError> {
        let person = Person::of(run);
        let wanted = Wanted {
            kind: &choice.provider_type,
            provider: &choice.provider_id,
            tool: &choice.tool_name,
            credential: choice.credential.as_deref(),
        };
        let ready = self.ready(&person.caller(run), wanted).await?;
        let mut fixed = Map::new();
        for parameter in &ready.parameters {
            if is_file(parameter) && parameter.required {
                let name = &parameter.name;
                let refused = format!("file type parameter {name} not supported in agent");
                return Err(ToolError::Invalid(refused));
            }
            if parameter.form != "form" {
                continue;
            }
            let value = of_form(parameter, choice.parameters.get(&parameter.name))?;
            let mut value = plain(&value);
            if let ("secret-input", Value::String(sealed)) = (parameter.kind.as_str(), &value)
                && let Some(clear) = tenant_secret::decrypt(&self.ctx, run.tenant, sealed).await?
            {
                value = clear.into();
            }
            fixed.insert(parameter.name.clone(), value);
        }
        let (kind, provider) = ready.source(&choice.provider_id);
        let shown = without_secrets(&ready.parameters, &fixed);
        let config = json!({
            "tool_name": ready.name,
            "tool_provider": provider,
            "tool_provider_type": kind,
            "tool_parameters": shown,
            "tool_icon": ready.icon,
        });
        let declaration = PromptTool {
            name: choice.tool_name.clone(),
            description: ready.description.clone(),
            parameters: schema(&ready.parameters),
        };
        Ok(AgentTool { tools: self.clone(), ready, fixed, config, declaration })
    }
}

/// A tool an agent may call.
struct AgentTool {
    tools: Tools,
    ready: Ready,
    /// What the builder fixed.
    fixed: Map<String, Value>,
    /// What is kept of it with each call.
    config: Value,
    declaration: PromptTool,
}

#[async_trait]
impl Tool for AgentTool {
    fn declaration(&self) -> PromptTool {
        self.declaration.clone()
    }

    async fn call(&self, run: &RunContext, mut arguments: Map<String, Value>) -> ToolAnswer {
        let begun = Instant::now();
        let told = without_secrets(&self.ready.parameters, &self.fixed);
        let mut shown = arguments.clone();
        shown.extend(told);
        arguments.extend(self.fixed.clone());
        let called = self.speak(run, arguments).await;
        let time_cost = begun.elapsed().as_secs_f64();
        let (text, files, error) = match called {
            Ok((text, files)) => (text, files, Value::Null),
            Err(err) => {
                let why = err.to_string();
                (format!("tool invoke error: {why}"), Vec::new(), why.into())
            }
        };
        let meta = json!({"time_cost": time_cost, "error": error, "tool_config": self.config});
        ToolAnswer { text, files, arguments: shown, meta }
    }
}

impl AgentTool {
    async fn speak(
        &self,
        run: &RunContext,
        arguments: Map<String, Value>,
    ) -> Result<(String, Vec<MadeFile>), CallError> {
        let person = Person::of(run);
        let caller = person.caller(run);
        let given: Object = match Argument::from_json(Value::Object(arguments)) {
            Argument::Object(given) => (*given).clone(),
            _ => Object::new(),
        };
        let arguments = cast(&self.ready.parameters, &given)?;
        let mut speech = self.tools.call(&caller, &self.ready, arguments).await?;
        let mut said = Vec::new();
        while let Some(piece) = speech.next().await {
            said.push(self.tools.keep(&caller, piece?).await.map_err(ToolError::from)?);
        }
        Ok((for_model(&said), said.iter().filter_map(picture).collect()))
    }
}

/// A picture for the user. Other files are told to the model only, as in the reference.
fn picture(said: &Kept) -> Option<MadeFile> {
    let Kept::File { file, path, is_image: true, .. } = said else { return None };
    if file.transfer_method != TransferMethod::ToolFile {
        return None;
    }
    let id = file.related_id.as_deref()?.parse().ok().map(ToolFileId)?;
    Some(MadeFile { id, path: path.clone() })
}

/// The ids of a run as texts.
struct Person {
    user: String,
    app: String,
    conversation: String,
    message: String,
}

impl Person {
    fn of(run: &RunContext) -> Self {
        Self {
            user: run.user.id().to_string(),
            app: run.app.to_string(),
            conversation: run.conversation.to_string(),
            message: run.message.to_string(),
        }
    }

    fn caller(&self, run: &RunContext) -> Caller<'_> {
        Caller {
            tenant: run.tenant,
            user: &self.user,
            user_from: match run.user {
                basic::Caller::Account(_) => UserFrom::Account,
                basic::Caller::EndUser(_) => UserFrom::EndUser,
            },
            app: Some(&self.app),
            conversation: Some(&self.conversation),
            message: Some(&self.message),
            invoke_from: match run.invoke_from {
                basic::InvokeFrom::ServiceApi => InvokeFrom::ServiceApi,
                basic::InvokeFrom::WebApp => InvokeFrom::WebApp,
                basic::InvokeFrom::Explore => InvokeFrom::Explore,
                basic::InvokeFrom::Debugger => InvokeFrom::Debugger,
            },
            call_depth: 0,
        }
    }
}

fn is_file(parameter: &ToolParameter) -> bool {
    matches!(parameter.kind.as_str(), "file" | "files" | "system-files")
}

/// What the builder fixed, as it may be kept and shown.
fn without_secrets(parameters: &[ToolParameter], fixed: &Map<String, Value>) -> Map<String, Value> {
    let is_secret =
        |name: &str| parameters.iter().any(|it| it.name == name && it.kind == "secret-input");
    fixed
        .iter()
        .filter(|(name, _)| !is_secret(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The JSON schema of what models give a tool.
fn schema(parameters: &[ToolParameter]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in parameters.iter().filter(|it| it.form == "llm" && !is_file(it)) {
        let kind = match parameter.kind.as_str() {
            "secret-input" | "select" | "checkbox" => "string",
            other => other,
        };
        let mut property = parameter.input_schema.clone().unwrap_or_else(|| {
            let about = parameter.llm_description.as_deref().unwrap_or_default();
            Map::from_iter([
                ("type".to_owned(), kind.into()),
                ("description".to_owned(), about.into()),
            ])
        });
        if parameter.kind == "select" && !parameter.options.is_empty() {
            let choices = parameter.options.iter().map(|it| it.value.as_str());
            property.insert("enum".to_owned(), choices.collect());
        }
        properties.insert(parameter.name.clone(), Value::Object(property));
        if parameter.required {
            required.push(parameter.name.as_str());
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(value: Value) -> ToolParameter {
        let mut whole = json!({"label": {"en_US": "x"}, "form": "llm"});
        whole.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn models_see_what_is_theirs_to_give() {
        let parameters = [
            parameter(
                json!({"name": "q", "type": "string", "required": true, "llm_description": "What."}),
            ),
            parameter(
                json!({"name": "s", "type": "select", "options": [{"value": "a", "label": {"en_US": "A"}}]}),
            ),
            parameter(
                json!({"name": "o", "type": "object", "input_schema": {"type": "object", "properties": {}}}),
            ),
            parameter(json!({"name": "f", "type": "file"})),
            parameter(
                json!({"name": "k", "type": "secret-input", "form": "form", "required": true}),
            ),
        ];
        assert_eq!(
            schema(&parameters),
            json!({"type": "object", "required": ["q"], "properties": {
                "q": {"type": "string", "description": "What."},
                "s": {"type": "string", "description": "", "enum": ["a"]},
                "o": {"type": "object", "properties": {}},
            }})
        );
        let fixed = json!({"k": "secret", "n": 1}).as_object().cloned().unwrap();
        assert_eq!(Value::Object(without_secrets(&parameters, &fixed)), json!({"n": 1}));
    }
}
