//! `answer`: a piece of a chatflow's answer.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde::Deserialize;
use template::variable::{Part, parts};

use super::template_mapping;
use crate::{
    node::{ExecutionKind, Node, NodeCtx, NodeError, NodeOutput, Outcome, Outputs, TemplatePart},
    pool::Selector,
    segment::{Segment, SegmentType},
    value::Value,
};

#[derive(Deserialize)]
pub(super) struct Answer {
    answer: String,
}

#[async_trait]
impl Node for Answer {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let segments = ctx.pool.segments(&self.answer);
        let mut files = Vec::new();
        for segment in &segments {
            match (&segment.value, segment.kind) {
                (Value::File(_), SegmentType::File) => files.push(segment.value.clone()),
                (Value::Array(items), SegmentType::ArrayFile) => files.extend_from_slice(items),
                _ => {}
            }
        }
        let answer: String = segments.iter().map(|it| it.markdown(ctx.pool.urls())).collect();
        let mut outputs = Outputs::new();
        outputs.insert("answer".to_owned(), Segment::from(answer));
        let files = Segment::new(SegmentType::ArrayFile, Value::array(files));
        outputs.insert("files".to_owned(), files);
        Ok(NodeOutput { outputs, ..NodeOutput::default() }.into())
    }

    fn kind(&self) -> ExecutionKind {
        ExecutionKind::Response
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn response_template(&self) -> Option<Vec<TemplatePart>> {
        let parts = parts(&self.answer).into_iter().map(|part| match part {
            Part::Text(text) => TemplatePart::Text(text.to_owned()),
            Part::Variable(name) => {
                TemplatePart::Variable(name.split('.').map(str::to_owned).collect())
            }
        });
        Some(parts.collect())
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        template_mapping(node_id, &self.answer)
    }
}
