//! Streaming of answer and end nodes: the texts and variables of their templates are told in
//! order, as early as they are certain to be reached and known.

use super::{
    Machine,
    state::{FrameId, Mark, Session, Stream},
};
use crate::{event::GraphEvent, graph::NodeIndex, node::TemplatePart, pool::Selector};

impl Machine {
    /// Takes a piece of a node's output. Pieces that no template shows are dropped.
    pub(super) fn stream(
        &mut self,
        frame: FrameId,
        selector: Selector,
        text: String,
        is_final: bool,
    ) {
        if !self.graph.is_streamed(&selector) {
            return;
        }
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        let streams = &mut it.responses.streams;
        match streams.iter_mut().find(|stream| stream.selector == selector) {
            // The reference fails the run here; what comes after the end has no place to go.
            Some(stream) if stream.closed => return,
            Some(stream) => {
                stream.chunks.push_back((text, is_final));
                stream.closed = is_final;
            }
            None => streams.push(Stream {
                selector,
                chunks: [(text, is_final)].into(),
                closed: is_final,
            }),
        }
        self.flush(frame);
    }

    /// After an edge was taken: activates the templates that are now certain to be reached.
    pub(super) fn edge_taken(&mut self, frame: FrameId) {
        let Some(it) = self.state.frames.get(&frame) else { return };
        let uncertain = it.responses.uncertain.clone();
        for node in uncertain {
            if !self.is_certain(frame, node) {
                continue;
            }
            let Some(it) = self.state.frames.get_mut(&frame) else { return };
            let responses = &mut it.responses;
            responses.uncertain.retain(|&other| other != node);
            let session = Session { node, index: 0 };
            if responses.active.is_none() {
                responses.active = Some(session);
                self.flush(frame);
            } else {
                responses.waiting.push_back(session);
            }
        }
    }

    /// Whether some path to `node` has only edges that are taken or that nothing can prevent.
    fn is_certain(&self, frame: FrameId, node: NodeIndex) -> bool {
        let Some(frame) = self.state.frames.get(&frame) else { return false };
        let response = self.graph.node(node).and_then(|it| it.response.as_ref());
        let Some(response) = response else { return false };
        let mut seen = vec![false; self.graph.nodes().len()];
        let mut stack = vec![frame.root];
        while let Some(at) = stack.pop() {
            if at == node {
                return true;
            }
            match seen.get_mut(at) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            for &edge in self.graph.out_edges(at) {
                let blocking = response.blocking.get(edge).copied().unwrap_or(true);
                if (!blocking || frame.edge(edge) == Mark::Taken)
                    && let Some(edge) = self.graph.edge(edge)
                {
                    stack.push(edge.target);
                }
            }
        }
        false
    }

    /// Tells what the active template can show by now.
    pub(super) fn flush(&mut self, frame: FrameId) {
        loop {
            let Some(it) = self.state.frames.get(&frame) else { return };
            let Some(session) = it.responses.active else { return };
            let part =
                self.graph.node(session.node).and_then(|node| node.response.as_ref()).and_then(
                    |response| {
                        let last = session.index + 1 == response.parts.len();
                        Some((response.parts.get(session.index)?.clone(), last))
                    },
                );
            let Some((part, last)) = part else {
                let Some(it) = self.state.frames.get_mut(&frame) else { return };
                it.responses.active = it.responses.waiting.pop_front();
                continue;
            };
            let done = match part {
                TemplatePart::Text(text) => {
                    self.flush_text(frame, session.node, text, last);
                    true
                }
                TemplatePart::Variable(selector) => {
                    self.flush_variable(frame, session.node, &selector, last)
                }
            };
            if !done {
                return;
            }
            let Some(it) = self.state.frames.get_mut(&frame) else { return };
            if let Some(active) = &mut it.responses.active {
                active.index += 1;
            }
        }
    }

    fn flush_text(&mut self, frame: FrameId, node: NodeIndex, text: String, is_final: bool) {
        let Some(node) = self.node_ref(frame, node) else { return };
        let selector = vec![node.node_id.to_string(), "answer".to_owned()];
        self.emit(frame, GraphEvent::Chunk { node, selector, text, is_final });
    }

    /// Whether the variable is complete.
    fn flush_variable(
        &mut self,
        frame: FrameId,
        response: NodeIndex,
        selector: &Selector,
        last: bool,
    ) -> bool {
        let source = selector.first().and_then(|id| self.graph.find(id));
        let Some(it) = self.state.frames.get_mut(&frame) else { return false };
        if source.is_some_and(|source| it.node(source) == Mark::Skipped) {
            return true;
        }
        let pool = it.pool;
        let stream = it.responses.streams.iter_mut().find(|it| it.selector == *selector);
        let (chunks, closed) = match stream {
            Some(stream) => (std::mem::take(&mut stream.chunks), stream.closed),
            None => Default::default(),
        };
        // Variables of no node are told as the response node's.
        let Some(node) = self.node_ref(frame, source.unwrap_or(response)) else { return false };
        for (text, is_final) in chunks {
            let (node, selector) = (node.clone(), selector.clone());
            self.emit(frame, GraphEvent::Chunk { node, selector, text, is_final });
        }
        if closed {
            return true;
        }
        let Some(text) =
            self.pools.get(&pool).and_then(|pool| Some(pool.get(selector)?.markdown(pool.urls())))
        else {
            return false;
        };
        let selector = selector.clone();
        self.emit(frame, GraphEvent::Chunk { node, selector, text, is_final: last });
        true
    }
}
