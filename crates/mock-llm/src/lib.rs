//! An OpenAI-compatible mock model server.
