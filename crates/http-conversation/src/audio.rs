//! `…/audio-to-text`, `…/text-to-audio` of every API.

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures::{StreamExt, TryStreamExt};
use garde::Validate;
use http_core::{
    ApiError, AppState, ErrorBody, Part, Path, Query, Valid,
    guard::{
        Console, Visitor,
        service::{FormUser, ServiceCall},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_account::App;
use services_conversation::audio::{self, MOST_MB, Recording, Speech};
use services_model::Models;
use services_platform::explore::trial;
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    form::Form,
    guard::{ANY, AppOf, CHAT, Installed},
    wire,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(service_hear))
        .routes(routes!(service_speak))
        .routes(routes!(web_hear))
        .routes(routes!(web_speak))
        .routes(routes!(console_hear))
        .routes(routes!(console_speak))
        .routes(routes!(console_voices))
        .routes(routes!(installed_hear))
        .routes(routes!(installed_speak))
        .routes(routes!(trial_hear))
        .routes(routes!(trial_speak))
}

/// What a recording says.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Transcript {
    text: String,
}

/// What is to be spoken: a message, or a text.
#[derive(Debug, Clone, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TextToAudioPayload {
    message_id: Option<String>,
    voice: Option<String>,
    text: Option<String>,
    /// Has no effect: sound is sent as it comes.
    #[serde(default, rename = "streaming")]
    _streaming: Option<bool>,
}

/// The same for web apps, where a message has to be named by an id.
#[derive(Debug, Clone, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct WebTextToAudioPayload {
    #[serde(default, deserialize_with = "wire::optional_id")]
    message_id: Option<Uuid>,
    voice: Option<String>,
    text: Option<String>,
    /// Has no effect: sound is sent as it comes.
    #[serde(default, rename = "streaming")]
    _streaming: Option<bool>,
}

/// The same in the editor of an app, where there has to be a text.
#[derive(Debug, Clone, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TextToSpeechPayload {
    message_id: Option<String>,
    text: String,
    voice: Option<String>,
    /// Has no effect: sound is sent as it comes.
    #[serde(default, rename = "streaming")]
    _streaming: Option<bool>,
}

async fn hear(
    models: &Models,
    app: &App,
    user: &str,
    mut form: Form,
) -> Result<Json<Transcript>, ApiError> {
    let file = form.need_file()?;
    let recording = Recording { mime_type: file.mime_type, data: file.data };
    Ok(Json(Transcript { text: audio::hear(models, app, user, recording).await? }))
}

async fn read(state: &AppState, request: Request) -> Result<Form, ApiError> {
    Form::read(state, request, MOST_MB << 20).await
}

/// Sound as it comes; `null` where there is nothing to speak.
async fn speak(models: &Models, app: &App, speech: Speech<'_>) -> Result<Response, ApiError> {
    let Some(sound) = audio::speak(models, app, speech).await? else {
        return Ok(Json(Value::Null).into_response());
    };
    let sound = sound.inspect_err(|err| tracing::warn!(error = %err, "speech broke off")).boxed();
    Ok(([(header::CONTENT_TYPE, "audio/mpeg")], Body::from_stream(sound)).into_response())
}

impl TextToAudioPayload {
    fn speech<'a>(&'a self, user: &'a str) -> Speech<'a> {
        Speech {
            message: self.message_id.as_deref(),
            text: self.text.as_deref(),
            voice: self.voice.as_deref(),
            is_draft: false,
            user,
        }
    }
}

/// The words of a recording.
#[utoipa::path(
    post,
    path = "/v1/audio-to-text",
    operation_id = "service_audio_to_text",
    tag = "audio",
    responses((status = 200, body = Transcript), (status = "4XX", body = ErrorBody)),
)]
async fn service_hear(
    State(state): State<AppState>,
    models: Part<Models>,
    caller: FormUser,
    request: Request,
) -> Result<Json<Transcript>, ApiError> {
    let form = read(&state, request).await?;
    let user = caller.end_user(&state, form.field("user")).await?;
    hear(&models, &caller.0, &user.id.to_string(), form).await
}

/// A message or a text, spoken.
#[utoipa::path(
    post,
    path = "/v1/text-to-audio",
    operation_id = "service_text_to_audio",
    tag = "audio",
    request_body = TextToAudioPayload,
    responses((status = 200, description = "Sound", content_type = "audio/mpeg"), (status = "4XX", body = ErrorBody)),
)]
async fn service_speak(
    models: Part<Models>,
    call: ServiceCall<TextToAudioPayload, false>,
) -> Result<Response, ApiError> {
    let user = call.end_user.external_user_id.as_deref().unwrap_or_default();
    speak(&models, &call.app, call.body.speech(user)).await
}

/// The words of a recording.
#[utoipa::path(
    post,
    path = "/api/audio-to-text",
    operation_id = "web_audio_to_text",
    tag = "web app",
    responses((status = 200, body = Transcript), (status = "4XX", body = ErrorBody)),
)]
async fn web_hear(
    State(state): State<AppState>,
    models: Part<Models>,
    Visitor(visitor): Visitor,
    request: Request,
) -> Result<Json<Transcript>, ApiError> {
    let form = read(&state, request).await?;
    hear(&models, &visitor.app, &visitor.end_user.id.to_string(), form).await
}

