//! The configuration of a basic app as its runs use it, read from the JSON object the editor saves.

use model_runtime::{ImageDetail, Role};
use serde_json::{Map, Value};

use crate::event::RunError;

mod agent;

pub use agent::{Agent, Strategy, ToolChoice};

type Object = Map<String, Value>;

/// What a run needs to know of the app.
#[derive(Debug, Clone)]
pub struct Config {
    /// The model.
    pub model: ModelChoice,
    /// The prompt.
    pub prompt: Prompt,
    /// Fields of the form.
    pub variables: Vec<Variable>,
    /// Variables that are fetched when a run begins.
    pub external: Vec<ExternalVariable>,
    /// Knowledge bases, if any is on.
    pub datasets: Option<Datasets>,
    /// Moderation, if it is on.
    pub moderation: Option<Moderation>,
    /// What the assistant says first; may be empty.
    pub opening_statement: String,
    /// Whether answers show their sources.
    pub shows_sources: bool,
    /// Which files may be sent, if any.
    pub files: Option<FileRules>,
    /// Whether pictures of knowledge go to the model.
    pub vision: bool,
    /// Speech that begins by itself, if it is on.
    pub speech: Option<Speech>,
    /// Whether more answers like one may be asked for.
    pub more_like_this: bool,
    /// How it works as an agent, if it is one.
    pub agent: Agent,
}

/// The model an app uses.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelChoice {
    /// Full or short id of the provider.
    pub provider: String,
    /// The model.
    pub name: String,
    /// `chat` or `completion`, if the configuration says.
    pub mode: Option<String>,
    /// Parameters. `stop` is not among them: the reference never sends what is configured there.
    pub parameters: Object,
}

/// The prompt of an app.
#[derive(Debug, Clone, PartialEq)]
pub enum Prompt {
    /// One text.
    Simple(String),
    /// Messages or a text written by an expert.
    Advanced {
        /// For chat models.
        chat: Option<Vec<(Role, String)>>,
        /// For completion models.
        completion: Option<CompletionPrompt>,
    },
}

/// An expert's prompt for a completion model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionPrompt {
    /// The template.
    pub text: String,
    /// What lines of the user and of the assistant begin with in the history.
    pub prefixes: Option<(String, String)>,
}

/// The kind of a form field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum VariableKind {
    TextInput,
    Paragraph,
    Select,
    Number,
    Checkbox,
}

impl VariableKind {
    /// The word in the form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TextInput => "text-input",
            Self::Paragraph => "paragraph",
            Self::Select => "select",
            Self::Number => "number",
            Self::Checkbox => "checkbox",
        }
    }
}

/// A field of the form. Defaults of the form are the client's business, as in the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The kind.
    pub kind: VariableKind,
    /// The name.
    pub name: String,
    /// Whether a value must be given.
    pub required: bool,
    /// Most characters of a text.
    pub max_length: Option<usize>,
    /// What a select offers.
    pub options: Vec<String>,
}

/// A variable whose value comes from an external data tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalVariable {
    /// The name.
    pub name: String,
    /// The tool; `api`.
    pub kind: String,
    /// Its settings.
    pub config: Object,
}

/// The knowledge bases of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct Datasets {
    /// Which.
    pub ids: Vec<String>,
    /// The form field that is searched for, in completion apps.
    pub query_variable: Option<String>,
    /// `dataset_configs`: how they are searched.
    pub settings: Object,
}

/// Moderation of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct Moderation {
    /// `keywords`, `openai_moderation`, `api`.
    pub kind: String,
    /// Its settings.
    pub config: Object,
}

/// Which files users may send.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRules {
    /// `image`, `document` …
    pub types: Vec<String>,
    /// With dots, compared as they are.
    pub extensions: Vec<String>,
    /// `local_file`, `remote_url`.
    pub methods: Vec<String>,
    /// Most files of a message; 0 means any number.
    pub limit: usize,
    /// Most pictures of a message.
    pub image_limit: usize,
    /// How closely models look at pictures.
    pub detail: ImageDetail,
}

