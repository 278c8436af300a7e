//! Where PostgreSQL is installed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::process;

/// Directories with one installation a version; `*` stands for the version.
const VERSIONED: &[(&str, &str, &str)] = &[
    // Debian, Ubuntu
    ("/usr/lib/postgresql", "", "bin"),
    // Red Hat, Fedora (PGDG)
    ("/usr", "pgsql-", "bin"),
    // Alpine
    ("/usr/libexec", "postgresql", ""),
    // Homebrew
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
];

/// Directories with one installation.
const PLAIN: &[&str] = &["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin"];

#[derive(Debug, Clone)]
pub(super) struct Binaries {
    pub initdb: PathBuf,
    pub pg_ctl: PathBuf,
}

impl Binaries {
    /// The programs of this major version, or of the newest.
    pub(super) async fn find(major: Option<&str>) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let from_path = std::env::split_paths(&path);
        let plain = PLAIN.iter().map(PathBuf::from);
        let mut newest: Option<(u32, Self)> = None;
        for dir in from_path.chain(versioned()).chain(plain) {
            let Some(found) = Self::in_dir(&dir) else { continue };
            let Some(version) = version(&found.pg_ctl).await else { continue };
            match major {
                Some(major) if major == version.to_string() => return Some(found),
                Some(_) => {}
                None if newest.as_ref().is_none_or(|(n, _)| *n < version) => {
                    newest = Some((version, found));
                }
                None => {}
            }
        }
        newest.map(|(_, found)| found)
    }

    fn in_dir(dir: &Path) -> Option<Self> {
        let program = |name| Some(dir.join(name)).filter(|path| path.is_file());
        // `pg_ctl` looks for `postgres` in its own directory.
        program("postgres")?;
        Some(Self { initdb: program("initdb")?, pg_ctl: program("pg_ctl")? })
    }
}

fn versioned() -> impl Iterator<Item = PathBuf> {
    VERSIONED.iter().flat_map(|(parent, prefix, child)| {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        entries
            .filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(move |entry| entry.path().join(child))
    })
}

/// Major version: `pg_ctl (PostgreSQL) 15.8 (Debian 15.8-0)` is 15.
async fn version(pg_ctl: &Path) -> Option<u32> {
    let text = process::output(pg_ctl, &["--version"]).await?;
    let number =
        text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
