//! `webscraper`: the text of a web page.

use std::time::Duration;

use net::{Method, Response};
use services_core::Ctx;

use super::failed;
use crate::call::CallError;

/// Most bytes of a page.
const MAX_PAGE: usize = 16 << 20;
/// Elements whose content nobody reads.
const SKIPPED: [&str; 9] =
    ["script", "style", "noscript", "svg", "nav", "header", "footer", "aside", "form"];
/// Elements that stand within a line.
const INLINE: [&str; 14] = [
    "a", "abbr", "b", "code", "em", "font", "i", "mark", "small", "span", "strong", "sub", "sup",
    "u",
];

/// Reads a page, or says why it is not read.
pub(super) async fn read(ctx: &Ctx, url: &str, agent: Option<&str>) -> Result<String, CallError> {
    let agent = agent.filter(|agent| !agent.is_empty()).unwrap_or("Mozilla/5.0 (compatible; Dify)");
    let ask = |method: Method, patience: u64| {
        ctx.http
            .guarded()
            .request(method, url)
            .header("user-agent", agent)
            .follow_redirects(true)
            .timeout(Duration::from_secs(patience))
            .send()
    };
    // What cannot be asked at all is told as what was tried in vain.
    let lost = |err: net::NetError| match err {
        net::NetError::InvalidUrl(_) => {
            let retries = ctx.config.feature.ssrf_default_max_retries;
            failed(format!("Reached maximum retries ({retries}) for URL {url}"))
        }
        other => failed(other.to_string()),
    };
    let head = ask(Method::HEAD, 15).await.map_err(lost)?;
    let kind = kind(&head);
    if head.is_success() && kind.as_deref().is_none_or(|kind| kind != "text/html") {
        let extension = extension(kind.as_deref());
        let Some(extension) = extension else {
            let shown = kind.unwrap_or_else(|| "None".to_owned());
            return Ok(format!("Unsupported content-type [{shown}] of URL."));
        };
        let page = ask(Method::GET, 300).await.map_err(lost)?;
        let content = page.bytes(MAX_PAGE).await.map_err(lost)?;
        let read =
            tokio::task::spawn_blocking(move || extract::extract(&content, Some(extension), None));
        let read = read.await.map_err(|err| failed(err.to_string()))?;
        return read.map_err(|err| failed(err.to_string()));
    }
    if head.status().as_u16() != 200 && head.status().as_u16() != 403 {
        return Ok(format!("URL returned status code {}.", head.status().as_u16()));
    }
    let page = ask(Method::GET, 300).await.map_err(lost)?;
    if page.status().as_u16() != 200 {
        return Ok(format!("URL returned status code {}.", page.status().as_u16()));
    }
    let content = page.bytes(MAX_PAGE).await.map_err(lost)?;
    Ok(article(&extract::text::decode(&content)))
}

fn kind(response: &Response) -> Option<String> {
    let kind = response.header("content-type")?.split(';').next()?.trim();
    (!kind.is_empty()).then(|| kind.to_ascii_lowercase())
}

/// How documents are read that are no pages.
fn extension(kind: Option<&str>) -> Option<&'static str> {
    Some(match kind? {
        "application/pdf" => ".pdf",
        "text/plain" => ".txt",
        "application/json" => ".json",
        _ => return None,
    })
}

/// A page in the form of the reference: its title, and its paragraphs as a Python list.
fn article(html: &str) -> String {
    let page = Page::read(html);
    if page.paragraphs.is_empty() {
        return String::new();
    }
    let paragraphs: Vec<String> = page
        .paragraphs
        .iter()
        .map(|text| format!("{{'text': {}}}", graph::Value::from(text.as_str()).py_repr()))
        .collect();
    let text = paragraphs.join(", ");
    format!("\nTITLE: {}\nAUTHOR: {}\nTEXT:\n\n[{text}]\n", page.title, page.author)
}

#[derive(Debug, Default, PartialEq)]
struct Page {
    title: String,
    author: String,
    paragraphs: Vec<String>,
}

impl Page {
    fn read(html: &str) -> Self {
        let mut page = Self::default();
        let mut current = String::new();
        let mut in_title = false;
        let lower = html.to_ascii_lowercase();
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            let (text, tag) = rest.split_at(at);
            if in_title {
                page.title.push_str(text);
            } else {
                current.push_str(text);
            }
            if let Some(comment) = tag.strip_prefix("<!--") {
                rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
                continue;
            }
            let Some((tag, after)) = tag.split_once('>') else {
                rest = "";
                break;
            };
            rest = after;
            let tag = tag.trim_start_matches('<');
            let is_end = tag.starts_with('/');
            let name: String = tag
                .trim_start_matches('/')
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_ascii_lowercase();
            if name == "title" {
                in_title = !is_end;
                continue;
            }
            if name == "meta" && page.author.is_empty() && tag.contains("author") {
                page.author = attribute(tag, "content").unwrap_or_default();
            }
            if !INLINE.contains(&name.as_str()) {
                page.end_paragraph(&mut current);
            }
            if !is_end && !tag.ends_with('/') && SKIPPED.contains(&name.as_str()) {
                // What is inside (a script's `a < b`) is not taken for tags.
                let inside = lower.get(html.len() - rest.len()..).unwrap_or_default();
                let end = inside.find(&format!("</{name}")).unwrap_or(rest.len());
                rest = rest.get(end..).unwrap_or_default();
            }
        }
        current.push_str(rest);
        page.end_paragraph(&mut current);
        page.title = decoded(page.title.trim());
        page
    }

    fn end_paragraph(&mut self, current: &mut String) {
        let text = decoded(&current.split_whitespace().collect::<Vec<_>>().join(" "));
        if !text.is_empty() {
            self.paragraphs.push(text);
        }
        current.clear();
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split_once(&format!("{name}=\""))?.1;
    Some(decoded(rest.split('"').next()?))
}

/// The entities that pages are full of.
fn decoded(text: &str) -> String {
    let plain = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    plain.into_iter().fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_by_paragraphs() {
        let html = "<html><head><title>Sample</title><script>if (a < b) {}</script></head><body><nav>menu</nav>\
                    <h1>Hello</h1><p>A <b>bold</b> &amp; it's\n paragraph.</p><!-- <p>no</p> --></body></html>";
        assert_eq!(
            article(html),
            "\nTITLE: Sample\nAUTHOR: \nTEXT:\n\n[{'text': 'Hello'}, {'text': \"A bold & it's paragraph.\"}]\n"
        );
        assert_eq!(article("<html><body></body></html>"), "");
        assert_eq!(Page::read("<p unclosed").paragraphs, Vec::<String>::new());
    }
}
