use std::sync::OnceLock;

use redis::{Redis, RedisOptions};

const DEFAULT_URL: &str = "redis://127.0.0.1:6379/11";

/// Options for the test server with a fresh prefix; `None` if there is none.
pub fn server_options() -> Option<RedisOptions> {
    static REACHABLE: OnceLock<bool> = OnceLock::new();
    let explicit = std::env::var("TEST_REDIS_URL").ok();
    let reachable = explicit.is_some()
        || *REACHABLE.get_or_init(|| std::net::TcpStream::connect("127.0.0.1:6379").is_ok());
    if !reachable {
        println!("no Redis at 127.0.0.1:6379: tested in process only");
        return None;
    }
    let url = explicit.as_deref().unwrap_or(DEFAULT_URL);
    let mut options = RedisOptions::from_url(url, None).unwrap();
    options.key_prefix = format!("t:{}:", uuid());
    Some(options)
}

fn uuid() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// In process, and on the server if there is one.
pub fn both() -> Vec<Redis> {
    let server = server_options().map(|options| Redis::new(options).unwrap());
    std::iter::once(Redis::in_process()).chain(server).collect()
}
