//! Job handlers and the beat.
