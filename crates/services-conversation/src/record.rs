//! What is kept of runs.
//!
//! Under load many runs begin and end at once, and what a commit costs does not depend on how many rows it holds. So rows
//! go to a task for beginnings and one for ends; each writes whatever has gathered while it wrote the last batch. A lone
//! run waits for nobody. `synchronous_commit` stays as the database has it: who was told that a row is written can rely
//! on it.

pub mod lease;
mod rows;

use std::{sync::Arc, time::Duration};

use db::{
    DbError,
    message::{Begun, Ended},
    message_file::MessageFile,
};
use services_core::{Ctx, Fault};
use tokio::sync::{mpsc, oneshot};

pub use rows::{ended, metadata_of};

/// Most rows of a statement.
const BATCH: usize = 256;

/// Rows that wait at the most; beyond that, runs wait to hand theirs in.
const QUEUE: usize = 4096;

/// How long a database that is away is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

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
    begins: mpsc::Sender<Order<Begin>>,
    ends: mpsc::Sender<Order<Ended>>,
}

struct Order<T> {
    row: T,
    written: oneshot::Sender<Result<(), Arc<DbError>>>,
}

/// Rows were not written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a run could not be recorded")]
pub struct NotRecorded(#[source] pub Option<Arc<DbError>>);

impl From<NotRecorded> for Fault {
    fn from(err: NotRecorded) -> Self {
        match &err.0 {
            Some(db) if db.is_unavailable() => Self::Db(DbError::Busy),
            _ => Self::caused("a run could not be recorded", err),
        }
    }
}

impl Recorder {
    /// Starts the tasks.
    #[must_use]
    pub fn start(ctx: &Ctx) -> Self {
        let (begins, begun) = mpsc::channel(QUEUE);
        let (ends, ended) = mpsc::channel(QUEUE);
        // Not through the tracker: they end with their senders, and the runs that wait for them are tracked.
        tokio::spawn(write_all(ctx.clone(), begun, write_begins));
        tokio::spawn(write_all(ctx.clone(), ended, write_ends));
        Self { begins, ends }
    }

    /// Writes that a run begins. Resolves when that is durable.
    ///
    /// # Errors
    /// When the database refuses the row or stays away.
    pub async fn begin(&self, row: Begin) -> Result<(), NotRecorded> {
        hand_in(&self.begins, row).await
    }

    /// Writes how a run ended. Resolves when that is durable.
    ///
    /// # Errors
    /// When the database refuses the row or stays away.
    pub async fn end(&self, row: Ended) -> Result<(), NotRecorded> {
        hand_in(&self.ends, row).await
    }
}

async fn hand_in<T>(lane: &mpsc::Sender<Order<T>>, row: T) -> Result<(), NotRecorded> {
    let (written, done) = oneshot::channel();
    lane.send(Order { row, written }).await.map_err(|_| NotRecorded(None))?;
    done.await.map_err(|_| NotRecorded(None))?.map_err(|err| NotRecorded(Some(err)))
}

async fn write_begins(ctx: &Ctx, rows: &[Begin]) -> Result<(), DbError> {
    let messages: Vec<Begun> = rows.iter().map(|row| row.message.clone()).collect();
    let files: Vec<MessageFile> = rows.iter().flat_map(|row| row.files.iter().cloned()).collect();
    if files.is_empty() {
        let mut conn = ctx.db.acquire().await?;
        return db::message::begin(&mut conn, ctx.process(), &messages).await;
    }
    let mut tx = ctx.db.begin().await?;
    db::message::begin(&mut tx, ctx.process(), &messages).await?;
    db::message_file::insert_all(&mut tx, &files).await?;
    tx.commit().await
}

async fn write_ends(ctx: &Ctx, rows: &[Ended]) -> Result<(), DbError> {
    let mut conn = ctx.db.acquire().await?;
    db::message::end(&mut conn, rows).await
}

async fn write_all<T: Send + Sync + 'static>(
    ctx: Ctx,
    mut orders: mpsc::Receiver<Order<T>>,
    write: impl AsyncFn(&Ctx, &[T]) -> Result<(), DbError>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while 0 < orders.recv_many(&mut batch, BATCH).await {
        metrics::histogram!("record_batch_rows").record(batch.len() as f64);
        let (rows, written): (Vec<T>, Vec<_>) =
            batch.drain(..).map(|order| (order.row, order.written)).unzip();
        match patiently(&ctx, &rows, &write).await {
            Err(err) if 1 < rows.len() && !err.is_unavailable() => {
                // One row is at fault; the others must not suffer for it.
                for (row, written) in rows.iter().zip(written) {
                    let result = patiently(&ctx, std::slice::from_ref(row), &write).await;
                    let _ = written.send(result.map_err(Arc::new));
                }
            }
            result => {
                let result = result.map_err(Arc::new);
                for written in written {
                    // A run that was dropped meanwhile does not listen.
                    let _ = written.send(result.clone());
                }
            }
        }
    }
}

/// Writes rows, again and again while the database is away or another writer was in the way.
async fn patiently<T>(
    ctx: &Ctx,
    rows: &[T],
    write: &impl AsyncFn(&Ctx, &[T]) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let begun = tokio::time::Instant::now();
    let mut pause = Duration::from_millis(20);
    let mut is_first = true;
    loop {
        match write(ctx, rows).await {
            Err(err)
                if (err.is_unavailable() || err.is_retryable()) && begun.elapsed() < PATIENCE =>
            {
                tracing::warn!(error = %err, rows = rows.len(), "runs are not recorded yet; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
                is_first = false;
            }
            // The connection broke between the commit and its confirmation: the rows are there.
            Err(err) if err.is_unique_violation() && !is_first => return Ok(()),
            result => return result,
        }
    }
}
