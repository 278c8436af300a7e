//! APIs that a workspace described as tools.

mod call;
mod form;
mod provider;
mod request;
mod schema;

pub use call::Trial;
pub use form::described_form;
pub use provider::{ApiContent, ApiView};
pub use schema::{Bundle, Parsed, parse};
