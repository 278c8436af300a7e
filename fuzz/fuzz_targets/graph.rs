//! Graphs somebody draws or imports: whatever stands in them, they are read or refused.

#![no_main]

use std::sync::Arc;

use graph::{Form, Forms, Graph, NewForm, PureNodes, RunInfo};
use libfuzzer_sys::fuzz_target;

struct NoForms;

#[async_trait::async_trait]
impl Forms for NoForms {
    async fn find(&self, _: &RunInfo, _: &str, _: &str) -> Result<Option<Form>, String> {
        Err("no forms".to_owned())
    }

    async fn create(&self, _: &RunInfo, _: NewForm) -> Result<Form, String> {
        Err("no forms".to_owned())
    }

    async fn time_out(&self, _: &RunInfo, _: &str) -> Result<bool, String> {
        Err("no forms".to_owned())
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(json) = serde_json::from_slice(data) else { return };
    let nodes = PureNodes { template_max_length: 10_000, forms: Arc::new(NoForms) };
    let _ = Graph::parse(&json, None, &nodes);
});
