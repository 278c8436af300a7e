//! Where knowledge comes from besides uploads: website crawlers (keys) and Notion (a connection).

pub mod crawler;
pub mod notion;
