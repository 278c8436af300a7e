//! The binary: api, worker, beat, migrate and maintenance commands.
