//! Calling the model: the pieces of its answer go on as they come.

use std::{sync::LazyLock, time::Duration};

use base64::Engine as _;
use futures::StreamExt;
use graph::{NodeCtx, Usage};
use model_runtime::{
    ContentPart, Media,
    source::{LlmCall, LlmModel},
};
use regex::Regex;
use tokio::time::Instant;

use super::Made;
use crate::{
    common::{Fail, engine_usage},
    ports::{NewFile, Ports},
};

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) usage: Usage,
    pub(crate) finish_reason: Option<String>,
    pub(crate) files: Made,
}

/// Asks the model and reads the answer to its end. With `is_shown`, its pieces go on to who follows the run.
pub(crate) async fn ask(
    ports: &Ports,
    ctx: &NodeCtx,
    model: &dyn LlmModel,
    call: LlmCall,
    is_shown: bool,
) -> Result<Answer, Fail> {
    let start = Instant::now();
    let mut stream = model.invoke(call).await?;
    let mut text = String::new();
    let mut usage = None;
    let mut finish_reason = None;
    let mut files = Made::new();
    let mut first: Option<Instant> = None;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        let mut pieces = Vec::with_capacity(1 + chunk.parts.len());
        if !chunk.text.is_empty() {
            pieces.push(chunk.text);
        }
        for part in chunk.parts {
            pieces.push(shown_part(ports, ctx, part, &mut files).await?);
        }
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
            first.get_or_insert_with(Instant::now);
            text.push_str(&piece);
            if is_shown {
                ctx.events.chunk(&[&ctx.node_id, "text"], piece, false).await;
            }
        }
        // Some providers send usage more than once: the first that counts the prompt stays.
        if usage.as_ref().is_none_or(|it: &model_runtime::Usage| it.prompt_tokens == 0) {
            usage = chunk.usage.or(usage);
        }
        finish_reason = finish_reason.or(chunk.finish_reason.filter(|it| !it.is_empty()));
    }
    let end = Instant::now();
    let mut usage = engine_usage(&usage.unwrap_or_default());
    usage.latency = rounded(end - start);
    if let Some(first) = first {
        usage.time_to_first_token = Some(rounded(first - start));
        usage.time_to_generate = Some(rounded(end - first));
    }
    Ok(Answer { text, usage, finish_reason, files })
}

/// Seconds, to the millisecond.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

/// A part of an answer as Markdown; pictures are kept as files.
async fn shown_part(
    ports: &Ports,
    ctx: &NodeCtx,
    part: ContentPart,
    files: &mut Made,
) -> Result<String, Fail> {
    let media = match part {
        ContentPart::Text { data } => return Ok(data),
        ContentPart::Image { media, .. } => media,
        // The reference prints other parts as Python objects, which nobody can use.
        ContentPart::Document(_) | ContentPart::Audio(_) | ContentPart::Video(_) => {
            return Ok(String::new());
        }
    };
    let Some(new) = fetch(ports, media).await? else { return Ok(String::new()) };
    let file = ports.files.keep(&ctx.run, new).await?;
    let url = ctx.pool.urls().url(&file).unwrap_or_default();
    files.push(file);
    Ok(format!("![]({url})"))
}

/// The longest picture a model may send back by address.
const LARGEST_PICTURE: usize = 20 * 1024 * 1024;

async fn fetch(ports: &Ports, media: Media) -> Result<Option<NewFile>, Fail> {
    let broken = |message: String| Fail::new(message, "LLMNodeError");
    let content = if media.url.is_empty() {
        let data = media.base64_data.rsplit(',').next().unwrap_or_default();
        base64::engine::general_purpose::STANDARD
            .decode(data.trim())
            .map_err(|err| broken(format!("the model sent a picture that cannot be read: {err}")))?
            .into()
    } else {
        let response = ports.http.guarded().get(&media.url).follow_redirects(true).send().await;
        let response = response.map_err(|err| broken(err.to_string()))?;
        response.bytes(LARGEST_PICTURE).await.map_err(|err| broken(err.to_string()))?
    };
    let mime_type =
        if media.mime_type.is_empty() { "image/png".to_owned() } else { media.mime_type };
    let name = Some(media.filename).filter(|name| !name.is_empty());
    Ok(Some(NewFile { content, mime_type, name }))
}

static THINKING: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?is)<think[^>]*>(.*?)</think>").ok());
static BLANK_LINES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\n\s*\n").ok());

/// A text without what stands between `<think>` tags, and that.
pub(crate) fn split_reasoning(text: &str) -> (String, String) {
    let (Some(thinking), Some(blank)) = (THINKING.as_ref(), BLANK_LINES.as_ref()) else {
        return (text.to_owned(), String::new());
    };
    let thoughts: Vec<&str> = thinking
        .captures_iter(text)
        .filter_map(|it| it.get(1))
        .map(|it| it.as_str().trim())
        .collect();
    let rest = thinking.replace_all(text, "");
    (blank.replace_all(&rest, "\n\n").trim().to_owned(), thoughts.join("\n"))
}

/// A text without what stands between `<think>` tags, otherwise unchanged.
pub(crate) fn without_reasoning(text: &str) -> String {
    THINKING.as_ref().map_or_else(|| text.to_owned(), |it| it.replace_all(text, "").into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_are_split_off() {
        for (text, rest, thoughts) in [
            ("plain", "plain", ""),
            ("<think>\nhm\n</think>\n\n\n\nyes", "yes", "hm"),
            ("a<THINK x>1</Think>b\n \n\nc<think>2</think>", "ab\n\nc", "1\n2"),
            ("<think>open", "<think>open", ""),
        ] {
            assert_eq!(split_reasoning(text), (rest.to_owned(), thoughts.to_owned()), "{text}");
        }
    }
}
