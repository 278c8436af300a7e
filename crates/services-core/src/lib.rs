//! What every use case is handed: the context ([`Ctx`]), the failure trait services answer with, and caches.

pub mod batch;
pub mod cache;
pub mod ctx;
pub mod failure;
pub mod fresh;
pub mod tenant_secret;

pub use ctx::{Ctx, CtxParts};
pub use failure::{Failure, Fault};
