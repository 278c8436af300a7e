//! The command line, each command on a real database.

use std::{io::Write as _, process::Stdio};

use test_support::TestDb;

use crate::process::{Server, command, run, text};

#[tokio::test]
async fn migrations_are_told_run_and_verified() {
    let (db, directory) = (TestDb::empty().await, tempfile::tempdir().unwrap());
    let call = |words: &[&str]| {
        let output = run(&directory, &db, words);
        (output.status.code().unwrap(), text(&output))
    };
    let (code, said) = call(&["migrate", "status"]);
    assert!(code == 0 && said.contains("the database is empty"), "{said}");
    let (code, said) = call(&["serve"]);
    assert!(code == 1 && said.contains("MIGRATION_ENABLED=true"), "{said}");
    let (code, said) = call(&["migrate", "run"]);
    assert!(code == 0 && said.contains("built the schema of Dify 1.13.2"), "{said}");
    let (code, said) = call(&["migrate", "status"]);
    assert!(code == 0 && said.starts_with("schema of Dify 1.13.2"), "{said}");
    let (code, said) = call(&["upgrade-db"]);
    assert!(code == 0 && said.contains("nothing to do"), "{said}");
    assert_eq!(call(&["migrate", "verify"]), (0, String::new()));

    db.execute("ALTER TABLE accounts ALTER COLUMN name DROP NOT NULL").await;
    let (code, said) = call(&["migrate", "verify"]);
    assert!(code == 1 && said.starts_with("column accounts.name is"), "{said}");

    db.execute("UPDATE alembic_version SET version_num = '64b051264f32'").await;
    let (code, said) = call(&["migrate", "run"]);
    assert!(code == 1 && said.contains("langgenius/dify-api:1.13.2"), "{said}");
}

#[tokio::test]
async fn the_modes_of_the_container() {
    let (db, directory) = (TestDb::empty().await, tempfile::tempdir().unwrap());
    let with = |settings: &[(&str, &str)]| {
        let mut command = command(&directory, &[]);
        let output = command.env("DATABASE_URL", db.url()).envs(settings.iter().copied()).output();
        let output = output.unwrap();
        (output.status.code().unwrap(), text(&output))
    };
    let (code, said) = with(&[("MODE", "migration"), ("MIGRATION_ENABLED", "true")]);
    assert!(code == 0 && said.contains("built the schema"), "{said}");
    let (code, said) = with(&[("MODE", "job")]);
    assert!(code == 1 && said.contains("MODE=job needs a command"), "{said}");
    let (code, said) = with(&[("MODE", "api"), ("DB_TYPE", "postgres")]);
    assert!(code == 2 && said.contains("DB_TYPE"), "{said}");

    let mut mysql = command(&directory, &["serve"]);
    let output = mysql.envs([("DB_HOST", "127.0.0.1"), ("DB_TYPE", "mysql")]).output().unwrap();
    assert!(text(&output).contains("DB_TYPE is mysql"), "{}", text(&output));

    for mode in ["worker", "beat"] {
        let mut process =
            Server::start_without_waiting(&[("DATABASE_URL", db.url()), ("MODE", mode)]);
        crate::process::until("it is ready", || process.log().contains("ready").then_some(()));
        assert!(process.get("/livez").is_none(), "{mode} serves no HTTP");
        process.signal("TERM");
        assert!(process.end().success(), "{mode}: {}", process.log());
    }
}

#[tokio::test]
async fn settings_are_shown_without_secrets_and_mistakes_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let mut check = command(&directory, &["check-config"]);
    let output = check
        .env("REDIS_PASSWORD", "very secret")
        .env("GUNICORN_TIMEOUT", "360")
        .env("CONSOLE_WEB_ULR", "http://x")
        .output()
        .unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("REDIS_PASSWORD=********  [environment (REDIS_PASSWORD)]"), "{said}");
    assert!(!said.contains("very secret") && !said.contains("test-secret"), "{said}");
    assert!(said.contains("warning: set without effect: GUNICORN_TIMEOUT"), "{said}");
    assert!(said.contains("was CONSOLE_WEB_URL meant?"), "{said}");

    let mut wrong = command(&directory, &["check-config"]);
    let output = wrong.env("DB_PORT", "x").env("DEBUG", "perhaps").output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("DB_PORT") && said.contains("DEBUG"), "{said}");

    let openapi = command(&directory, &["openapi", "service"]).output().unwrap();
    assert!(openapi.stdout.starts_with(b"{\n  \"openapi\": \"3.1.0\""), "{}", text(&openapi));
    assert!(!command(&directory, &["openapi", "other"]).status().unwrap().success());
}

#[tokio::test]
async fn accounts_are_made_and_mended() {
    let (db, directory) = (TestDb::new().await, tempfile::tempdir().unwrap());
    let call = |words: &[&str]| {
        let output = run(&directory, &db, words);
        (output.status.code().unwrap(), text(&output))
    };
    let server = Server::start(&[("DATABASE_URL", db.url())]);
    let owner = r#"{"email":"owner@example.com","name":"Owner","password":"Passw0rd1"}"#;
    assert_eq!(server.post("/console/api/setup", owner).status, 201);

    let mut asked = command(&directory, &["create-tenant", "--language", "zh-Hans"]);
    let mut asked = asked
        .env("DATABASE_URL", db.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    asked.stdin.take().unwrap().write_all(b"First@example.com\nOurs\n").unwrap();
    let output = asked.wait_with_output().unwrap();
    let said = text(&output);
    let password = said.split("Password: ").nth(1).unwrap_or_else(|| panic!("{said}")).trim();
    assert!(said.contains("Account: first@example.com"), "{said}");

    let signs_in = |email: &str, password: &str| {
        let password = crypto::base64::encode(password.as_bytes());
        let body = format!(r#"{{"email":"{email}","password":"{password}"}}"#);
        server.post("/console/api/login", &body).status == 200
    };
    assert!(signs_in("first@example.com", password));

    let reset = |email: &str, new: &str, again: &str| {
        let words = ["--email", email, "--new-password", new, "--password-confirm", again];
        call(&[&["reset-password"], words.as_slice()].concat())
    };
    let (code, said) = reset("first@example.com", "Passw0rd!2", "Passw0rd!3");
    assert!(code == 1 && said.contains("do not match"), "{said}");
    let (code, said) = reset("nobody@example.com", "Passw0rd!2", "Passw0rd!2");
    assert!(code == 1 && said.contains("Account not found"), "{said}");
    let (code, said) = reset("first@example.com", "short", "short");
    assert!(code == 1 && said.contains("Password must contain"), "{said}");
    let (code, said) = reset("first@example.com", "Passw0rd!2", "Passw0rd!2");
    assert!(code == 0 && said.contains("Password reset successfully."), "{said}");
    assert!(
        !signs_in("first@example.com", password) && signs_in("first@example.com", "Passw0rd!2")
    );

    let moved = ["--new-email", "second@example.com", "--email-confirm", "second@example.com"];
    let (code, said) =
        call(&[&["reset-email", "--email", "first@example.com"], moved.as_slice()].concat());
    assert!(code == 0 && said.contains("Email updated successfully."), "{said}");
    assert!(signs_in("second@example.com", "Passw0rd!2"));

    let mut unsure = command(&directory, &["reset-encrypt-key-pair"]);
    assert!(!unsure.env("DATABASE_URL", db.url()).status().unwrap().success());
    let (code, said) = call(&["reset-encrypt-key-pair", "--yes"]);
    assert!(code == 0 && said.contains("key pair of 2 workspaces has been reset"), "{said}");
}
