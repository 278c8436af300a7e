//! Job handlers and the beat.
//!
//! An area adds a module with `register(Registry, &Ctx) -> Registry` and calls it from [`handlers`]. Handlers must be
//! idempotent: a job may come twice.

mod account;
pub mod annotation;
mod api_key;
mod app_deletion;
mod conversation;
mod events;
mod failure;
mod mail;
mod queue_monitor;
mod run;
mod schedule;
mod triggers;

use jobs::{Beat, Clock, Registry, Worker, WorkerOptions};
use services_core::Ctx;
use services_workflow::{run::Runs, trigger::plugin::Events};

/// Everything this release can do with jobs.
#[must_use]
pub fn handlers(ctx: &Ctx, runs: &Runs, events: &Events) -> Registry {
    let registry = Registry::new();
    let registry = mail::register(registry, ctx);
    let registry = account::register(registry, ctx);
    let registry = app_deletion::register(registry, ctx);
    let registry = conversation::register(registry, ctx);
    let registry = triggers::register(registry, ctx, runs);
    let registry = events::register(registry, events);
    let registry = run::register(registry, runs);
    let registry = queue_monitor::register(registry, ctx);
    api_key::register(registry, ctx)
}

/// A worker on the queues the settings name.
#[must_use]
pub fn worker(ctx: &Ctx, handlers: Registry) -> Worker {
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let config = &ctx.config;
    let options = WorkerOptions::new(config.worker_queues(), config.worker_concurrency(cpus));
    Worker::new(ctx.jobs.clone(), handlers, options)
}

/// The schedule: what is switched on and this release can do.
///
/// # Errors
/// If a schedule in the settings is none.
pub fn beat(ctx: &Ctx, handlers: &Registry) -> Result<Beat, jobs::JobsError> {
    let mut entries = jobs::beat::standard(&schedule::switches(&ctx.config))?;
    entries.retain(|entry| handlers.knows(entry.task));
    Ok(Beat::new(entries, ctx.jobs.clone(), ctx.redis.clone(), Clock::default()))
}
