//! Storage on local files, and in a bucket.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may fail by panicking, also in its helpers"
)]

mod s3;

use std::io;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use storage::{Storage, StorageError};
use tempfile::TempDir;

fn open() -> (TempDir, Storage) {
    let dir = TempDir::new().unwrap();
    let storage = Storage::local(dir.path().join("storage")).unwrap();
    (dir, storage)
}

#[tokio::test]
async fn objects_are_saved_loaded_and_deleted() {
    let (dir, storage) = open();
    // A name without an extension leaves a trailing dot in the reference, and that key must work.
    for key in ["upload_files/t/a.txt", "upload_files/t/b.", "privkeys/t/private.pem"] {
        assert!(!storage.exists(key).await.unwrap());
        storage.save(key, "first, longer").await.unwrap();
        storage.save(key, "second").await.unwrap();
        assert_eq!(storage.load(key).await.unwrap(), "second");
        assert_eq!(std::fs::read(dir.path().join("storage").join(key)).unwrap(), b"second");
        assert_eq!(storage.size(key).await.unwrap(), 6);
        assert_eq!(storage.load_range(key, 1, 3).await.unwrap(), "ec");
        assert_eq!(storage.load_range(key, 4, 99).await.unwrap(), "nd");
        assert_eq!(storage.load_range(key, 9, 99).await.unwrap(), "");
        storage.delete(key).await.unwrap();
        storage.delete(key).await.unwrap();
        assert!(storage.load(key).await.unwrap_err().is_not_found());
    }
    storage.save("empty", "").await.unwrap();
    assert_eq!(storage.load("empty").await.unwrap(), "");
}

#[tokio::test]
async fn missing_objects_are_known_before_streaming() {
    let (_dir, storage) = open();
    assert!(storage.load_stream("a").await.err().unwrap().is_not_found());
    assert!(storage.size("a").await.unwrap_err().is_not_found());
    storage.save("a/b", "x").await.unwrap();
    assert!(storage.load_stream("a").await.err().unwrap().is_not_found(), "a directory");
}

#[tokio::test]
async fn streams_go_in_and_out_whole() {
    let (dir, storage) = open();
    let pieces: Vec<io::Result<Bytes>> =
        (0..100_u8).map(|n| Ok(Bytes::from(vec![n; 10_000]))).collect();
    assert_eq!(storage.save_stream("big", stream::iter(pieces)).await.unwrap(), 1_000_000);
    let loaded: Vec<Bytes> = storage.load_stream("big").await.unwrap().try_collect().await.unwrap();
    assert!(loaded.len() > 1);
    let loaded = loaded.concat();
    assert_eq!((loaded.len(), loaded[999_999]), (1_000_000, 99));
    let target = dir.path().join("copy");
    assert_eq!(storage.download("big", &target).await.unwrap(), 1_000_000);
    assert_eq!(std::fs::read(target).unwrap(), loaded);
}

#[tokio::test]
async fn half_a_stream_is_not_an_object() {
    let (_dir, storage) = open();
    let pieces = vec![Ok(Bytes::from(vec![0; 10_000_000])), Err(io::Error::other("gone"))];
    let err = storage.save_stream("half", stream::iter(pieces)).await.unwrap_err();
    assert!(matches!(err, StorageError::Source(_)), "{err}");
    assert!(!storage.exists("half").await.unwrap());
}

#[tokio::test]
async fn keys_cannot_leave_the_storage() {
    let (dir, storage) = open();
    std::fs::write(dir.path().join("secret"), "x").unwrap();
    for key in ["../secret", "a/../../secret", "/etc/passwd", "", "a/", "..\\secret", "a\0b", "./a"]
    {
        let err = storage.load(key).await.unwrap_err();
        assert!(matches!(err, StorageError::InvalidKey(_)), "{key}: {err}");
        assert!(storage.save(key, "x").await.is_err());
        assert!(storage.delete(key).await.is_err());
    }
    assert!(storage.scan("../").await.is_err());
}

#[tokio::test]
async fn everything_below_a_path_is_found() {
    let (_dir, storage) = open();
    for key in ["tools/t/a", "tools/t/b", "tools/u/c", "other/d"] {
        storage.save(key, "xy").await.unwrap();
    }
    let files = |found: Vec<storage::Object>| -> Vec<String> {
        found.into_iter().filter(|o| !o.is_directory).map(|o| o.key).collect()
    };
    let tools = files(storage.scan("tools").await.unwrap());
    assert_eq!(tools, ["tools/t/a", "tools/t/b", "tools/u/c"]);
    assert_eq!(files(storage.scan("").await.unwrap()).len(), 4);
    assert!(storage.scan("none").await.unwrap().is_empty());
    let mut stream = storage.load_stream("tools/t/a").await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), "xy");
}
