//! The run a node belongs to.

use serde::{Deserialize, Serialize};
use types::{AppId, TenantId};

use crate::error::GraphError;

/// Who asked for the run, as Dify names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum InvokeFrom {
    ServiceApi,
    WebApp,
    Trigger,
    Explore,
    Debugger,
    Published,
    Validation,
}

impl InvokeFrom {
    /// The name in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceApi => "service-api",
            Self::WebApp => "web-app",
            Self::Trigger => "trigger",
            Self::Explore => "explore",
            Self::Debugger => "debugger",
            Self::Published => "published",
            Self::Validation => "validation",
        }
    }
}

/// What kind of user a run belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserFrom {
    /// A console user.
    Account,
    /// A user of a published app.
    EndUser,
}

/// The run a node belongs to.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// The workspace.
    pub tenant_id: TenantId,
    /// The app; runs of one app share its slots in the executor.
    pub app_id: AppId,
    /// Account or end user.
    pub user_id: String,
    /// Which of the two.
    pub user_from: UserFrom,
    /// How the run was started.
    pub invoke_from: InvokeFrom,
    /// The workflow version.
    pub workflow_id: String,
    /// The run, `sys.workflow_run_id`.
    pub workflow_run_id: String,
    /// How many workflows called each other to get here; 0 for a run of its own.
    pub call_depth: u32,
}

impl RunInfo {
    /// Checks how deep workflows call each other (`WORKFLOW_CALL_MAX_DEPTH`), before a run.
    ///
    /// # Errors
    /// [`GraphError::CallDepth`] when it is deeper than `limit`.
    pub fn check_call_depth(&self, limit: u32) -> Result<(), GraphError> {
        if self.call_depth > limit { Err(GraphError::CallDepth(limit)) } else { Ok(()) }
    }
}
