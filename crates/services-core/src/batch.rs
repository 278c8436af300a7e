//! Group commit: rows of concurrent requests are written together, so that under load one commit serves many.
//!
//! Rows go to a task that writes whatever has gathered while it wrote the last batch. A lone row waits for nobody.
//! `synchronous_commit` stays as the database has it: who was told that a row is written can rely on it.

use boxed::boxed;
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

/// How long one attempt may take. A connection that died without a word is given up then.
const ATTEMPT: Duration = Duration::from_secs(20);

/// Writes rows, all or none of them.
pub type Write<T> = for<'a> fn(&'a Ctx, &'a [T]) -> BoxFuture<'a, Result<(), DbError>>;

/// The tables that grow with the rows, that of the rows themselves first; none if others see to that.
pub type Tables = &'static [&'static str];

/// What a row counts for: one that stands for many shall not hold up too many others.
pub type Weigh<T> = fn(&T) -> usize;

/// After so many rows of a process, and again after eight times as many, tables that began empty are counted.
const FIRST_COUNT: u64 = 64;

/// After so many rows autovacuum has long taken over.
const LAST_COUNT: u64 = 1 << 18;

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
    pub fn start(ctx: &Ctx, tables: Tables, write: Write<T>) -> Self {
        Self::start_weighed(ctx, tables, write, |_| 1)
    }

    /// Starts the task, for rows that differ in size.
    #[must_use]
    pub fn start_weighed(ctx: &Ctx, tables: Tables, write: Write<T>, weigh: Weigh<T>) -> Self {
        let (orders, waiting) = mpsc::channel(QUEUE);
        // Not through the tracker: it ends with its senders, and the runs that wait for it are tracked.
        tokio::spawn(write_all(ctx.clone(), waiting, write, weigh, Growth { tables, rows: 0 }));
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
    mut growth: Growth,
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
                if result.is_ok() {
                    growth.by(&ctx, rows.len());
                }
            }
        }
    }
}

/// How many rows a lane has written, see [`db::growth`].
struct Growth {
    tables: Tables,
    rows: u64,
}

impl Growth {
    fn by(&mut self, ctx: &Ctx, rows: usize) {
        let before = self.rows;
        self.rows += rows as u64;
        let (tables, rows) = (self.tables, self.rows);
        if tables.is_empty() || !is_time_to_count(before, rows) {
            return;
        }
        let db = ctx.db.clone();
        tokio::spawn(async move {
            let counted =
                async { db::growth::count(&mut *db.acquire().await?, tables, rows).await };
            if let Err(err) = counted.await {
                tracing::info!(error = %err, "new tables are not counted; autovacuum will do it");
            }
        });
    }
}

/// Whether a count falls into the step from `before` to `after` rows.
fn is_time_to_count(before: u64, after: u64) -> bool {
    std::iter::successors(Some(FIRST_COUNT), |count| Some(count * 8))
        .take_while(|count| *count <= LAST_COUNT)
        .any(|count| before < count && count <= after)
}

/// Writes rows, again and again while the database is away or another writer was in the way.
async fn patiently<T>(ctx: &Ctx, rows: &[T], write: Write<T>) -> Result<(), DbError> {
    let mut patience = Patience::new(ctx);
    loop {
        let attempt = tokio::time::timeout(ATTEMPT, write(ctx, rows));
        let result = attempt.await.unwrap_or(Err(DbError::Busy));
        match result {
            Err(err) if err.is_unavailable() || err.is_retryable() => {
                if !patience.wait().await {
                    return Err(err);
                }
                tracing::warn!(error = %err, rows = rows.len(), "runs are not recorded yet; trying again");
            }
            // The connection broke between the commit and its confirmation: the rows are there.
            Err(err) if err.is_unique_violation() && patience.is_tried() => return Ok(()),
            result => return result,
        }
    }
}

/// How long a database that is away is waited for (`RUN_RECORD_PATIENCE_SECONDS`), with growing pauses between.
pub struct Patience {
    until: tokio::time::Instant,
    pause: Duration,
    tried: bool,
}

impl Patience {
    /// Patience that begins now.
    #[must_use]
    pub fn new(ctx: &Ctx) -> Self {
        let seconds = u64::try_from(ctx.config.own.run_record_patience_seconds).unwrap_or(30);
        Self {
            until: tokio::time::Instant::now() + Duration::from_secs(seconds),
            pause: Duration::from_millis(20),
            tried: false,
        }
    }

    /// Waits for the time of the next attempt. `false`: there is none.
    #[boxed]
    pub async fn wait(&mut self) -> bool {
        self.tried = true;
        if self.until <= tokio::time::Instant::now() {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(Duration::from_secs(2));
        true
    }

    /// Whether there was an attempt that failed.
    #[must_use]
    pub fn is_tried(&self) -> bool {
        self.tried
    }
}

#[cfg(test)]
mod tests {
    use super::is_time_to_count;

    #[test]
    fn tables_are_counted_less_and_less() {
        let times: Vec<u64> =
            (0..300_000).filter(|rows| is_time_to_count(*rows, rows + 1)).collect();
        assert_eq!(times, [63, 511, 4095, 32_767, 262_143]);
        assert!(is_time_to_count(60, 70) && !is_time_to_count(70, 80));
    }
}
