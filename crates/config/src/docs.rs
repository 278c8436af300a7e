//! `docs/configuration.md`, written from the tables.

use std::fmt::Write as _;

use crate::table::{Scope, Spec, Status};
use crate::{Config, ConfigErrors};

const INTRODUCTION: &str = "\
# Configuration

Every setting is an environment variable. The process environment wins over a `.env` file in the working
directory; names are case-insensitive. A switch is true/false, 1/0, yes/no, on/off, t/f or y/n. An empty
value is a value: it is refused where a number or a switch is needed, and means unset where a text may be
unset. A server that finds a malformed variable names every one of them and does not start.

`dify-api check-config` prints the values in force. This page is written by
`UPDATE_DOCS=1 cargo test -p dify-config`.
";

/// The page.
///
/// # Errors
/// Never in practice: the defaults are well-formed.
pub fn markdown() -> Result<String, ConfigErrors> {
    let config = Config::from_map(std::iter::empty::<(String, String)>())?;
    let mut page = INTRODUCTION.to_owned();
    for (heading, group) in config.groups() {
        let _ = write!(
            page,
            "\n## {heading}\n\n| variable | type | default | meaning | here |\n|---|---|---|---|---|\n"
        );
        for (spec, shown) in group.specs().iter().zip(group.shown()) {
            let default = match shown.default.as_str() {
                "" => "–".to_owned(),
                text => format!("`{}`", cell(text)),
            };
            let here = match spec.status {
                Status::Honoured => "honoured".to_owned(),
                Status::Ignored(reason) => format!("ignored: {}", cell(reason)),
            };
            let _ = writeln!(
                page,
                "| {} | {} | {default} | {} | {here} |",
                variables(spec),
                cell(shown.kind),
                cell(spec.meaning),
            );
        }
    }
    page.push_str(
        "\n`OPENDAL_<SCHEME>_*` gives the options of the storage operator of `OPENDAL_SCHEME`, e.g. \
         `OPENDAL_FS_ROOT`, `OPENDAL_S3_BUCKET`: the lower-cased rest of the name is the option.\n",
    );
    Ok(page)
}

fn variables(spec: &Spec) -> String {
    let mut names = format!("`{}`", spec.name());
    let others: Vec<String> = spec
        .variables()
        .into_iter()
        .filter(|n| *n != spec.name())
        .map(|n| format!("`{n}`"))
        .collect();
    if !others.is_empty() {
        let first = spec.names.first().is_some_and(|first| *first != spec.name());
        let word = if first { "after" } else { "else" };
        let _ = write!(names, " ({word} {})", others.join(", "));
    }
    if spec.scope == Scope::process {
        names.push_str(" (exported)");
    }
    names
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_page_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        let page = super::markdown().unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &page).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == page, "docs/configuration.md is stale; run with UPDATE_DOCS=1");
    }
}
