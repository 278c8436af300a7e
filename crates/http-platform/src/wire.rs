//! Wire types several resources share, and how files leave the server.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::NaiveDateTime;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use services_core::Ctx;
use services_platform::{
    file::{UploadFile, serve::Download},
    links,
};
use uuid::Uuid;

/// `{"result": "success"}`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Done {
    result: &'static str,
}

impl Done {
    /// It worked.
    pub(crate) const fn new() -> Self {
        Self { result: "success" }
    }
}

/// Unix seconds of a column.
pub(crate) fn seconds(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp()
}

/// A file that was taken in.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct FileResponse {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// Bytes.
    pub(crate) size: i32,
    pub(crate) extension: Option<String>,
    pub(crate) mime_type: Option<String>,
    pub(crate) created_by: Option<Uuid>,
    /// Unix seconds.
    pub(crate) created_at: Option<i64>,
    pub(crate) preview_url: Option<String>,
    pub(crate) source_url: Option<String>,
    pub(crate) original_url: Option<String>,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) tenant_id: Option<Uuid>,
    pub(crate) conversation_id: Option<Uuid>,
    pub(crate) file_key: Option<String>,
}

impl From<UploadFile> for FileResponse {
    fn from(file: UploadFile) -> Self {
        Self {
            id: file.id.0,
            name: file.name,
            size: file.size,
            extension: Some(file.extension),
            mime_type: file.mime_type,
            created_by: Some(file.created_by),
            created_at: Some(seconds(file.created_at)),
            source_url: Some(file.source_url),
            tenant_id: Some(file.tenant_id.0),
            ..Self::default()
        }
    }
}

/// A file that was fetched from elsewhere, with a link to it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FileWithSignedUrl {
    id: Uuid,
    name: String,
    /// Bytes.
    size: i32,
    extension: String,
    url: String,
    mime_type: Option<String>,
    created_by: Uuid,
    /// Unix seconds.
    created_at: i64,
}

impl FileWithSignedUrl {
    /// `file` with a fresh link.
    pub(crate) fn new(ctx: &Ctx, file: UploadFile) -> Self {
        Self {
            id: file.id.0,
            url: links::upload(ctx, file.id),
            name: file.name,
            size: file.size,
            extension: file.extension,
            mime_type: file.mime_type,
            created_by: file.created_by,
            created_at: seconds(file.created_at),
        }
    }
}

/// A web app's settings.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Site {
    title: String,
    chat_color_theme: Option<String>,
    chat_color_theme_inverted: bool,
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
    description: Option<String>,
    copyright: Option<String>,
    privacy_policy: Option<String>,
    custom_disclaimer: Option<String>,
    default_language: String,
    show_workflow_steps: bool,
    use_icon_as_answer_icon: bool,
    icon_url: Option<String>,
}

impl Site {
    /// `site` with a fresh link to its icon.
    pub(crate) fn new(ctx: &Ctx, site: services_account::Site) -> Self {
        Self {
            icon_url: links::icon(ctx, site.icon_type.as_deref(), site.icon.as_deref()),
            title: site.title,
            chat_color_theme: site.chat_color_theme,
            chat_color_theme_inverted: site.chat_color_theme_inverted,
            icon_type: site.icon_type,
            icon: site.icon,
            icon_background: site.icon_background,
            description: site.description,
            copyright: site.copyright,
            privacy_policy: site.privacy_policy,
            custom_disclaimer: Some(site.custom_disclaimer),
            default_language: site.default_language,
            show_workflow_steps: site.show_workflow_steps,
            use_icon_as_answer_icon: site.use_icon_as_answer_icon,
        }
    }
}

/// What another server says of a file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RemoteFileInfo {
    pub(crate) file_type: String,
    /// Bytes.
    pub(crate) file_length: i64,
}

