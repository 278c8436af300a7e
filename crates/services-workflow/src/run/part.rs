//! Runs of a part of the draft while somebody builds it: what such a run reads, and iterations and loops alone.

use boxed::boxed;
use std::sync::Arc;

use graph::{
    Graph, InvokeFrom, Segment, SystemVariables, Value, VariablePool, pool::ENVIRONMENT,
    value::Object,
};
use serde_json::{Map, Value as Json};
use types::{AccountId, WorkflowRunId};
use uuid::Uuid;

use super::{
    App, RunFailure, RunRequest, Runner, Runs, Started, Version, files::Resolver, icons, select,
    task,
};
use crate::draft_variable::{self, load};

/// A part of the draft to run.
#[derive(Debug, Clone)]
pub struct PartRequest {
    /// The app.
    pub app: App,
    /// Its draft.
    pub workflow: Version,
    /// Who builds it.
    pub runner: Runner,
    /// The node.
    pub node: String,
    /// Values of variables the node reads, by the keys of [`Graph::variable_mapping`] with or without the node.
    pub inputs: Map<String, Json>,
}

impl PartRequest {
    pub(in crate::run) fn by(&self) -> AccountId {
        AccountId(self.runner.id())
    }

    /// The same as a run of its own.
    pub(super) fn as_run(&self) -> RunRequest {
        RunRequest {
            app: self.app.clone(),
            workflow: self.workflow.clone(),
            runner: self.runner.clone(),
            invoke_from: InvokeFrom::Debugger,
            triggered_from: "debugging",
            inputs: Map::new(),
            files: Vec::new(),
            root: Some(self.node.clone()),
            run_id: None,
            call_depth: 0,
        }
    }
}

impl Runs {
    /// Starts a run of an iteration or a loop of the draft, with the nodes inside it. Returns when it is stored as
    /// running.
    ///
    /// # Errors
    /// [`RunFailure`]: nothing was stored then.
    #[boxed]
    pub async fn start_container(&self, part: PartRequest) -> Result<Started, RunFailure> {
        let new = self.container(part).await?;
        task::start(self, new).await
    }

    /// Everything such a run is made of.
    pub(in crate::run) async fn container(
        &self,
        part: PartRequest,
    ) -> Result<task::New, RunFailure> {
        let run_id = WorkflowRunId::random();
        let request = part.as_run();
        let info = Arc::new(self.info(&request, run_id));
        let json = graph_of(&part.workflow)?;
        let graph = Graph::single(&json, &part.node, &*self.nodes.factory(&info))?;
        graph.prepare(&info).await?;
        let row = &part.workflow;
        draft_variable::fill_defaults(&self.ctx, &part.app, row, part.by()).await?;
        let kept = SystemVariables {
            workflow_run_id: Some(run_id.to_string()),
            ..SystemVariables::default()
        };
        let mut pool = VariablePool::new(kept.clone(), Object::new(), self.urls.clone());
        select::put_environment(&self.ctx, &mut pool, row).await?;
        self.fill(&part, &graph, &mut pool).await?;
        // Clients are told of a system of its own, as in the reference.
        let shown = SystemVariables {
            user_id: Some(part.runner.id().to_string()),
            app_id: Some(part.app.id.to_string()),
            workflow_id: Some(row.id.to_string()),
            workflow_run_id: Some(Uuid::new_v4().to_string()),
            ..SystemVariables::default()
        };
        Ok(task::New {
            info,
            graph: Arc::new(graph),
            start: task::Start::New(pool),
            lookup: icons::of(&self.ctx, part.app.tenant_id, &json).await,
            shown: task::shown_inputs(&Object::new(), &shown, &*self.urls),
            kept: task::shown_inputs(&Object::new(), &kept, &*self.urls),
            run_id,
            task: Uuid::new_v4(),
            created_at: self.ctx.now(),
            owner: self.owner(&request),
            request,
            nodes_from: task::SINGLE_STEP,
        })
    }

