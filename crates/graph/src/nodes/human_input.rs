//! `human-input`: pauses the run until somebody has filled in a form.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use indexmap::IndexMap;
use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{object, selector_mapping, template_mapping};
use crate::{
    error::GraphError,
    node::{
        ExecutionKind, InvokeFrom, Node, NodeConfig, NodeCtx, NodeError, NodeEvent, NodeOutput,
        Outcome, Outputs,
    },
    pause::{
        Form, FormInput, FormStatus, Forms, HumanInputRequired, NewForm, PauseReason,
        PlaceholderType, UserAction,
    },
    pool::{Selector, VariablePool},
    segment::Segment,
    value::{Object, Value},
};

/// `{{#$output.NAME#}}`: the place of a field in the form's text.
static FIELD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\{\{#\$output\.([a-zA-Z_][a-zA-Z0-9_]{0,29})#\}\}").ok());

/// The handle of the branch for forms that timed out.
const TIMEOUT: &str = "__timeout";

pub(super) struct HumanInput {
    settings: FormSettings,
    data: Map<String, Json>,
    forms: Arc<dyn Forms>,
}

/// The settings of a human-input node.
#[derive(Debug, Clone, Deserialize)]
pub struct FormSettings {
    /// The ways the form reaches people, as configured.
    #[serde(default)]
    pub delivery_methods: Vec<Json>,
    /// The template of the form's text.
    #[serde(default)]
    pub form_content: String,
    /// Fields.
    #[serde(default)]
    pub inputs: Vec<FormInput>,
    /// Buttons.
    #[serde(default)]
    pub user_actions: Vec<UserAction>,
    /// How many units of time the node waits.
    #[serde(default = "thirty_six")]
    pub timeout: i64,
    /// The unit of [`FormSettings::timeout`].
    #[serde(default)]
    pub timeout_unit: TimeoutUnit,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say all")]
pub enum TimeoutUnit {
    #[default]
    Hour,
    Day,
}

impl FormSettings {
    /// Reads the `data` of a human-input node.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(data: &Map<String, Json>) -> Result<Self, String> {
        let settings: Self =
            serde_json::from_value(Json::Object(data.clone())).map_err(|err| err.to_string())?;
        check(&settings)?;
        Ok(settings)
    }

    /// Values of the fields whose default is a variable of `pool`, by field.
    #[must_use]
    pub fn resolved_defaults(&self, pool: &VariablePool) -> Object {
        let mut values = Object::new();
        for input in &self.inputs {
            let Some(default) = &input.default else { continue };
            if default.r#type == PlaceholderType::Variable
                && let Some(found) = pool.get(&default.selector)
            {
                let json = found.value.to_json(pool.urls());
                values.insert(input.output_variable_name.clone(), Value::from_json(json));
            }
        }
        values
    }

    /// When a form made at `now` times out.
    #[must_use]
    pub fn expiration(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let length = match self.timeout_unit {
            TimeoutUnit::Hour => TimeDelta::try_hours(self.timeout),
            TimeoutUnit::Day => TimeDelta::try_days(self.timeout),
        };
        length.and_then(|length| now.checked_add_signed(length)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The methods that are switched on.
    pub fn enabled_methods(&self) -> impl Iterator<Item = &Json> {
        let methods = self.delivery_methods.iter();
        methods.filter(|it| it.get("enabled").and_then(Json::as_bool) != Some(false))
    }

    /// The variables of the run the form needs, by the names single runs ask for them.
    #[must_use]
    pub fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let pair = |mut selector: Selector| {
            selector.truncate(2);
            selector_mapping(node_id, selector)
        };
        let mut mapping = IndexMap::new();
        let content = template_mapping(node_id, &self.form_content);
        mapping.extend(content.into_values().map(pair));
        for method in self.enabled_methods() {
            let body = method.get("config").and_then(|it| it.get("body")).and_then(Json::as_str);
            let body = template_mapping(node_id, body.unwrap_or_default());
            mapping.extend(body.into_values().map(pair));
        }
        for input in &self.inputs {
            if let Some(default) = &input.default
                && default.r#type == PlaceholderType::Variable
            {
                mapping.extend([selector_mapping(node_id, default.selector.clone())]);
            }
        }
        mapping
    }
}

fn thirty_six() -> i64 {
    36
}

impl HumanInput {
    pub(super) fn new(config: &NodeConfig, forms: Arc<dyn Forms>) -> Result<Self, GraphError> {
        let settings: FormSettings = config.parse()?;
        check(&settings).map_err(|message| GraphError::InvalidNode {
            node_id: config.id.to_string(),
            message,
        })?;
        Ok(Self { settings, data: config.data.clone(), forms })
    }

    fn has_web_app(&self) -> bool {
        self.settings
            .enabled_methods()
            .any(|it| it.get("type").and_then(Json::as_str) == Some("webapp"))
    }

    fn display_in_ui(&self, ctx: &NodeCtx) -> bool {
        ctx.run.invoke_from == InvokeFrom::Debugger || self.has_web_app()
    }

    /// While somebody builds the app, the console takes the place of the web app, and mails of
    /// methods in debug mode go to that person.
    fn delivery_methods(&self, ctx: &NodeCtx) -> Vec<Json> {
        let from = ctx.run.invoke_from;
        let in_console = matches!(from, InvokeFrom::Debugger | InvokeFrom::Explore);
        let kind = |it: &Json| it.get("type").and_then(Json::as_str).map(str::to_owned);
        let kept = self
            .settings
            .enabled_methods()
            .filter(|it| !(in_console && kind(it).as_deref() == Some("webapp")));
        kept.cloned()
            .map(|mut method| {
                let is_mail = kind(&method).as_deref() == Some("email");
                if from == InvokeFrom::Debugger
                    && is_mail
                    && let Some(config) = method.get_mut("config").and_then(Json::as_object_mut)
                    && config.get("debug_mode").and_then(Json::as_bool) == Some(true)
                {
                    let member = serde_json::json!({"type": "member", "user_id": ctx.run.user_id});
                    let recipients =
                        serde_json::json!({"whole_workspace": false, "items": [member]});
                    config.insert("recipients".to_owned(), recipients);
                }
                if is_mail {
                    render_body(ctx, &mut method);
                }
                method
            })
            .collect()
    }

    async fn find(&self, ctx: &NodeCtx) -> Result<Option<Form>, NodeError> {
        let found = self.forms.find(&ctx.run, &ctx.node_id, &ctx.execution_id).await;
        found.map_err(NodeError::uncaught)
    }

    async fn create_form(&self, ctx: &NodeCtx) -> Result<Form, String> {
        let from = ctx.run.invoke_from;
        let form = NewForm {
            node_id: ctx.node_id.to_string(),
            execution_id: ctx.execution_id.to_string(),
            node_title: ctx.title.to_string(),
            config: self.data.clone(),
            inputs: self.settings.inputs.clone(),
            user_actions: self.settings.user_actions.clone(),
            form_content: self.settings.form_content.clone(),
            rendered_content: ctx.pool.render_markdown(&self.settings.form_content),
            expiration_time: self.settings.expiration(ctx.clock.now()),
            delivery_methods: self.delivery_methods(ctx),
            display_in_ui: self.display_in_ui(ctx),
            resolved_default_values: self.settings.resolved_defaults(&ctx.pool),
            console_recipient_required: from == InvokeFrom::Debugger
                || (from == InvokeFrom::Explore && self.has_web_app()),
        };
        self.forms.create(&ctx.run, form).await
    }

    #[expect(clippy::result_large_err, reason = "the type nodes return")]
    fn pause(&self, ctx: &NodeCtx, form: Form) -> Result<Outcome, NodeError> {
        let display_in_ui = self.display_in_ui(ctx);
        if display_in_ui && form.token.is_none() {
            let message = "Form token should be available for UI execution.";
            return Err(NodeError::uncaught(message));
        }
        let reason = HumanInputRequired {
            form_id: form.id,
            form_content: form.rendered_content,
            inputs: self.settings.inputs.clone(),
            actions: self.settings.user_actions.clone(),
            display_in_ui,
            node_id: ctx.node_id.to_string(),
            node_title: ctx.title.to_string(),
            resolved_default_values: self.settings.resolved_defaults(&ctx.pool),
            form_token: form.token,
            expiration_time: Some(form.expiration_time),
        };
        Ok(Outcome::Pause(PauseReason::HumanInputRequired(Box::new(reason))))
    }

    async fn submitted(&self, ctx: &NodeCtx, form: Form) -> Result<Outcome, NodeError> {
        let Some(action) = form.selected_action_id else {
            let id = &form.id;
            return Err(NodeError::uncaught(format!(
                "selected_action_id should not be None when form submitted, form_id={id}"
            )));
        };
        let mut values = form.submitted_data;
        values.insert("__action_id".to_owned(), Value::from(action.as_str()));
        let content = &self.settings.form_content;
        let rendered = render_with_outputs(&form.rendered_content, content, &values);
        let title = self.settings.user_actions.iter().find(|it| it.id == action);
        ctx.events
            .send(NodeEvent::FormFilled {
                rendered_content: rendered.clone(),
                action_id: action.clone(),
                action_text: title.map_or_else(|| action.clone(), |it| it.title.clone()),
            })
            .await;
        values.insert("__rendered_content".to_owned(), Value::from(rendered));
        let outputs = values.into_iter().map(|(name, it)| (name, Segment::from(it)));
        let outputs: Outputs = outputs.collect();
        Ok(NodeOutput { outputs, handle: Some(action), ..NodeOutput::default() }.into())
    }
}

/// Puts what was filled in into the text of a form: `rendered` is the text as rendered when the
/// form was made, `template` the node's, whose fields are replaced.
#[must_use]
pub fn render_with_outputs(rendered: &str, template: &str, values: &Object) -> String {
    let mut text = rendered.to_owned();
    let Some(pattern) = FIELD.as_ref() else { return text };
    for field in pattern.captures_iter(template) {
        let (Some(whole), Some(name)) = (field.get(0), field.get(1)) else { continue };
        let value = match values.get(name.as_str()) {
            None | Some(Value::Null) => String::new(),
            Some(value @ (Value::Object(_) | Value::Array(_))) => value.py_json(false),
            Some(value) => value.py_str(),
        };
        text = text.replace(whole.as_str(), &value);
    }
    text
}

/// Checks a submission of a form.
///
/// # Errors
/// The text for the one who submitted.
pub fn validate_submission(
    inputs: &[FormInput],
    actions: &[UserAction],
    action: &str,
    values: &Map<String, Json>,
) -> Result<(), String> {
    if !actions.iter().any(|it| it.id == action) {
        return Err(format!("Invalid action: {action}"));
    }
    let names = inputs.iter().map(|it| it.output_variable_name.as_str());
    let missing: Vec<&str> = names.filter(|name| !values.contains_key(*name)).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("Missing required inputs: {}", missing.join(", ")))
    }
}

/// Puts the run's values into the text of a mail, beside the template: who sends it has no run to look them up in.
fn render_body(ctx: &NodeCtx, method: &mut Json) {
    let Some(config) = method.get_mut("config").and_then(Json::as_object_mut) else { return };
    if let Some(body) = config.get("body").and_then(Json::as_str) {
        let rendered = ctx.pool.render(body);
        config.insert("rendered_body".to_owned(), Json::String(rendered));
    }
}

fn check(settings: &FormSettings) -> Result<(), String> {
    let inputs = &settings.inputs;
    for (index, input) in inputs.iter().enumerate() {
        let name = &input.output_variable_name;
        if inputs.iter().take(index).any(|it| it.output_variable_name == *name) {
            return Err(format!("duplicated output_variable_name '{name}' in inputs"));
        }
        if let Some(default) = &input.default
            && default.r#type == PlaceholderType::Variable
            && default.selector.len() < 2
        {
            let selector = crate::value::py_list_repr(&default.selector);
            return Err(format!(
                "the length of selector should be at least 2, selector={selector}"
            ));
        }
    }
    let actions = &settings.user_actions;
    for (index, UserAction { id, title, .. }) in actions.iter().enumerate() {
        let mut chars = id.chars();
        let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if !starts || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!(
                "'{id}' is not a valid identifier. It must start with a letter or underscore, \
                 and contain only letters, numbers, or underscores."
            ));
        }
        if id.chars().count() > 20 || title.chars().count() > 20 {
            return Err("String should have at most 20 characters".to_owned());
        }
        if actions.iter().take(index).any(|it| it.id == *id) {
            return Err(format!("duplicated user action id '{id}'"));
        }
    }
    Ok(())
}