/// The address in a path: decoded once by the router, and once more, because consoles encode it twice.
pub(crate) fn remote_url(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// How a file is to leave.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Leave {
    /// Whether browsers should save it instead of showing it.
    pub(crate) as_attachment: bool,
    /// Whether its own media type is kept from the client.
    pub(crate) untyped: bool,
    /// Whether saving it takes its media type away.
    pub(crate) untyped_attachment: bool,
    /// Whether a web page is always saved: shown, its scripts would run as ours.
    pub(crate) never_a_page: bool,
    /// Whether its length is told.
    pub(crate) with_length: bool,
    /// Whether players are told that ranges may be asked for.
    pub(crate) with_ranges: bool,
    /// Whether it may be cached for an hour.
    pub(crate) cached: bool,
}

const PLAYED: [&str; 10] = [
    "audio/mpeg",
    "audio/wav",
    "audio/mp4",
    "audio/ogg",
    "audio/flac",
    "audio/aac",
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "audio/x-m4a",
];

/// What Python's `quote` leaves as it is.
const QUOTED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

const UNTYPED: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The answer that hands a file out.
pub(crate) fn download(file: Download, leave: Leave) -> Response {
    let mut headers = HeaderMap::new();
    let mime_type = file.mime_type.as_deref().unwrap_or_default();
    headers.insert(header::CONTENT_TYPE, content_type(mime_type));
    if leave.with_length
        && let Some(size) = file.size
    {
        headers.insert(header::CONTENT_LENGTH, size.into());
    }
    if leave.with_ranges && PLAYED.contains(&mime_type) {
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    if leave.as_attachment {
        headers.insert(header::CONTENT_DISPOSITION, attachment(&file.name));
    }
    if leave.untyped || leave.as_attachment && leave.untyped_attachment {
        headers.insert(header::CONTENT_TYPE, UNTYPED);
    }
    if leave.never_a_page && is_page(mime_type, &file.name, &file.extension) {
        headers.insert(header::CONTENT_DISPOSITION, attachment(&file.name));
        headers.insert(header::CONTENT_TYPE, UNTYPED);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    if leave.cached {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    }
    (headers, Body::from_stream(file.body)).into_response()
}

/// A stored media type as a header; texts say their encoding, as in the reference.
fn content_type(mime_type: &str) -> HeaderValue {
    let is_text = (mime_type.starts_with("text/")
        || mime_type.ends_with("+xml")
        || matches!(
            mime_type,
            "application/ecmascript"
                | "application/javascript"
                | "application/sql"
                | "application/xml"
                | "application/xml-dtd"
                | "application/xml-external-parsed-entity"
        ))
        && !mime_type.contains("charset");
    let text = match is_text {
        true => format!("{mime_type}; charset=utf-8"),
        false if mime_type.is_empty() => "application/octet-stream".to_owned(),
        false => mime_type.to_owned(),
    };
    // Uploaders choose media types; one that is no header is none.
    HeaderValue::from_str(&text).unwrap_or(UNTYPED)
}

fn attachment(name: &str) -> HeaderValue {
    let name = utf8_percent_encode(name, QUOTED);
    HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

fn is_page(mime_type: &str, name: &str, extension: &str) -> bool {
    let essence = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_page_extension = |extension: &str| {
        ["html", "htm", "xhtml"].iter().any(|page| extension.eq_ignore_ascii_case(page))
    };
    matches!(essence.as_str(), "text/html" | "application/xhtml+xml")
        || is_page_extension(extension.trim_start_matches('.'))
        || name.rsplit_once('.').is_some_and(|(_, extension)| is_page_extension(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_pages_are_known_by_type_and_by_name() {
        for (mime_type, name, extension, expected) in [
            ("text/html; charset=utf-8", "x", "", true),
            ("text/plain", "page.HTML", "", true),
            ("text/plain", "x", ".htm", true),
            ("application/xhtml+xml", "x", "", true),
            ("image/png", "x.png", "png", false),
        ] {
            assert_eq!(is_page(mime_type, name, extension), expected, "{mime_type} {name}");
        }
    }

    #[test]
    fn names_and_types_cannot_break_headers() {
        assert_eq!(
            attachment("报告 a\"b.txt"),
            "attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A%20a%22b.txt"
        );
        assert_eq!(content_type("a\nb"), "application/octet-stream");
        assert_eq!(content_type("image/svg+xml"), "image/svg+xml; charset=utf-8");
        assert_eq!(content_type("image/png"), "image/png");
    }
}
