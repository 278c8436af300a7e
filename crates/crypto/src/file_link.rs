//! Signed links to files: made here, checked here, opened by anyone who has one until it expires.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::LazyLock;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regex::{Captures, Regex};

use crate::{base64, hash, token};

/// What Python's `urlencode` leaves as it is.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Who will open a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A browser or API client: `FILES_URL`.
    Public,
    /// A plugin or another container: `INTERNAL_FILES_URL`, else `FILES_URL`.
    Internal,
}

/// When and with which nonce a link is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Unix seconds.
    pub timestamp: i64,
    /// 16 random bytes in hexadecimal.
    pub nonce: String,
}

impl Stamp {
    /// `now` (Unix seconds) with a fresh nonce.
    #[must_use]
    pub fn new(now: i64) -> Self {
        Self { timestamp: now, nonce: token::nonce() }
    }
}

/// The query of a link somebody opens.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// Unix seconds, as text.
    pub timestamp: &'a str,
    /// The nonce.
    pub nonce: &'a str,
    /// The signature.
    pub sign: &'a str,
}

/// A file a plugin is about to upload.
#[derive(Debug, Clone, Copy)]
pub struct PluginUpload<'a> {
    /// Its name.
    pub filename: &'a str,
    /// Its media type.
    pub mimetype: &'a str,
    /// The tenant it will belong to.
    pub tenant: &'a str,
    /// The end user it will belong to.
    pub user: &'a str,
}

/// Makes and checks links under `SECRET_KEY`.
#[derive(Clone)]
pub struct FileLinks {
    secret: String,
    public_base: String,
    internal_base: String,
    lifetime: i64,
}

impl FileLinks {
    /// `internal_base` empty means the public one; `lifetime` is in seconds (`FILES_ACCESS_TIMEOUT`).
    #[must_use]
    pub fn new(secret: &str, public_base: &str, internal_base: &str, lifetime: i64) -> Self {
        let internal = if internal_base.is_empty() { public_base } else { internal_base };
        Self {
            secret: secret.to_owned(),
            public_base: public_base.to_owned(),
            internal_base: internal.to_owned(),
            lifetime,
        }
    }

    fn base(&self, audience: Audience) -> &str {
        match audience {
            Audience::Public => &self.public_base,
            Audience::Internal => &self.internal_base,
        }
    }

    /// Link to an uploaded file.
    pub fn upload(
        &self,
        id: impl Display,
        audience: Audience,
        as_attachment: bool,
        stamp: &Stamp,
    ) -> String {
        let base = self.base(audience);
        let Stamp { timestamp, nonce } = stamp;
        let sign = self.sign(&format!("file-preview|{id}|{timestamp}|{nonce}"));
        let sign = utf8_percent_encode(&sign, QUERY);
        let attachment = if as_attachment { "&as_attachment=true" } else { "" };
        format!(
            "{base}/files/{id}/file-preview?timestamp={timestamp}&nonce={nonce}&sign={sign}{attachment}"
        )
    }

    /// Link to an uploaded image for plugins and tools, the older kind.
    pub fn image(&self, id: impl Display, stamp: &Stamp) -> String {
        self.image_at(&self.internal_base, id, stamp)
    }

    /// The same at another base: attachments of segments use `CONSOLE_API_URL`, texts none.
    pub fn image_at(&self, base: &str, id: impl Display, stamp: &Stamp) -> String {
        let query = self.query("image-preview", &id, stamp);
        format!("{base}/files/{id}/image-preview?{query}")
    }

    /// Link to a file a tool made; `extension` begins with a dot.
    pub fn tool_file(
        &self,
        id: impl Display,
        extension: &str,
        audience: Audience,
        stamp: &Stamp,
    ) -> String {
        let query = self.query("file-preview", &id, stamp);
        format!("{}/files/tools/{id}{extension}?{query}", self.base(audience))
    }

    /// Link to a file of a datasource; `extension` begins with a dot.
    pub fn datasource_file(&self, id: impl Display, extension: &str, stamp: &Stamp) -> String {
        let query = self.query("file-preview", &id, stamp);
        format!("{}/files/datasources/{id}{extension}?{query}", self.public_base)
    }

