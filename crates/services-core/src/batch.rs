//! Group commit: rows of concurrent requests are written together, so that under load one commit serves many.
//!
//! Rows go to a task that writes whatever has gathered while it wrote the last batch. A lone row waits for nobody.
//! `synchronous_commit` stays as the database has it: who was told that a row is written can rely on it.

use std::{future::Future, sync::Arc, time::Duration};

use db::DbError;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::{Ctx, Fault};

/// Most rows of a statement.
const BATCH: usize = 256;

/// Most weight of a statement, unless a single row has more.
const WEIGHT: usize = 2048;

/// Rows that wait at the most; beyond that, runs wait to hand theirs in.
const QUEUE: usize = 4096;

/// How long a database that is away is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes rows, all or none of them.
pub type Write<T> = for<'a> fn(&'a Ctx, &'a [T]) -> BoxFuture<'a, Result<(), DbError>>;

/// What a row counts for: one that stands for many shall not hold up too many others.
pub type Weigh<T> = fn(&T) -> usize;

/// Where rows of one kind are handed in. A clone shares the task, which ends when the last one is dropped.
pub struct Lane<T>(mpsc::Sender<Order<T>>);

impl<T> Clone for Lane<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Order<T> {
    row: T,
    written: oneshot::Sender<Result<(), Arc<DbError>>>,
}

/// Rows were not written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a run could not be recorded")]
pub struct NotWritten(#[source] pub Option<Arc<DbError>>);

impl From<NotWritten> for Fault {
    fn from(err: NotWritten) -> Self {
        match &err.0 {
            Some(db) if db.is_unavailable() => Self::Db(DbError::Busy),
            _ => Self::caused("a run could not be recorded", err),
        }
    }
}

impl<T: Send + Sync + 'static> Lane<T> {
    /// Starts the task.
    #[must_use]
    pub fn start(ctx: &Ctx, write: Write<T>) -> Self {
        Self::start_weighed(ctx, write, |_| 1)
    }

    /// Starts the task, for rows that differ in size.
    #[must_use]
    pub fn start_weighed(ctx: &Ctx, write: Write<T>, weigh: Weigh<T>) -> Self {
        let (orders, waiting) = mpsc::channel(QUEUE);
        // Not through the tracker: it ends with its senders, and the runs that wait for it are tracked.
        tokio::spawn(write_all(ctx.clone(), waiting, write, weigh));
        Self(orders)
    }

    /// Writes a row. Resolves when that is durable.
    ///
    /// # Errors
    /// When the database refuses the row or stays away.
    pub fn write(
        &self,
        row: T,
    ) -> impl Future<Output = Result<(), NotWritten>> + Send + use<'_, T> {
        let (written, done) = oneshot::channel();
        async move {
            self.0.send(Order { row, written }).await.map_err(|_| NotWritten(None))?;
            done.await.map_err(|_| NotWritten(None))?.map_err(|err| NotWritten(Some(err)))
        }
    }
}

async fn write_all<T: Send + Sync + 'static>(
    ctx: Ctx,
    mut orders: mpsc::Receiver<Order<T>>,
    write: Write<T>,
    weigh: Weigh<T>,
) {
    let mut batch = Vec::new();
    while let Some(first) = orders.recv().await {
        let mut weight = weigh(&first.row);
        batch.push(first);
        while batch.len() < BATCH
            && weight < WEIGHT
            && let Ok(next) = orders.try_recv()
        {
            weight = weight.saturating_add(weigh(&next.row));
            batch.push(next);
        }
        metrics::histogram!("record_batch_rows").record(batch.len() as f64);
        let (rows, written): (Vec<T>, Vec<_>) =
            batch.drain(..).map(|order| (order.row, order.written)).unzip();
        match patiently(&ctx, &rows, write).await {
            Err(err) if 1 < rows.len() && !err.is_unavailable() => {
                // One row is at fault; the others must not suffer for it.
                for (row, written) in rows.iter().zip(written) {
                    let result = patiently(&ctx, std::slice::from_ref(row), write).await;
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
async fn patiently<T>(ctx: &Ctx, rows: &[T], write: Write<T>) -> Result<(), DbError> {
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
