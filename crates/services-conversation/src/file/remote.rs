//! Files behind a user's URL: what can be said of them without fetching them.

use std::time::Duration;

use graph::{File, FileType, TransferMethod};
use percent_encoding::percent_decode_str;
use services_core::Ctx;
use services_platform::file::kind;
use types::TenantId;
use uuid::Uuid;

/// How long a server may take to describe a file.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a server says of a file; what its URL says where the server says nothing.
pub(super) async fn look(ctx: &Ctx, tenant: TenantId, url: &str) -> File {
    let head = ctx.http.guarded().head(url).follow_redirects(true).timeout(PATIENCE).send().await;
    let head = head.ok().filter(net::Response::is_success);
    let header = |name: &str| head.as_ref().and_then(|head| head.header(name)).map(str::to_owned);
    let announced = header("content-disposition").as_deref().and_then(announced_name);
    let name = announced.or_else(|| name_in(url));
    let by_name = name.as_deref().and_then(kind::media_type).map(str::to_owned);
    let said =
        header("content-type").map(|it| it.split(';').next().unwrap_or_default().trim().to_owned());
    let media_type = by_name.or(said).unwrap_or_default();
    let own =
        name.as_deref().and_then(|name| name.rsplit_once('.')).map(|(_, it)| format!(".{it}"));
    let extension = kind::extension_of(&media_type).or(own).unwrap_or_else(|| ".bin".to_owned());
    File {
        id: None,
        tenant_id: tenant.to_string(),
        r#type: FileType::Custom,
        transfer_method: TransferMethod::RemoteUrl,
        remote_url: Some(url.to_owned()),
        related_id: None,
        filename: Some(name.unwrap_or_else(|| format!("{}{extension}", Uuid::new_v4().simple()))),
        extension: Some(extension),
        mime_type: Some(media_type),
        size: header("content-length").and_then(|length| length.parse().ok()).unwrap_or(-1),
    }
}

/// The name in a `Content-Disposition`, the encoded one first.
fn announced_name(header: &str) -> Option<String> {
    let value = |key: &str| {
        let part = header.split(';').map(str::trim).find_map(|part| part.strip_prefix(key))?;
        Some(part.trim_matches('"').to_owned())
    };
    let encoded =
        value("filename*=").map(|it| it.rsplit('\'').next().unwrap_or_default().to_owned());
    base_name(&encoded.or_else(|| value("filename="))?)
}

fn name_in(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    base_name(url.path())
}

fn base_name(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8_lossy();
    let name = text.rsplit('/').next().unwrap_or_default();
    (!name.trim().is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_header_or_the_path() {
        for (header, expected) in [
            ("attachment; filename=\"a b.png\"", Some("a b.png")),
            ("inline; filename*=UTF-8''%C3%BC.pdf; filename=u.pdf", Some("ü.pdf")),
            ("attachment; filename=../../x.txt", Some("x.txt")),
            ("inline", None),
        ] {
            assert_eq!(announced_name(header).as_deref(), expected, "{header}");
        }
        assert_eq!(name_in("http://h/a/d%20t.png?x=1").as_deref(), Some("d t.png"));
        assert_eq!(name_in("http://h/"), None);
    }
}