/// Speech that begins by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// The voice.
    pub voice: String,
    /// The language it shall speak.
    pub language: Option<String>,
}

/// What chats beyond the model's answer do, in apps of every kind. Workflows keep it in their features.
#[derive(Debug, Clone)]
pub struct Features {
    /// Moderation, if it is on.
    pub moderation: Option<Moderation>,
    /// What the assistant says first; may be empty.
    pub opening_statement: String,
    /// Whether answers show their sources.
    pub shows_sources: bool,
    /// Speech that begins by itself, if it is on.
    pub speech: Option<Speech>,
}

impl Features {
    /// Reads the object of all features.
    #[must_use]
    pub fn read(object: &Object) -> Self {
        Self {
            moderation: moderation(object),
            opening_statement: text(object, "opening_statement").unwrap_or_default().to_owned(),
            shows_sources: flag(child(object, "retriever_resource"), "enabled"),
            speech: speech(object),
        }
    }
}

impl Config {
    /// Reads the object of all keys, as `AppModelConfig.to_dict` of the reference gives it.
    ///
    /// # Errors
    /// `invalid_param` for what no run can work with.
    pub fn read(object: &Object) -> Result<Self, RunError> {
        let (variables, external) = form(object);
        let model = model(object)?;
        Ok(Self {
            agent: Agent::read(object, &model.provider),
            model,
            prompt: prompt(object)?,
            variables,
            external,
            datasets: datasets(object),
            moderation: moderation(object),
            opening_statement: text(object, "opening_statement").unwrap_or_default().to_owned(),
            shows_sources: flag(child(object, "retriever_resource"), "enabled"),
            files: files(object),
            vision: flag(
                child(object, "file_upload").and_then(|all| child(all, "image")),
                "enabled",
            ),
            speech: speech(object),
            more_like_this: flag(child(object, "more_like_this"), "enabled"),
        })
    }

    /// The file rules alone, which are needed of configurations that runs of the past used.
    #[must_use]
    pub fn file_rules(object: &Object) -> Option<FileRules> {
        files(object)
    }
}

fn speech(object: &Object) -> Option<Speech> {
    let speech = child(object, "text_to_speech").filter(|speech| is_auto(speech))?;
    Some(Speech {
        voice: text(speech, "voice").unwrap_or_default().to_owned(),
        language: text(speech, "language").filter(|it| !it.is_empty()).map(str::to_owned),
    })
}

fn is_auto(speech: &Object) -> bool {
    text(speech, "autoPlay") == Some("enabled") && flag(Some(speech), "enabled")
}

fn model(object: &Object) -> Result<ModelChoice, RunError> {
    let model = child(object, "model").filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| RunError::invalid_param("model is required"))?;
    let mut parameters = child(model, "completion_params").cloned().unwrap_or_default();
    parameters.shift_remove("stop");
    Ok(ModelChoice {
        provider: text(model, "provider").unwrap_or_default().to_owned(),
        name: text(model, "name").unwrap_or_default().to_owned(),
        mode: text(model, "mode").filter(|mode| !mode.is_empty()).map(str::to_owned),
        parameters,
    })
}

fn prompt(object: &Object) -> Result<Prompt, RunError> {
    match text(object, "prompt_type") {
        None | Some("") => Err(RunError::invalid_param("prompt_type is required")),
        Some("simple") => {
            Ok(Prompt::Simple(text(object, "pre_prompt").unwrap_or_default().to_owned()))
        }
        Some("advanced") => Ok(Prompt::Advanced {
            chat: filled(object, "chat_prompt_config").map(chat_prompt).transpose()?,
            completion: filled(object, "completion_prompt_config").and_then(completion_prompt),
        }),
        Some(other) => Err(RunError::invalid_param(format!("invalid prompt type value {other}"))),
    }
}

