//! Sentinel, Cluster and TLS, each against servers of the test's own. Skipped where there is no `redis-server`.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use redis::{Endpoint, Redis, RedisOptions, TlsOptions};

/// A `redis-server` that ends with this value.
struct Server {
    process: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    // A cluster's bus is at port + 10000, which must be a port as well.
    loop {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if port < 50_000 {
            return port;
        }
    }
}

impl Server {
    /// A server with these lines of configuration, as soon as it takes connections.
    async fn start(port: u16, lines: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("redis.conf");
        let dir = directory.path().display();
        std::fs::write(&file, format!("dir {dir}\nsave \"\"\nappendonly no\n{lines}\n")).unwrap();
        let sentinel = lines.contains("sentinel monitor");
        let process = Command::new("redis-server")
            .arg(&file)
            .args(sentinel.then_some("--sentinel"))
            .stdout(Stdio::null())
            .spawn()
            .inspect_err(|_| println!("no redis-server: not tested"))
            .ok()?;
        let server = Self { process, port, directory };
        until("the server listens", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
        Some(server)
    }

    fn cli(&self, words: &[&str]) -> String {
        let port = self.port.to_string();
        let out = Command::new("redis-cli").args(["-p", &port]).args(words).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    }
}

/// Looks until it is so, for at most half a minute.
async fn until<F: Future<Output = bool>>(what: &str, look: impl Fn() -> F) {
    let looking = async {
        while !look().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(60), looking).await;
    assert!(seen.is_ok(), "never: {what}");
}

async fn works(redis: &Redis) {
    redis.set("k", "v").await.unwrap();
    assert_eq!(redis.get("k").await.unwrap().unwrap(), b"v");
    let mut heard = redis.subscribe("c").await.unwrap();
    redis.publish("c", "hello").await.unwrap();
    let message =
        tokio::time::timeout(Duration::from_secs(60), futures::StreamExt::next(&mut heard));
    assert_eq!(message.await.unwrap().unwrap(), "hello");
}

#[tokio::test]
async fn a_cluster_is_found_through_any_node_and_says_whether_it_is_whole() {
    let port = free_port();
    let lines = format!(
        "port {port}\nbind 127.0.0.1\ncluster-enabled yes\ncluster-config-file nodes.conf\n\
         cluster-require-full-coverage yes\nrequirepass secret"
    );
    let Some(server) = Server::start(port, &lines).await else { return };
    let cli =
        |words: &[&str]| server.cli(&[&["-a", "secret", "--no-auth-warning"], words].concat());
    assert!(cli(&["cluster", "addslotsrange", "0", "16383"]).starts_with("OK"));
    until("the cluster is whole", || async {
        cli(&["cluster", "info"]).contains("cluster_state:ok")
    })
    .await;

    let mut options =
        RedisOptions::new(Endpoint::Cluster { nodes: vec![("127.0.0.1".into(), port)] });
    options.password = Some("secret".into());
    let redis = Redis::new(options).unwrap();
    assert!(redis.is_cluster());
    works(&redis).await;
    assert!(redis.cluster_is_whole().await.unwrap().unwrap());

    assert!(cli(&["cluster", "delslotsrange", "16000", "16383"]).starts_with("OK"));
    until("slots are missed", || async {
        cli(&["cluster", "info"]).contains("cluster_state:fail")
    })
    .await;
    assert!(!redis.cluster_is_whole().await.unwrap().unwrap());
    assert!(Redis::in_process().cluster_is_whole().await.is_none());
}

#[tokio::test]
async fn sentinels_name_the_master() {
    let (port, watch) = (free_port(), free_port());
    let Some(master) =
        Server::start(port, &format!("port {port}\nbind 127.0.0.1\nrequirepass secret")).await
    else {
        return;
    };
    let lines = format!(
        "port {watch}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {port} 1\n\
         sentinel auth-pass main secret"
    );
    let Some(_sentinel) = Server::start(watch, &lines).await else { return };
    let mut options = RedisOptions::new(Endpoint::Sentinel {
        // The first is not there: the next is asked.
        nodes: vec![("127.0.0.1".into(), 1), ("127.0.0.1".into(), watch)],
        service: "main".into(),
        username: None,
        password: None,
    });
    options.password = Some("secret".into());
    options.db = 3;
    let redis = Redis::new(options).unwrap();
    until("the master is known", || async { redis.ping().await.is_ok() }).await;
    works(&redis).await;
    let found = master.cli(&["-a", "secret", "--no-auth-warning", "-n", "3", "get", "k"]);
    assert_eq!(found.trim(), "v");
    assert!(redis.cluster_is_whole().await.is_none());
}

#[tokio::test]
async fn tls_checks_what_it_is_asked_to_check() {
    let port = free_port();
    let directory = tempfile::tempdir().unwrap();
    let Some([ca, cert, key]) = certificates(directory.path()) else { return };
    let lines = format!(
        "port 0\ntls-port {port}\nbind 127.0.0.1\ntls-ca-cert-file {ca}\ntls-cert-file {cert}\n\
         tls-key-file {key}\ntls-auth-clients yes"
    );
    let Some(server) = Server::start(port, &lines).await else { return };
    let read = |path: &str| std::fs::read(path).unwrap();
    let with = |tls: TlsOptions| {
        let mut options = RedisOptions::standalone("localhost", server.port);
        options.tls = Some(tls);
        Redis::new(options).unwrap()
    };
    let full = TlsOptions {
        verify: true,
        ca_pem: Some(read(&ca)),
        client_pem: Some((read(&cert), read(&key))),
    };
    works(&with(full.clone())).await;
    works(&with(TlsOptions { verify: false, ca_pem: None, ..full.clone() })).await;
    let strangers = TlsOptions { ca_pem: None, ..full.clone() };
    assert!(with(strangers).ping().await.unwrap_err().is_unavailable(), "signed by nobody known");
    let nameless = TlsOptions { client_pem: None, ..full };
    assert!(with(nameless).ping().await.unwrap_err().is_unavailable(), "the server asks who it is");
    assert!(server.directory.path().exists());
}

/// Files of an authority, and of a certificate for localhost with its key, made with `openssl`.
fn certificates(directory: &Path) -> Option<[String; 3]> {
    let script = "
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem
        openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request.pem
        echo subjectAltName=DNS:localhost,IP:127.0.0.1 > names
        openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem";
    let made = Command::new("sh").args(["-ec", script]).current_dir(directory).output().ok()?;
    if !made.status.success() {
        println!("no openssl: not tested");
        return None;
    }
    let path = |name: &str| directory.join(name).display().to_string();
    Some([path("ca.pem"), path("cert.pem"), path("key.pem")])
}
