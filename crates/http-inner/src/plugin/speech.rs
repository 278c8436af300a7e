//! `/inner/api/invoke/tts`, `speech2text`

use axum::response::Response;
use futures::{StreamExt, future, stream};
use http_core::{ApiError, AppState, ErrorBody, Json, Part};
use model_runtime::{AudioFile, CallContext, ModelType};
use serde::{Deserialize, Deserializer, Serialize, de};
use services_model::{ModelError, Models};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Outcome, PluginCall, framed};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(invoke_tts)).routes(routes!(invoke_speech2text))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeTts {
    provider: String,
    model: String,
    #[serde(default = "tts")]
    #[schema(value_type = String)]
    model_type: ModelType,
    content_text: String,
    voice: String,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeSpeech2Text {
    provider: String,
    model: String,
    #[serde(default = "speech2text")]
    #[schema(value_type = String)]
    model_type: ModelType,
    /// The sound file in hexadecimal digits.
    #[serde(deserialize_with = "bytes_of_hex")]
    #[schema(value_type = String)]
    file: Vec<u8>,
}

fn tts() -> ModelType {
    ModelType::Tts
}

fn speech2text() -> ModelType {
    ModelType::Speech2text
}

fn bytes_of_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    hex::decode(text).map_err(|_| de::Error::custom("file must be a hex string"))
}

/// A piece of a sound file in hexadecimal digits, or the words of one.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Spoken {
    result: String,
}

/// Speak a text. The answer is a stream of frames.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/tts",
    tag = "plugin",
    request_body = RequestInvokeTts,
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_tts(
    Part(models): Part<Models>,
    call: PluginCall<RequestInvokeTts>,
) -> Result<Response, ApiError> {
    let PluginCall { caller, body } = call;
    let model = models.resolve(caller.tenant, body.model_type, &body.provider, &body.model).await?;
    let context = CallContext::for_user(caller.tenant, caller.user.to_string());
    let pieces = stream::once(async move {
        model.provider.speak(&context, model.as_ref(), &body.content_text, &body.voice).await
    })
    .flat_map(|answer| match answer {
        Ok(pieces) => pieces,
        Err(err) => stream::once(future::ready(Err(err))).boxed(),
    })
    .map(|piece| piece.map(|piece| Spoken { result: hex::encode(piece) }));
    Ok(framed(pieces))
}

/// Write down what a sound file says.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/speech2text",
    tag = "plugin",
    request_body = RequestInvokeSpeech2Text,
    responses((status = 200, body = Outcome<Spoken>), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_speech2text(
    Part(models): Part<Models>,
    call: PluginCall<RequestInvokeSpeech2Text>,
) -> Json<Outcome<Spoken>> {
    let PluginCall { caller, body } = call;
    let work = async {
        let model =
            models.resolve(caller.tenant, body.model_type, &body.provider, &body.model).await?;
        let context = CallContext::for_user(caller.tenant, caller.user.to_string());
        let file = AudioFile {
            filename: "audio.mp3".to_owned(),
            mime_type: "audio/mpeg".to_owned(),
            data: body.file.into(),
        };
        let result = model.provider.transcribe(&context, model.as_ref(), file).await?;
        Ok::<_, ModelError>(Spoken { result })
    };
    Outcome::of(work.await)
}
