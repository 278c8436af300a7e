//! A run's log as server-sent events.

use std::sync::Arc;

use app_engine::{
    AppEvent, Item, Run,
    wire::{Detail, Prefix, Writer},
};
use axum::response::Response;
use futures::Stream;
use graph::InvokeFrom;
use http_core::sse::{self, Frame};
use services_workflow::run::{Runs, Started, is_simple};

/// How much clients of such runs see.
pub(crate) fn detail(invoke_from: InvokeFrom) -> Detail {
    if is_simple(invoke_from) { Detail::Simple } else { Detail::Full }
}

/// The stream of a run that just started.
pub(crate) fn response(started: &Started, detail: Detail, cancel_when_left: bool) -> Response {
    let writer = Writer {
        prefix: Prefix::Workflow { workflow_run_id: started.run_id.to_string() },
        task_id: started.run.task.to_string(),
        detail,
    };
    let watch = CancelOnDrop(cancel_when_left.then(|| Arc::clone(&started.run)));
    sse::response(frames(Arc::clone(&started.run), writer, 0, watch))
}

/// The stream of a run of the editor that just started.
pub(crate) fn of_editor(runs: &Runs, started: &Started) -> Response {
    let of_run = || Prefix::Workflow { workflow_run_id: started.run_id.to_string() };
    let writer = Writer {
        prefix: started.run.prefix.get().cloned().unwrap_or_else(of_run),
        task_id: started.run.task.to_string(),
        detail: Detail::Full,
    };
    let is_cancelled = runs.ctx.config.own.disconnected_run_policy == "cancel";
    let watch = CancelOnDrop(is_cancelled.then(|| Arc::clone(&started.run)));
    sse::response(frames(Arc::clone(&started.run), writer, 0, watch))
}

/// The stream of a run from its beginning, for who asked for it before.
pub(super) fn again(run: Arc<Run>, prefix: Prefix, detail: Detail) -> Response {
    let writer = Writer { prefix, task_id: run.task.to_string(), detail };
    sse::response(frames(run, writer, 0, CancelOnDrop(None)))
}

fn frames(
    run: Arc<Run>,
    writer: Writer,
    after: u64,
    watch: CancelOnDrop,
) -> impl Stream<Item = Frame> + Send {
    async_stream::stream! {
        let mut watch = watch;
        let mut reader = run.log.reader(after);
        while let Some((number, item)) = reader.next().await {
            let last = is_last(&item);
            yield Frame::data_with_id(number, &writer.event(&item));
            if last {
                break;
            }
        }
        watch.disarm();
        run.delivered();
    }
}

fn is_last(item: &Item) -> bool {
    match item {
        Item::Event(event) => match &**event {
            AppEvent::Workflow(event) => event.is_terminal(),
            AppEvent::Error(_) => true,
            _ => false,
        },
        Item::Text(..) => false,
    }
}

/// Stops a run whose client went away, where the operator wants that.
struct CancelOnDrop(Option<Arc<Run>>);

impl CancelOnDrop {
    fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(run) = &self.0 {
            run.stop();
        }
    }
}
