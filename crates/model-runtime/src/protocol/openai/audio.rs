//! Transcription and speech.

use async_stream::try_stream;
use http::Method;
use net::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::{
    entity::ModelSchema,
    error::InvokeError,
    fill,
    model::{AudioFile, AudioStream},
    protocol::{Endpoint, worded},
    upstream::{Body, Failure, fetch, send_once},
};

/// The words spoken in a file.
pub(super) async fn transcribe(
    endpoint: &Endpoint<'_>,
    file: AudioFile,
) -> Result<String, InvokeError> {
    let fail = |failure| endpoint.error(failure);
    let AudioFile { filename, mime_type, data } = file;
    // Tried here, where an error can be told.
    Part::bytes(Vec::new())
        .mime_str(&mime_type)
        .map_err(|_| InvokeError::Value(format!("{mime_type} is no content type")))?;
    let language = fill::text(endpoint.credentials(), "language");
    let request = || {
        let length = data.len() as u64;
        let part = Part::stream_with_length(data.clone(), length).file_name(filename.clone());
        let part = match part.mime_str(&mime_type) {
            Ok(part) => part,
            Err(_) => Part::stream_with_length(data.clone(), length),
        };
        let mut form = Form::new().text("model", endpoint.remote.clone()).part("file", part);
        if let Some(language) = language {
            form = form.text("language", language.to_owned());
        }
        endpoint.request(Method::POST, "transcriptions", "/audio/transcriptions").multipart(form)
    };
    let answer = fetch(request, endpoint.limits).await.map_err(fail)?;
    match serde_json::from_slice::<Value>(&answer) {
        Ok(answer) => Ok(answer.get("text").and_then(Value::as_str).unwrap_or_default().to_owned()),
        Err(_) => Err(fail(Failure::Malformed("The answer is not JSON".to_owned()))),
    }
}

/// A text, spoken: texts beyond the model's word limit in several calls, one after the other.
pub(super) async fn speak(
    endpoint: &Endpoint<'_>,
    schema: Option<&ModelSchema>,
    text: &str,
    voice: &str,
) -> Result<AudioStream, InvokeError> {
    let most = schema.and_then(|schema| schema.number("word_limit"));
    let most = most.and_then(|most| usize::try_from(most).ok()).filter(|most| *most != 0);
    let format = schema.and_then(|schema| schema.text("audio_type")).unwrap_or("mp3");
    let mut calls = pieces(text, most.unwrap_or(3500))
        .into_iter()
        .map(|piece| {
            let body = json!({
                "model": endpoint.remote, "voice": voice, "input": piece, "response_format": format,
            });
            endpoint.post("speech", "/audio/speech", &body)
        })
        .collect::<Vec<_>>()
        .into_iter();
    let limits = endpoint.limits;
    let words = endpoint.protocol.errors;
    // The first call is made here, so that what is wrong with all of them is known before anything is sent.
    let first = match calls.next() {
        Some(first) => {
            Some(send_once(first, limits).await.map_err(|failure| endpoint.error(failure))?)
        }
        None => None,
    };
    Ok(Box::pin(try_stream! {
        let mut next = first;
        while let Some(response) = next {
            let mut body = Body::new(response);
            while let Some(piece) = body.piece().await.map_err(|failure| worded(words, failure))? {
                yield piece;
            }
            next = match calls.next() {
                Some(call) => Some(send_once(call, limits).await.map_err(|failure| worded(words, failure))?),
                None => None,
            };
        }
    }))
}

/// Cuts a text into pieces of at most `most` characters, after the end of a sentence where there is one.
fn pieces(text: &str, most: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest: Vec<char> = text.trim().chars().collect();
    while most < rest.len() {
        let window = rest.get(..most).unwrap_or_default();
        let end = |c: &char| matches!(c, '.' | '!' | '?' | ';' | '\n' | '。' | '！' | '？' | '；');
        let at = window
            .iter()
            .rposition(end)
            .or_else(|| window.iter().rposition(|c| c.is_whitespace()))
            .map_or(most, |at| at + 1);
        let behind = rest.split_off(at);
        out.push(std::mem::replace(&mut rest, behind).into_iter().collect());
    }
    if !rest.is_empty() {
        out.push(rest.into_iter().collect());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_sentences() {
        let check = |text: &str, most, expected: &[&str]| assert_eq!(pieces(text, most), expected);
        check("", 5, &[]);
        check("One. Two. Three.", 100, &["One. Two. Three."]);
        check("One. Two. Three.", 10, &["One. Two.", " Three."]);
        check("one two three", 8, &["one two ", "three"]);
        check("abcdef", 4, &["abcd", "ef"]);
    }
}
