//! `message_agent_thoughts`, as runs write them; [`crate::message_list::thoughts`] reads them.

use boxed::boxed;
use chrono::NaiveDateTime;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use types::MessageId;
use uuid::Uuid;

use crate::Result;

/// A round of an agent.
#[derive(Debug, Clone)]
pub struct AgentThought {
    /// The row.
    pub id: Uuid,
    /// The message.
    pub message_id: MessageId,
    /// From 1.
    pub position: i32,
    /// What the model said.
    pub thought: String,
    /// Names of tools, joined by `;`.
    pub tool: String,
    /// JSON: arguments by name of tool.
    pub tool_input: String,
    /// JSON: answers by name of tool.
    pub observation: String,
    /// JSON: names for people by name of tool.
    pub tool_labels: String,
    /// JSON: what is kept of the calls by name of tool.
    pub tool_meta: String,
    /// JSON: ids of message files; empty without any.
    pub message_files: String,
    /// What the model said, its action included.
    pub answer: String,
    /// Tokens sent.
    pub message_tokens: i32,
    /// Price of a unit of them.
    pub message_unit_price: Decimal,
    /// The unit.
    pub message_price_unit: Decimal,
    /// Tokens received.
    pub answer_tokens: i32,
    /// Price of a unit of them.
    pub answer_unit_price: Decimal,
    /// The unit.
    pub answer_price_unit: Decimal,
    /// Tokens together.
    pub tokens: i32,
    /// What they cost.
    pub total_price: Decimal,
    /// ISO code.
    pub currency: String,
    /// Whose run it was. The reference says of all that they are accounts.
    pub created_by: Uuid,
    /// When the round began.
    pub created_at: NaiveDateTime,
}

/// Writes a thought of a message that a run of the app answers, anew or over what was written of it before.
#[tracing::instrument(name = "db.agent_thought.save", skip_all, err)]
#[boxed]
pub async fn save(db: &mut PgConnection, row: &AgentThought) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO message_agent_thoughts AS t (
            id, message_id, position, thought, tool, tool_input, observation, tool_labels_str, tool_meta_str, message_files,
            message, answer, message_token, message_unit_price, message_price_unit, answer_token, answer_unit_price,
            answer_price_unit, tokens, total_price, currency, latency, created_by_role, created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, 0, 'account',
                $21, $22)
        ON CONFLICT (id) DO UPDATE
        SET thought = EXCLUDED.thought, tool = EXCLUDED.tool, tool_input = EXCLUDED.tool_input,
            observation = EXCLUDED.observation, tool_labels_str = EXCLUDED.tool_labels_str,
            tool_meta_str = EXCLUDED.tool_meta_str, message_files = EXCLUDED.message_files, answer = EXCLUDED.answer,
            message_token = EXCLUDED.message_token, message_unit_price = EXCLUDED.message_unit_price,
            message_price_unit = EXCLUDED.message_price_unit, answer_token = EXCLUDED.answer_token,
            answer_unit_price = EXCLUDED.answer_unit_price, answer_price_unit = EXCLUDED.answer_price_unit,
            tokens = EXCLUDED.tokens, total_price = EXCLUDED.total_price, currency = EXCLUDED.currency
        WHERE t.message_id = EXCLUDED.message_id
        "#,
        row.id,
        row.message_id as _,
        row.position,
        row.thought,
        row.tool,
        row.tool_input,
        row.observation,
        row.tool_labels,
        row.tool_meta,
        row.message_files,
        row.answer,
        row.message_tokens,
        row.message_unit_price,
        row.message_price_unit,
        row.answer_tokens,
        row.answer_unit_price,
        row.answer_price_unit,
        row.tokens,
        row.total_price,
        row.currency,
        row.created_by,
        row.created_at,
    )
    .execute(db)
    .await?;
    Ok(())
}
