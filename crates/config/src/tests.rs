use super::*;

fn errors(pairs: &[(&str, &str)]) -> Vec<String> {
    match Config::from_map(pairs.iter().copied()) {
        Ok(_) => Vec::new(),
        Err(found) => found.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_defaults_are_well_formed() {
    let config = Config::from_map(std::iter::empty::<(String, String)>()).unwrap();
    assert_eq!(config.deploy.edition, "SELF_HOSTED");
    assert_eq!(config.feature.code_max_number, i64::MAX);
    assert_eq!(config.effective().len(), 733 + Own::SETTINGS);
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    assert!(config.effective().iter().all(|row| row.is_default && row.source == Source::Default));
}

#[test]
fn names_are_case_insensitive_and_aliases_are_ordered() {
    let config = Config::from_map([("console_api_url", "http://a"), ("debug", "Yes")]).unwrap();
    assert_eq!(config.feature.files_url, "http://a");
    assert!(config.deploy.debug);
    // Set to the empty text the first name still wins, as in the reference.
    let config = Config::from_map([("CONSOLE_API_URL", "http://a"), ("FILES_URL", "")]).unwrap();
    assert_eq!(config.feature.files_url, "");
}

#[test]
fn every_mistake_is_reported_at_once_and_without_secrets() {
    let found = errors(&[
        ("DB_PORT", ""),
        ("APP_MAX_EXECUTION_TIME", "0"),
        ("DEBUG", "maybe"),
        ("STORAGE_TYPE", "floppy"),
        ("CELERY_TASK_ANNOTATIONS", "[1]"),
        ("PLUGIN_DAEMON_URL", "ftp://x"),
        ("REFRESH_TOKEN_EXPIRE_DAYS", "-1"),
    ]);
    assert_eq!(found.len(), 7, "{found:#?}");
    assert!(found.iter().any(|e| e.starts_with("DEBUG is not a switch")), "{found:#?}");
}

#[test]
fn odd_but_valid_values_are_read() {
    let config = Config::from_map([
        ("REDIS_MAX_CONNECTIONS", ""),
        ("CODE_MAX_STRING_LENGTH", "1_000"),
        ("HOSTED_POOL_CREDITS", " 5.0 "),
        ("MODE", ""),
        ("DIFY_PORT", ""),
        ("CELERY_TASK_ANNOTATIONS", r#"{"*": {"rate_limit": "10/s"}}"#),
        ("CODE_EXECUTION_ENDPOINT", "http://localhost:8194"),
    ])
    .unwrap();
    assert_eq!(config.middleware.redis_max_connections, None);
    assert_eq!(config.feature.code_max_string_length, 1000);
    assert_eq!(config.feature.hosted_pool_credits, 5);
    assert_eq!(config.entrypoint.dify_port, 5001);
    assert!(config.middleware.celery_task_annotations.unwrap().contains_key("*"));
    assert_eq!(config.feature.code_execution_endpoint, "http://localhost:8194/");
}

#[test]
fn the_environment_wins_over_the_file_and_init_password_must_be_exported() {
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    };
    let config = Config::read(
        own(&[("DEPLOY_ENV", "A")]),
        own(&[("DEPLOY_ENV", "B"), ("EDITION", "CLOUD"), ("INIT_PASSWORD", "x")]),
    )
    .unwrap();
    assert_eq!((config.deploy.deploy_env.as_str(), config.deploy.edition.as_str()), ("A", "CLOUD"));
    assert_eq!(config.direct.init_password, None);
    assert!(config.warnings().iter().any(|w| w.starts_with("INIT_PASSWORD in .env")));
    let row = config.effective().iter().find(|row| row.name == "EDITION").unwrap();
    assert_eq!(row.source, Source::DotEnv("EDITION".into()));
}
