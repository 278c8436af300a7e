//! What kinds of apps there are.

use std::{fmt, str::FromStr};

/// The mode of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppMode {
    /// One prompt, one answer.
    Completion,
    /// A chat with a model.
    Chat,
    /// A chat with a model that calls tools.
    AgentChat,
    /// A chat driven by a graph.
    AdvancedChat,
    /// A graph.
    Workflow,
}

/// Text that names no [`AppMode`].
#[derive(Debug, thiserror::Error)]
#[error("invalid mode value {0}")]
pub struct UnknownMode(pub String);

impl AppMode {
    /// Every mode, in no particular order.
    pub const ALL: [Self; 5] =
        [Self::Completion, Self::Chat, Self::AgentChat, Self::AdvancedChat, Self::Workflow];

    /// The word in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completion => "completion",
            Self::Chat => "chat",
            Self::AgentChat => "agent-chat",
            Self::AdvancedChat => "advanced-chat",
            Self::Workflow => "workflow",
        }
    }

    /// Whether apps of this mode are drawn as a graph and have no model configuration.
    #[must_use]
    pub fn has_workflow(self) -> bool {
        matches!(self, Self::AdvancedChat | Self::Workflow)
    }

    /// `workflows.type` of apps of this mode.
    #[must_use]
    pub fn workflow_type(self) -> &'static str {
        if self == Self::Workflow { "workflow" } else { "chat" }
    }
}

impl fmt::Display for AppMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AppMode {
    type Err = UnknownMode;

    fn from_str(word: &str) -> Result<Self, UnknownMode> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == word)
            .ok_or_else(|| UnknownMode(word.to_owned()))
    }
}
