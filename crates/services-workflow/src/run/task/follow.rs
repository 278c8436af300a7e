//! What a run's task does while the run goes on, and when it ends.

use std::{sync::Arc, time::Duration};

use app_engine::{
    AppEvent, RunError,
    workflow::{
        present::{Presenter, STOPPED_BY_MODERATION, Shown, aborted},
        record::{NodeRow, Recorder, RunEnd},
    },
};
use db::message_file::MessageFile;
use graph::{Control, EngineEvent, GraphEvent, RunStats};
use serde_json::Value;
use services_core::{Fault, batch::Patience};
use tokio::{sync::mpsc, time::Instant};

use super::Task;
use crate::run::{
    chat::{Ending, SavedTurn, Turn},
    lanes::MOST_NODES,
    pause::{Pause, Paused},
    store, webhook,
};

/// Rows of ended nodes wait at most about this long while the run goes on.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// How often the end of a run is tried to be stored while the database is there.
const STORE_ATTEMPTS: u32 = 5;

/// What a task waits for.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, on the stack, for nearly every event the large one"
)]
enum Heard {
    Event(Option<EngineEvent>),
    Abort(&'static str),
}

impl Task {
    /// Whether the run's end was stored; nothing if it was not seen.
    pub(super) async fn follow(
        &self,
        mut events: mpsc::Receiver<EngineEvent>,
        control: mpsc::Sender<Control>,
        mut turn: Option<Turn>,
    ) -> Option<bool> {
        let mut presenter = Presenter::new(self.facts.clone(), Arc::clone(&self.lookup));
        let mut recorder = Recorder::new(self.facts.clone());
        let mut flushed = Instant::now();
        let log = &self.guard.run().log;
        if let Some(turn) = &mut turn {
            turn.open(log);
        }
        let mut is_stopping = false;
        loop {
            let event = match self.hear(&mut events, turn.as_mut(), is_stopping).await {
                Heard::Event(None) => return None,
                Heard::Event(Some(event)) => event,
                Heard::Abort(reason) => {
                    is_stopping = true;
                    // A run that does not listen any more is ending by itself.
                    let _ = control.send(Control::Abort { reason: reason.to_owned() }).await;
                    continue;
                }
            };
            if let Some(drafts) = &self.drafts {
                drafts.note(&self.runs.ctx, &event).await;
            }
            if let Some(turn) = &mut turn {
                turn.hear(&event.event).await;
            }
            if let Some(end) = recorder.record(&event) {
                let is_over = end.finished_at.is_some();
                let rows = recorder.take(true);
                let is_stored = self.end(&mut presenter, &event, end, rows, turn).await;
                // Another process may have been told where the end of a run that waited goes.
                let is_hooked = is_over && self.runs.hooked().remove(&self.run_id);
                if is_hooked || (is_over && self.is_resumed) {
                    webhook::ended(&self.runs.ctx, self.run_id).await;
                }
                return Some(is_stored);
            }
            if FLUSH_AFTER <= flushed.elapsed() {
                flushed = Instant::now();
                let rows = recorder.snapshot();
                let (ctx, run) = (&self.runs.ctx, Some(self.run_id));
                if let Err(err) = store::nodes(ctx, self.owner, run, self.nodes_from, rows).await {
                    tracing::warn!(error = %err, "executions of nodes are stored with the end of the run instead");
                    recorder.keep_all();
                }
            }
            for shown in presenter.present(&event) {
                match (shown, &mut turn) {
                    (Shown::Text(chunk, text), Some(turn)) => turn.say(log, &chunk, &text),
                    (Shown::Text(chunk, text), None) => log.push_text(&chunk, &text),
                    (Shown::Event(event), _) => log.push(event),
                }
            }
        }
    }

