//! Moderation of questions and answers. Keywords are looked for here; everything else is asked of a [`Moderator`].

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use serde_json::{Map, Value};

use super::{config::Moderation, inputs::as_text};
use crate::{
    event::RunError,
    ports::{InputVerdict, Moderator, OutputVerdict, RunContext},
};

/// Judges form values and question by the app's rule.
///
/// # Errors
/// When somebody else is asked and fails.
pub async fn check_input(
    moderator: &dyn Moderator,
    run: &RunContext,
    rule: &Moderation,
    inputs: &Map<String, Value>,
    query: &str,
) -> Result<InputVerdict, RunError> {
    let Some(preset) = preset(rule, "inputs_config") else { return Ok(InputVerdict::Clean) };
    if rule.kind != "keywords" {
        return moderator.check_input(run, rule, inputs, query).await;
    }
    let keywords = keywords(rule);
    let found = contains(&keywords, query)
        || inputs.values().any(|value| contains(&keywords, &as_text(value)));
    Ok(if found { InputVerdict::Preset(preset) } else { InputVerdict::Clean })
}

/// Judges an answer by the app's rule. Moderation that fails lets the answer pass, as in the reference.
pub async fn check_output(
    moderator: &dyn Moderator,
    run: &RunContext,
    rule: &Moderation,
    text: &str,
) -> OutputVerdict {
    let Some(preset) = preset(rule, "outputs_config") else { return OutputVerdict::Clean };
    if rule.kind == "keywords" {
        return if contains(&keywords(rule), text) {
            OutputVerdict::Preset(preset)
        } else {
            OutputVerdict::Clean
        };
    }
    moderator.check_output(run, rule, text).await.unwrap_or_else(|err| {
        tracing::warn!(app.id = %run.app, error = %err, "an answer could not be moderated");
        OutputVerdict::Clean
    })
}

/// The preset answer of a side that is on.
fn preset(rule: &Moderation, side: &str) -> Option<String> {
    let side = rule.config.get(side)?;
    let enabled = side.get("enabled").and_then(Value::as_bool).unwrap_or(false);
    let text = || side.get("preset_response").and_then(Value::as_str).unwrap_or_default();
    enabled.then(|| text().to_owned())
}

fn keywords(rule: &Moderation) -> Vec<String> {
    let lines = rule.config.get("keywords").and_then(Value::as_str).unwrap_or_default();
    lines.split('\n').filter(|line| !line.is_empty()).map(str::to_lowercase).collect()
}

fn contains(keywords: &[String], text: &str) -> bool {
    if keywords.is_empty() {
        return false;
    }
    let text = text.to_lowercase();
    keywords.iter().any(|keyword| text.contains(keyword))
}

/// Watches an answer while it grows: whenever enough is new, all of it is judged beside the stream.
pub struct Watcher {
    moderator: Arc<dyn Moderator>,
    run: RunContext,
    rule: Arc<Moderation>,
    /// New characters after which the answer is judged again.
    step: usize,
    judged: usize,
    length: usize,
    judging: Option<BoxFuture<'static, (usize, OutputVerdict)>>,
}

impl Watcher {
    /// A watcher for an answer; `step` in characters.
    #[must_use]
    pub fn new(
        moderator: Arc<dyn Moderator>,
        run: RunContext,
        rule: Arc<Moderation>,
        step: usize,
    ) -> Self {
        Self { moderator, run, rule, step: step.max(1), judged: 0, length: 0, judging: None }
    }

    /// Takes note that `piece` was added, which makes the answer `answer`.
    pub fn added(&mut self, piece: &str, answer: &str) {
        self.length += piece.chars().count();
        if self.judging.is_some() || self.length < self.judged + self.step {
            return;
        }
        self.judged = self.length;
        let (moderator, run, rule) = (self.moderator.clone(), self.run.clone(), self.rule.clone());
        let text = answer.to_owned();
        self.judging = Some(
            async move {
                let verdict = check_output(&*moderator, &run, &rule, &text).await;
                (text.len(), verdict)
            }
            .boxed(),
        );
    }

    /// The next verdict and how many bytes of the answer it is about. Waits for ever while nothing is being judged.
    pub async fn verdict(&mut self) -> (usize, OutputVerdict) {
        match &mut self.judging {
            None => std::future::pending().await,
            Some(judging) => {
                let verdict = judging.await;
                self.judging = None;
                verdict
            }
        }
    }
}
