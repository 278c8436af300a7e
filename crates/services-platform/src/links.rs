//! Signed links to files, with the bases and the lifetime of this installation.

use crypto::file_link::{Audience, FileLinks, PluginUpload, Stamp};
use services_core::Ctx;
use types::{EndUserId, TenantId, ToolFileId, UploadFileId};

/// The maker and checker of links.
#[must_use]
pub fn links(ctx: &Ctx) -> FileLinks {
    FileLinks::new(
        &ctx.secret,
        ctx.config.files_url(),
        ctx.config.internal_files_url(),
        ctx.config.files_access_timeout(),
    )
}

/// A link to an uploaded file for a browser or API client.
#[must_use]
pub fn upload(ctx: &Ctx, id: UploadFileId) -> String {
    links(ctx).upload(id, Audience::Public, false, &stamp(ctx))
}

/// The same, which the browser saves instead of showing.
#[must_use]
pub fn upload_attachment(ctx: &Ctx, id: UploadFileId) -> String {
    links(ctx).upload(id, Audience::Public, true, &stamp(ctx))
}

/// A link to a file a tool made, for a browser or API client; `extension` begins with a dot.
#[must_use]
pub fn tool_file(ctx: &Ctx, id: ToolFileId, extension: &str) -> String {
    links(ctx).tool_file(id, extension, Audience::Public, &stamp(ctx))
}

/// The same for a plugin.
#[must_use]
pub fn tool_file_internal(ctx: &Ctx, id: ToolFileId, extension: &str) -> String {
    links(ctx).tool_file(id, extension, Audience::Internal, &stamp(ctx))
}

/// The link behind an app's or site's icon: only icons of type `image` have one.
///
/// The icon is an uploaded file's id; whatever else stands there is signed as it is, like the reference does.
#[must_use]
pub fn icon(ctx: &Ctx, icon_type: Option<&str>, icon: Option<&str>) -> Option<String> {
    let id = icon.filter(|icon| icon_type == Some("image") && !icon.is_empty())?;
    Some(links(ctx).upload(id, Audience::Public, false, &stamp(ctx)))
}

/// Where a plugin may upload one file for a user of a workspace.
#[must_use]
pub fn plugin_upload(
    ctx: &Ctx,
    tenant: TenantId,
    user: EndUserId,
    filename: &str,
    mimetype: &str,
) -> String {
    let (tenant, user) = (tenant.to_string(), user.to_string());
    let file = PluginUpload { filename, mimetype, tenant: &tenant, user: &user };
    links(ctx).plugin_upload(&file, &stamp(ctx))
}

/// The present, for a signature.
#[must_use]
pub fn stamp(ctx: &Ctx) -> Stamp {
    Stamp::new(ctx.now().timestamp())
}
