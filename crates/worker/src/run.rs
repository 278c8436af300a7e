//! Runs that go on after a pause.

use jobs::{JobFailure, Registry, tasks};
use serde::Deserialize;
use services_workflow::{
    run::{Runs, pause},
    trigger::dispatch,
};
use types::WorkflowRunId;

use crate::failure;

/// What the reference puts into such jobs.
#[derive(Debug, Deserialize)]
struct Payload {
    workflow_run_id: WorkflowRunId,
}

/// Adds the handlers of this module.
pub(crate) fn register(registry: Registry, runs: &Runs) -> Registry {
    [tasks::RESUME_APP_EXECUTION].into_iter().fold(registry, |registry, task| {
        let runs = runs.clone();
        registry.on(task, move |job, _| {
            let runs = runs.clone();
            async move {
                let payload: Payload = job.get("payload")?;
                resume(&runs, payload.workflow_run_id).await
            }
        })
    })
}

/// A job may come twice: the second finds that the run does not wait any more.
async fn resume(runs: &Runs, run: WorkflowRunId) -> Result<(), JobFailure> {
    if pause::resume(runs, run).await.map_err(failure::of_service)? {
        dispatch::follow(runs, run).await.map_err(failure::of_fault)?;
    }
    Ok(())
}
