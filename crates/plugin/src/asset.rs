//! Files of plugins.

use boxed::boxed;
use bytes::Bytes;
use http::Method;
use types::TenantId;

use crate::{client::Daemon, error::DaemonError, management::segment};

impl Daemon {
    /// A file by its id, such as an icon.
    ///
    /// # Errors
    /// When there is none.
    #[boxed]
    pub async fn find_asset(&self, tenant: TenantId, id: &str) -> Result<Bytes, DaemonError> {
        let call = self.call(Method::GET, tenant, &format!("asset/{}", segment(id)));
        let found = self.bytes(call).await?;
        found.map_err(|_| DaemonError::Value(format!("can not found asset {id}")))
    }

    /// A file of a package by its name.
    ///
    /// # Errors
    /// When there is none.
    #[boxed]
    pub async fn extract_asset(
        &self,
        tenant: TenantId,
        plugin_unique_identifier: &str,
        file: &str,
    ) -> Result<Bytes, DaemonError> {
        let call = self
            .call(Method::GET, tenant, "extract-asset/")
            .query(&[("plugin_unique_identifier", plugin_unique_identifier), ("file_path", file)]);
        self.bytes(call).await?.map_err(|status| {
            DaemonError::Value(format!("can not found asset {plugin_unique_identifier}, {status}"))
        })
    }
}