    /// Where a plugin may upload one file.
    #[must_use]
    pub fn plugin_upload(&self, file: &PluginUpload<'_>, stamp: &Stamp) -> String {
        let Stamp { timestamp, nonce } = stamp;
        let sign = self.sign(&upload_message(file, &timestamp.to_string(), nonce));
        let PluginUpload { user, tenant, .. } = file;
        format!(
            "{}/files/upload/for-plugin?timestamp={timestamp}&nonce={nonce}&sign={sign}&user_id={user}&tenant_id={tenant}",
            self.internal_base
        )
    }

    /// Whether this opens an uploaded file, a tool's or a datasource's at `now` (Unix seconds).
    pub fn opens_file(&self, id: impl Display, link: &Presented<'_>, now: i64) -> bool {
        let Presented { timestamp, nonce, .. } = link;
        self.holds(&format!("file-preview|{id}|{timestamp}|{nonce}"), link, now)
    }

    /// Whether this opens an image by the older kind of link.
    pub fn opens_image(&self, id: impl Display, link: &Presented<'_>, now: i64) -> bool {
        let Presented { timestamp, nonce, .. } = link;
        self.holds(&format!("image-preview|{id}|{timestamp}|{nonce}"), link, now)
    }

    /// Whether this allows a plugin to upload this file.
    #[must_use]
    pub fn allows_upload(&self, file: &PluginUpload<'_>, link: &Presented<'_>, now: i64) -> bool {
        self.holds(&upload_message(file, link.timestamp, link.nonce), link, now)
    }

    fn holds(&self, message: &str, link: &Presented<'_>, now: i64) -> bool {
        // A time that is no number was never signed, so the signature alone would refuse it.
        let Ok(signed_at) = link.timestamp.parse::<i64>() else { return false };
        hash::same(self.sign(message).as_bytes(), link.sign.as_bytes())
            && now.saturating_sub(signed_at) <= self.lifetime
    }

    fn query(&self, kind: &str, id: &impl Display, stamp: &Stamp) -> String {
        let Stamp { timestamp, nonce } = stamp;
        let sign = self.sign(&format!("{kind}|{id}|{timestamp}|{nonce}"));
        format!("timestamp={timestamp}&nonce={nonce}&sign={sign}")
    }

    fn sign(&self, message: &str) -> String {
        base64::encode_url_padded(&hash::hmac_sha256(self.secret.as_bytes(), message.as_bytes()))
    }

    /// Signs every link to a file inside a chunk's text anew; an old query is replaced. `stamp` is
    /// asked once a link.
    pub fn sign_text<'t>(&self, text: &'t str, mut stamp: impl FnMut() -> Stamp) -> Cow<'t, str> {
        static LINK: LazyLock<Option<Regex>> = LazyLock::new(|| {
            let query = r#"(?:\?[^\s\)"']*)?"#;
            let uploaded = "(?<id>[a-f0-9-]+)/(?<kind>image-preview|file-preview)";
            let made = r"tools/(?<tool>[a-f0-9-]+)(?<extension>\.[a-zA-Z0-9]+)";
            Regex::new(&format!("/files/(?:{made}|{uploaded}){query}")).ok()
        });
        let Some(link) = LINK.as_ref() else { return Cow::Borrowed(text) };
        link.replace_all(text, |found: &Captures<'_>| {
            let part = |name| found.name(name).map_or("", |part| part.as_str());
            let stamp = stamp();
            if found.name("tool").is_some() {
                let (id, extension) = (part("tool"), part("extension"));
                format!("/files/tools/{id}{extension}?{}", self.query("file-preview", &id, &stamp))
            } else {
                let (id, kind) = (part("id"), part("kind"));
                format!("/files/{id}/{kind}?{}", self.query(kind, &id, &stamp))
            }
        })
    }
}

fn upload_message(file: &PluginUpload<'_>, timestamp: &str, nonce: &str) -> String {
    let PluginUpload { filename, mimetype, tenant, user } = file;
    format!("upload|{filename}|{mimetype}|{tenant}|{user}|{timestamp}|{nonce}")
}
