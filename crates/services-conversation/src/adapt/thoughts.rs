//! Thoughts of agents, as rows.

use app_engine::{
    basic::agent::Thought,
    ports::{RunContext, ThoughtStore},
};
use async_trait::async_trait;
use chrono::TimeDelta;
use db::agent_thought::{self, AgentThought};
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use services_core::Ctx;
use types::pyjson;

/// The unit of prices where the model told none.
fn unit() -> Decimal {
    Decimal::new(1, 3)
}

pub(super) struct Thoughts(pub Ctx);

#[async_trait]
impl ThoughtStore for Thoughts {
    async fn save(&self, run: &RunContext, thought: &Thought) {
        let row = self.row(run, thought);
        let written = async {
            let mut conn = self.0.db.acquire().await?;
            agent_thought::save(&mut conn, &row).await
        };
        if let Err(err) = written.await {
            tracing::error!(
                message.id = %run.message,
                error = &err as &dyn std::error::Error,
                "a thought of an agent is lost"
            );
        }
    }
}

impl Thoughts {
    fn row(&self, run: &RunContext, thought: &Thought) -> AgentThought {
        let age = TimeDelta::from_std(thought.begun.elapsed()).unwrap_or_default();
        let usage = thought.usage.as_ref();
        let tokens = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
        let json = |map: &Map<String, Value>| pyjson::dumps(map).unwrap_or_default();
        // Columns hold no NUL, and tools may say anything.
        let text = |text: &str| text.replace('\0', "");
        AgentThought {
            id: thought.id,
            message_id: run.message,
            position: thought.position,
            thought: text(&thought.thought),
            tool: text(&thought.tool),
            tool_input: text(&thought.tool_input),
            observation: text(&thought.observation),
            tool_labels: json(&thought.labels),
            tool_meta: text(&pyjson::dumps_utf8(&thought.meta).unwrap_or_default()),
            message_files: if thought.files.is_empty() {
                String::new()
            } else {
                pyjson::dumps(&thought.files).unwrap_or_default()
            },
            answer: text(&thought.answer),
            message_tokens: usage.map_or(0, |usage| tokens(usage.prompt_tokens)),
            message_unit_price: usage.map_or(Decimal::ZERO, |usage| usage.prompt_unit_price),
            message_price_unit: usage.map_or_else(unit, |usage| usage.prompt_price_unit),
            answer_tokens: usage.map_or(0, |usage| tokens(usage.completion_tokens)),
            answer_unit_price: usage.map_or(Decimal::ZERO, |usage| usage.completion_unit_price),
            answer_price_unit: usage.map_or_else(unit, |usage| usage.completion_price_unit),
            tokens: usage.map_or(0, |usage| tokens(usage.total_tokens)),
            total_price: usage.map_or(Decimal::ZERO, |usage| usage.total_price),
            currency: usage.map_or_else(|| "USD".to_owned(), |usage| usage.currency.clone()),
            created_by: run.user.id(),
            created_at: self.0.now_naive() - age,
        }
    }
}
