//! Workflow nodes that call out.
