//! How failures of services end in the queue.

use jobs::JobFailure;
use services_core::Failure;

/// A fault may pass and is tried again; an outcome a caller could act on will not change by itself.
pub(crate) fn of_service<E: Failure>(err: E) -> JobFailure {
    let is_fault = 500 <= err.status();
    let mut reason = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        reason.push_str(": ");
        reason.push_str(&cause.to_string());
        source = cause.source();
    }
    if is_fault { JobFailure::retry(reason) } else { JobFailure::fatal(reason) }
}

/// [`of_service`] for faults of the ground.
pub(crate) fn of_fault(err: impl Into<services_core::Fault>) -> JobFailure {
    of_service(err.into())
}
