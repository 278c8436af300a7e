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

`dify-api check-config` prints the values in force. This page is written by `make docs`.
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
            let here = match spec.status() {
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
         `OPENDAL_FS_ROOT`, `OPENDAL_S3_BUCKET`: the lower-cased rest of the name is the option.\n\n\
         `azure-blob`, `google-storage`, `aliyun-oss`, `tencent-cos`, `huawei-obs` and `volcengine-tos` need a build \
         with the feature `all-storage`, which the image is; a build without it says so and does not start.\n",
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
    use std::{
        collections::HashSet,
        path::{Path, PathBuf},
    };

    use crate::{Config, table::Status};

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn the_page_is_current() {
        let found =
            std::fs::read_to_string(root().join("docs/configuration.md")).unwrap_or_default();
        assert!(
            found == super::markdown().unwrap(),
            "docs/configuration.md is out of date: run `make docs` and commit what it changes"
        );
    }

    /// Every word of the crates' sources, but for the tables of settings themselves and tests.
    fn words_of_sources() -> HashSet<String> {
        let mut open = vec![root().join("crates")];
        let mut words = HashSet::new();
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let is_table = path.ends_with("config/src/groups");
                if path.is_dir() && !is_table && !matches!(&*name, "tests" | "target" | "benches") {
                    open.push(path);
                } else if name.ends_with(".rs") && name != "tests.rs" {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    let found = text.split(|c| !is_word(c)).filter(|word| word.contains('_'));
                    words.extend(found.map(str::to_ascii_lowercase));
                }
            }
        }
        words
    }

    #[test]
    fn settings_called_honoured_are_read_somewhere() {
        let config = Config::from_map(std::iter::empty::<(String, String)>()).unwrap();
        let words = words_of_sources();
        let groups = config.groups();
        let specs = groups.iter().flat_map(|(_, group)| group.specs());
        let unread: Vec<&str> = specs
            .filter(|spec| spec.status == Status::Honoured && spec.field.contains('_'))
            // Some are looked up by the name of the variable.
            .filter(|spec| {
                let names = spec.variables().into_iter().map(|name| name.to_ascii_lowercase());
                !words.contains(spec.field) && !names.into_iter().any(|name| words.contains(&name))
            })
            .map(|spec| spec.field)
            .collect();
        let text = unread.join("\n") + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/unread.txt");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap_or_default() == text,
            "some setting is read now, or no longer: run `make docs` and commit what it changes"
        );
    }
}
