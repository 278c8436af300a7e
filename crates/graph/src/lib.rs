//! The workflow state machine.
