//! Tools for nodes of workflows.

use async_trait::async_trait;
use futures::StreamExt;
use graph::{
    Metadata, NodeCtx, NodeError, NodeOutput, Object, Outcome, Outputs, Segment, SegmentType,
    Value as Argument,
};
use nodes::ports::{ToolCall, ToolPort};
use plugin::{DaemonError, ToolPayload, entity::ToolParameter};
use serde_json::{Map, Value};

use crate::{
    ToolError,
    builtin::Tools,
    call::{
        CallError, Caller, Ready, Wanted,
        argument::{cast, of_form},
        message::Kept,
    },
};

/// What tools said so far, sorted.
#[derive(Default)]
struct Sorted {
    text: String,
    files: Vec<Argument>,
    values: Vec<Argument>,
    variables: Object,
}

#[async_trait]
impl ToolPort for Tools {
    async fn call(&self, call: ToolCall<'_>) -> Result<Outcome, NodeError> {
        let app = call.ctx.run.app_id.to_string();
        let caller = caller(call.ctx, &app);
        let info = info(&call);
        let metadata = Metadata::default().with("tool_info", info);
        let wanted = Wanted {
            kind: call.provider_type,
            provider: call.provider_id,
            tool: call.tool_name,
            credential: call.credential_id,
        };
        let ready = self.ready(&caller, wanted).await.map_err(|err| match err {
            ToolError::Fault(fault) => {
                tracing::error!(error = &fault as &dyn std::error::Error, "a tool is not ready");
                NodeError::uncaught("the tool could not be prepared")
            }
            other => NodeError::uncaught(other.to_string()),
        })?;
        let lacks = |name: &str| ready.parameters.iter().any(|it| it.name == name && it.required);
        if let Some((_, selector)) = call.missing.iter().find(|(name, _)| lacks(name)) {
            let shown = graph::value::py_list_repr(selector);
            return Err(NodeError::uncaught(format!("Variable {shown} does not exist")));
        }
        let shown = shown(&call, &ready);
        let failed = |err: CallError| {
            let (message, class) = told(&err, call.provider_name);
            let mut error = NodeError::new(message, class).with_inputs(shown.clone());
            error.metadata = metadata.clone();
            error
        };
        let mut given = shown.clone();
        let settings =
            settings(call.ctx, call.configurations, call.is_templated, &ready.parameters);
        given.extend(settings.map_err(|err| {
            let mut error =
                NodeError::new(format!("Failed to get tool runtime: {err}"), "ToolParameterError");
            error.metadata = metadata.clone();
            error
        })?);
        let arguments = cast(&ready.parameters, &given).map_err(|err| failed(err.into()))?;
        let work = self.speak(&call, &caller, &ready, arguments);
        let sorted = tokio::select! {
            sorted = work => sorted.map_err(failed)?,
            () = call.ctx.cancel.cancelled() => {
                return Err(NodeError::uncaught("the run was stopped"));
            }
        };
        Ok(NodeOutput {
            outputs: sorted.outputs(),
            inputs: shown,
            metadata,
            ..NodeOutput::default()
        }
        .into())
    }
}

impl Tools {
    async fn speak(
        &self,
        call: &ToolCall<'_>,
        caller: &Caller<'_>,
        ready: &Ready,
        arguments: Object,
    ) -> Result<Sorted, CallError> {
        let node = &*call.ctx.node_id;
        let events = &call.ctx.events;
        let mut sorted = Sorted::default();
        let mut speech = Tools::call(self, caller, ready, arguments).await?;
        while let Some(said) = speech.next().await {
            let kept = self.keep(caller, said?).await.map_err(ToolError::from)?;
            let message = match kept {
                Kept::File { file, .. } => {
                    sorted.files.push(Argument::File((*file).into()));
                    continue;
                }
                Kept::Message(message) => message,
            };
            match message.payload {
                ToolPayload::Text(text) => {
                    events.chunk(&[node, "text"], text.as_str(), false).await;
                    sorted.text.push_str(&text);
                }
                ToolPayload::Link(link) => {
                    let text = format!("Link: {link}\n");
                    events.chunk(&[node, "text"], text.as_str(), false).await;
                    sorted.text.push_str(&text);
                }
                ToolPayload::Json { value, .. } => {
                    let value = Argument::from_json(value);
                    if value.is_truthy() {
                        sorted.values.push(value);
                    }
                }
                ToolPayload::Variable(variable) if variable.stream => {
                    let name = variable.variable_name;
                    let piece = variable.variable_value.as_str().unwrap_or_default().to_owned();
                    events.chunk(&[node, &name], piece.as_str(), false).await;
                    let known = sorted.variables.get(&name).map(Argument::py_str);
                    let text = known.unwrap_or_default() + &piece;
                    sorted.variables.insert(name, Argument::string(text));
                }
                ToolPayload::Variable(variable) => {
                    let value = Argument::from_json(variable.variable_value);
                    sorted.variables.insert(variable.variable_name, value);
                }
                _ => {}
            }
        }
        events.chunk(&[node, "text"], "", true).await;
        for name in sorted.variables.keys() {
            events.chunk(&[node, name], "", true).await;
        }
        Ok(sorted)
    }
}

