//! Links to the files in variables, signed when a value is shown.

use crypto::file_link::{Audience, FileLinks, Stamp};
use graph::{File, FileUrls, TransferMethod};
use services_core::Ctx;

/// Signs links as this server checks them.
#[derive(Clone)]
pub struct SignedUrls {
    links: FileLinks,
    ctx: Ctx,
}

impl SignedUrls {
    /// Links under the server's secret and addresses.
    #[must_use]
    pub fn new(ctx: &Ctx) -> Self {
        let config = &ctx.config;
        let links = FileLinks::new(
            &ctx.secret,
            config.files_url(),
            config.internal_files_url(),
            config.feature.files_access_timeout,
        );
        Self { links, ctx: ctx.clone() }
    }

    /// A link to an upload that browsers save instead of showing it.
    #[must_use]
    pub fn download(&self, upload: impl std::fmt::Display) -> String {
        self.links.upload(upload, Audience::Public, true, &self.stamp())
    }

    fn stamp(&self) -> Stamp {
        Stamp::new(self.ctx.now().timestamp())
    }
}

impl FileUrls for SignedUrls {
    fn url(&self, file: &File) -> Option<String> {
        match file.transfer_method {
            TransferMethod::RemoteUrl => file.remote_url.clone(),
            TransferMethod::LocalFile => {
                let id = file.related_id.as_deref()?;
                Some(self.links.upload(id, Audience::Public, false, &self.stamp()))
            }
            TransferMethod::DatasourceFile => {
                let id = file.related_id.as_deref()?;
                let extension = file.extension.as_deref().unwrap_or_default();
                Some(self.links.datasource_file(id, extension, &self.stamp()))
            }
            TransferMethod::ToolFile => {
                let id = file.related_id.as_deref()?;
                let extension = file.extension.as_deref().unwrap_or_default();
                Some(self.links.tool_file(id, extension, Audience::Public, &self.stamp()))
            }
        }
    }
}