/// A message or a text, spoken.
#[utoipa::path(
    post,
    path = "/api/text-to-audio",
    operation_id = "web_text_to_audio",
    tag = "web app",
    request_body = WebTextToAudioPayload,
    responses((status = 200, description = "Sound", content_type = "audio/mpeg"), (status = "4XX", body = ErrorBody)),
)]
async fn web_speak(
    models: Part<Models>,
    Visitor(visitor): Visitor,
    Valid(body): Valid<WebTextToAudioPayload>,
) -> Result<Response, ApiError> {
    let message = body.message_id.map(|id| id.to_string());
    let speech = Speech {
        message: message.as_deref(),
        text: body.text.as_deref(),
        voice: body.voice.as_deref(),
        is_draft: false,
        user: visitor.end_user.external_user_id.as_deref().unwrap_or_default(),
    };
    speak(&models, &visitor.app, speech).await
}

/// The words of a recording.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/audio-to-text",
    operation_id = "debug_audio_to_text",
    tag = "debug",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = Transcript), (status = "4XX", body = ErrorBody)),
)]
async fn console_hear(
    State(state): State<AppState>,
    models: Part<Models>,
    AppOf { app, .. }: AppOf<CHAT>,
    request: Request,
) -> Result<Json<Transcript>, ApiError> {
    hear(&models, &app, "", read(&state, request).await?).await
}

/// A message or a text, spoken as the app's draft wants it.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/text-to-audio",
    operation_id = "debug_text_to_audio",
    tag = "debug",
    params(("app_id" = AppId, Path)),
    request_body = TextToSpeechPayload,
    responses((status = 200, description = "Sound", content_type = "audio/mpeg"), (status = "4XX", body = ErrorBody)),
)]
async fn console_speak(
    models: Part<Models>,
    AppOf { app, .. }: AppOf<ANY>,
    Valid(body): Valid<TextToSpeechPayload>,
) -> Result<Response, ApiError> {
    let speech = Speech {
        message: body.message_id.as_deref(),
        text: Some(&body.text),
        voice: body.voice.as_deref(),
        is_draft: true,
        user: "",
    };
    speak(&models, &app, speech).await
}

#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct TextToSpeechVoiceQuery {
    /// Like `en-US`.
    language: String,
}

/// A voice of the speech model.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SpeechVoice {
    name: String,
    value: String,
}

/// The voices of the workspace's speech model that speak a language.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/text-to-audio/voices",
    operation_id = "list_voices",
    tag = "debug",
    params(("app_id" = AppId, Path), TextToSpeechVoiceQuery),
    responses((status = 200, body = [SpeechVoice]), (status = "4XX", body = ErrorBody)),
)]
async fn console_voices(
    models: Part<Models>,
    AppOf { app, .. }: AppOf<ANY>,
    Query(query): Query<TextToSpeechVoiceQuery>,
) -> Result<Json<Vec<SpeechVoice>>, ApiError> {
    let voices = audio::voices(&models, app.tenant_id, &query.language).await?;
    let shown = |voice: audio::Voice| SpeechVoice { name: voice.name, value: voice.value };
    Ok(Json(voices.into_iter().map(shown).collect()))
}

/// The words of a recording.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps/{installed_app_id}/audio-to-text",
    operation_id = "explore_audio_to_text",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path)),
    responses((status = 200, body = Transcript), (status = "4XX", body = ErrorBody)),
)]
async fn installed_hear(
    State(state): State<AppState>,
    models: Part<Models>,
    Installed { app, .. }: Installed,
    request: Request,
) -> Result<Json<Transcript>, ApiError> {
    hear(&models, &app, "", read(&state, request).await?).await
}

/// A message or a text, spoken.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps/{installed_app_id}/text-to-audio",
    operation_id = "explore_text_to_audio",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path)),
    request_body = TextToAudioPayload,
    responses((status = 200, description = "Sound", content_type = "audio/mpeg"), (status = "4XX", body = ErrorBody)),
)]
async fn installed_speak(
    models: Part<Models>,
    Installed { app, .. }: Installed,
    Valid(body): Valid<TextToAudioPayload>,
) -> Result<Response, ApiError> {
    speak(&models, &app, body.speech("")).await
}

/// The words of a recording, for an app of the catalogue.
#[utoipa::path(
    post,
    path = "/console/api/trial-apps/{app_id}/audio-to-text",
    operation_id = "trial_audio_to_text",
    tag = "explore",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = Transcript), (status = "4XX", body = ErrorBody)),
)]
async fn trial_hear(
    State(state): State<AppState>,
    models: Part<Models>,
    Console(user): Console,
    Path(id): Path<AppId>,
    request: Request,
) -> Result<Json<Transcript>, ApiError> {
    let app = trial::begin(&state.ctx, user.account.id, id).await?;
    let heard = hear(&models, &app, "", read(&state, request).await?).await?;
    trial::count(&state.ctx, user.account.id, id).await?;
    Ok(heard)
}

/// A message or a text, spoken as an app of the catalogue speaks.
#[utoipa::path(
    post,
    path = "/console/api/trial-apps/{app_id}/text-to-audio",
    operation_id = "trial_text_to_audio",
    tag = "explore",
    params(("app_id" = AppId, Path)),
    request_body = TextToAudioPayload,
    responses((status = 200, description = "Sound", content_type = "audio/mpeg"), (status = "4XX", body = ErrorBody)),
)]
async fn trial_speak(
    State(state): State<AppState>,
    models: Part<Models>,
    Console(user): Console,
    Path(id): Path<AppId>,
    Valid(body): Valid<TextToAudioPayload>,
) -> Result<Response, ApiError> {
    let app = trial::begin(&state.ctx, user.account.id, id).await?;
    let spoken = speak(&models, &app, body.speech("")).await?;
    trial::count(&state.ctx, user.account.id, id).await?;
    Ok(spoken)
}
