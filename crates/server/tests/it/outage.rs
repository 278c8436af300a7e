//! Redis goes away and comes back.

use std::process::{Child, Command, Stdio};

use test_support::TestDb;

use crate::process::{Server, free_port, until};

pub struct Redis {
    process: Child,
    pub port: u16,
}

impl Redis {
    /// Nothing without a `redis-server`.
    pub fn start(port: u16) -> Option<Self> {
        let number = port.to_string();
        let words = ["--port", &number, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let process = Command::new("redis-server").args(words).stdout(Stdio::null()).spawn();
        let process = process.inspect_err(|_| eprintln!("no redis-server: not tested")).ok()?;
        let redis = Self { process, port };
        until("Redis listens", || {
            std::net::TcpStream::connect(format!("127.0.0.1:{port}")).ok().map(drop)
        });
        Some(redis)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn what_needs_no_redis_is_served_without_it_and_the_rest_comes_back() {
    let db = TestDb::new().await;
    let port = free_port();
    let Some(redis) = Redis::start(port) else { return };
    let url = format!("redis://127.0.0.1:{port}/0");
    let server = Server::start(&[("DATABASE_URL", db.url()), ("REDIS_URL", &url)]);
    let made = server.post(
        "/console/api/setup",
        r#"{"email":"me@example.com","name":"Me","password":"Passw0rd1"}"#,
    );
    assert_eq!(made.status, 201, "{made:?}");
    let sign_in = || {
        let password = crypto::base64::encode(b"Passw0rd1");
        let body = format!(r#"{{"email":"me@example.com","password":"{password}"}}"#);
        server.post("/console/api/login", &body)
    };
    let session = sign_in();
    assert_eq!(session.status, 200, "{session:?}");
    let cookies = session.cookies();
    let csrf = cookies.split("csrf_token=").nth(1).and_then(|rest| rest.split(';').next()).unwrap();
    let head = format!("Cookie: {cookies}\r\nX-CSRF-Token: {csrf}\r\n");
    let profile = || server.send("GET", "/console/api/account/profile", &head, "").unwrap();
    assert_eq!(profile().status, 200);

    drop(redis);
    let ready = until("Redis is missed", || {
        server.get("/readyz").filter(|ready| ready.body.contains(r#""redis":"down""#))
    });
    assert!(ready.status == 200 && ready.body.contains(r#""ready":true"#), "{ready:?}");
    for path in ["/health", "/console/api/setup", "/console/api/system-features", "/metrics"] {
        let answer = server.get(path).unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    let answer = profile();
    assert_eq!(answer.status, 200, "a session is in its token: {answer:?}");

    let _redis = Redis::start(port).unwrap();
    until("Redis is back", || {
        server.get("/readyz").filter(|ready| ready.body.contains(r#""redis":"up""#))
    });
    until("sessions begin again", || (sign_in().status == 200).then_some(()));
}

#[tokio::test]
async fn it_starts_without_redis_and_finds_it_later() {
    let db = TestDb::new().await;
    let port = free_port();
    let url = format!("redis://127.0.0.1:{port}/0");
    let server = Server::start(&[("DATABASE_URL", db.url()), ("REDIS_URL", &url)]);
    assert!(server.get("/readyz").unwrap().body.contains(r#""redis":"down""#));
    let Some(_redis) = Redis::start(port) else { return };
    until("Redis is found", || {
        server.get("/readyz").filter(|ready| ready.body.contains(r#""redis":"up""#))
    });
    // Nodes tell each other what is out of date: somebody listens, though nobody could at the start.
    until("the announcements are heard", || {
        let asked = ["-p", &port.to_string(), "pubsub", "numsub", "dify_rs:cache:outdated"];
        let said = Command::new("redis-cli").args(asked).output().ok()?;
        String::from_utf8_lossy(&said.stdout).trim().ends_with('1').then_some(())
    });
}
