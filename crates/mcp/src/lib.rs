//! MCP client and server types.
