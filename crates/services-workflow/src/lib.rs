//! Workflows: drafts, versions, runs, triggers.
