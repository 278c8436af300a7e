//! State, guards, error envelope, SSE.
