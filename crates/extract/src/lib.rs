//! Documents to text, in the form workflows get them.
//!
//! Invariant: content comes from strangers: nothing panics on it, nothing unpacks without bound. Work may take seconds:
//! callers run it on a blocking thread.

mod docx;
mod mail;
mod pack;
mod pdf;
mod properties;
mod sheet;
mod slides;
pub mod text;
mod vtt;
mod yaml;

/// A document that cannot be read. The texts are the reference's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// No such kind of document is read.
    #[error("{0}")]
    Unsupported(String),
    /// The document is broken.
    #[error("{0}")]
    Failed(String),
}

impl ExtractError {
    fn failed(format: &str, reason: impl std::fmt::Display) -> Self {
        Self::Failed(format!("Failed to extract text from {format}: {reason}"))
    }
}

/// Kinds of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Json,
    Yaml,
    Pdf,
    Doc,
    Docx,
    Csv,
    Excel,
    Ppt,
    Pptx,
    Epub,
    Eml,
    Msg,
    Vtt,
    Properties,
}

/// Extensions whose files are text already.
const PLAIN: [&str; 51] = [
    ".txt",
    ".markdown",
    ".md",
    ".mdx",
    ".html",
    ".htm",
    ".xml",
    ".c",
    ".h",
    ".cpp",
    ".hpp",
    ".cc",
    ".cxx",
    ".c++",
    ".py",
    ".js",
    ".ts",
    ".jsx",
    ".tsx",
    ".java",
    ".php",
    ".rb",
    ".go",
    ".rs",
    ".swift",
    ".kt",
    ".scala",
    ".sh",
    ".bash",
    ".bat",
    ".ps1",
    ".sql",
    ".r",
    ".m",
    ".pl",
    ".lua",
    ".vim",
    ".asm",
    ".s",
    ".css",
    ".scss",
    ".less",
    ".sass",
    ".ini",
    ".cfg",
    ".conf",
    ".toml",
    ".env",
    ".log",
    ".vtt",
    ".text",
];

/// The text of a document. The extension (with its dot) decides what it is; without one the media type does.
///
/// # Errors
/// [`ExtractError`].
pub fn extract(
    content: &[u8],
    extension: Option<&str>,
    media_type: Option<&str>,
) -> Result<String, ExtractError> {
    let present = |text: Option<&'_ str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let kind = match (present(extension), present(media_type)) {
        (Some(extension), _) => by_extension(&extension)?,
        (None, Some(media_type)) => by_media_type(&media_type)?,
        (None, None) => {
            let message = "Unable to determine file type: MIME type or file extension is missing";
            return Err(ExtractError::Unsupported(message.to_owned()));
        }
    };
    read(kind, content)
}

fn by_extension(extension: &str) -> Result<Kind, ExtractError> {
    if PLAIN.contains(&extension) {
        return Ok(Kind::Plain);
    }
    Ok(match extension {
        ".json" => Kind::Json,
        ".yaml" | ".yml" => Kind::Yaml,
        ".pdf" => Kind::Pdf,
        ".doc" => Kind::Doc,
        ".docx" => Kind::Docx,
        ".csv" => Kind::Csv,
        ".xls" | ".xlsx" => Kind::Excel,
        ".ppt" => Kind::Ppt,
        ".pptx" => Kind::Pptx,
        ".epub" => Kind::Epub,
        ".eml" => Kind::Eml,
        ".msg" => Kind::Msg,
        ".properties" => Kind::Properties,
        other => {
            return Err(ExtractError::Unsupported(format!("Unsupported Extension Type: {other}")));
        }
    })
}

