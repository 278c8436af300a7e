//! Providers that come with the server: their declarations, and their icons.

use std::sync::LazyLock;

use model_runtime::ModelType;
use plugin::entity::{I18n, ParameterOption, ToolParameter, ToolProviderDeclaration};
use serde_json::json;
use services_model::catalog;
use types::TenantId;

use crate::builtin::{Tools, text};

/// In the order lists show them.
static ALL: LazyLock<Vec<ToolProviderDeclaration>> = LazyLock::new(|| {
    let read = |text: &str| serde_json::from_str(text).ok();
    [
        include_str!("../data/audio.json"),
        include_str!("../data/code.json"),
        include_str!("../data/time.json"),
        include_str!("../data/webscraper.json"),
    ]
    .into_iter()
    .filter_map(read)
    .collect()
});

/// All of them.
pub(crate) fn all() -> &'static [ToolProviderDeclaration] {
    &ALL
}

/// The provider of a name.
pub(crate) fn find(name: &str) -> Option<&'static ToolProviderDeclaration> {
    ALL.iter().find(|provider| provider.entry.identity.name == name)
}

/// The icon of a provider as SVG.
#[must_use]
pub fn icon(name: &str) -> Option<String> {
    let path = match name {
        "audio" => "M8 6v8M12 3v14M16 7v6M4 9v2",
        "code" => "M7 6l-4 4l4 4M13 6l4 4l-4 4M11 4l-2 12",
        "time" => "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 6v4l3 2",
        "webscraper" => "M3 4h14v12H3zM3 8h14M6 12h8",
        _ => return None,
    };
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"20\" height=\"20\" viewBox=\"0 0 20 20\" fill=\"none\">\
         <path d=\"{path}\" stroke=\"#155EEF\" stroke-width=\"1.5\" stroke-linecap=\"round\" \
         stroke-linejoin=\"round\"/></svg>"
    ))
}

/// Adds the parameters that depend on the workspace: the models audio tools can use.
pub(crate) async fn complete(
    tools: &Tools,
    tenant: TenantId,
    provider: &mut ToolProviderDeclaration,
) {
    for tool in &mut provider.tools {
        let (kind, name) = match tool.identity.name.as_str() {
            "tts" => (ModelType::Tts, "TTS"),
            "asr" => (ModelType::Speech2text, "ASR"),
            _ => continue,
        };
        let usable = match catalog::usable(&tools.models, tenant, kind).await {
            Ok(usable) => usable,
            Err(error) => {
                tracing::warn!(%error, "the models of audio tools are not known");
                Vec::new()
            }
        };
        let mut choices = Vec::new();
        let mut voices = Vec::new();
        for provider in &usable {
            let id = &provider.provider.schema().provider;
            for model in &provider.models {
                let (model, all) = (&model.schema.model, model.schema.voices(None));
                let label = format!("{model}({id})");
                choices.push(option(&format!("{id}#{model}"), &label));
                if kind == ModelType::Tts {
                    let spoken = all.iter().map(|voice| option(&voice.value, &voice.name));
                    voices.push(parameter(
                        format!("voice#{id}#{model}"),
                        &I18n::same(format!("Voice of {label}")),
                        I18n::same(format!("Select a voice for {model} model")),
                        Some(I18n::same("Select a voice")),
                        false,
                        spoken.collect(),
                    ));
                }
            }
        }
        let about = text(
            &format!(
                "All available {name} models. You can config model in the Model Provider of Settings."
            ),
            &format!("所有可用的 {name} 模型。你可以在设置中的模型供应商里配置。"),
        );
        let hint = (kind == ModelType::Tts).then(|| text("Select a model", "选择模型"));
        let model = parameter("model".to_owned(), &I18n::same("Model"), about, hint, true, choices);
        tool.parameters.extend(std::iter::once(model).chain(voices).flatten());
    }
}

fn option(value: &str, label: &str) -> ParameterOption {
    ParameterOption { value: value.to_owned(), label: I18n::same(label), icon: None }
}

fn parameter(
    name: String,
    label: &I18n,
    about: I18n,
    placeholder: Option<I18n>,
    required: bool,
    options: Vec<ParameterOption>,
) -> Option<ToolParameter> {
    let plain = json!({"name": name, "label": label, "type": "select", "form": "form"});
    let parameter: ToolParameter = serde_json::from_value(plain).ok()?;
    Some(ToolParameter {
        human_description: Some(about),
        placeholder,
        required,
        options,
        ..parameter
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_read() {
        let names: Vec<&str> =
            all().iter().map(|provider| provider.entry.identity.name.as_str()).collect();
        assert_eq!(names, ["audio", "code", "time", "webscraper"]);
        assert!(names.iter().all(|name| icon(name).is_some()));
        assert_eq!(find("time").unwrap().tools.len(), 5);
    }
}
