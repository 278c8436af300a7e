//! What can be asked of a server, and the file of keys that `prepare` writes.

use std::{fmt, path::Path};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::graphs;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// A chat whose model answers with 20 pieces.
    Chat,
    /// A workflow with nothing between start and end.
    Empty,
    /// A workflow with a model, whose 20 pieces are streamed.
    Llm,
    /// A workflow with 48 templates one behind the other.
    Chain,
    /// A workflow with 20 models side by side.
    Parallel,
    /// A workflow with an iteration over 1,000 items.
    Iteration,
}

impl Work {
    /// All of them, in the order they are measured.
    pub const ALL: [Self; 6] =
        [Self::Chat, Self::Empty, Self::Llm, Self::Chain, Self::Parallel, Self::Iteration];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Empty => "empty",
            Self::Llm => "llm",
            Self::Chain => "chain",
            Self::Parallel => "parallel",
            Self::Iteration => "iteration",
        }
    }

    /// Reads names: `all`, `workflow` (all but the chat), or one of them.
    pub fn parse(text: &str) -> anyhow::Result<Vec<Self>> {
        match text {
            "all" => Ok(Self::ALL.to_vec()),
            "workflow" => Ok(Self::ALL.into_iter().filter(|work| *work != Self::Chat).collect()),
            name => match Self::ALL.into_iter().find(|work| work.name() == name) {
                Some(work) => Ok(vec![work]),
                None => bail!("no work is called {name}"),
            },
        }
    }

    /// The graph, where there is one.
    pub fn graph(self, model: &str) -> Option<Value> {
        match self {
            Self::Chat => None,
            Self::Empty => Some(graphs::empty()),
            Self::Llm => Some(graphs::llm(model)),
            Self::Chain => Some(graphs::chain()),
            Self::Parallel => Some(graphs::parallel(model)),
            Self::Iteration => Some(graphs::iteration()),
        }
    }

    /// Most clients that make sense: what each of them asks for may be a lot of work by itself.
    pub fn most_clients(self) -> usize {
        match self {
            Self::Chat | Self::Empty | Self::Llm => usize::MAX,
            Self::Chain | Self::Parallel => 32,
            Self::Iteration => 4,
        }
    }

    /// Path and body of a request of a user.
    pub fn request(self, is_streaming: bool, query: &str, user: usize) -> (&'static str, String) {
        let mode = if is_streaming { "streaming" } else { "blocking" };
        match self {
            Self::Chat => (
                "/v1/chat-messages",
                format!(
                    r#"{{"inputs":{{}},"query":"{query}","response_mode":"{mode}","user":"bench-{user}","auto_generate_name":false}}"#
                ),
            ),
            _ => (
                "/v1/workflows/run",
                format!(r#"{{"inputs":{{}},"response_mode":"{mode}","user":"bench-{user}"}}"#),
            ),
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// API keys of the apps under load.
#[derive(Default)]
pub struct Keys(Vec<(Work, String)>);

impl Keys {
    /// Reads what `prepare` printed: a name and a key a line.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let mut keys = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (name, key) = line.split_once(' ').context("a line is no name and key")?;
            let work = Work::parse(name)?;
            keys.extend(work.into_iter().map(|work| (work, key.trim().to_owned())));
        }
        Ok(Self(keys))
    }

    /// One key, for one kind of work.
    pub fn one(work: Work, key: &str) -> Self {
        Self(vec![(work, key.to_owned())])
    }

    /// The key for some work.
    pub fn find(&self, wanted: Work) -> Option<&str> {
        self.0.iter().find(|(work, _)| *work == wanted).map(|(_, key)| key.as_str())
    }
}
