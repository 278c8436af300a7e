//! Runs of basic apps: chat, agent and completion, whose whole configuration is one row.

pub mod agent;
pub mod budget;
pub mod config;
pub mod history;
pub mod inputs;
pub mod moderation;
pub mod prompt;
pub mod run;
pub mod saved;
pub mod speech;

use types::{AccountId, EndUserId};
use uuid::Uuid;

/// What kind of basic app it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// One prompt, one answer.
    Completion,
    /// A chat with a model.
    Chat,
    /// A chat with a model that calls tools.
    Agent,
    /// A chat with a graph. Engines of basic apps never see it.
    Chatflow,
}

impl Mode {
    /// The word in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completion => "completion",
            Self::Chat => "chat",
            Self::Agent => "agent-chat",
            Self::Chatflow => "advanced-chat",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// A console user.
    Account(AccountId),
    /// A user of a published app.
    EndUser(EndUserId),
}

impl Caller {
    /// The id, whichever it is.
    #[must_use]
    pub fn id(self) -> Uuid {
        match self {
            Self::Account(id) => id.0,
            Self::EndUser(id) => id.0,
        }
    }

    /// The word in `created_by_role` columns.
    #[must_use]
    pub fn role(self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::EndUser(_) => "end_user",
        }
    }

    /// How Redis keys of tasks name the owner.
    #[must_use]
    pub fn task_owner(self) -> String {
        match self {
            Self::Account(id) => format!("account-{id}"),
            Self::EndUser(id) => format!("end-user-{id}"),
        }
    }
}

/// Where a run was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvokeFrom {
    /// `/v1`.
    ServiceApi,
    /// A web app.
    WebApp,
    /// An app somebody installed in the console.
    Explore,
    /// The editor of the app.
    Debugger,
}

impl InvokeFrom {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceApi => "service-api",
            Self::WebApp => "web-app",
            Self::Explore => "explore",
            Self::Debugger => "debugger",
        }
    }

    /// `from_source` of conversations and messages.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Self::ServiceApi | Self::WebApp => "api",
            Self::Explore | Self::Debugger => "console",
        }
    }

    /// How much of a run such callers see.
    #[must_use]
    pub fn detail(self) -> crate::wire::Detail {
        match self {
            Self::ServiceApi | Self::Debugger => crate::wire::Detail::Full,
            Self::WebApp | Self::Explore => crate::wire::Detail::Simple,
        }
    }
}
