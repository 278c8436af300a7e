//! Rows of runs, group-committed: see [`services_core::batch`]. Beginnings go down one lane and ends down another.

pub mod lease;
pub mod retention;
mod rows;

use boxed::boxed;
use db::{
    DbError,
    message::{Begun, Ended},
    message_file::MessageFile,
};
use futures::{FutureExt, future::BoxFuture};
use services_core::{Ctx, batch::Lane};

pub use rows::{ended, metadata_of};
pub use services_core::batch::NotWritten as NotRecorded;

/// A run that begins.
#[derive(Debug, Clone)]
pub struct Begin {
    /// The message, and the conversation if it is new.
    pub message: Begun,
    /// Files of the question.
    pub files: Vec<MessageFile>,
}

/// Writes rows of runs. A clone shares the tasks, which end when the last one is dropped.
#[derive(Clone)]
pub struct Recorder {
    begins: Lane<Begin>,
    ends: Lane<Ended>,
}

impl Recorder {
    /// Starts the tasks.
    #[must_use]
    pub fn start(ctx: &Ctx) -> Self {
        Self {
            begins: Lane::start(
                ctx,
                &["messages", "conversations", "dify_rs_running"],
                write_begins,
            ),
            ends: Lane::start(ctx, &["conversation_messages"], write_ends),
        }
    }

    /// Writes that a run begins. Resolves when that is durable.
    ///
    /// # Errors
    /// When the database refuses the row or stays away.
    #[boxed]
    pub async fn begin(&self, row: Begin) -> Result<(), NotRecorded> {
        self.begins.write(row).await
    }

    /// Writes how a run ended. Resolves when that is durable.
    ///
    /// # Errors
    /// When the database refuses the row or stays away.
    #[boxed]
    pub async fn end(&self, row: Ended) -> Result<(), NotRecorded> {
        self.ends.write(row).await
    }
}

fn write_begins<'a>(ctx: &'a Ctx, rows: &'a [Begin]) -> BoxFuture<'a, Result<(), DbError>> {
    async move {
        let messages: Vec<Begun> = rows.iter().map(|row| row.message.clone()).collect();
        let files: Vec<MessageFile> =
            rows.iter().flat_map(|row| row.files.iter().cloned()).collect();
        if files.is_empty() {
            let mut conn = ctx.db.acquire().await?;
            return db::message::begin(&mut conn, ctx.process(), &messages).await;
        }
        let mut tx = ctx.db.begin().await?;
        db::message::begin(&mut tx, ctx.process(), &messages).await?;
        db::message_file::insert_all(&mut tx, &files).await?;
        tx.commit().await
    }
    .boxed()
}

fn write_ends<'a>(ctx: &'a Ctx, rows: &'a [Ended]) -> BoxFuture<'a, Result<(), DbError>> {
    async move {
        let mut conn = ctx.db.acquire().await?;
        db::message::end(&mut conn, rows).await
    }
    .boxed()
}
