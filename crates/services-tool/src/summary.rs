//! Shortening texts for plugins and tools, with the workspace's default model.

use boxed::boxed;
use model_runtime::{CallContext, LlmRequest, ModelType, PromptMessage, collect};
use types::TenantId;

use crate::{ToolError, builtin::Tools};

/// Context of models that do not tell theirs, in tokens.
const CONTEXT: usize = 2048;
/// Characters of a token, roughly and on the safe side.
const CHARACTERS: usize = 2;
/// How often a summary that is still too long is shortened again.
const ROUNDS: usize = 4;
/// Pieces of one text.
const MAX_PIECES: usize = 256;

impl Tools {
    /// A text that fits into the workspace's default model: as it is if it does, else its summary.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] without a default model, and for what it answers instead.
    #[boxed]
    pub async fn summary(
        &self,
        tenant: TenantId,
        user: &str,
        text: &str,
        instruction: &str,
    ) -> Result<String, ToolError> {
        let wrong = |err: &dyn std::fmt::Display| ToolError::Invalid(err.to_string());
        let model = self.models.default_model(tenant, ModelType::Llm).await;
        let model = model.map_err(|err| wrong(&err))?;
        let context = model.schema.context_size().and_then(|size| usize::try_from(size).ok());
        let room = context.unwrap_or(CONTEXT).max(256) * CHARACTERS;
        let mut text = text.to_owned();
        for _ in 0..ROUNDS {
            if text.chars().count() < room * 6 / 10 {
                return Ok(text);
            }
            let mut summaries = Vec::new();
            for piece in pieces(&text, room / 2).into_iter().take(MAX_PIECES) {
                let request = LlmRequest {
                    messages: vec![
                        PromptMessage::system(format!(
                            "Shorten the text the user gives you. It may be a part of a longer one. Keep its main \
                             points and their meaning, in your own words and in the language of the text. Answer \
                             with the shortened text only.\nKeep to these instructions of the user too:\n{instruction}"
                        )),
                        PromptMessage::user(piece),
                    ],
                    stream: true,
                    ..LlmRequest::default()
                };
                let call = CallContext::for_user(tenant, user.to_owned());
                let answer = model.invoke_llm(&call, request).await.map_err(|err| wrong(&err))?;
                let whole = collect(&model.model, answer).await.map_err(|err| wrong(&err))?;
                summaries.push(whole.text);
            }
            text = summaries.join("\n");
        }
        Ok(text)
    }
}

/// A text in pieces of at most `most` characters, cut between lines where that is possible.
fn pieces(text: &str, most: usize) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut room = 0;
    for line in text.split('\n').filter(|line| !line.trim().is_empty()) {
        let letters: Vec<char> = line.chars().collect();
        for part in letters.chunks(most.max(1)) {
            let part: String = part.iter().collect();
            let length = part.chars().count() + 1;
            match pieces.last_mut() {
                Some(last) if length <= room => {
                    last.push('\n');
                    last.push_str(&part);
                    room -= length;
                }
                _ => {
                    room = most.saturating_sub(length);
                    pieces.push(part);
                }
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_lines() {
        assert_eq!(pieces("ab\ncd\n\nef", 6), ["ab\ncd", "ef"]);
        assert_eq!(pieces("abcdef", 4), ["abcd", "ef"]);
        assert!(pieces(" \n", 4).is_empty());
    }
}
