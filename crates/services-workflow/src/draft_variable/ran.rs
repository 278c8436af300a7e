//! Variables that whole runs of the editor leave behind, node by node.

use boxed::boxed;
use db::app::App;
use graph::{EngineEvent, GraphEvent, Object};
use services_core::Ctx;
use types::AccountId;

use super::save::{self, Ran};

/// Keeps what the nodes of one run of the editor answer.
#[derive(Debug, Clone)]
pub struct Keeper {
    app: App,
    by: AccountId,
}

impl Keeper {
    /// A keeper for a run of `app` by `by`.
    #[must_use]
    pub fn new(app: App, by: AccountId) -> Self {
        Self { app, by }
    }

    /// Keeps what a node answered, if the event tells of that. What cannot be kept is missing in the editor, and no
    /// reason for the run to end.
    #[boxed]
    pub async fn note(&self, ctx: &Ctx, event: &EngineEvent) {
        let (GraphEvent::NodeSucceeded { node, result }
        | GraphEvent::NodeException { node, result, .. }) = &event.event
        else {
            return;
        };
        let Ok(execution) = node.execution_id.parse() else { return };
        let outputs: Object =
            result.outputs.iter().map(|(name, it)| (name.clone(), it.value.clone())).collect();
        let ran = Ran {
            tenant: self.app.tenant_id,
            app: self.app.id,
            by: self.by,
            node: &node.node_id,
            node_type: &node.node_type,
            execution,
            is_enclosed: node.in_iteration_id.is_some() || node.in_loop_id.is_some(),
            process_data: &result.process_data,
            outputs: &outputs,
        };
        if let Err(err) = save::save(ctx, &ran).await {
            tracing::warn!(error = %err, node = %node.node_id, "variables of a run of the editor are not kept");
        }
    }
}
