-- For the deletion of what is older than CONVERSATION_STORE_RETENTION_DAYS. Rows come in the order of time, so a few
-- kilobytes tell where the old ones are, and writing costs next to nothing.
CREATE INDEX conversation_messages_created_at_idx ON conversation_messages USING brin (created_at);