    /// Puts into `pool` what the part reads: values of the request, and else what debugging left behind.
    pub(super) async fn fill(
        &self,
        part: &PartRequest,
        graph: &Graph,
        pool: &mut VariablePool,
    ) -> Result<(), RunFailure> {
        let mapping = graph.variable_mapping(graph.root());
        let missing: Vec<_> = mapping
            .iter()
            .filter(|(key, selector)| {
                !has(&part.inputs, key) && pool.get(selector.as_slice()).is_none()
            })
            .map(|(_, selector)| selector.clone())
            .collect();
        for found in load::selected(&self.ctx, &part.app, part.by(), &missing).await? {
            pool.set(&found.node, &found.name, found.value);
        }
        let files = Resolver::new(&self.ctx, part.app.tenant_id, "{}", false);
        for (key, selector) in &mapping {
            let known = pool.get(selector.as_slice());
            if known.is_none() && !has(&part.inputs, key) {
                let message = format!("Variable key {key} not found in user inputs.");
                return Err(RunFailure::Invalid(message));
            }
            let Some((node, path)) = selector.split_first() else { continue };
            if node == ENVIRONMENT {
                continue;
            }
            if let Some(given) = given(&part.inputs, key) {
                let value = read(given, &files).await?;
                put(pool, node, path, value)?;
            }
        }
        Ok(())
    }
}

/// The key without the node it belongs to.
fn short(key: &str) -> &str {
    key.split_once('.').map_or("", |(_, name)| name)
}

fn has(inputs: &Map<String, Json>, key: &str) -> bool {
    inputs.contains_key(key) || inputs.contains_key(short(key))
}

/// The value given for a key. An empty one under the whole key gives way to one under the short key.
fn given<'i>(inputs: &'i Map<String, Json>, key: &str) -> Option<&'i Json> {
    let whole = inputs.get(key).filter(|it| Value::from_json((*it).clone()).is_truthy());
    whole.or_else(|| inputs.get(short(key))).filter(|it| !it.is_null())
}

async fn read(given: &Json, files: &Resolver<'_>) -> Result<Value, RunFailure> {
    match given {
        Json::Object(mapping) if is_file(mapping) => Ok(files.any(mapping).await?.into()),
        Json::Array(items) if !items.is_empty() => {
            let mappings: Option<Vec<_>> = items.iter().map(Json::as_object).collect();
            match mappings.filter(|all| all.iter().all(|it| is_file(it))) {
                None => Ok(Value::from_json(given.clone())),
                Some(mappings) => {
                    let mut list: Vec<Value> = Vec::with_capacity(mappings.len());
                    for mapping in mappings {
                        list.push(files.any(mapping).await?.into());
                    }
                    Ok(Value::array(list))
                }
            }
        }
        _ => Ok(Value::from_json(given.clone())),
    }
}

fn is_file(mapping: &Map<String, Json>) -> bool {
    mapping.contains_key("type") && mapping.contains_key("transfer_method")
}

/// Sets a variable, or one field of a structured answer of a model.
fn put(
    pool: &mut VariablePool,
    node: &str,
    path: &[String],
    value: Value,
) -> Result<(), RunFailure> {
    match path {
        [name] => pool.set(node, name, value),
        [name, field] if name == "structured_output" => {
            let known = pool.variable(node, name).map(|it| it.value.clone());
            let mut fields = known.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
            fields.insert(field.clone(), value);
            pool.set(node, name, Segment::from(Value::object(fields)));
        }
        _ => {
            let count = path.len() + 1;
            return Err(RunFailure::Invalid(format!(
                "Invalid selector: expected 2 elements (node_id, variable_name), got {count} elements"
            )));
        }
    }
    Ok(())
}

/// The graph of a version.
pub(super) fn graph_of(workflow: &Version) -> Result<Json, RunFailure> {
    serde_json::from_str(&workflow.graph)
        .map_err(|err| services_core::Fault::caused("a stored graph is no JSON", err).into())
}
