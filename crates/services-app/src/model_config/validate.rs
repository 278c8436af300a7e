//! The rules of a basic app's configuration, a file a block. Each check fills defaults in and refuses in the
//! reference's words; together they keep only the keys of the app's mode.

mod agent;
mod dataset;
mod external_data;
pub mod features;
mod file_upload;
mod form;
mod model;
pub mod moderation;
mod more_like_this;
mod prompt;
mod world;

#[cfg(test)]
mod tests;

pub use file_upload::check as check_file_upload;
pub use world::{Workspace, World};

use super::ConfigError;
use crate::{json::Object, mode::AppMode};

type Checked = Result<(), ConfigError>;

/// What a configuration keeps, whatever its mode.
const COMMON: [&str; 12] = [
    "model",
    "user_input_form",
    "external_data_tools",
    "file_upload",
    "prompt_type",
    "pre_prompt",
    "chat_prompt_config",
    "completion_prompt_config",
    "agent_mode",
    "dataset_configs",
    "dataset_query_variable",
    "sensitive_word_avoidance",
];

/// What chats and agents keep besides.
const CHAT: [&str; 6] = [
    "opening_statement",
    "suggested_questions",
    "suggested_questions_after_answer",
    "speech_to_text",
    "text_to_speech",
    "retriever_resource",
];

/// What completion apps keep besides.
const COMPLETION: [&str; 2] = ["text_to_speech", "more_like_this"];

/// The configuration with its defaults and without foreign keys.
///
/// # Errors
/// [`ConfigError::Invalid`] with the reference's words for the first rule that does not hold.
pub async fn config<W: World>(
    world: &W,
    mode: AppMode,
    mut config: Object,
) -> Result<Object, ConfigError> {
    let map = &mut config;
    model::check(world, map).await?;
    form::check(map)?;
    external_data::check(world, map).await?;
    file_upload::check(map)?;
    prompt::check(mode, map)?;
    let keys: &[&str] = match mode {
        AppMode::Chat => {
            dataset::check(world, mode, map).await?;
            chat_features(map)?;
            &CHAT
        }
        AppMode::AgentChat => {
            agent::check(world, map).await?;
            chat_features(map)?;
            dataset::check(world, mode, map).await?;
            &CHAT
        }
        AppMode::Completion => {
            dataset::check(world, mode, map).await?;
            features::text_to_speech(map)?;
            more_like_this::check(map)?;
            &COMPLETION
        }
        AppMode::AdvancedChat | AppMode::Workflow => {
            return Err(ConfigError::invalid(format!("Invalid app mode: {mode}")));
        }
    };
    moderation::check(world, map).await?;
    config.retain(|key, _| COMMON.contains(&key.as_str()) || keys.contains(&key.as_str()));
    Ok(config)
}

fn chat_features(map: &mut Object) -> Checked {
    features::opening_statement(map)?;
    features::switch(map, "suggested_questions_after_answer")?;
    features::switch(map, "speech_to_text")?;
    features::text_to_speech(map)?;
    features::switch(map, "retriever_resource")
}
