-- Chat messages with free-form metadata, for analysis in SQL: containment (`metadata @> '{…}'`),
-- one model (`metadata->>'model' = …`), and aggregates over a model's recent messages.
CREATE TABLE conversation_messages (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
    content text NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz
);
CREATE INDEX conversation_messages_metadata_idx
    ON conversation_messages USING gin (metadata jsonb_path_ops);
CREATE INDEX conversation_messages_model_created_at_idx
    ON conversation_messages ((metadata->>'model'), created_at);
CREATE INDEX conversation_messages_session_created_at_idx
    ON conversation_messages (session_id, created_at);
