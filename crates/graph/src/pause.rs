//! Why a run pauses, and the forms that people fill in meanwhile.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{node::RunInfo, value::Object};

/// Why a run paused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "TYPE", rename_all = "snake_case")]
pub enum PauseReason {
    /// A person has to fill in a form.
    HumanInputRequired(Box<HumanInputRequired>),
    /// Somebody asked for it.
    #[serde(rename = "scheduled_pause")]
    Scheduled {
        /// Why.
        message: String,
    },
}

/// The form that a paused run waits for. Serialises as clients see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HumanInputRequired {
    /// Id of the form.
    pub form_id: String,
    /// Markdown with the run's variables put in and placeholders for the inputs.
    pub form_content: String,
    /// The fields.
    pub inputs: Vec<FormInput>,
    /// The buttons.
    pub actions: Vec<UserAction>,
    /// Whether the app's page shows the form.
    pub display_in_ui: bool,
    /// The node that asks.
    pub node_id: String,
    /// Its title.
    pub node_title: String,
    /// Values of fields whose default is a variable, by field name.
    pub resolved_default_values: Object,
    /// The token that submits the form.
    pub form_token: Option<String>,
    /// When it times out. Not part of what a pause says of its reasons.
    #[serde(skip)]
    pub expiration_time: Option<DateTime<Utc>>,
}

/// Kind of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormInputType {
    /// One line.
    TextInput,
    /// Several lines.
    Paragraph,
}

/// Where the default of a field comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceholderType {
    /// A variable of the run.
    Variable,
    /// A fixed text.
    Constant,
}

/// Default of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormInputDefault {
    /// Which of the two following counts.
    pub r#type: PlaceholderType,
    /// Selector of the variable.
    #[serde(default)]
    pub selector: Vec<String>,
    /// The fixed text.
    #[serde(default)]
    pub value: String,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormInput {
    /// Kind.
    pub r#type: FormInputType,
    /// Name of the node's output.
    pub output_variable_name: String,
    /// Default.
    #[serde(default)]
    pub default: Option<FormInputDefault>,
}

/// Look of a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say all that is known")]
pub enum ButtonStyle {
    Primary,
    #[default]
    Default,
    Accent,
    Ghost,
}

/// A button of a form; its id is the handle of the branch it selects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserAction {
    /// An identifier of up to 20 characters.
    pub id: String,
    /// Up to 20 characters.
    pub title: String,
    /// Look.
    #[serde(default)]
    pub button_style: ButtonStyle,
}

/// A form to create.
#[derive(Debug, Clone)]
pub struct NewForm {
    /// The node that asks.
    pub node_id: String,
    /// The execution that asks: every round of a container asks anew.
    pub execution_id: String,
    /// Its title.
    pub node_title: String,
    /// The node's configuration: `form_content`, `inputs`, `user_actions`, `timeout` …
    pub config: serde_json::Map<String, serde_json::Value>,
    /// Fields.
    pub inputs: Vec<FormInput>,
    /// Buttons.
    pub user_actions: Vec<UserAction>,
    /// The template of the content.
    pub form_content: String,
    /// Markdown with the run's variables put in.
    pub rendered_content: String,
    /// When the node's own timeout passes.
    pub expiration_time: DateTime<Utc>,
    /// The enabled delivery methods as configured, after the rules for debugging.
    pub delivery_methods: Vec<serde_json::Value>,
    /// Whether the app's page shows the form.
    pub display_in_ui: bool,
    /// Values of fields whose default is a variable.
    pub resolved_default_values: Object,
    /// Whether the person who runs the app in the console gets a token.
    pub console_recipient_required: bool,
}

/// Where a form stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormStatus {
    /// Nobody has submitted it.
    Waiting,
    /// Somebody has.
    Submitted,
    /// Its node's timeout passed.
    Timeout,
    /// The global timeout passed.
    Expired,
}

/// A stored form.
#[derive(Debug, Clone)]
pub struct Form {
    /// Id.
    pub id: String,
    /// The token shown to clients: back stage, console or web app, in this order.
    pub token: Option<String>,
    /// Markdown as rendered when the form was made.
    pub rendered_content: String,
    /// Where it stands.
    pub status: FormStatus,
    /// When it times out.
    pub expiration_time: DateTime<Utc>,
    /// The button that was pressed.
    pub selected_action_id: Option<String>,
    /// What was filled in.
    pub submitted_data: Object,
}

/// Stores the forms of human-input nodes.
#[async_trait]
pub trait Forms: Send + Sync {
    /// The form of an execution of a node of a run.
    ///
    /// # Errors
    /// A text for the node's error when the form cannot be read.
    async fn find(
        &self,
        run: &RunInfo,
        node_id: &str,
        execution_id: &str,
    ) -> Result<Option<Form>, String>;

    /// Stores a form.
    ///
    /// # Errors
    /// A text for the node's error when the form cannot be stored.
    async fn create(&self, run: &RunInfo, form: NewForm) -> Result<Form, String>;

    /// Ends the waiting of a form whose time is over; `false` if somebody submitted it just before.
    ///
    /// # Errors
    /// A text for the node's error when that cannot be stored.
    async fn time_out(&self, run: &RunInfo, form_id: &str) -> Result<bool, String>;
}
