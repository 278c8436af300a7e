//! Workflows as tools.

use app_engine::{AppEvent, Item};
use graph::{Object, UserFrom, Value as Argument};
use plugin::{
    ToolMessage, ToolPayload, VariableMessage,
    entity::{I18n, ToolParameter},
};
use serde_json::{Map, Value};
use services_workflow::run::{RunRequest, Runner as Person};
use types::{AccountId, EndUserId, TenantId, pyjson};
use uuid::Uuid;

use super::{About, CallError, Caller, Ready, Runner, Said, Wanted, plain};
use crate::{ToolError, builtin::Tools};

/// Names of outputs that are the tool's own.
const RESERVED: [&str; 3] = ["text", "json", "files"];

impl Tools {
    pub(super) async fn ready_workflow(
        &self,
        tenant: TenantId,
        wanted: Wanted<'_>,
    ) -> Result<Ready, ToolError> {
        let missing =
            || ToolError::Invalid(format!("workflow provider {} not found", wanted.provider));
        let id: Uuid = wanted.provider.parse().map_err(|_| missing())?;
        let row = {
            let mut conn = self.ctx.db.acquire().await?;
            db::tool_workflow_provider::find(&mut conn, tenant, id).await?
        };
        let row = row.ok_or_else(missing)?;
        let tools = services_workflow::tool::tools(&self.ctx, tenant, id).await;
        let tools = tools.map_err(|err| ToolError::Invalid(err.to_string()))?;
        let shown = tools.into_iter().next().ok_or_else(missing)?;
        let mut parameters = Vec::with_capacity(shown.parameters.len());
        for parameter in &shown.parameters {
            let parameter: ToolParameter =
                serde_json::from_value(serde_json::to_value(parameter)?)?;
            parameters.push(parameter);
        }
        let mut about = About::new(&row.name, wanted.provider, &row.description);
        about.identity.author.clone_from(&shown.author);
        about.identity.label = I18n::same(shown.label.en_US.as_str());
        about.identity.icon = Some(row.icon.clone());
        about.output_schema = shown.output_schema.as_object().cloned().unwrap_or_default();
        Ok(Ready {
            about,
            name: shown.name,
            parameters,
            description: row.description.clone(),
            icon: serde_json::from_str(&row.icon).unwrap_or_default(),
            runner: Runner::Workflow(Box::new(row)),
        })
    }

    pub(super) async fn call_workflow(
        &self,
        caller: &Caller<'_>,
        row: &db::tool_workflow_provider::WorkflowTool,
        arguments: Object,
    ) -> Result<Vec<Said>, CallError> {
        let failed = |text: &str| CallError::Tool(text.to_owned());
        let depth = caller.call_depth + 1;
        let limit = u32::try_from(self.ctx.config.feature.workflow_call_max_depth).unwrap_or(5);
        if limit < depth {
            return Err(CallError::Tool(format!("Max workflow call depth {limit} reached.")));
        }
        let runs = self.runs().ok_or_else(|| failed("this server runs no workflows"))?;
        let (app, version, runner) = {
            let mut conn = self.ctx.db.acquire().await.map_err(ToolError::from)?;
            let app = db::app::find(&mut conn, caller.tenant, row.app_id).await;
            let app = app.map_err(ToolError::from)?.ok_or_else(|| failed("app not found"))?;
            let (tenant, version) = (caller.tenant, &row.version);
            let version =
                db::workflow::version::find_version(&mut conn, tenant, row.app_id, version).await;
            let version = version
                .map_err(ToolError::from)?
                .ok_or_else(|| failed("workflow not found or not published"))?;
            let runner = person(&mut conn, caller).await.map_err(ToolError::from)?;
            (app, version, runner.ok_or_else(|| failed("User not found"))?)
        };
        let (inputs, files) = split(&arguments);
        let request = RunRequest {
            app,
            workflow: version,
            runner,
            invoke_from: caller.invoke_from,
            triggered_from: "app-run",
            inputs,
            files,
            root: None,
            run_id: None,
            call_depth: depth,
        };
        let started = runs.start(request).await.map_err(|err| CallError::Tool(err.to_string()))?;
        // Who stops the call stops the workflow.
        let watch = StopOnDrop(Some(started.run.clone()));
        let mut reader = started.run.log.reader(0);
        let mut end = None;
        while let Some((_, item)) = reader.next().await {
            if let Item::Event(event) = &item
                && let AppEvent::Workflow(event) = &**event
                && event.is_terminal()
            {
                end = event.full.as_object().cloned();
                break;
            }
        }
        watch.disarm();
        let end = end.ok_or_else(|| failed("the workflow ended without saying how"))?;
        let text = |name: &str| end.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
        if let Some(error) = text("error") {
            return Err(failed(error));
        }
        if text("status") == Some("paused") {
            return Err(failed("a workflow that waits for people cannot be a tool"));
        }
        let outputs = end.get("outputs").and_then(Value::as_object).cloned();
        Ok(said(outputs.unwrap_or_default()))
    }
}

