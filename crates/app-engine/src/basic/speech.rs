//! Speech that begins while an answer is still being written: sentences go to the speech model as soon as a few are
//! complete, their sound goes to the log in order.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures::StreamExt;
use tokio::sync::mpsc;
use types::TenantId;

use super::config::Speech;
use crate::{event::AppEvent, log::RunLog, ports::Speaker};

/// How many sentences begin the first piece of speech.
const FIRST_SENTENCES: usize = 2;

/// Most sentences a piece waits for.
const MOST_SENTENCES: usize = 7;

/// How long the end of an answer waits for the next sound.
const PATIENCE: Duration = Duration::from_secs(5);

/// Texts that wait for the speech model at the most; beyond that, speech falls behind and is dropped.
const QUEUE: usize = 64;

/// Cuts a growing text into pieces worth speaking.
#[derive(Debug)]
pub struct Sentences {
    text: String,
    wanted: usize,
}

impl Default for Sentences {
    fn default() -> Self {
        Self { text: String::new(), wanted: FIRST_SENTENCES }
    }
}

impl Sentences {
    /// Adds text; the sentences to speak now, if enough are complete. Pieces grow, so that speech does not stutter.
    pub fn add(&mut self, piece: &str) -> Option<String> {
        self.text.push_str(piece);
        let ends = |c: char| matches!(c, '。' | '.' | '!' | '?');
        if self.text.matches(ends).count() < self.wanted.min(MOST_SENTENCES) {
            return None;
        }
        self.wanted += 1;
        let (at, end) = self.text.rmatch_indices(ends).next()?;
        let rest = self.text.split_off(at + end.len());
        Some(std::mem::replace(&mut self.text, rest))
    }

    /// What is left at the end.
    #[must_use]
    pub fn rest(self) -> Option<String> {
        Some(self.text).filter(|text| !text.trim().is_empty())
    }
}

/// Speech of one run.
pub struct Publisher {
    sentences: Sentences,
    texts: mpsc::Sender<String>,
    sounds: mpsc::Receiver<String>,
    log: Arc<RunLog>,
}

impl Publisher {
    /// Begins to listen for text; sound goes to `log`.
    #[must_use]
    pub fn start(
        speaker: Arc<dyn Speaker>,
        tenant: TenantId,
        speech: &Speech,
        log: Arc<RunLog>,
    ) -> Self {
        let (texts, waiting) = mpsc::channel(QUEUE);
        let (spoken, sounds) = mpsc::channel(QUEUE);
        // Ends by itself when the publisher is dropped: its channels close.
        tokio::spawn(speak(speaker, tenant, speech.clone(), waiting, spoken));
        Self { sentences: Sentences::default(), texts, sounds, log }
    }

    /// Takes a piece of the answer, and passes on the sound that is ready.
    pub fn add(&mut self, piece: &str) {
        if let Some(text) = self.sentences.add(piece)
            && self.texts.try_send(text).is_err()
        {
            tracing::debug!("speech fell behind its answer");
        }
        while let Ok(sound) = self.sounds.try_recv() {
            self.log.push(AppEvent::Tts(sound));
        }
    }

    /// Speaks what is left, and ends the speech.
    pub async fn finish(self) {
        let Self { sentences, texts, mut sounds, log } = self;
        if let Some(rest) = sentences.rest() {
            // A closed channel means that speech broke off before; the end is announced all the same.
            let _ = texts.send(rest).await;
        }
        drop(texts);
        while let Ok(Some(sound)) = tokio::time::timeout(PATIENCE, sounds.recv()).await {
            log.push(AppEvent::Tts(sound));
        }
        log.push(AppEvent::TtsEnd);
    }
}

async fn speak(
    speaker: Arc<dyn Speaker>,
    tenant: TenantId,
    speech: Speech,
    mut waiting: mpsc::Receiver<String>,
    spoken: mpsc::Sender<String>,
) {
    let voice = match speaker.voice(tenant, &speech.voice, speech.language.as_deref()).await {
        Ok(voice) => voice,
        Err(err) => {
            tracing::warn!(error = %err, "no voice for an answer");
            return;
        }
    };
    while let Some(text) = waiting.recv().await {
        let mut audio = match speaker.speak(tenant, &voice, text.trim()).await {
            Ok(audio) => audio,
            Err(err) => {
                tracing::warn!(error = %err, "an answer could not be spoken");
                return;
            }
        };
        while let Some(sound) = audio.next().await {
            match sound {
                Ok(sound) if sound.is_empty() => {}
                Ok(sound) => {
                    if spoken.send(BASE64_STANDARD.encode(&sound)).await.is_err() {
                        return;
                    }
                }
                Err(err) => {
                    tracing::warn!(error = %err, "an answer could not be spoken");
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_grow_sentence_by_sentence() {
        let mut sentences = Sentences::default();
        assert_eq!(sentences.add("One. Tw"), None);
        assert_eq!(sentences.add("o! Th").as_deref(), Some("One. Two!"));
        assert_eq!(sentences.add("ree. Four。"), None);
        assert_eq!(sentences.add(" Five? Si").as_deref(), Some(" Three. Four。 Five?"));
        assert_eq!(sentences.rest().as_deref(), Some(" Si"));
        assert_eq!(Sentences::default().rest(), None);
    }
}
