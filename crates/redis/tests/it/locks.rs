use std::time::Duration;

use crate::support::both;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_lock_is_held_by_one() {
    for r in both() {
        let lock = r.lock("lock", MINUTE);
        let guard = lock.try_acquire().await.unwrap().unwrap();
        assert_eq!(r.get("lock").await.unwrap().unwrap().len(), 32, "a hex token as redis-py");
        assert!(lock.try_acquire().await.unwrap().is_none());
        assert!(lock.acquire(Duration::from_millis(1)).await.unwrap().is_none());
        assert!(guard.extend(MINUTE * 2).await.unwrap());
        assert!(guard.release().await.unwrap());
        assert!(lock.try_acquire().await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_lost_lock_is_not_released() {
    for r in both() {
        let guard = r.lock("lock", MINUTE).try_acquire().await.unwrap().unwrap();
        r.set("lock", "somebody else").await.unwrap();
        assert!(!guard.extend(MINUTE).await.unwrap());
        assert!(!guard.release().await.unwrap());
        assert!(r.exists("lock").await.unwrap());
    }
}

#[tokio::test]
async fn dropping_the_guard_frees_the_lock() {
    for r in both() {
        let lock = r.lock("lock", MINUTE);
        drop(lock.try_acquire().await.unwrap().unwrap());
        assert!(lock.acquire(MINUTE).await.unwrap().is_some());
    }
}
