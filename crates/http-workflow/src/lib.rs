//! Endpoints of workflows and triggers.
