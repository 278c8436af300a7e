//! The built-in providers, and calls of them against servers in this process.

mod anthropic;
mod declarations;
mod gemini;
mod openai;
mod registry;
mod support;
