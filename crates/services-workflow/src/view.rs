//! A version of a workflow as the console shows it.

use boxed::boxed;
use std::collections::HashMap;

use db::{
    creator::{SimpleAccount, SimpleEndUser},
    workflow::Workflow,
};
use serde_json::{Map, Value, json};
use services_core::Ctx;
use types::TenantId;
use uuid::Uuid;

use crate::{
    WorkflowError, feature,
    variable::{self, Scope, Variable},
};

/// A version with everything people see of it. Secrets are masked.
#[derive(Debug, Clone)]
pub struct Version {
    /// The row.
    pub row: Workflow,
    /// `{nodes, edges, viewport}`.
    pub graph: Value,
    /// With file uploads in the newer form.
    pub features: Value,
    /// Says whether graph or features changed.
    pub hash: String,
    /// Who made it.
    pub created_by: Option<SimpleAccount>,
    /// Who changed it last.
    pub updated_by: Option<SimpleAccount>,
    /// Whether the app is a tool.
    pub is_tool: bool,
    /// Environment variables.
    pub environment_variables: Vec<Variable>,
    /// Conversation variables.
    pub conversation_variables: Vec<Variable>,
    /// Variables of a knowledge pipeline, as stored.
    pub pipeline_variables: Vec<Map<String, Value>>,
}

/// The versions of one app with everything people see of them.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn versions(
    ctx: &Ctx,
    tenant: TenantId,
    rows: Vec<Workflow>,
) -> Result<Vec<Version>, WorkflowError> {
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let mut ids: Vec<Uuid> =
        rows.iter().flat_map(|row| [Some(row.created_by), row.updated_by]).flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    let (accounts, is_tool) = {
        let mut conn = ctx.db.acquire().await?;
        let accounts = db::creator::accounts(&mut conn, &ids).await?;
        let tool = db::tool_workflow_provider::find_of_app(&mut conn, tenant, first.app_id).await?;
        (by_id(accounts), tool.is_some())
    };
    Ok(rows.into_iter().map(|row| shown(row, &accounts, is_tool)).collect())
}

/// One version with everything people see of it.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn version(ctx: &Ctx, row: Workflow) -> Result<Version, WorkflowError> {
    let tenant = row.tenant_id;
    let mut all = versions(ctx, tenant, vec![row]).await?;
    all.pop().ok_or_else(|| WorkflowError::not_found("Workflow not found"))
}

fn shown(row: Workflow, accounts: &HashMap<Uuid, SimpleAccount>, is_tool: bool) -> Version {
    let graph = parsed(&row.graph);
    let features = feature::current(parsed(&row.features));
    let masked = |scope, text: &str| -> Vec<Variable> {
        variable::of_row(scope, text).into_iter().map(Variable::masked).collect()
    };
    let pipeline: Map<String, Value> =
        serde_json::from_str(&row.rag_pipeline_variables).unwrap_or_default();
    Version {
        hash: hash(&graph, &features),
        created_by: accounts.get(&row.created_by).cloned(),
        updated_by: row.updated_by.and_then(|id| accounts.get(&id).cloned()),
        is_tool,
        environment_variables: masked(Scope::Environment, &row.environment_variables),
        conversation_variables: masked(Scope::Conversation, &row.conversation_variables),
        pipeline_variables: pipeline
            .into_iter()
            .filter_map(|(_, it)| match it {
                Value::Object(variable) => Some(variable),
                _ => None,
            })
            .collect(),
        graph,
        features,
        row,
    }
}

/// The JSON of a row's text; empty text and text that is no JSON are `{}`.
#[must_use]
pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!({}))
}

/// The hash clients send back with a save: of graph and features alone. Computed as the reference does, so that an
/// editor that was open during a change of server can go on.
#[must_use]
pub fn hash(graph: &Value, features: &Value) -> String {
    let text = types::pyjson::dumps_sorted(&json!({"graph": graph, "features": features}));
    crypto::hash::text_hash(&text.unwrap_or_default())
}

/// The hash of a row.
#[must_use]
pub fn row_hash(row: &Workflow) -> String {
    hash(&parsed(&row.graph), &feature::current(parsed(&row.features)))
}

pub(crate) fn by_id(accounts: Vec<SimpleAccount>) -> HashMap<Uuid, SimpleAccount> {
    accounts.into_iter().map(|account| (account.id.0, account)).collect()
}

/// The accounts and end users that made some rows.
#[derive(Debug, Default)]
pub struct Creators {
    accounts: HashMap<Uuid, SimpleAccount>,
    end_users: HashMap<Uuid, SimpleEndUser>,
}

impl Creators {
    /// Finds those behind `made`: pairs of `account` or `end_user` and id.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn find<'m>(
        ctx: &Ctx,
        tenant: TenantId,
        made: impl IntoIterator<Item = (&'m str, Uuid)>,
    ) -> Result<Self, WorkflowError> {
        let (mut accounts, mut end_users) = (Vec::new(), Vec::new());
        for (role, id) in made {
            if role == "account" { accounts.push(id) } else { end_users.push(id) }
        }
        if accounts.is_empty() && end_users.is_empty() {
            return Ok(Self::default());
        }
        let mut conn = ctx.db.acquire().await?;
        let accounts = db::creator::accounts(&mut conn, &accounts).await?;
        let end_users = db::creator::end_users(&mut conn, tenant, &end_users).await?;
        Ok(Self {
            accounts: by_id(accounts),
            end_users: end_users.into_iter().map(|user| (user.id.0, user)).collect(),
        })
    }

    /// The account, if an account made the row.
    #[must_use]
    pub fn account(&self, role: &str, id: Uuid) -> Option<SimpleAccount> {
        (role == "account").then(|| self.accounts.get(&id).cloned()).flatten()
    }

    /// The end user, if an end user made the row.
    #[must_use]
    pub fn end_user(&self, role: &str, id: Uuid) -> Option<SimpleEndUser> {
        (role == "end_user").then(|| self.end_users.get(&id).cloned()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_reference_s() {
        // sha256(json.dumps({"graph": {"nodes": []}, "features": {"é": 1.0}}, sort_keys=True) + "None")
        assert_eq!(
            hash(&json!({"nodes": []}), &json!({"é": 1.0})),
            crypto::hash::text_hash(r#"{"features": {"\u00e9": 1.0}, "graph": {"nodes": []}}"#)
        );
    }
}
