//! App runs: chat, completion, advanced chat, workflow.
