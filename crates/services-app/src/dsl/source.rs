//! Where a text comes from.

use std::time::Duration;

use net::NetError;
use services_core::Ctx;

use super::MAX_BYTES;

/// Waiting for the other server.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The text at a URL, or why there is none in the reference's words.
pub(super) async fn fetch(ctx: &Ctx, url: &str) -> Result<String, String> {
    let url = raw_address(url.trim());
    let failed = |what: String| format!("Error fetching YAML from URL: {what}");
    let answer = ctx.http.guarded().get(&url).follow_redirects(true).timeout(TIMEOUT).send().await;
    let answer = answer.map_err(|err| failed(err.to_string()))?;
    let status = answer.status();
    if !status.is_success() {
        let side = if status.is_server_error() { "Server" } else { "Client" };
        let (code, reason) = (status.as_u16(), status.canonical_reason().unwrap_or_default());
        return Err(failed(format!(
            "{side} error '{code} {reason}' for url '{url}'\nFor more information check: \
             https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/{code}"
        )));
    }
    let text = match answer.text(MAX_BYTES).await {
        Ok(text) => text,
        Err(NetError::BodyTooLarge { .. }) => {
            return Err("File size exceeds the limit of 10MB".to_owned());
        }
        Err(err) => return Err(failed(err.to_string())),
    };
    if text.is_empty() { Err("Empty content from url".to_owned()) } else { Ok(text) }
}

/// GitHub's page of a file becomes the file.
fn raw_address(url: &str) -> String {
    let is_page = url.strip_prefix("https://github.com/").is_some_and(|path| {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        path.contains("/blob/") && (path.ends_with(".yml") || path.ends_with(".yaml"))
    });
    if !is_page {
        return url.to_owned();
    }
    url.replace("https://github.com", "https://raw.githubusercontent.com").replace("/blob/", "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_files_become_files() {
        for (url, expected) in [
            (
                "https://github.com/a/b/blob/main/x.yml",
                "https://raw.githubusercontent.com/a/b/main/x.yml",
            ),
            ("https://github.com/a/b/blob/main/x.txt", "https://github.com/a/b/blob/main/x.txt"),
            ("https://example.org/blob/x.yml", "https://example.org/blob/x.yml"),
        ] {
            assert_eq!(raw_address(url), expected);
        }
    }
}
