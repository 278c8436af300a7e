//! Nodes that plugins run alone, outside of any workflow.

use boxed::boxed;
use std::sync::Arc;

use graph::{
    NoUrls, NodeConfig, NodeCtx, NodeEvents, NodeFactory, Object, Outcome, RandomIds, RunInfo,
    SystemClock, SystemVariables, VariablePool, value::object_to_json,
};
use nodes::CallingNodes;
use serde_json::{Map, Value};
use services_workflow::run::SignedUrls;
use tokio_util::sync::CancellationToken;
use types::AppId;
use uuid::Uuid;

use crate::{ToolError, builtin::Tools, call::Caller};

/// The id such nodes have in the reference.
pub const NODE: &str = "1919810";

/// What a node did.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct NodeDone {
    pub inputs: Map<String, Value>,
    pub outputs: Map<String, Value>,
    pub process_data: Map<String, Value>,
}

impl Tools {
    /// Runs a node of a type with its settings; `query` is its variable `query`.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for settings that make no sense, and for what the node ran into.
    #[boxed]
    pub async fn run_node(
        &self,
        caller: &Caller<'_>,
        kind: &str,
        data: Map<String, Value>,
        query: &str,
    ) -> Result<NodeDone, ToolError> {
        let wrong = |err: &dyn std::fmt::Display| ToolError::Invalid(err.to_string());
        let run = Arc::new(RunInfo {
            tenant_id: caller.tenant,
            app_id: AppId(Uuid::nil()),
            user_id: caller.user.to_owned(),
            user_from: caller.user_from,
            invoke_from: caller.invoke_from,
            workflow_id: Uuid::nil().to_string(),
            workflow_run_id: Uuid::nil().to_string(),
            call_depth: caller.call_depth,
        });
        let config = NodeConfig {
            id: NODE.into(),
            node_type: kind.into(),
            version: "1".into(),
            title: kind.into(),
            data,
        };
        let ports = services_workflow::run::ports::ports(&self.ctx, &self.models);
        let node = CallingNodes::new(Arc::new(ports)).create(&config);
        let node = node
            .map_err(|err| wrong(&err))?
            .ok_or_else(|| ToolError::Invalid(format!("there are no nodes of type {kind}")))?;
        let urls = Arc::new(SignedUrls(self.ctx.clone()));
        let mut pool = VariablePool::new(SystemVariables::default(), Object::new(), urls);
        pool.set(NODE, "query", graph::Value::from(query));
        let (events, mut told) = NodeEvents::channel(64);
        let cancel = CancellationToken::new();
        let _ends = cancel.clone().drop_guard();
        let ctx = NodeCtx {
            node_id: NODE.into(),
            title: kind.into(),
            execution_id: Uuid::new_v4().to_string().into(),
            attempt: 0,
            pool: Arc::new(pool),
            run,
            events,
            cancel,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        };
        let work = node.run(&ctx);
        tokio::pin!(work);
        // What it tells on the way interests nobody, but it must not wait for a listener.
        let outcome = loop {
            tokio::select! {
                outcome = &mut work => break outcome,
                Some(_) = told.recv() => {}
            }
        };
        match outcome.map_err(|err| ToolError::Invalid(err.message))? {
            Outcome::Done(done) => {
                let outputs = done.outputs.into_iter().map(|(name, it)| (name, it.value)).collect();
                Ok(NodeDone {
                    inputs: object_to_json(&done.inputs, &NoUrls),
                    outputs: object_to_json(&outputs, &NoUrls),
                    process_data: object_to_json(&done.process_data, &NoUrls),
                })
            }
            Outcome::Pause(_) => Err(ToolError::invalid("a node that waits cannot be run alone")),
        }
    }
}
