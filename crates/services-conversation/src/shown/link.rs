//! Links to files in answers: what was signed when the answer was made has run out by the time it is read.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use services_core::Ctx;
use services_platform::links;

static SIGNED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let tool = r"tools/(?<tool>[0-9A-Fa-f-]{36})(?<end>\.\w+)?";
    let upload = r"(?<upload>[0-9A-Fa-f-]{36})/(?:file|image)-preview";
    let pattern =
        format!(r"\((?:https?://[^\s()]+?)?/files/(?:{tool}|{upload})\?(?<query>[^\s()]*)\)");
    Regex::new(&pattern).ok()
});

/// `answer` with every Markdown link to a signed file signed anew.
#[must_use]
pub fn sign_again(ctx: &Ctx, answer: &str) -> String {
    let Some(signed) = SIGNED.as_ref().filter(|_| answer.contains("/files/")) else {
        return answer.to_owned();
    };
    let replaced = signed.replace_all(answer, |found: &Captures<'_>| link(ctx, found));
    replaced.into_owned()
}

fn link(ctx: &Ctx, found: &Captures<'_>) -> String {
    let group = |name: &str| found.name(name).map(|part| part.as_str());
    let query = group("query").unwrap_or_default();
    let is_signed = ["timestamp=", "nonce=", "sign="].iter().all(|part| query.contains(part));
    let url = if let Some(id) = group("tool").and_then(|id| id.parse().ok()) {
        let end = group("end").filter(|end| end.len() <= 10).unwrap_or(".bin");
        Some(links::tool_file(ctx, id, end))
    } else {
        group("upload").and_then(|id| id.parse().ok()).map(|id| links::upload(ctx, id))
    };
    match url.filter(|_| is_signed) {
        Some(url) if query.contains("as_attachment") => format!("({url}&as_attachment=true)"),
        Some(url) => format!("({url})"),
        None => found.get(0).map_or_else(String::new, |all| all.as_str().to_owned()),
    }
}
