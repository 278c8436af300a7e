//! What goes wrong around a running server, and what its clients hear of it: every answer ends, one that was heard to its
//! end is on record, one that is not says why, and nothing runs for ever.

mod world;

use std::time::Duration;

use futures::future::join_all;
use test_support::chaos::{Dice, Fault, Way};
use world::{KINDS, Kind, MODES, Told, World};

use crate::{outage::Redis, process::free_port};

/// A question whose answer is `word`.
fn say(word: &str) -> String {
    // A new conversation is named by the first characters: they are not to hold the word as well.
    format!("a question of some length: [[reply:{word}]]")
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for_and_then_missed() {
    let settings = [("RUN_RECORD_PATIENCE_SECONDS", "1"), ("SQLALCHEMY_POOL_TIMEOUT", "1")];
    for patient in [true, false] {
        let world = World::new(&settings[..if patient { 0 } else { 2 }], None).await;
        for _ in KINDS {
            world.model.when(Way::Down, "[DONE]", 1, Fault::Hold);
        }
        let away = async {
            // All of them wait for the end of the model's answer.
            world.model.strikes(KINDS.len()).await;
            world.db.shut();
            world.model.release();
            if patient {
                let accepted = world.db.accepted();
                world.db.open();
                world.until("the server asks again", async || accepted < world.db.accepted()).await;
            }
        };
        let question = say("word");
        let (all, ()) = tokio::join!(world.ask_all("streaming", &question), away);
        for told in &all {
            let as_expected = if patient { told.is_answered() } else { told.is_refused() };
            assert!(told.is_whole && as_expected, "{told:?}\n{}", world.process.log());
        }
        if !patient {
            // Who asks meanwhile is not kept waiting, and told that it is not his fault.
            for told in world.ask_all("streaming", &question).await {
                assert_eq!(told.status, 503, "{told:?}");
                assert!(told.is_refused(), "{told:?}");
            }
            world.db.open();
        }
        world.check().await;
        for told in all.iter().filter(|_| patient) {
            world.check_kept(told).await;
        }
        let told = world.ask(Kind::Chat, "blocking", &say("back")).await;
        assert!(told.is_answered(), "{told:?}\n{}", world.process.log());
    }
}

#[tokio::test]
async fn answers_do_not_need_redis() {
    let Some(redis) = Redis::start(free_port()) else { return };
    let world = World::new(&[], Some(redis)).await;
    let slow = "long [[tokens:1500]] [[delay_ms:50]]";
    let mut stopped = world.open(Kind::Chat, "streaming", slow, None).await;
    stopped.until(" ").await;
    for _ in KINDS {
        world.model.when(Way::Down, "[DONE]", 1, Fault::Hold);
    }
    let question = say("word");
    let gone = async {
        world.model.strikes(KINDS.len()).await;
        world.redis().shut();
        world.model.release();
    };
    let (during, ()) = tokio::join!(world.ask_all("streaming", &question), gone);
    let after = world.ask_all("blocking", &question).await;
    for told in during.iter().chain(&after) {
        assert!(told.is_answered(), "{told:?}\n{}", world.process.log());
        world.check_kept(told).await;
    }
    // Whose run it is, is known where it runs.
    let task = stopped.task().to_owned();
    world.stop(Kind::Chat, &task).await;
    let stopped = stopped.until_the_end().await;
    assert!(stopped.is_answered() && stopped.events.len() < 1400, "{stopped:?}");
    // Whether it was asked before, nobody knows.
    let keyed = world.open(Kind::Chat, "blocking", &question, Some("k")).await;
    let keyed = keyed.until_the_end().await;
    assert!(500 <= keyed.status && keyed.is_refused(), "{keyed:?}");

    world.redis().open();
    world
        .until("keys are kept again", async || {
            let ask = async || world.open(Kind::Chat, "blocking", &question, Some("k")).await;
            ask().await.until_the_end().await.is_answered() && ask().await.is_replayed
        })
        .await;

    // It is there, and says nothing.
    for _ in 0..16 {
        world.redis().when(Way::Up, "*", 1, Fault::Hold);
    }
    let begun = std::time::Instant::now();
    for told in world.ask_all("streaming", &question).await {
        assert!(told.is_answered(), "{told:?}\n{}", world.process.log());
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    world.redis().release();
    world.check().await;
}

#[tokio::test]
async fn a_model_that_fails_is_named_in_the_last_event() {
    let settings = [("MODEL_FIRST_BYTE_TIMEOUT_SECONDS", "1"), ("MODEL_IDLE_TIMEOUT_SECONDS", "1")];
    let world = World::new(&settings, None).await;
    let slow = "tell me something long [[tokens:30]] [[delay_ms:5]]";
    let down = |mark: &'static str, nth, fault| (Way::Down, mark, nth, fault);
    let mut strikes = 0;
    for (way, mark, nth, fault) in [
        (Way::Up, "POST ", 1, Fault::Cut),
        (Way::Up, "POST ", 1, Fault::Reset),
        (Way::Up, "POST ", 1, Fault::CutAfter),
        (Way::Up, "POST ", 1, Fault::Hold),
        down("data:", 7, Fault::Cut),
        down("data:", 7, Fault::Reset),
        down("data:", 7, Fault::Hold),
    ] {
        for kind in KINDS {
            world.model.when(way, mark, nth, fault);
            let told = world.ask(kind, "streaming", slow).await;
            strikes += 1;
            assert_eq!(world.model.struck(), strikes, "{told:?}");
            assert!(
                told.is_whole && told.is_refused(),
                "{fault:?} {told:?}\n{}",
                world.process.log()
            );
        }
    }
    for mode in MODES {
        for kind in KINDS {
            let told = world.ask(kind, mode, "fail [[error:500 no]]").await;
            assert!(told.is_whole && told.is_refused(), "{told:?}");
        }
    }
    world.model.shut();
    for told in world.ask_all("blocking", slow).await {
        assert!(told.is_refused(), "{told:?}");
    }
    world.check().await;
}

#[tokio::test]
async fn a_model_that_is_slow_is_not_broken() {
    let world = World::new(&[], None).await;
    world.model.when(Way::Down, "data:", 2, Fault::Trickle);
    world.model.when(Way::Up, "POST ", 2, Fault::Delay(Duration::from_millis(300)));
    for kind in [Kind::Chat, Kind::Workflow] {
        let told = world.ask(kind, "streaming", &say("word")).await;
        assert!(told.is_answered(), "{told:?}\n{}", world.process.log());
        world.check_kept(&told).await;
    }
    world.check().await;
}

#[tokio::test]
async fn a_killed_server_leaves_no_answer_that_never_ends() {
    let mut world = World::new(&[], None).await;
    let slow = "long [[tokens:400]] [[delay_ms:50]]";
    let mut open: Vec<Told> = Vec::new();
    for kind in [Kind::Chat, Kind::Chatflow, Kind::Chat, Kind::Chatflow] {
        let mut told = world.open(kind, "streaming", slow, None).await;
        told.until(" ").await;
        open.push(told);
    }
    let before = world.ask(Kind::Chatflow, "streaming", &say("before")).await;
    assert!(0 < before.pings);
    assert_eq!(world.count("SELECT count(*) FROM dify_rs_running WHERE kind = 'message'").await, 4);
    // SIGKILL: it has no time to write anything down.
    world.kill();
    for told in open {
        let told = told.until_the_end().await;
        assert!(!told.is_whole && !told.is_answered(), "{told:?}");
    }
    world.check().await;
    assert_eq!(world.count("SELECT count(*) FROM messages WHERE status = 'error'").await, 4);
    world.check_kept(&before).await;
}

/// Every statement that carries the question or the answer is cut off on its way, cut off when it is done but nobody
/// knows, and reset.
#[tokio::test]
async fn what_is_not_known_to_be_written_is_written_once() {
    let world = World::new(&[], None).await;
    let (mut answered, mut refused) = (0, 0);
    for kind in KINDS {
        for fault in [Fault::Cut, Fault::CutAfter, Fault::Reset] {
            for nth in 1.. {
                let word = format!("{kind:?}-{fault:?}-{nth}-end");
                let before = world.db.struck();
                world.db.when(Way::Up, &*word, nth, fault);
                let told = world.ask(kind, "blocking", &say(&word)).await;
                assert!(told.is_answered() != told.is_refused(), "{word} {told:?}");
                if world.db.struck() == before {
                    // It passes less often.
                    assert!(1 < nth && told.is_answered(), "{word} {told:?}");
                    world.db.calm();
                    break;
                }
                if told.is_answered() {
                    assert_eq!(told.answer(), word);
                    world.check_kept(&told).await;
                    answered += 1;
                } else {
                    eprintln!("refused: {word} {told:?}");
                    refused += 1;
                }
            }
        }
    }
    world.check().await;
    assert!(refused < answered, "{answered} answered, {refused} refused\n{}", world.process.log());
}

#[tokio::test]
async fn whatever_fails_every_answer_ends_and_is_kept() {
    let mut dice = Dice::from_env();
    let world = World::new(&[("RUN_RECORD_PATIENCE_SECONDS", "10")], None).await;
    let faults = [
        Fault::Cut,
        Fault::Reset,
        Fault::CutAfter,
        Fault::Delay(Duration::from_millis(30)),
        Fault::Trickle,
    ];
    let (mut answered, mut refused) = (0, 0);
    for round in 0..8 {
        let mut asks = Vec::new();
        for number in 0..6 {
            let word = format!("word-{round}-{number}-end");
            let (kind, mode) = (*dice.pick(&KINDS), *dice.pick(&MODES));
            let fault = *dice.pick(&faults);
            match dice.below(6) {
                0 => world.db.when(
                    Way::Up,
                    &*word,
                    usize::try_from(1 + dice.below(4)).unwrap(),
                    fault,
                ),
                1 => world.db.when(
                    Way::Up,
                    "COMMIT",
                    usize::try_from(1 + dice.below(3)).unwrap(),
                    fault,
                ),
                2 => world.model.when(Way::Down, &*word, 1, fault),
                3 => world.model.when(Way::Up, &*word, 1, fault),
                4 => world.model.when(
                    Way::Down,
                    "data:",
                    usize::try_from(1 + dice.below(9)).unwrap(),
                    fault,
                ),
                _ => {}
            }
            asks.push((kind, mode, say(&word), word));
        }
        let cut = dice.below(3) == 0;
        let meanwhile = async {
            if cut {
                world.db.cut();
            }
        };
        let asked =
            join_all(asks.iter().map(|(kind, mode, question, _)| world.ask(*kind, mode, question)));
        let (all, ()) = tokio::join!(asked, meanwhile);
        for (told, (_, mode, _, word)) in all.iter().zip(&asks) {
            assert!(told.is_whole && told.is_answered() != told.is_refused(), "{mode} {told:?}");
            if told.is_answered() {
                assert_eq!(told.answer(), *word);
                world.check_kept(told).await;
                answered += 1;
            } else {
                refused += 1;
            }
        }
        world.db.calm();
        world.model.calm();
    }
    world.check().await;
    eprintln!("{answered} answered, {refused} refused");
    let mut told = world.ask(Kind::Chatflow, "blocking", &say("fine")).await;
    if told.is_refused() {
        // By a connection of the pool that broke in the last round, unnoticed until now.
        told = world.ask(Kind::Chatflow, "blocking", &say("fine")).await;
    }
    assert!(told.is_answered() && 8 < answered, "{told:?}");
}
