//! Java properties.

/// `key: value` lines; comments and empty lines stay.
pub(crate) fn text(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with('!') {
            return line.to_owned();
        }
        let (key, value) =
            line.split_once('=').or_else(|| line.split_once(':')).unwrap_or((line, ""));
        format!("{}: {}", key.trim(), value.trim())
    });
    lines.collect::<Vec<_>>().join("\n")
}
