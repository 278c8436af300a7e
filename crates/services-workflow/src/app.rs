//! Which app a request is about.

use boxed::boxed;
use db::app::App;
use services_core::Ctx;
use types::{AppId, TenantId};

use crate::WorkflowError;

/// The modes that have workflows.
pub const FLOWS: &[&str] = &["advanced-chat", "workflow"];

/// The mode without chat.
pub const WORKFLOW: &str = "workflow";

/// The mode with chat.
pub const CHATFLOW: &str = "advanced-chat";

/// The app of the workspace, if its mode is one of `modes`; every mode does for an empty list.
///
/// # Errors
/// [`WorkflowError::NoApp`].
#[boxed]
pub async fn find(
    ctx: &Ctx,
    tenant: TenantId,
    id: AppId,
    modes: &[&str],
) -> Result<App, WorkflowError> {
    let mut conn = ctx.db.acquire().await?;
    let app = db::app::find(&mut conn, tenant, id)
        .await?
        .ok_or_else(|| WorkflowError::NoApp("App not found.".to_owned()))?;
    if modes.is_empty() || modes.contains(&app.mode.as_str()) {
        return Ok(app);
    }
    let list: Vec<String> = modes.iter().map(|mode| format!("'{mode}'")).collect();
    Err(WorkflowError::NoApp(format!(
        "App mode is not in the supported list: {{{}}}",
        list.join(", ")
    )))
}