fn chat_prompt(config: &Object) -> Result<Vec<(Role, String)>, RunError> {
    let messages = config.get("prompt").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    messages
        .iter()
        .map(|message| {
            let field = |name| message.get(name).and_then(Value::as_str);
            let body = field("text")
                .ok_or_else(|| RunError::invalid_param("message text must be a string"))?;
            let role = match field("role") {
                Some("system") => Role::System,
                Some("user") => Role::User,
                Some("assistant") => Role::Assistant,
                Some("tool") => Role::Tool,
                Some(other) => {
                    return Err(RunError::invalid_param(format!(
                        "invalid prompt message type value {other}"
                    )));
                }
                None => return Err(RunError::invalid_param("message role must be a string")),
            };
            Ok((role, body.to_owned()))
        })
        .collect()
}

fn completion_prompt(config: &Object) -> Option<CompletionPrompt> {
    let body = text(child(config, "prompt")?, "text")?;
    let prefixes = filled(config, "conversation_histories_role").map(|roles| {
        let prefix = |name| text(roles, name).unwrap_or_default().to_owned();
        (prefix("user_prefix"), prefix("assistant_prefix"))
    });
    Some(CompletionPrompt { text: body.to_owned(), prefixes })
}

fn form(object: &Object) -> (Vec<Variable>, Vec<ExternalVariable>) {
    let mut variables = Vec::new();
    let tools = list(object, "external_data_tools").iter().filter_map(Value::as_object);
    let mut external: Vec<_> =
        tools.filter(|tool| flag(Some(tool), "enabled")).filter_map(external_variable).collect();
    for item in list(object, "user_input_form") {
        let Some((kind, field)) = item.as_object().and_then(|item| item.iter().next()) else {
            continue;
        };
        let Some(field) = field.as_object() else { continue };
        if kind == "external_data_tool" {
            external
                .extend(field.contains_key("config").then(|| external_variable(field)).flatten());
            continue;
        }
        let kind = match kind.as_str() {
            "text-input" => VariableKind::TextInput,
            "paragraph" => VariableKind::Paragraph,
            "select" => VariableKind::Select,
            "number" => VariableKind::Number,
            "checkbox" => VariableKind::Checkbox,
            _ => continue,
        };
        let Some(name) = text(field, "variable") else { continue };
        variables.push(Variable {
            kind,
            name: name.to_owned(),
            required: flag(Some(field), "required"),
            max_length: field
                .get("max_length")
                .and_then(Value::as_u64)
                .and_then(|length| usize::try_from(length).ok())
                .filter(|length| 0 < *length),
            options: strings(field, "options"),
        });
    }
    (variables, external)
}

fn external_variable(tool: &Object) -> Option<ExternalVariable> {
    Some(ExternalVariable {
        name: text(tool, "variable")?.to_owned(),
        kind: text(tool, "type").unwrap_or_default().to_owned(),
        config: child(tool, "config").cloned().unwrap_or_default(),
    })
}

fn datasets(object: &Object) -> Option<Datasets> {
    let settings = child(object, "dataset_configs").cloned().unwrap_or_default();
    let mut ids = Vec::new();
    let mut add = |dataset: Option<&Value>| {
        let dataset = dataset.and_then(Value::as_object);
        if let Some(id) =
            dataset.filter(|it| flag(Some(it), "enabled")).and_then(|it| text(it, "id"))
        {
            ids.push(id.to_owned());
        }
    };
    for entry in child(&settings, "datasets").map_or(&[][..], |datasets| list(datasets, "datasets"))
    {
        let first = entry.as_object().and_then(|entry| entry.iter().next());
        add(first.filter(|(key, _)| *key == "dataset").map(|(_, dataset)| dataset));
    }
    // How knowledge was configured before there was `dataset_configs`.
    let agent = child(object, "agent_mode").filter(|agent| flag(Some(agent), "enabled"));
    for tool in agent.map_or(&[][..], |agent| list(agent, "tools")) {
        let tool = tool.as_object().filter(|tool| tool.len() == 1);
        add(tool.and_then(|tool| tool.get("dataset")));
    }
    (!ids.is_empty()).then(|| Datasets {
        ids,
        query_variable: text(object, "dataset_query_variable")
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        settings,
    })
}

fn moderation(object: &Object) -> Option<Moderation> {
    let rule =
        child(object, "sensitive_word_avoidance").filter(|rule| flag(Some(rule), "enabled"))?;
    Some(Moderation {
        kind: text(rule, "type").unwrap_or_default().to_owned(),
        config: child(rule, "config").cloned().unwrap_or_default(),
    })
}

