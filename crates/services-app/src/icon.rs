//! Links to icons that are uploaded pictures.

use crypto::file_link::{Audience, FileLinks, Stamp};
use services_core::Ctx;

/// A signed link to the picture, if the icon is one.
#[must_use]
pub fn url(ctx: &Ctx, icon_type: Option<&str>, icon: Option<&str>) -> Option<String> {
    let icon = icon?;
    if !icon_type?.eq_ignore_ascii_case("image") {
        return None;
    }
    let settings = &ctx.config.feature;
    let lifetime = settings.files_access_timeout;
    let links =
        FileLinks::new(&ctx.secret, &settings.files_url, &settings.internal_files_url, lifetime);
    Some(links.upload(icon, Audience::Public, false, &Stamp::new(ctx.now().timestamp())))
}
