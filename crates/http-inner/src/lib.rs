//! Inner, files, MCP and operations endpoints.