    async fn hear(
        &self,
        events: &mut mpsc::Receiver<EngineEvent>,
        turn: Option<&mut Turn>,
        is_stopping: bool,
    ) -> Heard {
        let run = self.guard.run();
        let moderated = async {
            match turn {
                Some(turn) => turn.moderated(&run.log).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            event = events.recv() => Heard::Event(event),
            () = moderated, if !is_stopping => Heard::Abort(STOPPED_BY_MODERATION),
        }
    }

    /// Stores the end of a run, then tells of it. Whether it was stored.
    async fn end(
        &self,
        presenter: &mut Presenter,
        event: &EngineEvent,
        end: RunEnd,
        rows: Vec<NodeRow>,
        turn: Option<Turn>,
    ) -> bool {
        let run = self.guard.run();
        let (ending, stats) = ending(&event.event);
        let mut shown = Vec::new();
        if ending == Ending::Paused {
            // What clients read of it is part of what is stored.
            shown = events(presenter, event);
        }
        let paused = match &event.event {
            GraphEvent::RunPaused { reasons, state, .. } => {
                Some(Paused { reasons, state, shown: shown.last().and_then(data) })
            }
            _ => None,
        };
        let Some(mut turn) = turn else {
            let rest = Rest { message: None, paused, turn: None };
            if !self.store_end(rows, &end, rest).await {
                run.log.push(AppEvent::Error(RunError::internal()));
                return false;
            }
            self.tell(presenter, event, shown);
            return true;
        };
        if ending == Ending::Done {
            turn.judge(&run.log).await;
        }
        let message = Some(turn.rows(&ending, stats, None));
        let saved = paused.is_some().then(|| turn.saved());
        let rest = Rest { message, paused, turn: saved };
        let stored = self.store_end(rows, &end, rest).await;
        if stored {
            if ending == Ending::Done {
                run.log.push(turn.message_end(stats, None));
            }
            self.tell(presenter, event, shown);
        } else {
            run.log.push(AppEvent::Error(RunError::internal()));
        }
        turn.close(run.task, ending, stats, None, !stored).await;
        stored
    }

    /// Tells of the last event, unless that was written already.
    fn tell(&self, presenter: &mut Presenter, event: &EngineEvent, mut shown: Vec<AppEvent>) {
        if shown.is_empty() {
            shown = events(presenter, event);
        }
        for event in shown {
            self.guard.run().log.push(event);
        }
    }

    async fn store_end(&self, rows: Vec<NodeRow>, end: &RunEnd, rest: Rest<'_>) -> bool {
        let ctx = &self.runs.ctx;
        // Values that are too large for a row go to files first.
        let is_plain = rest.message.is_none()
            && rest.paused.is_none()
            && !self.is_resumed
            && rows.iter().all(|row| row.whole.is_empty());
        if is_plain && rows.len() <= MOST_NODES {
            let ended = store::ended(self.owner, self.run_id, self.nodes_from, rows, end);
            let written = self.runs.lanes.ends.write(ended).await;
            return written.map_err(|err| self.lost(&err)).is_ok();
        }
        let mut patience = Patience::new(ctx);
        for attempt in 1.. {
            let stored = async {
                let paused = match &rest.paused {
                    None => None,
                    Some(paused) => {
                        let turn = rest.turn.clone();
                        Some(Pause::save(ctx, &self.origin, turn, paused).await?)
                    }
                };
                let message = rest.message.as_ref().map(|(row, files)| (row, files.as_slice()));
                let ended = store::End {
                    owner: self.owner,
                    origin: &self.origin,
                    from: self.nodes_from,
                    end,
                    message,
                    paused: paused.as_ref(),
                    is_resumed: self.is_resumed,
                };
                store::end(ctx, ended, rows.clone()).await
            };
            let Err(err) = stored.await else {
                if rest.paused.is_some() {
                    self.go_on_if_answered().await;
                }
                return true;
            };
            let is_away = matches!(&err, Fault::Db(err) if err.is_unavailable());
            if (STORE_ATTEMPTS <= attempt && !is_away) || !patience.wait().await {
                self.lost(&err);
                break;
            }
        }
        false
    }
}

impl Task {
    fn lost(&self, err: &(dyn std::error::Error + 'static)) {
        tracing::error!(run.id = %self.run_id, error = err, "the end of a run could not be stored");
    }

    /// A form may have been filled in while the rest of the run was still ending.
    async fn go_on_if_answered(&self) {
        let ctx = &self.runs.ctx;
        let asked = async {
            let mut conn = ctx.db.acquire().await?;
            let is_answered = db::chatflow::is_answered(&mut conn, self.run_id).await?;
            drop(conn);
            if is_answered { crate::queue::resume(ctx, self.run_id).await } else { Ok(()) }
        };
        if let Err(err) = asked.await {
            let err: Fault = err;
            tracing::warn!(error = %err, "a run that may go on waits for the next sweep");
        }
    }
}

/// What is stored beside the end of a part of a run.
struct Rest<'a> {
    message: Option<(db::message::Ended, Vec<MessageFile>)>,
    /// How it waits.
    paused: Option<Paused<'a>>,
    turn: Option<SavedTurn>,
}

fn events(presenter: &mut Presenter, event: &EngineEvent) -> Vec<AppEvent> {
    let shown = presenter.present(event).into_iter();
    shown
        .filter_map(|shown| match shown {
            Shown::Event(event) => Some(event),
            Shown::Text(..) => None,
        })
        .collect()
}

fn data(event: &AppEvent) -> Option<&Value> {
    match event {
        AppEvent::Workflow(event) => Some(&event.full),
        _ => None,
    }
}

/// How a run ended, as its message says it.
fn ending(event: &GraphEvent) -> (Ending, Option<&RunStats>) {
    match event {
        GraphEvent::RunSucceeded { stats, .. } | GraphEvent::RunPartialSucceeded { stats, .. } => {
            (Ending::Done, Some(stats))
        }
        GraphEvent::RunFailed { error, stats, .. } => (Ending::Failed(error.clone()), Some(stats)),
        GraphEvent::RunAborted { reason, stats, .. } => match aborted(reason) {
            ("stopped", _) => (Ending::Stopped, Some(stats)),
            (_, error) => (Ending::Failed(error), Some(stats)),
        },
        GraphEvent::RunPaused { stats, .. } => (Ending::Paused, Some(stats)),
        _ => (Ending::Done, None),
    }
}
