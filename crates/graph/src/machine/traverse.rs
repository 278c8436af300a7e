//! Which edges are taken, which are skipped, and which nodes become ready.

use super::{
    Machine,
    state::{FrameId, Mark, Ready, TOP},
};
use crate::{
    graph::{EdgeIndex, NodeIndex},
    node::ExecutionKind,
};

impl Machine {
    /// Lets a node start; a second time does nothing.
    pub(super) fn enqueue(&mut self, frame: FrameId, node: NodeIndex) {
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        if it.node(node) == Mark::Taken {
            return;
        }
        it.mark_node(node, Mark::Taken);
        it.pending += 1;
        self.state.ready.push_back(Ready { frame, node });
    }

    /// Follows the edges of a node that is done: those of `handle`, or all without one.
    pub(super) fn follow(&mut self, frame: FrameId, node: NodeIndex, handle: Option<&str>) {
        let (mut taken, mut skipped) = (Vec::new(), Vec::new());
        for &edge in self.graph.out_edges(node) {
            let Some(it) = self.graph.edge(edge) else { continue };
            let selected = handle.is_none_or(|handle| it.handle == handle);
            if selected { taken.push(edge) } else { skipped.push(edge) }
        }
        self.skip(frame, &skipped);
        for edge in taken {
            self.take(frame, edge);
        }
    }

    fn take(&mut self, frame: FrameId, edge: EdgeIndex) {
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        it.mark_edge(edge, Mark::Taken);
        self.edge_taken(frame);
        let Some(target) = self.graph.edge(edge).map(|it| it.target) else { return };
        if self.incoming(frame, target) == Some(Mark::Taken) {
            self.enqueue(frame, target);
        }
    }

    /// Skips edges, and what can be reached only through skipped edges.
    pub(super) fn skip(&mut self, frame: FrameId, edges: &[EdgeIndex]) {
        let mut stack: Vec<EdgeIndex> = edges.iter().rev().copied().collect();
        while let Some(edge) = stack.pop() {
            let Some(it) = self.state.frames.get_mut(&frame) else { return };
            it.mark_edge(edge, Mark::Skipped);
            let Some(target) = self.graph.edge(edge).map(|it| it.target) else { continue };
            match self.incoming(frame, target) {
                Some(Mark::Taken) => self.enqueue(frame, target),
                Some(Mark::Skipped) => {
                    let Some(it) = self.state.frames.get_mut(&frame) else { return };
                    if it.node(target) == Mark::Unknown {
                        it.mark_node(target, Mark::Skipped);
                        stack.extend(self.graph.out_edges(target).iter().rev());
                    }
                }
                _ => {}
            }
        }
    }

    /// What the edges into a node say: nothing while one is unknown.
    fn incoming(&self, frame: FrameId, node: NodeIndex) -> Option<Mark> {
        let frame = self.state.frames.get(&frame)?;
        let mut mark = Mark::Skipped;
        for &edge in self.graph.in_edges(node) {
            match frame.edge(edge) {
                Mark::Unknown => return None,
                Mark::Taken => mark = Mark::Taken,
                Mark::Skipped => {}
            }
        }
        Some(mark)
    }

    /// Skips what only the start nodes that did not start this run lead to.
    pub(super) fn skip_other_roots(&mut self) {
        let root = self.graph.root();
        let is_root = |node: NodeIndex| {
            self.graph.node(node).is_some_and(|it| it.kind == ExecutionKind::Root)
        };
        if !is_root(root) {
            return;
        }
        let others: Vec<NodeIndex> =
            (0..self.graph.nodes().len()).filter(|&node| node != root && is_root(node)).collect();
        for node in others {
            if let Some(top) = self.state.frames.get_mut(&TOP) {
                top.mark_node(node, Mark::Skipped);
            }
            let edges = self.graph.out_edges(node).to_vec();
            self.skip(TOP, &edges);
        }
    }
}
