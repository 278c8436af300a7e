use super::*;

fn config(pairs: &[(&str, &str)]) -> Config {
    Config::from_map(pairs.iter().copied()).unwrap()
}

#[test]
fn nothing_set_means_embedded_database_and_no_redis() {
    let config = config(&[]);
    assert!(config.is_embedded_database());
    assert_eq!(config.database_url(), None);
    assert!(config.redis().is_none());
    assert_eq!(config.mode(), Mode::Api);
}

#[test]
fn dsn_is_built_from_the_parts() {
    let config = config(&[
        ("DB_HOST", "db"),
        ("DB_USERNAME", "a@b"),
        ("DB_PASSWORD", "p/w:1"),
        ("DB_EXTRAS", "sslmode=require&options=-c%20search_path%3Dx"),
    ]);
    assert_eq!(
        config.database_url().unwrap(),
        "postgres://a%40b:p%2Fw%3A1@db:5432/dify?sslmode=require&options=-c+search_path%3Dx+-c+timezone%3DUTC"
    );
    assert_eq!(config.database(String::new()).max_connections, 40);
}

#[test]
fn a_socket_directory_is_a_host_too() {
    let url = config(&[("DB_HOST", "/run/pg")]).database_url().unwrap();
    assert!(url.starts_with("postgres://postgres@localhost:5432/dify?"), "{url}");
    assert!(url.ends_with("&host=%2Frun%2Fpg"), "{url}");
}

#[test]
fn redis_topologies() {
    let single = config(&[("REDIS_HOST", "r"), ("REDIS_PASSWORD", "a b"), ("REDIS_DB", "3")]);
    let Some(RedisTopology::Single(url)) = single.redis().map(|r| r.topology) else {
        panic!("not a single server")
    };
    assert_eq!(url, "redis://:a%20b@r:6379/3");
    let sentinel = config(&[
        ("REDIS_USE_SENTINEL", "true"),
        ("REDIS_SENTINELS", "a:1, b"),
        ("REDIS_SENTINEL_SERVICE_NAME", "m"),
    ]);
    let Some(RedisTopology::Sentinel(found)) = sentinel.redis().map(|r| r.topology) else {
        panic!("not a sentinel")
    };
    assert_eq!(
        found.nodes,
        [RedisNode { host: "a".into(), port: 1 }, RedisNode { host: "b".into(), port: 26379 }]
    );
}

#[test]
fn cookies_are_host_bound_only_on_https_without_a_domain() {
    let https = [("CONSOLE_WEB_URL", "https://c"), ("CONSOLE_API_URL", "https://a")];
    assert_eq!(config(&https).cookie_name("access_token"), "__Host-access_token");
    let with_domain = config(&[https[0], https[1], ("COOKIE_DOMAIN", " .x.org")]);
    assert_eq!(with_domain.cookie_name("access_token"), "access_token");
    assert_eq!(with_domain.cookie_domain().unwrap(), "x.org");
    assert!(!config(&https[..1]).secure_cookies());
}

#[test]
fn opendal_options_and_lists() {
    let config = config(&[
        ("OPENDAL_FS_ROOT", "/x"),
        ("OPENDAL_SCHEME", "fs"),
        ("UPLOAD_FILE_EXTENSION_BLACKLIST", ".EXE, bat,"),
    ]);
    assert_eq!(config.opendal_options("fs"), [("root".to_owned(), "/x".to_owned())]);
    assert_eq!(config.blocked_extensions(), ["exe", "bat"]);
}
