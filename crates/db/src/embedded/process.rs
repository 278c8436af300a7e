//! Running PostgreSQL's programs as a user they accept, and finding its processes.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
    process::Stdio,
};

use tokio::process::Command;

use super::{EmbeddedError, Result, io_error};

/// Who PostgreSQL runs as.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// Ours.
    own_uid: u32,
    /// The user to change to; `None` if we may stay who we are.
    other: Option<User>,
}

#[derive(Debug, Clone)]
struct User {
    name: String,
    uid: u32,
    gid: u32,
}

impl Identity {
    /// For the cluster in `data`, which need not exist.
    pub(super) async fn for_cluster(data: &Path) -> Result<Self> {
        // The standard library does not tell who we are.
        let id = output(Path::new("id"), &["-u"]).await;
        let own_uid = id.and_then(|text| text.trim().parse().ok()).unwrap_or(u32::MAX);
        if own_uid != 0 {
            return Ok(Self { own_uid, other: None });
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let owner = fs::metadata(data).ok().filter(|found| found.uid() != 0);
        let user = match owner {
            Some(found) => User {
                name: format!("with id {}", found.uid()),
                uid: found.uid(),
                gid: found.gid(),
            },
            None => ["postgres", "nobody"]
                .iter()
                .find_map(|name| find_user(&users, name))
                .ok_or(EmbeddedError::NoUser)?,
        };
        Ok(Self { own_uid, other: Some(user) })
    }

    /// A program to be run as this user.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // Our own directory may be closed to the user.
        command.current_dir("/").stdin(Stdio::null()).env_remove("PGDATA").env("LC_ALL", "C");
        if let Some(user) = &self.other {
            // This also takes away root's other groups.
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Hands a file we made to this user.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        let Some(user) = &self.other else { return Ok(()) };
        chown(path, Some(user.uid), Some(user.gid)).map_err(io_error(path))
    }

    /// Hands over what root copied here, for example from a backup.
    pub(super) fn own_tree(&self, path: &Path) -> Result<()> {
        let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
        if self.other.is_none() || found.is_symlink() {
            return Ok(());
        }
        if found.uid() == 0 {
            self.own(path)?;
        }
        if found.is_dir() {
            for entry in fs::read_dir(path).map_err(io_error(path))?.flatten() {
                self.own_tree(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Whether a directory of the user with this id is safe to use.
    pub(super) fn may_own(&self, uid: u32) -> bool {
        uid == self.own_uid || self.other.as_ref().is_some_and(|user| user.uid == uid)
    }

    /// Whether this user can write to `dir`, which includes entering all its parents.
    pub(super) async fn check_access(&self, dir: &Path) -> Result<()> {
        let Some(user) = &self.other else { return Ok(()) };
        let mut test = self.command(Path::new("test"));
        test.arg("-w").arg(dir);
        run("test", &mut test).await.map_err(|_| EmbeddedError::Unreachable {
            user: user.name.clone(),
            dir: dir.to_owned(),
        })
    }
}

/// A line of `/etc/passwd`: name, password, user id, group id, ….
fn find_user(users: &str, name: &str) -> Option<User> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(User { name: name.to_owned(), uid, gid })
    })
}

/// Processes of PostgreSQL that work in a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Servers {
    None,
    Some,
    /// This system does not tell.
    Unknown,
}

/// A server and its children have the data directory as their working directory; what has ended
/// but was not waited for yet has none.
pub(super) fn servers_of(data: &Path) -> Servers {
    let Ok(processes) = fs::read_dir("/proc") else { return Servers::Unknown };
    if fs::read_link("/proc/self/cwd").is_err() {
        return Servers::Unknown;
    }
    let found = processes.flatten().any(|process| {
        let path = process.path();
        let is_process = process.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit());
        is_process
            && fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd == data)
            && fs::read_to_string(path.join("comm"))
                .is_ok_and(|name| name.starts_with("postgres") || name.starts_with("postmaster"))
    });
    if found { Servers::Some } else { Servers::None }
}

/// Runs a program to its end.
pub(super) async fn run(program: &'static str, command: &mut Command) -> Result<()> {
    let failed = |output: String| EmbeddedError::Program { program, output };
    let done = command.output().await.map_err(|err| failed(err.to_string()))?;
    if done.status.success() {
        return Ok(());
    }
    let text = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Err(failed(tail(&text.join("\n"))))
}

/// What a program prints, if it succeeds.
pub(super) async fn output(program: &Path, args: &[&str]) -> Option<String> {
    let done = Command::new(program).args(args).stdin(Stdio::null()).output().await.ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The last lines of some output, in one line.
pub(super) fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let start = lines.len().saturating_sub(8);
    lines.get(start..).unwrap_or_default().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_is_found_by_its_whole_name() {
        let users = "root:x:0:0::/root:/bin/sh\npostgres2:x:9:9::/:/\npostgres:x:101:104::/:/\n";
        let found = find_user(users, "postgres").map(|u| (u.uid, u.gid));
        assert_eq!(found, Some((101, 104)));
        assert!(find_user(users, "nobody").is_none());
        assert!(find_user("postgres:x:many:1\n", "postgres").is_none());
    }

    #[test]
    fn tail_keeps_the_end() {
        let text: String = (0..20).map(|n| format!("line {n}\n\n")).collect();
        assert!(tail(&text).starts_with("line 12; ") && tail(&text).ends_with("line 19"));
        assert_eq!(tail(""), "");
    }
}
