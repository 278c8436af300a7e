//! `iteration-start`, `loop-start`, `loop-end`: they mark a place and do nothing.

use async_trait::async_trait;

use crate::node::{Node, NodeCtx, NodeError, NodeOutput, Outcome};

pub(crate) struct Passive;

#[async_trait]
impl Node for Passive {
    async fn run(&self, _ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        Ok(NodeOutput::default().into())
    }

    fn is_pure(&self) -> bool {
        true
    }
}
