//! Runs of workflows: the engine's events as clients see them, and as rows.

pub mod present;
pub mod record;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use graph::{FileUrls, Truncator};
use serde_json::Value;

/// What presenter and recorder know of a run beside its events.
#[derive(Clone)]
pub struct RunFacts {
    /// The run.
    pub run_id: String,
    /// The workflow version.
    pub workflow_id: String,
    /// Who started it, as clients see it.
    pub created_by: Value,
    /// What the run was started with, as clients see it.
    pub inputs: Value,
    /// When the run was first started.
    pub created_at: DateTime<Utc>,
    /// Steps of the run's earlier parts, before it was paused.
    pub earlier_steps: u32,
    /// Whether clients of this run see less (web apps, installed apps).
    pub is_simple: bool,
    /// Makes URLs of files in values.
    pub urls: Arc<dyn FileUrls>,
    /// How much of a node's values rows keep; the whole goes to a file.
    pub row_limits: Truncator,
    /// How much of a node's values clients are shown; everything without.
    pub shown_limits: Option<Truncator>,
}

/// Unix seconds.
fn seconds(at: DateTime<Utc>) -> i64 {
    at.timestamp()
}

/// Seconds between two moments.
fn elapsed(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64().max(0.0)
}
