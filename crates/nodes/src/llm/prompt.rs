//! From templates, history, question and files to the messages of a prompt.

use std::sync::Arc;

use graph::{File, FileType, NodeCtx, Segment, Value, value::object_to_json};
use model_runtime::{
    Content, ContentPart, Feature, ImageDetail, ModelSchema, PromptMessage, Role, source::LlmModel,
};
use serde_json::{Map, Value as Json};

use super::{Message, PromptTemplate, Settings, Text};
use crate::{
    common::{Fail, history, history_text},
    ports::Ports,
};

/// What the reference puts where the context belongs: the editor writes `{{#context#}}`, of which one pair of braces
/// stays around the context.
const CONTEXT: &str = "{#context#}";

pub(super) struct Prompt<'a> {
    pub(super) ports: &'a Ports,
    pub(super) ctx: &'a NodeCtx,
    pub(super) settings: &'a Settings,
    pub(super) model: &'a dyn LlmModel,
    pub(super) parameters: &'a Map<String, Json>,
    pub(super) context: &'a str,
}

impl Prompt<'_> {
    pub(super) async fn build(
        &self,
        files: &[Arc<File>],
        context_files: &[File],
    ) -> Result<Vec<PromptMessage>, Fail> {
        let mut messages = match &self.settings.prompt_template {
            PromptTemplate::Chat(template) => self.chat(template).await?,
            PromptTemplate::Completion(template) => vec![self.completion(template).await?],
        };
        if self.settings.vision.enabled {
            let detail = self.settings.vision.configs.detail;
            let files: Vec<&File> = files.iter().map(|file| &**file).collect();
            with_files(self.ports, self.ctx, &mut messages, &files, detail).await?;
            let files: Vec<&File> = context_files.iter().collect();
            with_files(self.ports, self.ctx, &mut messages, &files, detail).await?;
        }
        checked(messages, self.model.schema())
    }

    async fn chat(&self, template: &[Message]) -> Result<Vec<PromptMessage>, Fail> {
        let mut messages = Vec::with_capacity(template.len() + 1);
        for message in template {
            if message.text.is_jinja() {
                let text = self.jinja(&message.text)?;
                messages.push(said(message.role, vec![ContentPart::text(text)])?);
            } else {
                let text = self.with_context(&message.text.text);
                messages.extend(self.rendered(message.role, &text).await?);
            }
        }
        if let Some(memory) = &self.settings.memory {
            let limit = memory.limit();
            let earlier =
                history(self.ports, self.ctx, self.model, self.parameters, limit, 0).await?;
            messages.extend(earlier);
            if let Some(query) = self.query() {
                messages.extend(self.rendered(Role::User, &query).await?);
            }
        }
        Ok(messages)
    }

    async fn completion(&self, template: &Text) -> Result<PromptMessage, Fail> {
        let mut text = if template.is_jinja() {
            self.jinja(template)?
        } else {
            self.ctx.pool.render(&self.with_context(&template.text))
        };
        let mut memory_text = String::new();
        let conversation = self.ctx.pool.system().conversation_id.is_some();
        if let Some(memory) = self.settings.memory.as_ref().filter(|_| conversation) {
            let limit = memory.limit();
            let earlier =
                history(self.ports, self.ctx, self.model, self.parameters, limit, 0).await?;
            let Some(prefix) = &memory.role_prefix else {
                return Err(Fail::new(
                    "Memory role prefix is required for completion model.",
                    "MemoryRolePrefixRequiredError",
                ));
            };
            memory_text = history_text(&earlier, &prefix.user, &prefix.assistant);
        }
        // Without memory, too, a line break stands before the text, as in the reference.
        text = if text.contains("#histories#") {
            text.replace("#histories#", &memory_text)
        } else {
            format!("{memory_text}\n{text}")
        };
        if let Some(query) = self.query() {
            text = format!("{query}\n{text}");
        }
        Ok(PromptMessage::user(vec![ContentPart::text(text)]))
    }

    /// The question, for nodes with memory.
    fn query(&self) -> Option<String> {
        let memory = self.settings.memory.as_ref()?;
        let template = memory.query_prompt_template.clone().filter(|it| !it.is_empty());
        let query =
            template.or_else(|| self.ctx.pool.get(&["sys", "query"]).map(|query| query.text()))?;
        Some(query).filter(|query| !query.is_empty())
    }

    fn with_context(&self, text: &str) -> String {
        if self.context.is_empty() { text.to_owned() } else { text.replace(CONTEXT, self.context) }
    }

    fn jinja(&self, text: &Text) -> Result<String, Fail> {
        let variables = &self.settings.prompt_config.jinja2_variables;
        let values = variables.iter().map(|it| {
            let found = self.ctx.pool.get(&it.value_selector);
            (it.variable.clone(), found.map_or_else(|| Value::from(""), |it| it.value))
        });
        let values = object_to_json(&values.collect(), self.ctx.pool.urls());
        template::jinja::render(text.jinja2_text.as_deref().unwrap_or_default(), &values)
            .map_err(|err| Fail::new(err.to_string(), "TemplateRenderError"))
    }

    /// A message of a template: its text, then the files it refers to.
    async fn rendered(&self, role: Role, template: &str) -> Result<Vec<PromptMessage>, Fail> {
        let segments = self.ctx.pool.segments(template);
        let text: String = segments.iter().map(Segment::text).collect();
        let mut parts = Vec::new();
        for file in segments.iter().flat_map(|it| files_of(&it.value)) {
            if file.r#type != FileType::Custom {
                let detail = self.settings.vision.configs.detail;
                let tenant = self.ctx.run.tenant_id;
                parts.push(self.ports.files.part(tenant, file, detail).await?);
            }
        }
        let mut messages = Vec::with_capacity(2);
        if !text.is_empty() {
            messages.push(said(role, vec![ContentPart::text(text)])?);
        }
        if !parts.is_empty() {
            messages.push(said(role, parts)?);
        }
        Ok(messages)
    }
}

