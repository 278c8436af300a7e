//! Names, extensions and media types of files, and how large a file of which kind may be.

use config::Config;

const IMAGES: [&str; 6] = ["jpg", "jpeg", "png", "webp", "gif", "svg"];
const VIDEOS: [&str; 4] = ["mp4", "mov", "mpeg", "webm"];
const AUDIO: [&str; 5] = ["mp3", "m4a", "wav", "amr", "mpga"];
const DOCUMENTS: [&str; 13] = [
    "txt",
    "markdown",
    "md",
    "mdx",
    "pdf",
    "html",
    "htm",
    "xlsx",
    "xls",
    "docx",
    "csv",
    "vtt",
    "properties",
];
const UNSTRUCTURED: [&str; 6] = ["doc", "eml", "msg", "pptx", "xml", "epub"];

/// Media types and the extension Python takes for them, where the general table would take another.
const EXTENSIONS: [(&str, &str); 22] = [
    ("application/json", ".json"),
    ("application/msword", ".doc"),
    ("application/octet-stream", ".bin"),
    ("application/pdf", ".pdf"),
    ("application/vnd.ms-excel", ".xls"),
    ("application/xml", ".xsl"),
    ("application/zip", ".zip"),
    ("audio/mp4", ".mp4"),
    ("audio/mpeg", ".mp3"),
    ("audio/x-wav", ".wav"),
    ("audio/wav", ".wav"),
    ("image/gif", ".gif"),
    ("image/jpeg", ".jpg"),
    ("image/png", ".png"),
    ("image/svg+xml", ".svg"),
    ("image/webp", ".webp"),
    ("text/css", ".css"),
    ("text/html", ".html"),
    ("text/markdown", ".md"),
    ("text/plain", ".txt"),
    ("video/mp4", ".mp4"),
    ("video/quicktime", ".mov"),
];

/// A file's extension in small letters without its dot; a name's leading dots begin none.
#[must_use]
pub fn extension(name: &str) -> String {
    let body = name.trim_start_matches('.');
    match body.rsplit_once('.') {
        Some((_, extension)) => extension.to_lowercase(),
        None => String::new(),
    }
}

/// Whether the extension (small letters, no dot) is an image's.
#[must_use]
pub fn is_image(extension: &str) -> bool {
    IMAGES.contains(&extension)
}

/// The extensions (small letters) of documents that can be read as text.
#[must_use]
pub fn documents(config: &Config) -> Vec<&'static str> {
    let mut all = DOCUMENTS.to_vec();
    if config.feature.etl_type == "Unstructured" {
        all.extend(UNSTRUCTURED);
        if config.feature.unstructured_api_url.as_deref().is_some_and(|url| !url.is_empty()) {
            all.push("ppt");
        }
    }
    all
}

/// Whether the extension (any case, no dot) is one of [`documents`].
#[must_use]
pub fn is_document(config: &Config, extension: &str) -> bool {
    documents(config).iter().any(|known| known.eq_ignore_ascii_case(extension))
}

/// How many bytes a file with this extension (small letters, no dot) may have.
#[must_use]
pub fn limit(config: &Config, extension: &str) -> u64 {
    let settings = &config.feature;
    let megabytes = if is_image(extension) {
        settings.upload_image_file_size_limit
    } else if VIDEOS.contains(&extension) {
        settings.upload_video_file_size_limit
    } else if AUDIO.contains(&extension) {
        settings.upload_audio_file_size_limit
    } else {
        settings.upload_file_size_limit
    };
    u64::try_from(megabytes).unwrap_or(0) << 20
}

/// The media type a name promises.
#[must_use]
pub fn media_type(name: &str) -> Option<&'static str> {
    match extension(name).as_str() {
        "" => None,
        "wav" => Some("audio/x-wav"),
        "js" | "mjs" => Some("text/javascript"),
        "xml" => Some("text/xml"),
        extension => mime_guess::from_ext(extension).first_raw(),
    }
}

/// The extension, with its dot, that files of a media type (parameters are ignored) have.
#[must_use]
pub fn extension_of(media_type: &str) -> Option<String> {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if let Some((_, extension)) = EXTENSIONS.iter().find(|(known, _)| *known == essence) {
        return Some((*extension).to_owned());
    }
    let known = mime_guess::get_mime_extensions_str(&essence)?;
    known.first().map(|extension| format!(".{extension}"))
}

/// A name as it is stored: one over 200 characters keeps the first 200 of what is before its first dot.
#[must_use]
pub fn stored_name(name: &str, extension: &str) -> String {
    if name.chars().count() <= 200 {
        return name.to_owned();
    }
    let stem: String = name.split('.').next().unwrap_or_default().chars().take(200).collect();
    format!("{stem}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_what_python_splits_off() {
        for (name, expected) in [
            ("a.txt", "txt"),
            ("dot.PNG", "png"),
            ("README", ""),
            ("dot.", ""),
            (".env", ""),
            ("..env.local", "local"),
            ("archive.tar.gz", "gz"),
        ] {
            assert_eq!(extension(name), expected, "{name}");
        }
    }

    #[test]
    fn only_long_names_are_cut() {
        assert_eq!(stored_name("a.b.txt", "txt"), "a.b.txt");
        let long = format!("{}.x.txt", "n".repeat(240));
        assert_eq!(stored_name(&long, "txt"), format!("{}.txt", "n".repeat(200)));
    }

    #[test]
    fn every_kind_has_its_limit() {
        let config = Config::from_map([
            ("UPLOAD_FILE_SIZE_LIMIT", "1"),
            ("UPLOAD_IMAGE_FILE_SIZE_LIMIT", "2"),
            ("UPLOAD_AUDIO_FILE_SIZE_LIMIT", "3"),
            ("UPLOAD_VIDEO_FILE_SIZE_LIMIT", "4"),
        ])
        .unwrap();
        for (extension, expected) in [("txt", 1), ("", 1), ("png", 2), ("mp3", 3), ("mov", 4)] {
            assert_eq!(limit(&config, extension), expected << 20, "{extension}");
        }
    }

    #[test]
    fn media_types_and_extensions_find_each_other() {
        assert_eq!(extension_of("image/jpeg").as_deref(), Some(".jpg"));
        assert_eq!(extension_of("text/csv; charset=utf-8").as_deref(), Some(".csv"));
        assert_eq!(extension_of("made/up"), None);
        assert_eq!(media_type("table.csv"), Some("text/csv"));
        assert_eq!(media_type("noext"), None);
    }
}
