use std::time::Duration;

use redis::{Limit, Redis, RedisError, RedisOptions, Ttl, Value};

use crate::support::both;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn strings() {
    for r in both() {
        assert_eq!(r.get("k").await.unwrap(), None);
        r.set("k", b"\x00\xff").await.unwrap();
        assert_eq!(r.get("k").await.unwrap().unwrap(), b"\x00\xff");
        assert_eq!(r.ttl("k").await.unwrap(), Ttl::Forever);
        r.set_ex("k", "v", HOUR).await.unwrap();
        assert!(matches!(r.ttl("k").await.unwrap(), Ttl::Left(left) if left <= HOUR));
        r.set("k", "v").await.unwrap();
        assert_eq!(r.ttl("k").await.unwrap(), Ttl::Forever, "SET drops the expiry");

        assert!(!r.set_nx("k", "other").await.unwrap());
        assert!(r.set_nx_ex("n", "1", HOUR).await.unwrap());
        assert!(!r.set_nx_ex("n", "2", HOUR).await.unwrap());
        let found = r.mget(&["k", "none", "n"]).await.unwrap();
        assert_eq!(found, [Some(b"v".to_vec()), None, Some(b"1".to_vec())]);

        assert_eq!(r.getdel("k").await.unwrap().unwrap(), b"v");
        assert_eq!(r.getdel("k").await.unwrap(), None);
        assert!(r.exists("n").await.unwrap());
        assert_eq!(r.del(&["n", "k"]).await.unwrap(), 1);
        assert_eq!(r.del(&[]).await.unwrap(), 0);
        assert_eq!(r.ttl("n").await.unwrap(), Ttl::Missing);
    }
}

#[tokio::test]
async fn json_values_and_caches_of_other_releases() {
    for r in both() {
        r.set_json_ex("j", &vec![1, 2], HOUR).await.unwrap();
        assert_eq!(r.get_json::<Vec<u8>>("j").await.unwrap(), Some(vec![1, 2]));
        assert_eq!(r.get_json::<String>("j").await.unwrap(), None);
    }
}

#[tokio::test]
async fn counters() {
    for r in both() {
        assert_eq!(r.incr("n").await.unwrap(), 1);
        assert_eq!(r.incr_by("n", 4).await.unwrap(), 5);
        assert_eq!(r.decr("n").await.unwrap(), 4);
        assert_eq!(r.get_string("n").await.unwrap().as_deref(), Some("4"));
        assert_eq!(r.incr_ex("e", HOUR).await.unwrap(), 1);
        let first = r.ttl("e").await.unwrap();
        assert_eq!(r.incr_ex("e", HOUR * 9).await.unwrap(), 2);
        let Ttl::Left(second) = r.ttl("e").await.unwrap() else { panic!() };
        assert!(matches!(first, Ttl::Left(first) if second <= first), "counts from the first");
        r.set("text", "x").await.unwrap();
        assert!(matches!(r.incr("text").await, Err(RedisError::Refused(_))));
    }
}

#[tokio::test]
async fn expiry_can_be_set_and_removed() {
    for r in both() {
        assert!(!r.expire("k", HOUR).await.unwrap());
        r.set("k", "v").await.unwrap();
        assert!(r.expire("k", HOUR).await.unwrap());
        assert!(r.persist("k").await.unwrap());
        assert!(!r.persist("k").await.unwrap());
        assert!(r.expire_if("k", "v", HOUR).await.unwrap());
        assert!(!r.expire_if("k", "w", HOUR).await.unwrap());
        assert!(!r.del_if("k", "w").await.unwrap());
        assert!(r.del_if("k", "v").await.unwrap());
    }
}

#[tokio::test]
async fn keys_expire_in_process() {
    let r = Redis::in_process();
    r.set_ex("a", "1", HOUR).await.unwrap();
    r.set_ex("b", "1", HOUR * 3).await.unwrap();
    r.advance_clock(HOUR * 2);
    assert!(!r.exists("a").await.unwrap());
    assert!(matches!(r.ttl("b").await.unwrap(), Ttl::Left(left) if left <= HOUR));
    assert!(r.set_nx("a", "2").await.unwrap());
    assert_eq!(r.ttl("a").await.unwrap(), Ttl::Forever);
}

