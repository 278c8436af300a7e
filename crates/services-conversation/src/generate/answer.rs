//! The course of a run after it began: answer, record, announce.

use std::panic::AssertUnwindSafe;

use app_engine::{
    basic::{
        Mode,
        run::{self, Outcome},
    },
    event::{AppEvent, MessageEnd, MessageMetadata, RunError},
};
use db::{message::Begun, message_file::MessageFile};
use futures::FutureExt;
use graph::File;
use model_runtime::Usage;
use serde_json::Value;
use services_core::leases::Held;
use tokio::sync::oneshot;
use types::TenantId;

use super::{Answered, RunGuard, limit::Slot, naming, prepare::Prepared};
use crate::{
    Engine, file, idempotency,
    record::{self, Begin, NotRecorded},
    stop,
};

/// A run on its way.
pub(super) struct Course {
    pub engine: Engine,
    pub prepared: Box<Prepared>,
    pub guard: RunGuard,
    pub slot: Slot,
    /// The message, in this process's care.
    pub held: Held,
    /// Says that the message is on record, or why it is not.
    pub tell_begun: oneshot::Sender<Result<(), NotRecorded>>,
    /// Says how the run ended.
    pub tell: oneshot::Sender<Result<Answered, RunError>>,
}

/// Follows a run to its end. Dropping the guard at the end closes the log.
pub(super) async fn follow(course: Course) {
    let Course { engine, prepared, guard, slot, held, tell_begun, tell } = course;
    let Prepared { job, mut row, files, file_rows, names_conversation, idempotency: key } =
        *prepared;
    let (tenant, user, mode, query) =
        (job.context.tenant, job.context.user, job.mode, row.query.clone());
    let run = guard.run().clone();
    // Set once: the run is new.
    let _ = run.owner.set(user);
    // Made again when it is needed again: thousands of runs wait for their models.
    let copied = row.copied.take();
    let has_copy = copied.is_some();
    let begin = Begin { message: Begun { copied, ..row.clone() }, files: file_rows.clone() };
    // Boxed: what is needed for a moment shall not count for as long as the model speaks.
    let begin = Box::pin(async {
        let noted = stop::note_owner(engine.ctx(), run.task, user);
        let (begun, ()) = tokio::join!(engine.recorder().begin(begin), noted);
        let is_begun = begun.is_ok();
        if !is_begun {
            // An answer to a message that is not there is nobody's.
            run.cancel.cancel();
        } else if names_conversation {
            naming::later(&engine, &run, tenant, &row, query);
        }
        if let Some(key) = key.as_ref().filter(|_| is_begun) {
            // Not before the message is there: a key whose message is missing is free.
            idempotency::begun(engine.ctx(), key, run.task, row.id).await;
        }
        let is_heard = tell_begun.send(begun).is_ok();
        if !is_heard && engine.ctx().config.own.disconnected_run_policy == "cancel" {
            run.cancel.cancel();
        }
        (is_begun, is_heard)
    });
    // A bug in a run must not leave a message that nobody ends.
    let ((is_begun, is_heard), answered) = tokio::join!(
        begin,
        AssertUnwindSafe(run::answer(engine.ports(), job, &run)).catch_unwind()
    );
    if !is_begun {
        // Who hears of it frees the key himself.
        if let Some(key) = key.filter(|_| !is_heard) {
            idempotency::free(engine.ctx(), &key).await;
        }
        return slot.leave().await;
    }
    // Boxed, for the same reason.
    let end = Box::pin(async {
        row.copied = has_copy.then(|| record::metadata_of(tenant, &row));
        let (outcome, speech) = answered.unwrap_or_else(|_| {
            tracing::error!(message.id = %row.id, "a run panicked");
            (broken(), None)
        });
        let ended = record::ended(&row, &outcome, engine.ctx().now_naive());
        let recorded = engine.recorder().end(ended).await;
        if recorded.is_ok() {
            held.settled();
        }
        let error = match (outcome.error.clone(), recorded) {
            (Some(error), _) => Some(error),
            (None, Ok(())) => None,
            (None, Err(err)) => {
                tracing::error!(message.id = %row.id, error = &err as &dyn std::error::Error, "an answer was not recorded");
                Some(RunError::internal())
            }
        };
        let told = match error {
            Some(error) => {
                run.log.push(AppEvent::Error(error.clone()));
                Err(error)
            }
            None => {
                let files = listed(&engine, &files, &file_rows, &outcome);
                run.log.push(AppEvent::MessageEnd(Box::new(message_end(&outcome, files))));
                Ok(Answered {
                    answer: outcome.answer,
                    annotation: outcome.annotation,
                    sources: outcome.sources,
                    usage: outcome.usage,
                })
            }
        };
        if let Some(key) = key {
            match &told {
                Ok(answered) => {
                    let answered = answered.clone();
                    idempotency::answered(engine.ctx(), &key, run.task, &row, mode, answered).await;
                }
                Err(_) => idempotency::free(engine.ctx(), &key).await,
            }
        }
        // Nobody listens when the client streams.
        let _ = tell.send(told);
        slot.leave().await;
        if mode != Mode::Completion {
            note_use(&engine, tenant, row.model_provider.as_deref().unwrap_or_default()).await;
        }
        if let Some(speech) = speech {
            speech.finish().await;
        }
    });
    end.await;
    drop(guard);
}

/// Notes that the provider of the app's model is in use, for the console.
async fn note_use(engine: &Engine, tenant: TenantId, provider: &str) {
    let ctx = engine.ctx();
    if !ctx.due_this_minute(&format!("provider:{tenant}:{provider}")) {
        return;
    }
    let noted = async {
        let mut conn = ctx.db.acquire().await?;
        db::provider::touch(&mut conn, tenant, provider, ctx.now_naive()).await
    };
    if let Err(err) = noted.await {
        tracing::warn!(error = %err, "could not note that a provider is in use");
    }
}

fn message_end(outcome: &Outcome, files: Vec<Value>) -> MessageEnd {
    MessageEnd {
        metadata: MessageMetadata {
            annotation_reply: outcome.annotation.clone(),
            omit_annotation_reply: false,
            retriever_resources: outcome.sources.clone(),
            usage: serde_json::to_value(&outcome.usage).unwrap_or_default(),
        },
        files: Some(files).filter(|files| !files.is_empty()),
    }
}

/// The files of the message as `message_end` lists them: the user's, then those the run made.
fn listed(engine: &Engine, files: &[File], rows: &[MessageFile], outcome: &Outcome) -> Vec<Value> {
    let sent =
        rows.iter().zip(files).map(|(row, file)| file::listed(engine.ctx(), row, Some(file)));
    sent.chain(outcome.files.iter().map(|kept| kept.listed.clone())).collect()
}

fn broken() -> Outcome {
    Outcome {
        answer: String::new(),
        prompt: Value::String(String::new()),
        usage: Usage::empty(),
        annotation: None,
        sources: Vec::new(),
        files: Vec::new(),
        calls: Vec::new(),
        latency: 0.0,
        error: Some(RunError::internal()),
        stopped: false,
    }
}
