//! The binary itself, as an operator starts it.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use test_support::TestDb;

/// No step takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command with nothing of this machine's environment but `PATH`, and a data directory of its own.
pub fn command(directory: &TempDir, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dify-api"));
    command
        .args(words)
        .current_dir(directory.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("DIFY_DATA_DIR", directory.path())
        .env("SECRET_KEY", "test-secret")
        .env("CHECK_UPDATE_URL", "")
        .stdin(Stdio::null());
    command
}

/// Runs a command on a database to its end.
pub fn run(directory: &TempDir, db: &TestDb, words: &[&str]) -> Output {
    command(directory, words).env("DATABASE_URL", db.url()).output().unwrap()
}

/// What a command printed.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Looks until there is something to see.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A running server; ends with this value.
pub struct Server {
    process: Child,
    pub port: u16,
    log: std::path::PathBuf,
    _directory: TempDir,
}

impl Server {
    /// Starts a server with these settings and waits until it is ready.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let server = Self::start_without_waiting(settings);
        until("the server is ready", || {
            assert!(server.is_running(), "{}", server.log());
            (server.get("/readyz")?.status == 200).then_some(())
        });
        server
    }

    /// Starts a process that need not become a server of HTTP.
    pub fn start_without_waiting(settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Started by root, a private PostgreSQL runs as somebody else, who must be let in.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open).unwrap();
        let port = free_port();
        let log = directory.path().join("log");
        let file = std::fs::File::create(&log).unwrap();
        let process = command(&directory, &[])
            .env("DIFY_BIND_ADDRESS", "127.0.0.1")
            .env("DIFY_PORT", port.to_string())
            .envs(settings.iter().copied())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { process, port, log, _directory: directory }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn is_running(&self) -> bool {
        // One that ended and was not waited for is a zombie.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        // The shell's own: the program of that name is a package of its own.
        let command = format!("kill -{name} {id}");
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }

    /// Waits for the end.
    pub fn end(&mut self) -> ExitStatus {
        let process = &mut self.process;
        until("the process ends", || process.try_wait().unwrap())
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Nothing if nobody takes the connection.
    pub fn get(&self, path: &str) -> Option<Answer> {
        self.send("GET", path, "", "")
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, "Content-Type: application/json\r\n", body).unwrap()
    }

    /// A call on a connection of its own; `head` is further lines of its head.
    pub fn send(&self, method: &str, path: &str, head: &str, body: &str) -> Option<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n{body}"
        )
        .ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        Answer::of(text)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An answer with the text of its body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    fn of(text: String) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head: head.to_owned(), body: body.to_owned() })
    }

    /// The values of its cookies, as a browser would send them.
    pub fn cookies(&self) -> String {
        let lines = self.head.lines().filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("set-cookie").then(|| value.split(';').next())?
        });
        lines.collect::<Vec<_>>().join("; ")
    }
}
