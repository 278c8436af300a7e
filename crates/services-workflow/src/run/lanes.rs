//! Rows of runs that begin and end at the same time, group-committed: see [`services_core::batch`].

use db::{
    DbError,
    run_batch::{self, Begun, Ended},
};
use futures::{FutureExt, future::BoxFuture};
use services_core::{Ctx, batch::Lane};

/// Runs with more executions of nodes than this are written by themselves.
pub(super) const MOST_NODES: usize = 200;

/// Where beginnings and ends of runs are handed in.
#[derive(Clone)]
pub(super) struct Lanes {
    pub(super) begins: Lane<Begun>,
    pub(super) ends: Lane<Ended>,
}

impl Lanes {
    pub(super) fn start(ctx: &Ctx) -> Self {
        Self {
            // Each has a copy of its graph.
            begins: Lane::start_weighed(
                ctx,
                &["workflow_runs", "workflow_app_logs", "dify_rs_running"],
                write_begins,
                |run| 1 + run.graph.len() / 4096,
            ),
            ends: Lane::start_weighed(ctx, &["workflow_node_executions"], write_ends, |run| {
                1 + run.nodes.id.len()
            }),
        }
    }
}

fn write_begins<'a>(ctx: &'a Ctx, rows: &'a [Begun]) -> BoxFuture<'a, Result<(), DbError>> {
    async move {
        let mut conn = ctx.db.acquire().await?;
        run_batch::begin(&mut conn, ctx.process(), rows).await
    }
    .boxed()
}

fn write_ends<'a>(ctx: &'a Ctx, rows: &'a [Ended]) -> BoxFuture<'a, Result<(), DbError>> {
    async move {
        let mut conn = ctx.db.acquire().await?;
        run_batch::end(&mut conn, rows).await
    }
    .boxed()
}
