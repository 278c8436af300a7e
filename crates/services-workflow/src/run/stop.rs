//! Stopping runs by task id: as all answers are stopped, see [`services_conversation::stop`].

use app_engine::basic::Caller;
use boxed::boxed;
use services_conversation::stop;
use types::{AccountId, EndUserId};
use uuid::Uuid;

use super::{Runner, Runs};

impl Runner {
    /// As answers know who asks.
    #[must_use]
    pub fn caller(&self) -> Caller {
        match self {
            Self::Account { id, .. } => Caller::Account(AccountId(*id)),
            Self::EndUser { id, .. } => Caller::EndUser(EndUserId(*id)),
        }
    }
}

/// Notes whose task it is, so that nobody else stops it.
pub(super) async fn claim(runs: &Runs, runner: &Runner, task: Uuid) {
    stop::note_owner(&runs.ctx, task, runner.caller()).await;
}

/// Stops a task if it is this user's. As in the reference there is no telling whether it was.
#[boxed]
pub async fn stop(runs: &Runs, runner: &Runner, task: &str) {
    stop::stop(&runs.ctx, &runs.hub, task, runner.caller()).await;
}
