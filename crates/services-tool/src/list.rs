//! Providers of every kind in one list.

use boxed::boxed;
use db::tool_workflow_provider::WorkflowTool;
use plugin::entity::I18n;
use serde_json::{Map, Value};
use types::TenantId;

use crate::{
    ToolError,
    builtin::Tools,
    label,
    view::{ProviderView, plain_icon},
};

/// Kinds of providers a list can be limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names on the wire")]
pub enum Kind {
    Builtin,
    Api,
    Workflow,
    Mcp,
}

impl Tools {
    /// The providers of a workspace, without their tools; of one kind if it is named.
    ///
    /// # Errors
    /// Faults of the ground.
    #[boxed]
    pub async fn providers(
        &self,
        tenant: TenantId,
        kind: Option<Kind>,
    ) -> Result<Vec<ProviderView>, ToolError> {
        let wanted = |it: Kind| kind.is_none_or(|kind| kind == it);
        let mut all = Vec::new();
        if wanted(Kind::Builtin) {
            all.extend(self.builtin_views(tenant, false).await?);
        }
        if wanted(Kind::Api) {
            all.extend(self.api_views(tenant, false).await?);
        }
        if wanted(Kind::Workflow) {
            all.extend(self.workflow_views(tenant).await?);
        }
        if wanted(Kind::Mcp) {
            all.extend(self.mcp_views(tenant, false).await?);
        }
        Ok(all)
    }

    async fn workflow_views(&self, tenant: TenantId) -> Result<Vec<ProviderView>, ToolError> {
        let mut conn = self.ctx.db.acquire().await?;
        let rows = db::tool_workflow_provider::list(&mut conn, tenant).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
        let mut labels = label::of(&mut conn, "workflow", &ids).await?;
        let users: Vec<_> = rows.iter().map(|row| row.user_id).collect();
        let authors = db::creator::accounts(&mut conn, &users).await?;
        let view = |row: WorkflowTool| {
            let author = authors.iter().find(|it| it.id.0 == row.user_id);
            ProviderView {
                author: author.map(|it| it.name.clone()).unwrap_or_default(),
                description: I18n::same(row.description),
                icon: serde_json::from_str(&row.icon).unwrap_or_else(|_| plain_icon()),
                icon_dark: Value::from(""),
                name: row.label.clone(),
                label: I18n::same(row.label),
                kind: "workflow",
                masked_credentials: Map::new(),
                is_team_authorization: true,
                allow_delete: true,
                plugin_id: None,
                plugin_unique_identifier: None,
                tools: Vec::new(),
                labels: labels.remove(&row.id.to_string()).unwrap_or_default(),
                mcp: None,
                workflow_app_id: None,
                id: row.id.to_string(),
            }
        };
        Ok(rows.into_iter().map(view).collect())
    }
}
