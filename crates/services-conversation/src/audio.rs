//! Sound: what people say to an app, and an app's words spoken.

use boxed::boxed;
use bytes::Bytes;
use db::app::App;
use futures::{StreamExt, stream};
use model_runtime::{AudioFile, AudioStream, CallContext, InvokeError, ModelType};
use serde_json::Value;
use services_core::{Ctx, Failure, Fault};
use services_model::{ModelError, Models};
use types::{MessageId, TenantId};

pub use model_runtime::Voice;

/// Megabytes of a recording at the most.
pub const MOST_MB: usize = 30;

/// Kinds of recordings that are taken, behind `audio/`.
const KINDS: [&str; 5] = ["mp3", "m4a", "wav", "amr", "mpga"];

/// Why nothing was heard or said.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The app does not listen.
    #[error("Speech to text is not enabled")]
    SpeechDisabled,
    /// The app does not speak.
    #[error("TTS is not enabled")]
    VoiceDisabled,
    /// The app was never configured.
    #[error("AppModelConfig not found")]
    NoConfig,
    /// The file is no recording.
    #[error("Audio type not allowed.")]
    Type,
    /// The recording is too long.
    #[error("Audio size larger than {MOST_MB} mb")]
    TooLarge,
    /// Neither a text nor a message to speak.
    #[error("Text is required")]
    NoText,
    /// The speech model has no voice.
    #[error("Sorry, no voice available.")]
    NoVoice,
    /// The workspace has no model for it.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model failed.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for AudioError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for AudioError {
    fn status(&self) -> u16 {
        match self {
            Self::SpeechDisabled
            | Self::VoiceDisabled
            | Self::NoConfig
            | Self::NoText
            | Self::NoVoice
            | Self::Invoke(_) => 400,
            Self::Type => 415,
            Self::TooLarge => 413,
            Self::Model(err) => err.status(),
            Self::Fault(err) => err.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::SpeechDisabled
            | Self::VoiceDisabled
            | Self::NoConfig
            | Self::NoText
            | Self::NoVoice => "invalid_param",
            Self::Type => "unsupported_audio_type",
            Self::TooLarge => "audio_too_large",
            Self::Invoke(err) if err.is_invoke_error() => "completion_request_error",
            Self::Invoke(_) => "invalid_param",
            Self::Model(err) => err.code(),
            Self::Fault(err) => err.code(),
        }
    }
}

/// A recording somebody sent.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Its media type, without parameters.
    pub mime_type: String,
    /// The recording; `None`: there was more of it than is taken.
    pub data: Option<Bytes>,
}

/// The words of a recording.
///
/// # Errors
/// [`AudioError`].
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn hear(
    models: &Models,
    app: &App,
    user: &str,
    recording: Recording,
) -> Result<String, AudioError> {
    let feature = feature(models.ctx(), app, Feature::Speech, false).await?;
    if !feature.is_some_and(|feature| is_on(&feature)) {
        return Err(AudioError::SpeechDisabled);
    }
    let kind = recording.mime_type.strip_prefix("audio/").unwrap_or_default();
    if !KINDS.contains(&kind) {
        return Err(AudioError::Type);
    }
    let data = recording.data.ok_or(AudioError::TooLarge)?;
    let model = models.default_model(app.tenant_id, ModelType::Speech2text).await?;
    let context = CallContext::for_user(app.tenant_id, user);
    // Providers tell the format by the content; the name is the one the reference gives.
    let file = AudioFile { filename: "temp.mp3".to_owned(), mime_type: recording.mime_type, data };
    Ok(model.provider.transcribe(&context, model.as_ref(), file).await?)
}

/// What is to be spoken.
#[derive(Debug, Clone, Copy)]
pub struct Speech<'a> {
    /// A message of the app.
    pub message: Option<&'a str>,
    /// Or a text.
    pub text: Option<&'a str>,
    /// In which voice; the app's without one.
    pub voice: Option<&'a str>,
    /// Whether the app is being edited: then its draft counts.
    pub is_draft: bool,
    /// Who listens.
    pub user: &'a str,
}