fn files_of(value: &Value) -> Vec<&File> {
    match value {
        Value::File(file) => vec![file],
        Value::Array(items) => {
            items.iter().filter_map(|item| item.as_file().map(|file| &**file)).collect()
        }
        _ => Vec::new(),
    }
}

fn said(role: Role, parts: Vec<ContentPart>) -> Result<PromptMessage, Fail> {
    Ok(match role {
        Role::System => PromptMessage::system(parts),
        Role::User => PromptMessage::user(parts),
        Role::Assistant => PromptMessage::assistant(parts, Vec::new()),
        Role::Tool => {
            return Err(Fail::new(
                "Role PromptMessageRole.TOOL is not supported",
                "NotImplementedError",
            ));
        }
    })
}

/// Puts files before what the last message says, if that is the user's; else into a message of their own.
pub(crate) async fn with_files(
    ports: &Ports,
    ctx: &NodeCtx,
    messages: &mut Vec<PromptMessage>,
    files: &[&File],
    detail: ImageDetail,
) -> Result<(), Fail> {
    if files.is_empty() {
        return Ok(());
    }
    let mut parts = Vec::with_capacity(files.len() + 1);
    for file in files {
        parts.push(ports.files.part(ctx.run.tenant_id, file, detail).await?);
    }
    match messages.last_mut() {
        Some(PromptMessage::User { content: Some(Content::Parts(said)), .. }) => {
            parts.append(said);
            *said = parts;
        }
        _ => messages.push(PromptMessage::user(parts)),
    }
    Ok(())
}

/// Messages without what the model cannot read and without empty ones; a single text is plain text.
pub(crate) fn checked(
    messages: Vec<PromptMessage>,
    schema: &ModelSchema,
) -> Result<Vec<PromptMessage>, Fail> {
    let mut kept = Vec::with_capacity(messages.len());
    for mut message in messages {
        if let Some(Content::Parts(parts)) = message.content_mut() {
            parts.retain(|part| is_readable(part, schema));
            match parts.as_slice() {
                [] => continue,
                [ContentPart::Text { data }] => {
                    let text = data.clone();
                    *message.content_mut() = Some(Content::Text(text));
                }
                _ => {}
            }
            kept.push(message);
        } else if !message.is_empty() {
            kept.push(message);
        }
    }
    if kept.is_empty() {
        return Err(Fail::new(
            "No prompt found in the LLM configuration. Please ensure a prompt is properly configured before proceeding.",
            "NoPromptFoundError",
        ));
    }
    Ok(kept)
}

fn is_readable(part: &ContentPart, schema: &ModelSchema) -> bool {
    match part {
        ContentPart::Text { .. } => true,
        ContentPart::Image { .. } => schema.has(Feature::Vision),
        ContentPart::Document(_) => schema.has(Feature::Document),
        ContentPart::Video(_) => schema.has(Feature::Video),
        ContentPart::Audio(_) => schema.has(Feature::Audio),
    }
}
