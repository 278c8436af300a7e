//! What every use case is handed: the context and shared helpers.
