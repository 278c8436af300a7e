//! Ids are newtypes: a function that takes a `TenantId` cannot be handed an `AppId`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
            sqlx::Type, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[sqlx(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new random (version 4) id.
            #[must_use]
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }

            /// A new time-ordered (version 7) id.
            #[must_use]
            pub fn ordered() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

ids! {
    /// A workspace.
    TenantId,
    /// A console user.
    AccountId,
    /// A user of a published app.
    EndUserId,
    /// An app of a workspace.
    AppId,
    /// One saved configuration of a basic app.
    AppModelConfigId,
    /// A chat.
    ConversationId,
    /// One question and answer of a chat.
    MessageId,
    /// A draft or published version of a workflow.
    WorkflowId,
    /// One run of a workflow.
    WorkflowRunId,
    /// One execution of a node, in a run or alone.
    NodeExecutionId,
    /// A knowledge base.
    DatasetId,
    /// A document of a knowledge base.
    DocumentId,
    /// A part of a document.
    SegmentId,
    /// An uploaded file.
    UploadFileId,
    /// A file made by a tool.
    ToolFileId,
    /// A question and answer kept for annotation reply.
    AnnotationId,
    /// A tag.
    TagId,
}
