//! Ids with slashes inside a path.
//!
//! Ids of providers are `organisation/plugin/name`, and the reference's routes take them in the middle of a path,
//! which a router of segments cannot. Before routing, the slashes inside such an id are encoded, so that it is one
//! segment; [`crate::Path`] decodes it again.

use axum::http::Uri;

const CURRENT: &str = "/console/api/workspaces/current/";

/// What may follow an id. The id ends before the first segment that is one of these.
const AFTER_MODEL_PROVIDER: &[&str] =
    &["models", "credentials", "preferred-provider-type", "checkout-url"];
const AFTER_TOOL_PROVIDER: &[&str] = &[
    "tools",
    "info",
    "icon",
    "add",
    "update",
    "delete",
    "credentials",
    "credential",
    "default-credential",
    "oauth",
];
const AFTER_TRIGGER_PROVIDER: &[&str] = &["icon", "info", "oauth", "subscriptions"];
const AFTER_OAUTH_PLUGIN: &[&str] = &["tool", "trigger", "datasource"];
const AFTER_DATASOURCE: &[&str] = &["custom-client", "default", "update", "update-name", "delete"];

/// `uri` with the slashes of an id inside its path encoded, or `None` if it has no such id.
#[must_use]
pub fn encode(uri: &Uri) -> Option<Uri> {
    let path = encoded(uri.path())?;
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    text.parse().ok()
}

fn encoded(path: &str) -> Option<String> {
    if let Some(rest) = path.strip_prefix("/console/api/oauth/plugin/") {
        return before("/console/api/oauth/plugin/", rest, AFTER_OAUTH_PLUGIN);
    }
    if let Some(rest) = path.strip_prefix("/console/api/auth/plugin/datasource/") {
        // `default-list`, `list` and ids alone are whole paths of their own.
        return before("/console/api/auth/plugin/datasource/", rest, AFTER_DATASOURCE)
            .or_else(|| to_the_end("/console/api/auth/plugin/datasource/", rest));
    }
    if let Some(rest) = path.strip_prefix(CURRENT) {
        for (part, after) in [
            ("model-providers/", AFTER_MODEL_PROVIDER),
            ("tool-provider/builtin/", AFTER_TOOL_PROVIDER),
            ("trigger-provider/", AFTER_TRIGGER_PROVIDER),
        ] {
            if let Some(rest) = rest.strip_prefix(part) {
                return before(&format!("{CURRENT}{part}"), rest, after);
            }
        }
        let rest = rest.strip_prefix("agent-provider/")?;
        return to_the_end(&format!("{CURRENT}agent-provider/"), rest);
    }
    // `/console/api/workspaces/<id>/model-providers/<provider>/<icon type>/<language>`
    let rest = path.strip_prefix("/console/api/workspaces/")?;
    let (workspace, rest) = rest.split_once("/model-providers/")?;
    let mut parts = rest.rsplitn(3, '/');
    let (language, kind, provider) = (parts.next()?, parts.next()?, parts.next()?);
    let start = format!("/console/api/workspaces/{workspace}/model-providers/");
    join(&start, provider, &format!("/{kind}/{language}"))
}

fn before(start: &str, rest: &str, after: &[&str]) -> Option<String> {
    let mut at = 0;
    for (place, segment) in rest.split('/').enumerate() {
        if place != 0 && after.contains(&segment) {
            let (id, tail) = rest.split_at_checked(at - 1)?;
            return join(start, id, tail);
        }
        at += segment.len() + 1;
    }
    None
}

fn to_the_end(start: &str, rest: &str) -> Option<String> {
    join(start, rest, "")
}

fn join(start: &str, id: &str, tail: &str) -> Option<String> {
    id.contains('/').then(|| format!("{start}{}{tail}", id.replace('/', "%2F")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_one_segment() {
        for (path, expected) in [
            (
                "model-providers/a/b/c/models/credentials/switch",
                Some("model-providers/a%2Fb%2Fc/models/credentials/switch"),
            ),
            ("model-providers/openai/models", None),
            ("model-providers", None),
            (
                "tool-provider/builtin/a/b/c/credential/info",
                Some("tool-provider/builtin/a%2Fb%2Fc/credential/info"),
            ),
            (
                "tool-provider/builtin/a/b/c/oauth/client-url",
                Some("tool-provider/builtin/a%2Fb%2Fc/oauth/client-url"),
            ),
            ("agent-provider/a/b/c", Some("agent-provider/a%2Fb%2Fc")),
        ] {
            let expected = expected.map(|path| format!("{CURRENT}{path}"));
            assert_eq!(encoded(&format!("{CURRENT}{path}")), expected, "{path}");
        }
        assert_eq!(
            encoded("/console/api/workspaces/x/model-providers/a/b/c/icon_small/en_US").as_deref(),
            Some("/console/api/workspaces/x/model-providers/a%2Fb%2Fc/icon_small/en_US")
        );
    }

    #[test]
    fn the_query_stays() {
        let uri: Uri = format!("{CURRENT}model-providers/a/b/c/models?x=1%2F2").parse().unwrap();
        assert_eq!(
            encode(&uri).unwrap().to_string(),
            format!("{CURRENT}model-providers/a%2Fb%2Fc/models?x=1%2F2")
        );
    }
}
