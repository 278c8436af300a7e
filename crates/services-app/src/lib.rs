//! Apps, their configuration, DSL and site.
