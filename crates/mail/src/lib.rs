//! Sending mail and its templates.
