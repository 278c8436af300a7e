//! Conversations and messages as those who talk use them: lists, titles, pins, opinions, saved answers, variables.

pub mod conversation;
pub mod feedback;
pub mod message;
pub mod saved;
pub mod variable;

pub use db::{
    app::App,
    conversation_list::{Participant, Sort},
};

use services_core::{Failure, Fault};

/// One part of a list that grows while it is read: no page numbers.
#[derive(Debug, Clone)]
pub struct Part<T> {
    /// How many entries were asked for.
    pub limit: i64,
    /// Whether there is more behind.
    pub has_more: bool,
    /// The entries.
    pub data: Vec<T>,
}

impl<T> Part<T> {
    /// A part of `limit` entries of `data`, which holds one more if there is more.
    #[must_use]
    pub fn of(limit: i64, mut data: Vec<T>) -> Self {
        let wanted = usize::try_from(limit).unwrap_or_default();
        let has_more = wanted < data.len();
        data.truncate(wanted);
        Self { limit, has_more, data }
    }

    /// The same part with every entry replaced by `convert` of it.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Part<U> {
        let data = self.data.into_iter().map(convert).collect();
        Part { limit: self.limit, has_more: self.has_more, data }
    }
}

/// Why a participant does not get what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum TalkError {
    /// No such conversation, or another's.
    #[error("Conversation Not Exists.")]
    NoConversation,
    /// The place in the list is no conversation of it.
    #[error("Last Conversation Not Exists.")]
    NoLastConversation,
    /// No such message, or another's.
    #[error("Message Not Exists.")]
    NoMessage,
    /// The place in the list is no message of the conversation.
    #[error("First Message Not Exists.")]
    NoFirstMessage,
    /// The place in the list is no saved message. The reference has no words for it.
    #[error("")]
    NoLastMessage,
    /// There is no opinion that could be taken back.
    #[error("rating cannot be None when feedback not exists")]
    NoFeedback,
    /// No such variable.
    #[error("Conversation Variable Not Exists.")]
    NoVariable,
    /// A value of another type.
    #[error("Type mismatch: variable '{name}' expects {expected}, but got {given} type")]
    TypeMismatch {
        /// The variable.
        name: String,
        /// Its type.
        expected: String,
        /// The value's type.
        given: &'static str,
    },
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for TalkError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for TalkError {
    fn status(&self) -> u16 {
        match self {
            Self::NoConversation
            | Self::NoLastConversation
            | Self::NoMessage
            | Self::NoFirstMessage
            | Self::NoVariable => 404,
            Self::NoLastMessage | Self::NoFeedback | Self::TypeMismatch { .. } => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoConversation
            | Self::NoLastConversation
            | Self::NoMessage
            | Self::NoFirstMessage
            | Self::NoVariable => "not_found",
            Self::NoLastMessage | Self::NoFeedback => "invalid_param",
            Self::TypeMismatch { .. } => "bad_request",
            Self::Fault(fault) => fault.code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn one_entry_too_many_means_there_is_more() {
        let part = Part::of(2, vec![1, 2, 3]);
        assert_eq!((part.has_more, part.data), (true, vec![1, 2]));
        let part = Part::of(2, vec![1, 2]);
        assert_eq!((part.has_more, part.data), (false, vec![1, 2]));
    }
}