#[async_trait]
impl Node for HumanInput {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let Some(mut form) = self.find(ctx).await? else {
            let form = self.create_form(ctx).await.map_err(NodeError::uncaught)?;
            return self.pause(ctx, form);
        };
        if form.status == FormStatus::Waiting && form.expiration_time <= ctx.clock.now() {
            let is_over = self.forms.time_out(&ctx.run, &form.id).await;
            if is_over.map_err(NodeError::uncaught)? {
                form.status = FormStatus::Timeout;
            } else if let Some(now) = self.find(ctx).await? {
                // Somebody submitted it in the last moment.
                form = now;
            }
        }
        match form.status {
            FormStatus::Submitted => self.submitted(ctx, form).await,
            FormStatus::Waiting => self.pause(ctx, form),
            FormStatus::Timeout | FormStatus::Expired => {
                let expiration_time = form.expiration_time;
                ctx.events.send(NodeEvent::FormTimeout { expiration_time }).await;
                let outputs = object([("__action_id", Value::from(""))]).into_iter();
                Ok(NodeOutput {
                    outputs: outputs.map(|(name, it)| (name, Segment::from(it))).collect(),
                    handle: Some(TIMEOUT.to_owned()),
                    ..NodeOutput::default()
                }
                .into())
            }
        }
    }

    fn kind(&self) -> ExecutionKind {
        ExecutionKind::Branch
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        self.settings.variable_mapping(node_id)
    }
}