#[tokio::test]
async fn hashes() {
    for r in both() {
        assert!(r.hset("h", "a", "1").await.unwrap());
        assert!(!r.hset("h", "a", "2").await.unwrap());
        assert_eq!(r.hset_all("h", &[("b", b"x"), ("c", b"y")]).await.unwrap(), 2);
        assert!(!r.hset_nx("h", "a", "3").await.unwrap());
        assert_eq!(r.hget("h", "a").await.unwrap().unwrap(), b"2");
        assert_eq!(r.hmget("h", &["b", "z"]).await.unwrap(), [Some(b"x".to_vec()), None]);
        assert_eq!(r.hlen("h").await.unwrap(), 3);
        assert!(r.hexists("h", "c").await.unwrap());
        let all = r.hgetall("h").await.unwrap();
        assert_eq!((all.len(), all["c"].as_slice()), (3, b"y".as_slice()));
        assert_eq!(r.hincr_by("h", "a", 5).await.unwrap(), 7);
        assert_eq!(r.hdel("h", &["a", "b", "c", "d"]).await.unwrap(), 3);
        assert!(!r.exists("h").await.unwrap(), "an empty hash does not exist");
        assert!(r.hgetall("h").await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn lists() {
    for r in both() {
        assert_eq!(r.lpush("l", &[b"b", b"a"]).await.unwrap(), 2);
        assert_eq!(r.rpush("l", &[b"c", b"a"]).await.unwrap(), 4);
        assert_eq!(r.lrange("l", 0, -1).await.unwrap(), [b"a", b"b", b"c", b"a"]);
        assert_eq!(r.lrange("l", -2, 9).await.unwrap(), [b"c", b"a"]);
        assert_eq!(r.lrange("l", 3, 1).await.unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(r.lindex("l", -1).await.unwrap().unwrap(), b"a");
        assert_eq!(r.lrem("l", -1, "a").await.unwrap(), 1);
        assert_eq!(r.lrange("l", 0, -1).await.unwrap(), [b"a", b"b", b"c"]);
        assert_eq!(r.rpoplpush("l", "m").await.unwrap().unwrap(), b"c");
        assert_eq!(r.lpop("l").await.unwrap().unwrap(), b"a");
        assert_eq!(r.rpop("l").await.unwrap().unwrap(), b"b");
        assert_eq!(r.rpop("l").await.unwrap(), None);
        r.rpush("m", &[b"1", b"2", b"3"]).await.unwrap();
        r.ltrim("m", 1, 2).await.unwrap();
        assert_eq!(r.lrange("m", 0, -1).await.unwrap(), [b"1", b"2"]);
        assert_eq!(r.llen("m").await.unwrap(), 2);
    }
}

#[tokio::test]
async fn brpop_waits_for_the_first_item() {
    for r in both() {
        assert_eq!(r.brpop(&["a", "b"], Duration::from_millis(10)).await.unwrap(), None);
        let waiter = {
            let r = r.clone();
            tokio::spawn(async move { r.brpop(&["a", "b"], HOUR).await.unwrap() })
        };
        r.lpush("b", &[b"x"]).await.unwrap();
        assert_eq!(waiter.await.unwrap(), Some(("b".to_owned(), b"x".to_vec())));
        r.lpush("a", &[b"y"]).await.unwrap();
        let found = r.brpop(&["b", "a"], HOUR).await.unwrap();
        assert_eq!(found, Some(("a".to_owned(), b"y".to_vec())));
    }
}

#[tokio::test]
async fn sets() {
    for r in both() {
        assert_eq!(r.sadd("s", &[b"a", b"b", b"a"]).await.unwrap(), 2);
        let mut members = r.smembers("s").await.unwrap();
        members.sort();
        assert_eq!(members, [b"a", b"b"]);
        assert!(r.sismember("s", b"a").await.unwrap());
        assert_eq!(r.srem("s", &[b"a", b"z"]).await.unwrap(), 1);
        assert_eq!(r.scard("s").await.unwrap(), 1);
        assert_eq!(r.spop("s").await.unwrap().unwrap(), b"b");
        assert_eq!(r.spop("s").await.unwrap(), None);
    }
}

#[tokio::test]
async fn sorted_sets() {
    for r in both() {
        let members: [(f64, &[u8]); 4] = [(2.0, b"b"), (1.5, b"a"), (2.0, b"B"), (-1.0, b"n")];
        assert_eq!(r.zadd("z", &members).await.unwrap(), 4);
        assert_eq!(r.zadd("z", &[(3.0, b"b")]).await.unwrap(), 0);
        assert!(!r.zadd_nx("z", 9.0, b"b").await.unwrap());
        assert_eq!(r.zrange("z", 0, -1).await.unwrap(), [b"n", b"a", b"B", b"b"]);
        let scored = r.zrange_with_scores("z", 0, 1).await.unwrap();
        assert_eq!(scored, [(b"n".to_vec(), -1.0), (b"a".to_vec(), 1.5)]);
        assert_eq!(r.zscore("z", b"a").await.unwrap(), Some(1.5));
        assert_eq!(r.zscore("z", b"?").await.unwrap(), None);
        assert_eq!(r.zcard("z").await.unwrap(), 4);
        let open = Limit::Excluding(1.5);
        assert_eq!(r.zcount("z", open, Limit::Highest).await.unwrap(), 2);
        let found = r.zrangebyscore("z", Limit::Lowest, Limit::Including(2.0), 2).await.unwrap();
        assert_eq!(found, [b"n", b"a"]);
        assert_eq!(r.zincr_by("z", 10.0, b"n").await.unwrap(), 9.0);
        assert_eq!(r.zremrangebyscore("z", Limit::Lowest, open).await.unwrap(), 0);
        let upto = Limit::Including(2.0);
        assert_eq!(r.zremrangebyscore("z", Limit::Lowest, upto).await.unwrap(), 2);
        assert_eq!(r.zremrangebyrank("z", -1, -1).await.unwrap(), 1);
        assert_eq!(r.zrem("z", &[b"b"]).await.unwrap(), 1);
        assert!(!r.exists("z").await.unwrap());
    }
}

#[tokio::test]
async fn wrong_types_are_refused() {
    for r in both() {
        r.lpush("l", &[b"a"]).await.unwrap();
        assert!(
            matches!(r.get("l").await, Err(RedisError::Refused(why)) if why.contains("WRONGTYPE") || why.contains("wrong kind"))
        );
        assert!(r.hset("l", "a", "b").await.is_err());
        assert!(r.zcard("l").await.is_err());
        assert!(r.sadd("l", &[b"a"]).await.is_err());
        assert_eq!(r.llen("l").await.unwrap(), 1);
    }
}

#[tokio::test]
async fn keys_are_found_by_pattern() {
    for r in both() {
        for n in 0..30 {
            r.set(&format!("api_token_active:{n}"), "x").await.unwrap();
        }
        r.set("other", "x").await.unwrap();
        let found = r.scan("api_token_active:*", 100).await.unwrap();
        assert_eq!(found.len(), 30);
        assert!(found.contains(&"api_token_active:7".to_owned()), "without the prefix");
        assert_eq!(r.scan("*", 5).await.unwrap().len(), 5);
        assert_eq!(r.scan("o[rst]her", 5).await.unwrap(), ["other"]);
    }
}

#[tokio::test]
async fn transactions_run_as_one() {
    for r in both() {
        let pipe = r.atomic().add("INCR", "n", &[]).add("LPUSH", "l", &[b"a", b"b"]);
        let replies = pipe.add("GET", "none", &[]).exec().await.unwrap();
        assert_eq!(replies, [Value::Int(1), Value::Int(2), Value::Nil]);
    }
}

#[tokio::test]
async fn the_in_process_store_is_bounded() {
    let endpoint = redis::Endpoint::InProcess { max_bytes: 20_000 };
    let r = Redis::new(RedisOptions::new(endpoint)).unwrap();
    for n in 0..50_u64 {
        r.set_ex(&format!("cache:{n}"), vec![0; 1000], HOUR + Duration::from_secs(n))
            .await
            .unwrap();
    }
    assert!(!r.exists("cache:0").await.unwrap(), "nearest to expiry goes first");
    assert!(r.exists("cache:49").await.unwrap());
    let refused = async {
        for n in 0..50 {
            r.set(&format!("kept:{n}"), vec![0; 1000]).await?;
        }
        Ok::<(), RedisError>(())
    };
    assert!(refused.await.is_err(), "what has no expiry is never dropped");
    assert!(r.exists("kept:0").await.unwrap());
    for n in 0..50 {
        r.del(&[format!("kept:{n}").as_str()]).await.unwrap();
    }
    r.set("again", "x").await.unwrap();
}
