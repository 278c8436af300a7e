//! Chats: conversations, messages, feedback, annotations, logs.