struct StopOnDrop(Option<std::sync::Arc<app_engine::Run>>);

impl StopOnDrop {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(run) = &self.0 {
            run.stop();
        }
    }
}

async fn person(conn: &mut db::PgConnection, caller: &Caller<'_>) -> db::Result<Option<Person>> {
    let Ok(id) = caller.user.parse::<Uuid>() else { return Ok(None) };
    if caller.user_from == UserFrom::Account {
        let account = db::account::find(conn, AccountId(id)).await?;
        return Ok(account.map(|account| Person::Account {
            id,
            name: account.name,
            email: account.email,
        }));
    }
    let user = db::end_user::find(conn, caller.tenant, EndUserId(id)).await?;
    Ok(user.map(|user| Person::EndUser { id, session_id: user.session_id }))
}

/// Values of the form, and files beside it.
fn split(arguments: &Object) -> (Map<String, Value>, Vec<Value>) {
    let mut inputs = Object::new();
    let mut files = Vec::new();
    for (name, value) in arguments {
        // The parameter through which a model hands pictures on.
        if name == "__image" {
            let items = value.as_array().map(<[Argument]>::to_vec);
            files.extend(items.unwrap_or_else(|| vec![value.clone()]));
        } else {
            inputs.insert(name.clone(), as_input(value));
        }
    }
    let mut given = Object::new();
    given.insert("files".to_owned(), Argument::array(files.iter().map(as_input).collect()));
    let files = match plain(&given).remove("files") {
        Some(Value::Array(files)) => files,
        _ => Vec::new(),
    };
    (plain(&inputs), files)
}

/// A file as forms take it.
fn as_input(value: &Argument) -> Argument {
    match value {
        Argument::File(file) => {
            let mut form = Object::new();
            let mut put = |name: &str, value: Option<String>| {
                if let Some(value) = value {
                    form.insert(name.to_owned(), Argument::string(value));
                }
            };
            put("type", Some(file.r#type.as_str().to_owned()));
            put("transfer_method", Some(file.transfer_method.as_str().to_owned()));
            let id = match file.transfer_method {
                graph::TransferMethod::RemoteUrl => {
                    put("url", file.remote_url.clone());
                    return Argument::object(form);
                }
                graph::TransferMethod::LocalFile => "upload_file_id",
                graph::TransferMethod::ToolFile => "tool_file_id",
                graph::TransferMethod::DatasourceFile => "datasource_file_id",
            };
            put(id, file.related_id.clone());
            Argument::object(form)
        }
        Argument::Array(items) => Argument::array(items.iter().map(as_input).collect()),
        other => other.clone(),
    }
}

/// Outputs as messages: their files, a variable for each, and all of them as text and as a value.
fn said(outputs: Map<String, Value>) -> Vec<Said> {
    let mut said = Vec::new();
    for value in outputs.values() {
        collect(&Argument::from_stored(value.clone()), &mut said);
    }
    for (name, value) in outputs.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str())) {
        let variable = VariableMessage {
            variable_name: name.clone(),
            variable_value: value.clone(),
            stream: false,
        };
        let payload = ToolPayload::Variable(variable);
        said.push(Said::Message(ToolMessage { payload, meta: None }));
    }
    said.push(Said::text(pyjson::dumps_utf8(&outputs).unwrap_or_default()));
    said.push(Said::json(Value::Object(outputs), true));
    said
}

fn collect(value: &Argument, said: &mut Vec<Said>) {
    match value {
        Argument::File(file) => said.push(Said::File((**file).clone())),
        Argument::Array(items) => {
            for item in items.iter().filter(|item| matches!(item, Argument::File(_))) {
                collect(item, said);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn outputs_become_variables_a_text_and_a_value() {
        let outputs = json!({"x": 1, "text": "t"}).as_object().cloned().unwrap();
        let said = said(outputs);
        assert_eq!(said.len(), 3);
        assert_eq!(said[1], Said::text("{\"x\": 1, \"text\": \"t\"}"));
    }
}