fn files(object: &Object) -> Option<FileRules> {
    let rules = child(object, "file_upload").filter(|rules| flag(Some(rules), "enabled"))?;
    let limit = rules.get("number_limits").and_then(Value::as_u64);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let detail = child(rules, "image").and_then(|image| text(image, "detail"));
    Some(FileRules {
        types: strings(rules, "allowed_file_types"),
        extensions: strings(rules, "allowed_file_extensions"),
        methods: strings(rules, "allowed_file_upload_methods"),
        limit: limit.unwrap_or(0),
        image_limit: limit.unwrap_or(3),
        detail: if detail == Some("low") { ImageDetail::Low } else { ImageDetail::High },
    })
}

fn child<'v>(object: &'v Object, key: &str) -> Option<&'v Object> {
    object.get(key).and_then(Value::as_object)
}

fn filled<'v>(object: &'v Object, key: &str) -> Option<&'v Object> {
    child(object, key).filter(|child| !child.is_empty())
}

fn text<'v>(object: &'v Object, key: &str) -> Option<&'v str> {
    object.get(key).and_then(Value::as_str)
}

fn list<'v>(object: &'v Object, key: &str) -> &'v [Value] {
    object.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn strings(object: &Object, key: &str) -> Vec<String> {
    list(object, key).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether the member is truthy as Python sees it.
fn flag(object: Option<&Object>, key: &str) -> bool {
    match object.and_then(|object| object.get(key)) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(mut more: Value) -> Config {
        let mut object = json!({"prompt_type": "simple", "model": {"provider": "p", "name": "m",
            "completion_params": {"stop": ["END"], "temperature": 0.2}}});
        object.as_object_mut().unwrap().append(more.as_object_mut().unwrap());
        Config::read(object.as_object().unwrap()).unwrap()
    }

    #[test]
    fn stop_is_taken_out_of_the_parameters() {
        assert_eq!(json!(read(json!({})).model.parameters), json!({"temperature": 0.2}));
    }

    #[test]
    fn knowledge_is_read_from_both_places() {
        let config = read(json!({
            "dataset_configs": {"retrieval_model": "multiple", "datasets": {"datasets": [
                {"dataset": {"enabled": true, "id": "a"}}, {"dataset": {"enabled": false, "id": "b"}}, {"x": {}}]}},
            "agent_mode": {"enabled": true, "tools": [{"dataset": {"enabled": true, "id": "c"}}, {"a": 1, "b": 2}]},
        }));
        assert_eq!(config.datasets.unwrap().ids, ["a", "c"]);
        assert!(read(json!({})).datasets.is_none());
    }

    #[test]
    fn the_form_has_fields_and_external_variables() {
        let config = read(json!({
            "user_input_form": [
                {"text-input": {"variable": "a", "label": "A", "required": true, "max_length": 5}},
                {"external_data_tool": {"variable": "w", "type": "api", "config": {"x": 1}}},
                {"external_data_tool": {"variable": "without config"}},
            ],
            "external_data_tools": [{"enabled": true, "variable": "v", "type": "api", "config": {}},
                                    {"enabled": false, "variable": "off"}],
        }));
        assert_eq!(config.variables.len(), 1);
        assert_eq!(config.external.iter().map(|it| &it.name).collect::<Vec<_>>(), ["v", "w"]);
    }

    #[test]
    fn prompts_of_experts_are_checked() {
        let mut object = json!({"prompt_type": "advanced", "model": {"name": "m"},
            "chat_prompt_config": {"prompt": [{"role": "system", "text": 1}]}});
        let refused = Config::read(object.as_object().unwrap()).unwrap_err();
        assert_eq!(refused.message, "message text must be a string");
        object["chat_prompt_config"]["prompt"][0]["text"] = json!("x");
        let config = Config::read(object.as_object().unwrap()).unwrap();
        assert_eq!(
            config.prompt,
            Prompt::Advanced { chat: Some(vec![(Role::System, "x".into())]), completion: None }
        );
    }
}
