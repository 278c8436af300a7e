//! Tells operators when too many documents wait to be indexed.

use jobs::{JobFailure, Registry, tasks};
use mail::{Branding, Language, Mail};
use services_core::Ctx;

/// The queue that is looked at, as in the reference.
const QUEUE: &str = "dataset";

/// Adds the handler of this module.
pub(crate) fn register(registry: Registry, ctx: &Ctx) -> Registry {
    let ctx = ctx.clone();
    registry.on(tasks::QUEUE_MONITOR, move |_, _| {
        let ctx = ctx.clone();
        async move { look(&ctx).await }
    })
}

async fn look(ctx: &Ctx) -> Result<(), JobFailure> {
    let settings = &ctx.config.middleware;
    let threshold = u64::try_from(settings.queue_monitor_threshold).unwrap_or_default();
    let waiting = ctx.jobs.depth(QUEUE).await.map_err(JobFailure::retry)?.ready;
    if waiting < threshold {
        return Ok(());
    }
    tracing::warn!(queue = QUEUE, waiting, threshold, "too many jobs are waiting");
    let alert = Mail::QueueMonitorAlert {
        queue_name: QUEUE.to_owned(),
        queue_length: waiting,
        threshold,
        alert_time: ctx.now().format("%Y-%m-%d %H:%M:%S").to_string(),
    };
    let addresses = settings.queue_monitor_alert_emails.as_deref().unwrap_or_default();
    for to in addresses.split(',').map(str::trim).filter(|to| !to.is_empty()) {
        let sent = ctx.mail.send_mail(to, &alert, Language::English, &Branding::default()).await;
        if let Err(err) = sent {
            // The others are to know; the next look tells this one again.
            tracing::error!(error = %err, "an operator was not told of a long queue");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jobs::Job;
    use test_support::TestServer;

    use super::*;

    #[tokio::test]
    async fn operators_are_told_of_a_queue_that_is_too_long() {
        let server = TestServer::with(&[
            ("QUEUE_MONITOR_THRESHOLD", "2"),
            ("QUEUE_MONITOR_ALERT_EMAILS", "a@example.com, b@example.com"),
        ])
        .await;
        let ctx = server.ctx();
        for expected in [0, 0, 2] {
            look(ctx).await.expect("a look");
            let told = ctx.mail.recorded();
            assert_eq!(told.len(), expected);
            ctx.jobs.enqueue(Job::new(tasks::CLEAN_EMBEDDING_CACHE)).await.expect("the queue");
        }
    }
}