fn by_media_type(media_type: &str) -> Result<Kind, ExtractError> {
    Ok(match media_type {
        "text/plain" | "text/html" | "text/htm" | "text/markdown" | "text/xml" => Kind::Plain,
        "application/pdf" => Kind::Pdf,
        "application/msword" => Kind::Doc,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Kind::Docx,
        "text/csv" => Kind::Csv,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        | "application/vnd.ms-excel" => Kind::Excel,
        "application/vnd.ms-powerpoint" => Kind::Ppt,
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => Kind::Pptx,
        "application/epub+zip" => Kind::Epub,
        "message/rfc822" => Kind::Eml,
        "application/vnd.ms-outlook" => Kind::Msg,
        "application/json" => Kind::Json,
        "application/x-yaml" | "text/yaml" => Kind::Yaml,
        "text/vtt" => Kind::Vtt,
        "text/properties" => Kind::Properties,
        other => return Err(ExtractError::Unsupported(format!("Unsupported MIME type: {other}"))),
    })
}

fn read(kind: Kind, content: &[u8]) -> Result<String, ExtractError> {
    match kind {
        Kind::Plain => Ok(text::decode(content)),
        Kind::Json => json(content),
        Kind::Yaml => yaml::reformat(&text::decode(content)).map_err(|reason| {
            ExtractError::Failed(format!("Failed to decode or parse YAML file: {reason}"))
        }),
        Kind::Pdf => pdf::text(content).map_err(|reason| ExtractError::failed("PDF", reason)),
        Kind::Docx => docx::text(content).map_err(|reason| ExtractError::failed("DOCX", reason)),
        Kind::Csv => sheet::csv(&text::decode(content)),
        Kind::Excel => sheet::excel(content),
        Kind::Pptx => slides::pptx(content).map_err(|reason| ExtractError::failed("PPTX", reason)),
        Kind::Epub => slides::epub(content).map_err(|reason| ExtractError::failed("EPUB", reason)),
        Kind::Eml => mail::text(content).map_err(|reason| ExtractError::failed("EML", reason)),
        Kind::Vtt => Ok(vtt::text(&text::decode(content))),
        Kind::Properties => Ok(properties::text(&text::decode(content))),
        Kind::Doc => Err(ExtractError::Failed(
            "Unstructured API URL is not configured for DOC file processing.".to_owned(),
        )),
        // The binary formats of old office programs are read by nothing here.
        Kind::Ppt => Err(ExtractError::failed("PPTX", "the format of .ppt files is not supported")),
        Kind::Msg => Err(ExtractError::failed("MSG", "the format of .msg files is not supported")),
    }
}

fn json(content: &[u8]) -> Result<String, ExtractError> {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(&text::decode(content));
    let failed = |err: &dyn std::fmt::Display| {
        ExtractError::Failed(format!("Failed to decode or parse JSON file: {err}"))
    };
    let value = parsed.map_err(|err| failed(&err))?;
    serde_json::to_string_pretty(&value).map_err(|err| failed(&err))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_simple_kinds() {
        for (extension, content, expected) in [
            (".txt", "text ünï", "text ünï"),
            (".csv", "a,b\n1,2\n3,\n", "| a | b |\n| - | - |\n| 1 | 2 |\n| 3 |  |\n"),
            (".json", "{\"b\": 1, \"a\": [1]}", "{\n  \"b\": 1,\n  \"a\": [\n    1\n  ]\n}"),
            (".yaml", "a: 1\nb: [x]\n", "a: 1\nb:\n- x\n"),
            (".properties", "k = v\n# c\nx: y\n", "k: v\n# c\nx: y"),
        ] {
            let text = extract(content.as_bytes(), Some(extension), None);
            assert_eq!(text.as_deref(), Ok(expected), "{extension}");
        }
    }

    #[test]
    fn unknown_and_broken_documents_are_refused() {
        for (extension, media_type, expected) in [
            (Some(".bin"), None, "Unsupported Extension Type: .bin"),
            (None, Some("x/y"), "Unsupported MIME type: x/y"),
        ] {
            let error = extract(b"x", extension, media_type).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        for extension in [".pdf", ".docx", ".xlsx", ".pptx", ".epub", ".json"] {
            let error = extract(b"\x00broken", Some(extension), None).unwrap_err();
            assert!(error.to_string().starts_with("Failed to "), "{extension}: {error}");
        }
    }
}