/// A spoken text; `None` for a message that is not there or says nothing.
///
/// # Errors
/// [`AudioError`]. What the model says before its first sound is an error here; what happens later breaks the stream.
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn speak(
    models: &Models,
    app: &App,
    speech: Speech<'_>,
) -> Result<Option<AudioStream>, AudioError> {
    let ctx = models.ctx();
    let text = match (speech.message.filter(|id| !id.is_empty()), speech.text) {
        (Some(id), _) => match answer_of(ctx, app, id).await? {
            Some(answer) => answer,
            None => return Ok(None),
        },
        (None, Some(text)) => text.to_owned(),
        (None, None) => return Err(AudioError::NoText),
    };
    let wanted = match speech.voice {
        Some(voice) => voice.to_owned(),
        None => voice_of(ctx, app, speech.is_draft).await?,
    };
    let model = models.default_model(app.tenant_id, ModelType::Tts).await?;
    let context = CallContext::for_user(app.tenant_id, speech.user);
    let voice = if wanted.is_empty() {
        let voices = model.provider.voices(&context, model.as_ref(), None).await?;
        let first = voices.into_iter().next().filter(|voice| !voice.value.is_empty());
        first.ok_or(AudioError::NoVoice)?.value
    } else {
        wanted
    };
    let mut sound = model.provider.speak(&context, model.as_ref(), text.trim(), &voice).await?;
    let first = sound.next().await.transpose()?;
    Ok(Some(Box::pin(stream::iter(first.map(Ok)).chain(sound))))
}

/// The voices of the workspace's speech model that speak a language.
///
/// # Errors
/// [`AudioError`].
#[boxed]
pub async fn voices(
    models: &Models,
    tenant: TenantId,
    language: &str,
) -> Result<Vec<Voice>, AudioError> {
    let model = models.default_model(tenant, ModelType::Tts).await?;
    let context = CallContext::new(tenant);
    // Without a language all voices are shown.
    let language = Some(language).filter(|language| !language.is_empty());
    Ok(model.provider.voices(&context, model.as_ref(), language).await?)
}

/// What a message of the app says, if anything.
async fn answer_of(ctx: &Ctx, app: &App, id: &str) -> Result<Option<String>, AudioError> {
    let Ok(id) = id.parse::<MessageId>() else { return Ok(None) };
    let mut conn = ctx.db.acquire().await?;
    let row = db::message_list::find(&mut conn, app.id, id).await?;
    let says = |row: &db::message_list::MessageRow| {
        !row.answer.is_empty() || !matches!(row.status.as_str(), "normal" | "paused")
    };
    Ok(row.filter(says).map(|row| row.answer))
}

/// The voice an app was given; empty: any.
async fn voice_of(ctx: &Ctx, app: &App, is_draft: bool) -> Result<String, AudioError> {
    // The editor of a basic app hears any voice before one is chosen.
    if is_draft && !has_workflow(app) {
        return Ok(String::new());
    }
    let found = feature(ctx, app, Feature::Voice, is_draft).await?;
    let Some(found) = found else {
        return Err(if has_workflow(app) {
            AudioError::VoiceDisabled
        } else {
            AudioError::NoConfig
        });
    };
    if !is_on(&found) {
        return Err(AudioError::VoiceDisabled);
    }
    Ok(found.get("voice").and_then(Value::as_str).unwrap_or_default().to_owned())
}

#[derive(Clone, Copy)]
enum Feature {
    Speech,
    Voice,
}

fn has_workflow(app: &App) -> bool {
    matches!(app.mode.as_str(), "advanced-chat" | "workflow")
}

fn is_on(feature: &Value) -> bool {
    feature.get("enabled").and_then(Value::as_bool).unwrap_or_default()
}

/// A feature as the app's workflow or configuration has it; `None` without either.
async fn feature(
    ctx: &Ctx,
    app: &App,
    feature: Feature,
    is_draft: bool,
) -> Result<Option<Value>, AudioError> {
    let mut conn = ctx.db.acquire().await?;
    if has_workflow(app) {
        let workflow = match app.workflow_id {
            _ if is_draft => db::workflow::find_draft(&mut conn, app.tenant_id, app.id).await?,
            Some(id) => db::workflow::find(&mut conn, app.tenant_id, app.id, id).await?,
            None => None,
        };
        let key = match feature {
            Feature::Speech => "speech_to_text",
            Feature::Voice => "text_to_speech",
        };
        return Ok(workflow.map(|row| parse(&row.features).get(key).cloned().unwrap_or_default()));
    }
    let Some(id) = app.app_model_config_id else { return Ok(None) };
    let row = db::app_model_config::find(&mut conn, app.id, id).await?;
    Ok(row.map(|row| {
        let column = match feature {
            Feature::Speech => row.speech_to_text,
            Feature::Voice => row.text_to_speech,
        };
        parse(column.as_deref().unwrap_or_default())
    }))
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
