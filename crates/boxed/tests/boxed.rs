//! What functions look like from outside that are `#[boxed]`.

use boxed::boxed;

struct Names<'n> {
    first: &'n str,
}

struct Counter {
    count: u32,
}

/// Every kind of lifetime that has no name.
#[boxed]
async fn joined(left: &str, names: Names<'_>, more: &[&str]) -> String {
    tokio::task::yield_now().await;
    format!("{left} {} {}", names.first, more.join(" "))
}

#[boxed]
async fn parsed<T>(
    text: &str,
    otherwise: T,
) -> Result<Box<dyn std::fmt::Display + Send>, std::num::ParseIntError>
where
    T: std::fmt::Display + Send + 'static,
{
    if text.is_empty() {
        return Ok(Box::new(otherwise));
    }
    let number: u32 = text.parse()?;
    Ok(Box::new(number))
}

impl Counter {
    #[boxed]
    async fn add(&mut self, more: &u32) -> u32 {
        self.count += more;
        self.count
    }

    #[boxed]
    async fn end(self) -> u32 {
        self.count
    }
}

/// The size of a caller's future must not depend on what it awaits.
async fn caller() -> usize {
    #[boxed]
    async fn large() -> usize {
        let bytes = [1_u8; 4096];
        tokio::task::yield_now().await;
        bytes.len()
    }
    large().await
}

#[tokio::test]
async fn they_do_what_they_did() {
    assert_eq!(joined("a", Names { first: "b" }, &["c", "d"]).await, "a b c d");
    assert_eq!(parsed("7", "none").await.unwrap().to_string(), "7");
    assert_eq!(parsed("", "none").await.unwrap().to_string(), "none");
    assert!(parsed("x", 0).await.is_err());
    let mut counter = Counter { count: 1 };
    assert_eq!(counter.add(&2).await, 3);
    assert_eq!(tokio::spawn(async move { counter.end().await }).await.unwrap(), 3);
}

#[tokio::test]
async fn callers_stay_small() {
    let caller = caller();
    assert!(size_of_val(&caller) < 256);
    assert_eq!(caller.await, 4096);
}
