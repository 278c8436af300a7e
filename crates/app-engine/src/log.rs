//! The ordered log of a run. Every event has a number, from 1; a reader starts behind any of them.
//!
//! Texts make up nearly all events. Pieces that follow each other are kept as one text with the places where they were
//! cut, so a log costs little more than the answer itself, and a reader that fell behind gets several pieces as one.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::event::{AppEvent, Chunk};

/// What a reader gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An event.
    Event(Arc<AppEvent>),
    /// One or more pieces of text that follow each other.
    Text(Arc<Chunk>, String),
}

enum Slot {
    Event(Arc<AppEvent>),
    Text { chunk: Arc<Chunk>, text: String, cuts: Vec<usize> },
}

impl Slot {
    fn len(&self) -> u64 {
        match self {
            Self::Event(_) => 1,
            Self::Text { cuts, .. } => cuts.len() as u64,
        }
    }
}

#[derive(Default)]
struct State {
    slots: Vec<(u64, Slot)>,
    last: u64,
    closed: bool,
}

/// The log of one run.
pub struct RunLog {
    state: Mutex<State>,
    grown: watch::Sender<u64>,
}

impl Default for RunLog {
    fn default() -> Self {
        Self { state: Mutex::default(), grown: watch::Sender::new(0) }
    }
}

impl RunLog {
    /// Adds an event. After [`RunLog::close`] nothing is added.
    pub fn push(&self, event: AppEvent) {
        self.append(|state| {
            let number = state.last + 1;
            state.slots.push((number, Slot::Event(Arc::new(event))));
        });
    }

    /// Adds a piece of text.
    pub fn push_text(&self, chunk: &Chunk, piece: &str) {
        self.append(|state| {
            if let Some((_, Slot::Text { chunk: last, text, cuts })) = state.slots.last_mut()
                && **last == *chunk
            {
                text.push_str(piece);
                cuts.push(text.len());
                return;
            }
            let slot = Slot::Text {
                chunk: Arc::new(chunk.clone()),
                text: piece.to_owned(),
                cuts: vec![piece.len()],
            };
            state.slots.push((state.last + 1, slot));
        });
    }

    /// Ends the log: readers finish when they have read everything.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let last = state.last;
        drop(state);
        // One past the last number wakes readers that have seen everything.
        self.grown.send_replace(last + 1);
    }

    /// Whether the run is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// A reader of everything behind event `after` (0: everything).
    #[must_use]
    pub fn reader(self: &Arc<Self>, after: u64) -> Reader {
        Reader { log: self.clone(), seen: after, grown: self.grown.subscribe() }
    }

    fn append(&self, add: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        add(&mut state);
        state.last += 1;
        let last = state.last;
        drop(state);
        self.grown.send_replace(last);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What follows event `after`: the number it ends at, and itself. `Err` says whether the log is closed.
    fn next(&self, after: u64) -> Result<(u64, Item), bool> {
        let state = self.lock();
        if state.last <= after {
            return Err(state.closed);
        }
        let index = state.slots.partition_point(|(first, _)| *first <= after + 1).saturating_sub(1);
        let Some((first, slot)) = state.slots.get(index) else { return Err(state.closed) };
        let end = first + slot.len() - 1;
        let item = match slot {
            Slot::Event(event) => Item::Event(event.clone()),
            Slot::Text { chunk, text, cuts } => {
                let skipped = usize::try_from(after + 1 - first).unwrap_or(0);
                let from = skipped.checked_sub(1).and_then(|i| cuts.get(i)).copied().unwrap_or(0);
                Item::Text(chunk.clone(), text.get(from..).unwrap_or_default().to_owned())
            }
        };
        Ok((end, item))
    }
}

/// Reads a log in order, waiting for what is to come.
pub struct Reader {
    log: Arc<RunLog>,
    seen: u64,
    grown: watch::Receiver<u64>,
}

impl Reader {
    /// The next item and the number of its last event, or `None` at the end of the run. Cancel safe.
    pub async fn next(&mut self) -> Option<(u64, Item)> {
        loop {
            self.grown.borrow_and_update();
            match self.log.next(self.seen) {
                Ok((number, item)) => {
                    self.seen = number;
                    return Some((number, item));
                }
                Err(true) => return None,
                // The log lives as long as we do, so its sender does.
                Err(false) => self.grown.changed().await.ok()?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ChunkKind, RunError};

    fn answer() -> Chunk {
        Chunk { kind: ChunkKind::Answer, selector: None }
    }

    fn text(item: &Item) -> &str {
        match item {
            Item::Text(_, text) => text,
            Item::Event(_) => "",
        }
    }

    #[tokio::test]
    async fn a_reader_that_keeps_up_gets_piece_by_piece() {
        let log = Arc::new(RunLog::default());
        let mut reader = log.reader(0);
        for (number, piece) in [(1, "a"), (2, "ü"), (3, "c")] {
            log.push_text(&answer(), piece);
            let (at, item) = reader.next().await.unwrap();
            assert_eq!((at, text(&item)), (number, piece));
        }
        log.push(AppEvent::TtsEnd);
        assert_eq!(reader.next().await.unwrap(), (4, Item::Event(Arc::new(AppEvent::TtsEnd))));
        log.close();
        assert_eq!(reader.next().await, None);
    }

    #[tokio::test]
    async fn a_reader_that_comes_back_gets_the_rest_at_once() {
        let log = Arc::new(RunLog::default());
        for piece in ["a", "b", "c"] {
            log.push_text(&answer(), piece);
        }
        log.push(AppEvent::Error(RunError::internal()));
        log.push_text(&answer(), "late");
        log.close();
        log.push_text(&answer(), "too late");
        for (after, expected) in [
            (0, vec!["abc", "", "late"]),
            (1, vec!["bc", "", "late"]),
            (3, vec!["", "late"]),
            (5, vec![]),
            (99, vec![]),
        ] {
            let mut reader = log.reader(after);
            let mut got = Vec::new();
            while let Some((_, item)) = reader.next().await {
                got.push(text(&item).to_owned());
            }
            assert_eq!(got, expected, "after {after}");
        }
    }

    #[tokio::test]
    async fn a_waiting_reader_is_woken() {
        let log = Arc::new(RunLog::default());
        let mut reader = log.reader(0);
        let waiting = tokio::spawn(async move { (reader.next().await, reader.next().await) });
        tokio::task::yield_now().await;
        log.push(AppEvent::TtsEnd);
        tokio::task::yield_now().await;
        log.close();
        let (first, second) = waiting.await.unwrap();
        assert!(first.is_some() && second.is_none());
    }
}
