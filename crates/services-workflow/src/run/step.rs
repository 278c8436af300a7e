//! Runs of one node of the draft while somebody builds it.

use boxed::boxed;
use std::sync::Arc;

use app_engine::workflow::record;
use chrono::{DateTime, Utc};
use graph::{
    Graph, GraphEvent, NodeResult, RandomIds, Setup, SystemClock, SystemVariables, Value,
    VariablePool, event::EngineEvent, graph::ErrorStrategy, value::Object,
};
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc;
use types::{NodeExecutionId, WorkflowRunId};

use super::{
    RunFailure, Runs, files::Resolver, inputs, part, part::PartRequest, select, store, task,
};
use crate::{
    app, draft_variable,
    draft_variable::save::{self, Ran},
    graph_check::{self, GraphNode},
    node_execution::{self, Execution},
};

/// How a node that ran alone ended.
struct Ended {
    result: Box<NodeResult>,
    at: DateTime<Utc>,
    /// Why it failed, and the kind of error.
    failure: Option<(String, String)>,
}

impl Runs {
    /// Runs one node of the draft and keeps what it answered. `query` and `files` count for start nodes.
    ///
    /// # Errors
    /// [`RunFailure::Invalid`] for a node that is not there, settings it cannot run with, variables without a value.
    /// A node that fails is no error.
    #[boxed]
    pub async fn step(
        &self,
        part: &PartRequest,
        query: &str,
        files: &[Json],
    ) -> Result<Execution, RunFailure> {
        let json = part::graph_of(&part.workflow)?;
        let node = graph_check::node(&json, &part.node)?;
        if node.kind == "human-input" {
            // It would only ask somebody and wait; its form is tried out by endpoints of its own.
            return Err(RunFailure::Invalid(
                "Node execution failed - no result returned".to_owned(),
            ));
        }
        let run_id = WorkflowRunId::random();
        let request = part.as_run();
        let info = Arc::new(self.info(&request, run_id));
        draft_variable::fill_defaults(&self.ctx, &part.app, &part.workflow, part.by()).await?;
        let mut pool = self.step_pool(part, node, run_id, query, files).await?;
        let graph = Graph::single(&json, &part.node, &*self.nodes.factory(&info))?;
        graph.prepare(&info).await?;
        self.fill(part, &graph, &mut pool).await?;
        let root = graph.node(graph.root());
        let strategy = root.and_then(|root| root.error_strategy);
        let defaults = root.map(|root| root.default_values.clone()).unwrap_or_default();
        let setup = Setup {
            graph: Arc::new(graph.without_recovery()),
            info,
            limits: task::limits(self),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        };
        let ended = self.execute(&setup, pool, &part.node).await?;
        let ended = apply(ended, strategy, &defaults);
        let id = NodeExecutionId::random();
        self.keep(part, node, id, &ended).await?;
        Ok(node_execution::find(&self.ctx, &part.app, id).await?)
    }

    /// The variables a node starts with: start nodes have the system's, the others what they ask for.
    async fn step_pool(
        &self,
        part: &PartRequest,
        node: GraphNode<'_>,
        run: WorkflowRunId,
        query: &str,
        files: &[Json],
    ) -> Result<VariablePool, RunFailure> {
        let mut system = SystemVariables {
            workflow_run_id: Some(run.to_string()),
            ..SystemVariables::default()
        };
        let is_start =
            matches!(node.kind, "start" | "datasource") || graph_check::is_trigger(node.kind);
        let mut given = inputs::unchecked(&part.inputs);
        if is_start {
            let ctx = &self.ctx;
            let resolver = Resolver::new(ctx, part.app.tenant_id, &part.workflow.features, false);
            if node.kind == "start" {
                put_files(&mut given, node.data, &part.inputs, &resolver).await?;
            }
            system.user_id = Some(part.runner.id().to_string());
            system.app_id = Some(part.app.id.to_string());
            system.workflow_id = Some(part.workflow.id.to_string());
            system.timestamp = Some(ctx.now().timestamp());
            system.files = resolver.system(files).await?;
            if part.app.mode == app::CHATFLOW {
                let conversation =
                    draft_variable::conversation_of(ctx, &part.app, part.by()).await?;
                system.query = Some(query.to_owned());
                system.conversation_id = Some(conversation.to_string());
                system.dialogue_count = Some(1);
            }
        }
        let mut pool = VariablePool::new(system, given, self.urls.clone());
        select::put_environment(&self.ctx, &mut pool, &part.workflow).await?;
        Ok(pool)
    }

    /// Runs the node until it ends. Dropping the future stops it.
    async fn execute(
        &self,
        setup: &Setup,
        pool: VariablePool,
        id: &str,
    ) -> Result<Ended, RunFailure> {
        let (control, requests) = mpsc::channel(1);
        let (sender, mut events) = mpsc::channel(64);
        let engine = self.executor.start(setup, pool, requests, sender);
        let follow = async {
            let mut ended = None;
            while let Some(event) = events.recv().await {
                if let Some(end) = end_of(event, id) {
                    ended = Some(end);
                }
            }
            ended
        };
        let (_, ended) = tokio::join!(engine, follow);
        drop(control);
        ended.ok_or_else(|| {
            RunFailure::Invalid("Node execution failed - no result returned".to_owned())
        })
    }

