use futures::StreamExt;

use crate::support::both;

#[tokio::test]
async fn subscribers_hear_what_follows() {
    for r in both() {
        assert_eq!(r.publish("c", "nobody").await.unwrap(), 0);
        let mut first = r.subscribe("c").await.unwrap();
        let mut second = r.subscribe("c").await.unwrap();
        let mut other = r.subscribe("d").await.unwrap();
        r.publish("c", "1").await.unwrap();
        r.publish("d", "2").await.unwrap();
        r.publish("c", "3").await.unwrap();
        for subscription in [&mut first, &mut second] {
            assert_eq!(subscription.next().await.unwrap(), "1");
            assert_eq!(subscription.next().await.unwrap(), "3");
        }
        assert_eq!(other.next().await.unwrap(), "2");
        drop((first, second));
        r.publish("c", "nobody").await.unwrap();
        let mut again = r.subscribe("c").await.unwrap();
        r.publish("c", "4").await.unwrap();
        assert_eq!(again.next().await.unwrap(), "4");
    }
}
