//! How a run ended, for callers that wait for it.

use app_engine::{AppEvent, Item};
use boxed::boxed;
use serde_json::{Map, Value};

use super::Started;

/// The `data` of the event that ended or paused the run. `None` if the run broke off without one.
#[boxed]
pub async fn end(started: &Started) -> Option<Map<String, Value>> {
    let mut reader = started.run.log.reader(0);
    while let Some((_, item)) = reader.next().await {
        if let Item::Event(event) = &item
            && let AppEvent::Workflow(event) = &**event
            && event.is_terminal()
        {
            return event.full.as_object().cloned();
        }
    }
    None
}
