//! The request a task works for, so that outgoing calls and jobs carry its id.

use std::future::Future;
use std::sync::Arc;

tokio::task_local! {
    static CONTEXT: Arc<RequestContext>;
}

/// Ids of the request (or job) being worked on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestContext {
    /// Sent upstream as `X-Request-ID`, and along with every job.
    pub request_id: String,
    /// W3C `traceparent`, sent with every call that has none; `None` when OpenTelemetry injects its own.
    pub traceparent: Option<String>,
}

/// Runs `work` with `context` visible to every call inside. `tokio::spawn` inside does not inherit it: wrap again.
pub async fn with_context<F: Future>(context: RequestContext, work: F) -> F::Output {
    CONTEXT.scope(Arc::new(context), work).await
}

/// The context of the current task, if it works for a request.
#[must_use]
pub fn current_context() -> Option<RequestContext> {
    CONTEXT.try_with(|context| context.as_ref().clone()).ok()
}

/// The id of the request the current task works for.
#[must_use]
pub fn request_id() -> Option<String> {
    CONTEXT.try_with(|context| context.request_id.clone()).ok()
}