impl Sorted {
    fn outputs(self) -> Outputs {
        let mut outputs = Outputs::new();
        outputs.insert("text".to_owned(), Segment::from(Argument::string(self.text)));
        outputs.insert(
            "files".to_owned(),
            Segment::new(SegmentType::ArrayFile, Argument::array(self.files)),
        );
        let mut values = self.values;
        if values.is_empty() {
            let mut none = Object::new();
            none.insert("data".to_owned(), Argument::array(Vec::new()));
            values.push(Argument::object(none));
        }
        outputs.insert("json".to_owned(), Segment::from(Argument::array(values)));
        for (name, value) in self.variables {
            outputs.insert(name, Segment::from(value));
        }
        outputs
    }
}

fn info(call: &ToolCall<'_>) -> Argument {
    let mut info = Object::new();
    info.insert("provider_type".to_owned(), call.provider_type.into());
    info.insert("provider_id".to_owned(), call.provider_id.into());
    let plugin = call.plugin_unique_identifier.map_or(Argument::Null, Argument::from);
    info.insert("plugin_unique_identifier".to_owned(), plugin);
    Argument::object(info)
}

/// The arguments as they are recorded: those the tool does not know are null.
fn shown(call: &ToolCall<'_>, ready: &Ready) -> Object {
    let is_known = |name: &str| ready.parameters.iter().any(|it| it.name == name);
    let value = |(name, value): (&String, &Argument)| {
        let value = if is_known(name) { value.clone() } else { Argument::Null };
        (name.clone(), value)
    };
    let mut shown: Object = call.parameters.iter().map(value).collect();
    for name in call.missing.keys().filter(|name| !is_known(name)) {
        shown.insert(name.clone(), Argument::Null);
    }
    shown
}

/// On whose behalf a node calls tools of an app.
pub(crate) fn caller<'a>(ctx: &'a NodeCtx, app: &'a str) -> Caller<'a> {
    let run = &ctx.run;
    Caller {
        tenant: run.tenant_id,
        user: &run.user_id,
        user_from: run.user_from,
        app: Some(app),
        conversation: ctx.pool.system().conversation_id.as_deref(),
        message: None,
        invoke_from: run.invoke_from,
        call_depth: run.call_depth,
    }
}

/// The values of the form, their templates rendered. They win over arguments.
pub(crate) fn settings(
    ctx: &NodeCtx,
    configurations: &Map<String, Value>,
    is_templated: bool,
    parameters: &[ToolParameter],
) -> Result<Object, ToolError> {
    let mut settings = Object::new();
    for parameter in parameters.iter().filter(|it| it.form == "form") {
        let given = configurations.get(&parameter.name);
        if !is_templated {
            let value = of_form(parameter, given)?;
            settings.insert(parameter.name.clone(), value);
            continue;
        }
        let Some(given) = given.and_then(Value::as_object) else { continue };
        let Some(value) = given.get("value").filter(|value| !value.is_null()) else { continue };
        let value = match given.get("type").and_then(Value::as_str).unwrap_or_default() {
            "variable" => {
                let selector: Vec<String> = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|part| part.as_str().map(str::to_owned))
                    .collect();
                let found = ctx.pool.get(&selector).ok_or_else(|| {
                    let shown = graph::value::py_list_repr(&selector);
                    ToolError::Invalid(format!("Variable {shown} does not exist"))
                })?;
                found.value
            }
            "mixed" => {
                let text = Argument::from_json(value.clone()).py_str();
                Argument::from(ctx.pool.render(&text))
            }
            "constant" => Argument::from_json(value.clone()),
            other => {
                return Err(ToolError::Invalid(format!("Unknown tool input type '{other}'")));
            }
        };
        settings.insert(parameter.name.clone(), value);
    }
    Ok(settings)
}

/// What users read of a failure, and its class in the reference.
fn told(err: &CallError, provider: &str) -> (String, &'static str) {
    match err {
        CallError::Tool(text) => {
            (format!("Failed to invoke tool {provider}: {text}"), "ToolInvokeError")
        }
        CallError::Daemon(err) => match err.plugin_failure() {
            Some(failure) => (failure.user_friendly(provider), "PluginInvokeError"),
            None => {
                let text = match err {
                    DaemonError::Fault(fault) => fault.description.clone(),
                    other => other.to_string(),
                };
                (format!("Failed to invoke tool, error: {text}"), err.class())
            }
        },
    }
}