    /// Stores the execution and the variables it leaves.
    async fn keep(
        &self,
        part: &PartRequest,
        node: GraphNode<'_>,
        id: NodeExecutionId,
        ended: &Ended,
    ) -> Result<(), RunFailure> {
        let row = record::single_row(&record::Single {
            id: id.to_string(),
            node_id: node.id,
            node_type: node.kind,
            title: node.text("title"),
            result: &ended.result,
            failure: ended.failure.as_ref().map(|(message, _)| message.as_str()),
            at: ended.at,
            urls: &*self.urls,
            limits: save::truncator(&self.ctx),
        });
        let owner = self.owner(&part.as_run());
        store::nodes(&self.ctx, owner, None, task::SINGLE_STEP, vec![row]).await?;
        let is_kept = ended.failure.is_none() || is_exception(&ended.result);
        let (outputs, process_data) = if is_kept {
            (values(&ended.result), ended.result.process_data.clone())
        } else {
            (Object::new(), Object::new())
        };
        let ran = Ran {
            tenant: part.app.tenant_id,
            app: part.app.id,
            by: part.by(),
            node: node.id,
            node_type: node.kind,
            execution: id,
            is_enclosed: graph_check::is_enclosed(node),
            process_data: &process_data,
            outputs: &outputs,
        };
        save::save(&self.ctx, &ran).await?;
        Ok(())
    }
}

fn values(result: &NodeResult) -> Object {
    result.outputs.iter().map(|(name, it)| (name.clone(), it.value.clone())).collect()
}

/// Whether an error strategy made something of the failure.
fn is_exception(result: &NodeResult) -> bool {
    result.metadata.entries.contains_key("error_strategy")
}

fn end_of(event: EngineEvent, id: &str) -> Option<Ended> {
    let at = event.at;
    match event.event {
        GraphEvent::NodeSucceeded { node, result } if &*node.node_id == id => {
            Some(Ended { result, at, failure: None })
        }
        GraphEvent::NodeFailed { node, result, error, error_type } if &*node.node_id == id => {
            Some(Ended { result, at, failure: Some((error, error_type)) })
        }
        _ => None,
    }
}

/// What the node's error strategy makes of a failure.
fn apply(mut ended: Ended, strategy: Option<ErrorStrategy>, defaults: &Object) -> Ended {
    let Some((message, error_type)) = &ended.failure else { return ended };
    let result = &mut ended.result;
    result.process_data = Object::new();
    result.outputs.clear();
    let Some(strategy) = strategy else {
        // As in the reference, nothing but the error is kept.
        result.inputs = Object::new();
        result.metadata = graph::node::Metadata::default();
        return ended;
    };
    result.outputs.insert("error_message".to_owned(), Value::from(message.as_str()).into());
    result.outputs.insert("error_type".to_owned(), Value::from(error_type.as_str()).into());
    if strategy == ErrorStrategy::DefaultValue {
        let defaults = defaults.iter().map(|(name, it)| (name.clone(), it.clone().into()));
        result.outputs.extend(defaults);
    }
    result.metadata = graph::node::Metadata::default().with("error_strategy", strategy.as_str());
    ended
}

/// Looks the files of a start node's form up.
async fn put_files(
    given: &mut Object,
    data: &Map<String, Json>,
    raw: &Map<String, Json>,
    files: &Resolver<'_>,
) -> Result<(), RunFailure> {
    let declared = data.get("variables").and_then(Json::as_array);
    for variable in declared.into_iter().flatten() {
        let text = |key: &str| variable.get(key).and_then(Json::as_str).unwrap_or_default();
        let (name, kind) = (text("variable"), text("type"));
        let Some(value) = raw.get(name).filter(|_| matches!(kind, "file" | "file-list")) else {
            continue;
        };
        let found = match (kind, value) {
            ("file", Json::Object(mapping)) => Value::from(files.any(mapping).await?),
            ("file-list", Json::Array(items)) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    let mapping = item.as_object().ok_or_else(|| {
                        RunFailure::Invalid(
                            "expected dict for first element in the file list, got <class 'list'>"
                                .to_owned(),
                        )
                    })?;
                    list.push(Value::from(files.any(mapping).await?));
                }
                Value::array(list)
            }
            (_, other) => {
                let (wanted, what) =
                    if kind == "file" { ("dict", "file") } else { ("list", "file list") };
                let class = Value::from_json(other.clone());
                return Err(RunFailure::Invalid(format!(
                    "expected {wanted} for {what} object, got <class '{}'>",
                    class.py_type()
                )));
            }
        };
        given.insert(name.to_owned(), found);
    }
    Ok(())
}
