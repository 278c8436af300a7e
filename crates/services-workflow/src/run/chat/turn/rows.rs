//! What a turn leaves: the message's row, its files, and the event that ends it.

use app_engine::{
    AppEvent,
    basic::run::Outcome,
    event::{MessageEnd, MessageMetadata},
};
use chrono::NaiveDateTime;
use db::{message::Ended, message_file::MessageFile};
use graph::{File, RunStats};
use serde_json::{Value, json};
use services_conversation::record;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Ending, Turn, failed};

impl Turn {
    /// The message's row, and rows of the files in the answer.
    pub(in crate::run) fn rows(
        &self,
        ending: &Ending,
        stats: Option<&RunStats>,
        annotation: Option<&Value>,
    ) -> (Ended, Vec<MessageFile>) {
        let now = self.engine.ctx().now_naive();
        let error = match ending {
            Ending::Failed(error) => Some(failed(error)),
            _ => None,
        };
        let outcome = Outcome {
            answer: String::new(),
            prompt: Value::Null,
            usage: self.usage(stats),
            annotation: annotation.cloned(),
            sources: self.sources.clone(),
            files: Vec::new(),
            calls: Vec::new(),
            latency: self.began.elapsed().as_secs_f64(),
            error,
            stopped: *ending == Ending::Stopped,
        };
        let mut begun = self.asked.begun.clone();
        if let (Some(Value::Object(copied)), Some((provider, name))) =
            (&mut begun.copied, &self.model)
        {
            copied.insert("provider".to_owned(), provider.as_str().into());
            copied.insert("model".to_owned(), name.as_str().into());
        }
        let mut row = record::ended(&begun, &outcome, now);
        row.answer = self.stored_answer();
        // The prompts of a graph are its nodes' business.
        row.prompt = None;
        if row.metadata.is_some() {
            let metadata = json!({
                "annotation_reply": annotation,
                "retriever_resources": self.sources,
                "usage": outcome.usage.plain_json(),
            });
            row.metadata = types::pyjson::dumps(&metadata).ok();
        }
        if *ending == Ending::Paused {
            row.status = "paused";
            // There is no answer to copy yet.
            row.copied = None;
        }
        (row, self.file_rows(now))
    }

    /// What the row keeps: pictures that have rows of their own are not said a second time.
    fn stored_answer(&self) -> String {
        if self.files.is_empty() {
            return self.answer.clone();
        }
        without_pictures(&self.answer)
    }

    fn file_rows(&self, now: NaiveDateTime) -> Vec<MessageFile> {
        let context = &self.asked.context;
        let row = |file: &File| MessageFile {
            id: Uuid::now_v7(),
            message_id: context.message,
            r#type: file.r#type.as_str().to_owned(),
            transfer_method: file.transfer_method.as_str().to_owned(),
            url: file.remote_url.clone(),
            upload_file_id: file.related_id.as_deref().and_then(|id| id.parse().ok()),
            belongs_to: Some("assistant".to_owned()),
            created_by_role: context.user.role().to_owned(),
            created_by: context.user.id(),
            created_at: now,
        };
        self.files.iter().map(row).collect()
    }

    pub(super) fn usage(&self, stats: Option<&RunStats>) -> model_runtime::Usage {
        let used = stats.map(|stats| stats.usage.clone()).unwrap_or_default();
        let count = |tokens: i64| u64::try_from(tokens).unwrap_or(0);
        let seconds = |from: Instant, to: Instant| {
            (to.saturating_duration_since(from).as_secs_f64() * 1000.0).round() / 1000.0
        };
        let (first, last) = (self.first_word, self.last_word);
        model_runtime::Usage {
            prompt_tokens: count(used.prompt_tokens),
            prompt_unit_price: used.prompt_unit_price,
            prompt_price_unit: used.prompt_price_unit,
            prompt_price: used.prompt_price,
            completion_tokens: count(used.completion_tokens),
            completion_unit_price: used.completion_unit_price,
            completion_price_unit: used.completion_price_unit,
            completion_price: used.completion_price,
            total_tokens: count(used.total_tokens),
            total_price: used.total_price,
            currency: used.currency,
            latency: used.latency,
            time_to_first_token: first.map(|first| seconds(self.began, first)),
            time_to_generate: first.zip(last).map(|(first, last)| seconds(first, last)),
        }
    }

    /// `message_end`, for the log.
    pub(in crate::run) fn message_end(
        &self,
        stats: Option<&RunStats>,
        annotation: Option<Value>,
    ) -> AppEvent {
        let files =
            self.files.iter().map(|file| Value::Object(file.to_json(&*self.urls))).collect();
        AppEvent::MessageEnd(Box::new(MessageEnd {
            metadata: MessageMetadata {
                omit_annotation_reply: annotation.is_some(),
                annotation_reply: annotation,
                retriever_resources: self.sources.clone(),
                usage: serde_json::to_value(self.usage(stats)).unwrap_or_default(),
            },
            files: Some(files),
        }))
    }
}

/// The text without Markdown pictures.
fn without_pictures(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(start) = rest.find("![") {
        let (before, picture) = rest.split_at(start);
        let end = picture
            .find("](")
            .and_then(|middle| Some((middle, picture.get(middle..)?.find(')')? + middle)))
            .filter(|(_, end)| picture.get(..*end).is_some_and(|it| !it.contains('\n')));
        match end {
            Some((_, end)) => {
                kept.push_str(before);
                rest = picture.get(end + 1..).unwrap_or_default();
            }
            None => {
                kept.push_str(before);
                kept.push_str("![");
                rest = picture.get(2..).unwrap_or_default();
            }
        }
    }
    kept.push_str(rest);
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::without_pictures;

    #[test]
    fn pictures_are_taken_out_of_the_answer() {
        for (text, expected) in [
            ("Look: ![a](http://x/y.png) there", "Look:  there"),
            ("![a](u)![b](v)", ""),
            ("no ![picture", "no ![picture"),
            ("[link](u) ![x](y)", "[link](u)"),
        ] {
            assert_eq!(without_pictures(text), expected);
        }
    }
}
