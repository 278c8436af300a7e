//! Hearing a model out.

use futures::StreamExt;
use model_runtime::{ContentPart, LlmChunk, LlmStream};

use super::{refused, state::State};
use crate::{
    basic::moderation::Watcher,
    event::{AppEvent, RunError},
    hub::Run,
    ports::{OutputVerdict, Ports, RunContext},
};

/// Who makes something of what a model says.
pub(in crate::basic) trait Listener: Send {
    /// Hears a piece.
    fn hear(&mut self, run: &Run, state: &mut State, chunk: &LlmChunk) -> Result<(), RunError>;
}

/// Says what the model says.
pub(super) struct Aloud;

impl Listener for Aloud {
    fn hear(&mut self, run: &Run, state: &mut State, chunk: &LlmChunk) -> Result<(), RunError> {
        state.say(run, &chunk.text);
        Ok(())
    }
}

/// Reads the model's answer to its end, or until moderation has heard enough: then `false`, and the answer is what
/// moderation says.
pub(in crate::basic) async fn listen(
    ports: &Ports,
    context: &RunContext,
    run: &Run,
    state: &mut State,
    mut stream: LlmStream,
    listener: &mut dyn Listener,
) -> Result<bool, RunError> {
    loop {
        let chunk = tokio::select! {
            biased;
            (about, verdict) = verdict(&mut state.watcher) => match verdict {
                OutputVerdict::Clean => continue,
                OutputVerdict::Preset(text) => {
                    state.replace(run, text);
                    state.estimate().await;
                    // Dropping the stream tells the provider to stop.
                    return Ok(false);
                }
                OutputVerdict::Overridden(text) => {
                    let rest = state.answer.get(about..).unwrap_or_default();
                    let text = format!("{text}{rest}");
                    state.replace(run, text);
                    continue;
                }
            },
            chunk = stream.next() => chunk,
        };
        let chunk = match chunk {
            None => return Ok(true),
            Some(chunk) => chunk.map_err(refused)?,
        };
        if let Some(usage) = &chunk.usage {
            state.costs(usage);
        }
        listener.hear(run, state, &chunk)?;
        for part in chunk.parts.iter().filter(|part| matches!(part, ContentPart::Image { .. })) {
            if let Some(kept) = ports.files.keep(context, part).await {
                run.log.push(AppEvent::MessageFile(kept.event.clone()));
                state.files.push(kept);
            }
        }
    }
}

/// The next verdict. Waits for ever without a watcher.
async fn verdict(watcher: &mut Option<Watcher>) -> (usize, OutputVerdict) {
    match watcher {
        None => std::future::pending().await,
        Some(watcher) => watcher.verdict().await,
    }
}
