//! Tools that come with the server.

mod clock;
mod page;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use graph::{NoUrls, Object, Value as Argument};
use model_runtime::{AudioFile, CallContext, ModelType};
use nodes::Language;
use serde_json::Map;

use super::{CallError, Caller, Said, argument_text};
use crate::builtin::Tools;

fn failed(text: impl Into<String>) -> CallError {
    CallError::Tool(text.into())
}

/// Calls a tool.
pub(super) async fn call(
    tools: &Tools,
    caller: &Caller<'_>,
    provider: &str,
    tool: &str,
    arguments: &Object,
) -> Result<Vec<Said>, CallError> {
    let now = tools.ctx.now();
    match (provider, tool) {
        ("time", "current_time") => Ok(vec![Said::text(clock::current(now, arguments)?)]),
        ("time", "timestamp_to_localtime") => Ok(vec![Said::text(clock::local(arguments)?)]),
        ("time", "localtime_to_timestamp") => Ok(vec![Said::text(clock::timestamp(arguments)?)]),
        ("time", "timezone_conversion") => Ok(vec![Said::text(clock::converted(arguments)?)]),
        ("time", "weekday") => Ok(vec![Said::text(clock::weekday(arguments)?)]),
        ("code", "simple_code") => Ok(vec![Said::text(code(tools, arguments).await?)]),
        ("webscraper", "webscraper") => {
            let url = argument_text(arguments, "url").unwrap_or_default();
            if url.is_empty() {
                return Ok(vec![Said::text("Please input url")]);
            }
            let agent = argument_text(arguments, "user_agent");
            let text = page::read(&tools.ctx, &url, agent.as_deref()).await?;
            Ok(vec![Said::text(text)])
        }
        ("audio", "tts") => speak(tools, caller, arguments).await,
        ("audio", "asr") => transcribe(tools, caller, arguments).await,
        _ => Err(failed(format!("builtin tool {tool} not found"))),
    }
}

/// Runs code; what it prints.
async fn code(tools: &Tools, arguments: &Object) -> Result<String, CallError> {
    let text = |name: &str| argument_text(arguments, name).unwrap_or_default();
    let (name, code) = (text("language"), text("code"));
    let literal = serde_json::to_string(&code).map_err(|err| failed(err.to_string()))?;
    // Code runners call a function and take its result, so what is printed is collected.
    let (language, wrapped) = match name.as_str() {
        "python3" => (
            Language::Python,
            format!(
                "import contextlib, io\n\ndef main():\n    out = io.StringIO()\n    with \
                 contextlib.redirect_stdout(out):\n        exec({literal}, {{\"__name__\": \"__main__\"}})\n    return \
                 {{\"result\": out.getvalue()}}\n"
            ),
        ),
        "javascript" => (
            Language::JavaScript,
            format!(
                "function main() {{\n  let out = \"\";\n  const shown = (it) => typeof it === \"string\" ? it : \
                 JSON.stringify(it);\n  const log = (...all) => {{ out += all.map(shown).join(\" \") + \"\\n\"; }};\n  \
                 new Function(\"console\", {literal})({{ log, info: log, warn: log, error: log }});\n  return {{ \
                 result: out }};\n}}\n"
            ),
        ),
        other => {
            return Err(failed(format!("Only python3 and javascript are supported, not {other}")));
        }
    };
    let result = tools.code.run(language, &wrapped, Map::new()).await;
    let result = result.map_err(|err| failed(err.to_string()))?;
    Ok(result.get("result").map(Argument::py_str).unwrap_or_default())
}

/// The model that `model` names: `<provider>#<model>`.
fn model_of(arguments: &Object) -> Result<(String, String), CallError> {
    let text = argument_text(arguments, "model").unwrap_or_default();
    let (provider, model) =
        text.split_once('#').ok_or_else(|| failed("the model is not chosen"))?;
    Ok((provider.to_owned(), model.to_owned()))
}

async fn speak(
    tools: &Tools,
    caller: &Caller<'_>,
    arguments: &Object,
) -> Result<Vec<Said>, CallError> {
    let (provider, name) = model_of(arguments)?;
    let wrong = |err: &dyn std::fmt::Display| failed(err.to_string());
    let model = tools.models.resolve(caller.tenant, ModelType::Tts, &provider, &name).await;
    let model = model.map_err(|err| wrong(&err))?;
    let voice = argument_text(arguments, &format!("voice#{provider}#{name}"));
    let voice = voice.filter(|voice| !voice.is_empty());
    let voice = voice.or_else(|| model.schema.voices(None).into_iter().next().map(|it| it.value));
    let voice = voice.ok_or_else(|| failed("Sorry, no voice available."))?;
    let text = argument_text(arguments, "text").unwrap_or_default();
    let context = CallContext::for_user(caller.tenant, caller.user.to_owned());
    let pieces = model.provider.speak(&context, model.as_ref(), &text, &voice).await;
    let mut pieces = pieces.map_err(|err| wrong(&err))?;
    let mut sound = BytesMut::new();
    let limit = usize::try_from(tools.ctx.config.feature.plugin_max_file_size).unwrap_or(50 << 20);
    while let Some(piece) = pieces.next().await {
        sound.extend_from_slice(&piece.map_err(|err| wrong(&err))?);
        if limit < sound.len() {
            return Err(failed("the audio is too long"));
        }
    }
    Ok(vec![Said::text("Audio generated successfully"), Said::blob(sound.freeze(), "audio/x-wav")])
}

async fn transcribe(
    tools: &Tools,
    caller: &Caller<'_>,
    arguments: &Object,
) -> Result<Vec<Said>, CallError> {
    let file = arguments.get("audio_file").and_then(Argument::as_file);
    let Some(file) = file.filter(|file| file.r#type == graph::FileType::Audio) else {
        return Ok(vec![Said::text("not a valid audio file")]);
    };
    let (provider, name) = model_of(arguments)?;
    let wrong = |err: &dyn std::fmt::Display| failed(err.to_string());
    let data: Bytes = tools.files.read(caller.tenant, file).await.map_err(|err| wrong(&err))?;
    let model = tools.models.resolve(caller.tenant, ModelType::Speech2text, &provider, &name).await;
    let model = model.map_err(|err| wrong(&err))?;
    let context = CallContext::for_user(caller.tenant, caller.user.to_owned());
    let sound = AudioFile {
        filename: file.filename.clone().unwrap_or_else(|| "audio.mp3".to_owned()),
        mime_type: file.mime_type.clone().unwrap_or_else(|| "audio/mpeg".to_owned()),
        data,
    };
    let text = model.provider.transcribe(&context, model.as_ref(), sound).await;
    Ok(vec![Said::text(text.map_err(|err| wrong(&err))?)])
}

/// An argument that is a whole number.
fn whole(arguments: &Object, name: &str) -> Option<i64> {
    match arguments.get(name)? {
        Argument::Int(number) => Some(*number),
        #[expect(clippy::cast_possible_truncation, reason = "Python cuts the fraction off too")]
        Argument::Float(number) if number.is_finite() => Some(*number as i64),
        other => other.to_json(&NoUrls).as_str()?.trim().parse().ok(),
    }
}
