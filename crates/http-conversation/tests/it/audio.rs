//! What is said to apps, and what they say aloud.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use test_support::{Client, Reply, app::with_form};

use crate::support::{World, text};

async fn hear(client: &Client, path: &str, file: (&str, &str, &[u8])) -> Reply {
    let (name, kind, data) = file;
    let files = [("file", name, kind, data)];
    client.send(with_form(Request::post(path), &[("user", "alice")], &files)).await
}

const WAV: (&str, &str, &[u8]) = ("a.wav", "audio/wav; rate=8000", b"RIFF [[reply:spoken words]]");

#[tokio::test]
async fn recordings_become_text_where_an_app_listens() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({"speech_to_text": {"enabled": true}})).await;
    let path = "/v1/audio-to-text";
    assert_eq!(text(&hear(&app.client, path, WAV).await.expect(200), "text"), "spoken words");
    let console = format!("/console/api/apps/{}/audio-to-text", app.id);
    assert_eq!(text(&hear(&world.owner, &console, WAV).await.expect(200), "text"), "spoken words");

    let refused = hear(&app.client, path, ("a.txt", "text/plain", b"x")).await;
    assert_eq!(refused.code(415), "unsupported_audio_type");
    let long = vec![0; (30 << 20) + 1];
    let refused = hear(&app.client, path, ("a.wav", "audio/wav", &long)).await;
    assert_eq!(refused.code(413), "audio_too_large");
    let nothing = with_form(Request::post(path), &[("user", "alice")], &[]);
    assert_eq!(app.client.send(nothing).await.code(400), "bad_request_key_error");

    let deaf = world.app("chat", json!({})).await;
    let refused = hear(&deaf.client, path, WAV).await.expect(400);
    assert_eq!(text(&refused, "message"), "Speech to text is not enabled");
    let completion = world.app("completion", json!({})).await;
    let console = format!("/console/api/apps/{}/audio-to-text", completion.id);
    assert_eq!(hear(&world.owner, &console, WAV).await.code(404), "app_not_found");
}

#[tokio::test]
async fn texts_and_messages_are_spoken_where_an_app_speaks() {
    let world = World::new(&[]).await;
    let voice = json!({"text_to_speech": {"enabled": true, "voice": "alloy", "language": "en-US"}});
    let app = world.app("chat", voice).await;
    let said = app.ask("x [[reply:a few words]]").await.expect(200);
    for body in [
        json!({"text": "hello"}),
        json!({"message_id": said["message_id"]}),
        json!({"text": "hello", "voice": "nova"}),
    ] {
        let sound = app.client.post("/v1/text-to-audio", body).await.with(200);
        assert_eq!(sound.headers["content-type"], "audio/mpeg");
        assert!(!sound.bytes.is_empty());
    }
    let spoken = world.asked("audio/speech").await;
    assert_eq!(spoken[1]["body"]["input"], "a few words");
    assert_eq!(spoken[2]["body"]["voice"], "nova");
    let unknown = json!({"message_id": "00000000-0000-0000-0000-000000000001"});
    assert_eq!(
        app.client.post("/v1/text-to-audio", unknown.clone()).await.expect(200),
        Value::Null
    );
    // A message of another app is none.
    let other = world.app("chat", json!({})).await;
    let foreign = other.ask("y [[reply:secret]]").await.expect(200);
    let body = json!({"message_id": foreign["message_id"]});
    assert_eq!(app.client.post("/v1/text-to-audio", body).await.expect(200), Value::Null);

    let nothing = app.client.post("/v1/text-to-audio", json!({})).await.expect(400);
    assert_eq!(text(&nothing, "message"), "Text is required");
    let dumb = other.client.post("/v1/text-to-audio", json!({"text": "x"})).await.expect(400);
    assert_eq!(text(&dumb, "message"), "TTS is not enabled");
    let voices = format!("/console/api/apps/{}/text-to-audio/voices", app.id);
    let known = world.owner.get(&format!("{voices}?language=en-US")).await.expect(200);
    assert_eq!(known[0], json!({"name": "Alloy", "value": "alloy"}));
    let strange = Request::get(format!("{voices}?language=tlh")).body(Body::empty()).unwrap();
    assert_eq!(world.owner.send(strange).await.expect(200), json!([]));
}

#[tokio::test]
async fn an_answer_is_spoken_while_it_is_written() {
    let world = World::new(&[]).await;
    let voice = json!({"text_to_speech": {"enabled": true, "voice": "alloy", "language": "en-US", "autoPlay": "enabled"}});
    let app = world.app("chat", voice).await;
    let events = app.stream("go [[reply:One. Two. Three. Four.]]", &[]).await.rest().await;
    let of = |kind: &str| events.iter().filter(|event| event.data["event"] == kind).count();
    assert!(0 < of("tts_message"));
    assert_eq!((of("tts_message_end"), of("message_end")), (1, 1));
    assert_eq!(text(&events.last().unwrap().data, "event"), "tts_message_end");
}
