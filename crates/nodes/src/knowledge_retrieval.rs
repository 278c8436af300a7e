//! `knowledge-retrieval`: looks a question up in knowledge bases.

use std::sync::Arc;

use async_trait::async_trait;
use graph::{
    File, GraphError, Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Object, Outcome, Outputs,
    Segment, SegmentType, Value, pool::Selector,
};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::{
    common::{nullable, object, usage_metadata},
    ports::{Ports, Question},
};

/// A node that looks a question up.
pub(crate) struct KnowledgeRetrieval {
    settings: Settings,
    data: serde_json::Map<String, Json>,
    ports: Arc<Ports>,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(default, deserialize_with = "nullable")]
    query_variable_selector: Selector,
    #[serde(default, deserialize_with = "nullable")]
    query_attachment_selector: Selector,
    dataset_ids: Vec<String>,
}

impl KnowledgeRetrieval {
    pub(crate) fn new(config: &NodeConfig, ports: Arc<Ports>) -> Result<Self, GraphError> {
        Ok(Self { settings: config.parse()?, data: config.data.clone(), ports })
    }

    fn query(&self, ctx: &NodeCtx, inputs: &mut Object) -> Result<Option<String>, NodeError> {
        let Some(found) = ctx.pool.get(&self.settings.query_variable_selector) else {
            return Ok(None);
        };
        match &found.value {
            Value::String(text) => {
                inputs.insert("query".to_owned(), found.value.clone());
                Ok(Some(text.to_string()).filter(|text| !text.is_empty()))
            }
            _ => Err(NodeError::new("Query variable is not string type.", "")),
        }
    }

    fn attachments(&self, ctx: &NodeCtx, inputs: &mut Object) -> Result<Vec<File>, NodeError> {
        let Some(found) = ctx.pool.get(&self.settings.query_attachment_selector) else {
            return Ok(Vec::new());
        };
        let files = match (&found.value, found.kind) {
            (Value::File(file), _) => vec![(**file).clone()],
            (Value::Array(items), SegmentType::ArrayFile | SegmentType::ArrayAny) => items
                .iter()
                .filter_map(|item| item.as_file().map(|file| (**file).clone()))
                .collect(),
            _ => {
                let message = "Attachments variable is not array file or file type.";
                return Err(NodeError::new(message, ""));
            }
        };
        inputs.insert("attachments".to_owned(), found.value);
        Ok(files)
    }
}

#[async_trait]
impl Node for KnowledgeRetrieval {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let settings = &self.settings;
        if settings.query_variable_selector.is_empty()
            && settings.query_attachment_selector.is_empty()
        {
            return Ok(NodeOutput::default().into());
        }
        let mut inputs = Object::new();
        let query = self.query(ctx, &mut inputs);
        let query = query.map_err(|err| err.with_inputs(inputs.clone()))?;
        let attachments = self.attachments(ctx, &mut inputs);
        let attachments = attachments.map_err(|err| err.with_inputs(inputs.clone()))?;
        let question = Question {
            query,
            attachments,
            datasets: settings.dataset_ids.clone(),
            settings: self.data.clone(),
        };
        let found = self.ports.retrieval.retrieve(ctx, question).await.map_err(|err| {
            NodeError::new(err.message, err.error_type).with_inputs(inputs.clone())
        })?;
        let sources = Value::from_json(Json::Array(found.sources));
        let mut outputs = Outputs::new();
        outputs.insert("result".to_owned(), Segment::new(SegmentType::ArrayObject, sources));
        Ok(NodeOutput {
            inputs,
            process_data: object([("usage", found.usage.to_value())]),
            outputs,
            metadata: usage_metadata(&found.usage),
            usage: Some(found.usage),
            ..NodeOutput::default()
        }
        .into())
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let mut mapping = IndexMap::new();
        for (name, selector) in [
            ("query", &self.settings.query_variable_selector),
            ("queryAttachment", &self.settings.query_attachment_selector),
        ] {
            if !selector.is_empty() {
                mapping.insert(format!("{node_id}.{name}"), selector.clone());
            }
        }
        mapping
    }
}
