//! Jinja rendering and prompt variable syntax.
