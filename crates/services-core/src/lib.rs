//! What every use case is handed: the context ([`Ctx`]), the failure trait services answer with, caches, and the
//! clients of the billing and the enterprise service.

pub mod batch;
pub mod billing;
pub mod cache;
pub mod ctx;
pub mod enterprise;
pub mod failure;
pub mod fresh;
pub mod idempotency;
pub mod leases;
pub mod marketplace;
pub mod secret_form;
pub mod tenant_secret;

pub use ctx::{Ctx, CtxParts, KeyPairs};
pub use failure::{Failure, Fault};
