//! OpenAI's protocol, against the mock model server.

use bytes::Bytes;
use futures::StreamExt;
use model_runtime::{
    AudioFile, CredentialsError, EmbeddingInput, ImageDetail, LlmChunk, Media, ModelRef, ModelType,
    PromptMessage, PromptTool, RerankRequest, collect,
    message::{Content, ContentPart},
};
use serde_json::{Value, json};

use crate::support::{COMPATIBLE, OPENAI, all, ctx, object, provider, request};

async fn mock() -> (String, mock_llm::Handle) {
    let (address, handle) = mock_llm::spawn().await.unwrap();
    (format!("http://{address}/v1"), handle)
}

/// The last request the mock received.
async fn last_request(base: &str) -> Value {
    let url = format!("{}/__log?limit=1", base.trim_end_matches("/v1"));
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let log: Value = serde_json::from_str(&text).unwrap();
    log["entries"][0].clone()
}

#[tokio::test]
async fn an_answer_is_streamed_and_priced() {
    let (base, _mock) = mock().await;
    let openai = provider(OPENAI).await;
    let mut call = request(&base, "hello there");
    call.parameters = object(json!({"temperature": 0.5, "max_tokens": 100, "seed": 1}));
    call.stop = vec!["###".to_owned()];
    let (chunks, error) = all(openai.invoke_llm(&ctx(), &call).await.unwrap()).await;
    assert!(error.is_none());
    let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    assert_eq!(texts, ["You ", "said: ", "hello ", "there ", "[messages=1]", ""]);
    let last = chunks.last().unwrap();
    assert_eq!(last.finish_reason.as_deref(), Some("stop"));
    let usage = last.usage.as_ref().unwrap();
    assert_eq!((usage.prompt_tokens, usage.completion_tokens), (10, 5));
    assert_eq!(usage.prompt_price.to_string(), "0.0000015");
    assert_eq!(usage.total_price.to_string(), "0.0000045");

    let seen = last_request(&base).await;
    assert_eq!(
        seen["body"],
        json!({
            "model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello there"}], "temperature": 0.5,
            "max_tokens": 100, "stop": ["###"], "user": "somebody", "stream": true,
            "stream_options": {"include_usage": true},
        })
    );
    assert_eq!(seen["headers"]["authorization"], "Bearer sk-test");
}

#[tokio::test]
async fn an_answer_at_once_is_the_same() {
    let (base, _mock) = mock().await;
    let openai = provider(OPENAI).await;
    let mut call = request(&base, "[[think:hm, well]][[reply:done]]");
    let whole = |call| {
        let openai = openai.clone();
        async move {
            collect("gpt-4o-mini", openai.invoke_llm(&ctx(), &call).await.unwrap()).await.unwrap()
        }
    };
    let mut streamed = whole(call.clone()).await;
    call.stream = false;
    let mut at_once = whole(call).await;
    assert_eq!(streamed.text, "<think>\nhm, well\n</think>done");
    assert_eq!(streamed.reasoning.as_deref(), Some("hm, well"));
    streamed.usage.latency = 0.0;
    at_once.usage.latency = 0.0;
    assert_eq!(streamed, at_once);
}

#[tokio::test]
async fn calls_of_tools_come_whole() {
    let (base, _mock) = mock().await;
    let openai = provider(OPENAI).await;
    let question =
        "[[tool:add {\"a\": 1, \"b\": \"a longer text to be cut\"}]][[tool:sub {}]][[parallel]]";
    let mut call = request(&base, question);
    let tool = |name: &str| PromptTool {
        name: name.to_owned(),
        description: "x".to_owned(),
        parameters: json!({"type": "object"}),
    };
    call.tools = vec![tool("add"), tool("sub")];
    let answer = collect("m", openai.invoke_llm(&ctx(), &call).await.unwrap()).await.unwrap();
    assert_eq!(answer.finish_reason.as_deref(), Some("tool_calls"));
    let names: Vec<&str> =
        answer.tool_calls.iter().map(|call| call.function.name.as_str()).collect();
    assert_eq!(names, ["add", "sub"]);
    let arguments: Value = serde_json::from_str(&answer.tool_calls[0].function.arguments).unwrap();
    assert_eq!(arguments, json!({"a": 1, "b": "a longer text to be cut"}));

    let results = answer.tool_calls.iter().map(|call| PromptMessage::tool("42", &call.id, None));
    call.messages.push(answer.message());
    call.messages.extend(results);
    let answer = collect("m", openai.invoke_llm(&ctx(), &call).await.unwrap()).await.unwrap();
    assert_eq!(answer.text, "Tool said: 42 | 42");
}

#[tokio::test]
async fn files_and_formats_are_sent() {
    let (base, _mock) = mock().await;
    let openai = provider(OPENAI).await;
    let media = |format: &str, mime_type: &str| Media {
        format: format.to_owned(),
        base64_data: "AA==".to_owned(),
        mime_type: mime_type.to_owned(),
        filename: "f".to_owned(),
        ..Media::default()
    };
    let mut call = request(&base, "");
    call.messages = vec![PromptMessage::user(Content::Parts(vec![
        ContentPart::text("see"),
        ContentPart::Image { media: media("png", "image/png"), detail: ImageDetail::High },
        ContentPart::Audio(media("wav", "audio/wav")),
        ContentPart::Document(media("pdf", "application/pdf")),
        ContentPart::Video(media("mp4", "video/mp4")),
    ]))];
    call.parameters = object(json!({
        "response_format": "json_schema",
        "json_schema": "{\"name\": \"n\", \"schema\": {\"type\": \"object\", \"properties\": {\"x\": {\"type\": \"integer\"}}}}",
    }));
    let answer = collect("m", openai.invoke_llm(&ctx(), &call).await.unwrap()).await.unwrap();
    assert_eq!(answer.text, r#"{"x":1}"#);
    assert_eq!(
        last_request(&base).await["body"]["messages"][0]["content"],
        json!([
            {"type": "text", "text": "see"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "high"}},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "f"}},
            {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AA=="}},
        ])
    );
    call.parameters = object(json!({"response_format": "json_schema"}));
    let error = openai.invoke_llm(&ctx(), &call).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "Must define JSON Schema when the response format is json_schema"
    );
}

#[tokio::test]
async fn failures_have_the_words_of_the_reference() {
    let (base, _mock) = mock().await;
    let openai = provider(OPENAI).await;
    for (text, class, words) in [
        (
            "[[error:429 slow down]]",
            "InvokeRateLimitError",
            "[models] Rate Limit Error, Error code: 429 - {'error': {'message': 'slow down', 'type': 'requests', \
             'param': None, 'code': 'rate_limit_exceeded'}}",
        ),
        (
            "[[error:503 later]]",
            "InvokeServerUnavailableError",
            "[models] Server Unavailable Error, Error code: 503 - {'error': {'message': 'later', 'type': \
             'server_error', 'param': None, 'code': 'overloaded'}}",
        ),
        (
            "[[error:401 no]]",
            "InvokeAuthorizationError",
            "[openai] Incorrect model credentials provided, please check and try again.",
        ),
    ] {
        let error = openai.invoke_llm(&ctx(), &request(&base, text)).await.err().unwrap();
        assert_eq!((error.class(), error.to_string().as_str()), (class, words));
    }
    let nobody = request("http://127.0.0.1:9/v1", "hi");
    let error = openai.invoke_llm(&ctx(), &nobody).await.err().unwrap();
    assert_eq!(error.to_string(), "[models] Connection Error, Connection error.");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_after_its_pieces() {
    let (base, _mock) = mock().await;
    let openai = provider(OPENAI).await;
    let call = request(&base, "[[abort_after:2]]");
    let (chunks, error) = all(openai.invoke_llm(&ctx(), &call).await.unwrap()).await;
    assert_eq!(chunks.len(), 2);
    assert_eq!(error.unwrap().class(), "InvokeConnectionError");
}

#[tokio::test]
async fn dropping_an_answer_closes_the_connection() {
    let (base, _mock) = mock().await;
    let openai = provider(OPENAI).await;
    let call = request(&base, "[[tokens:500]][[delay_ms:20]]");
    let mut stream = openai.invoke_llm(&ctx(), &call).await.unwrap();
    let first: LlmChunk = stream.next().await.unwrap().unwrap();
    assert_eq!(first.text, "You ");
    drop(stream);
    while last_request(&base).await["client_disconnected"] != true {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn completion_models_take_one_text() {
    let (base, _mock) = mock().await;
    let openai = provider(OPENAI).await;
    for stream in [true, false] {
        let mut call = request(&base, "two");
        call.model = "gpt-3.5-turbo-instruct".to_owned();
        call.messages.insert(0, PromptMessage::system("one"));
        call.stream = stream;
        let answer = collect("m", openai.invoke_llm(&ctx(), &call).await.unwrap()).await.unwrap();
        assert_eq!(answer.text, "You said: one\n\ntwo [messages=1]");
        assert_eq!(last_request(&base).await["body"]["prompt"], "one\n\ntwo");
    }
}

#[tokio::test]
async fn texts_become_vectors() {
    let (base, _mock) = mock().await;
    let openai = provider(OPENAI).await;
    let call = request(&base, "");
    let model = ModelRef { model: "text-embedding-3-small", credentials: &call.credentials };
    let texts = ["a cat".to_owned(), "a dog".to_owned(), "a cat".to_owned()];
    let made = openai.embed(&ctx(), model, &texts, EmbeddingInput::Document).await.unwrap();
    assert_eq!(made.embeddings.len(), 3);
    assert_eq!(made.embeddings[0].len(), 384);
    assert_eq!(made.embeddings[0], made.embeddings[2]);
    assert_ne!(made.embeddings[0], made.embeddings[1]);
    assert_eq!(
        (made.usage.total_tokens, made.usage.total_price.to_string().as_str()),
        (9, "0.0000002")
    );
    let bad = ["[[embed_error:500]]".to_owned()];
    assert!(openai.embed(&ctx(), model, &bad, EmbeddingInput::Query).await.is_err());
}

#[tokio::test]
async fn documents_are_ordered() {
    let (base, _mock) = mock().await;
    let compatible = provider(COMPATIBLE).await;
    let credentials = object(json!({"endpoint_url": base, "api_key": "k"}));
    let model = ModelRef { model: "mock-reranker", credentials: &credentials };
    let documents = ["stock markets".to_owned(), "the cat sleeps".to_owned(), "a cat".to_owned()];
    let ask = |score_threshold, top_n| RerankRequest {
        query: "cat sleeps",
        documents: &documents,
        score_threshold,
        top_n,
    };
    let ordered = compatible.rerank(&ctx(), model, ask(None, Some(2))).await.unwrap();
    assert_eq!(ordered.docs.iter().map(|doc| doc.index).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(ordered.docs[0].text, "the cat sleeps");
    let good = compatible.rerank(&ctx(), model, ask(Some(0.7), None)).await.unwrap();
    assert_eq!(good.docs.len(), 1);
}

#[tokio::test]
async fn sound_goes_in_and_out() {
    let (base, _mock) = mock().await;
    let openai = provider(OPENAI).await;
    let call = request(&base, "");
    let model = |model| ModelRef { model, credentials: &call.credentials };
    let file = AudioFile {
        filename: "a.mp3".to_owned(),
        mime_type: "audio/mpeg".to_owned(),
        data: Bytes::from_static(b"xx [[reply:good morning]] xx"),
    };
    assert_eq!(openai.transcribe(&ctx(), model("whisper-1"), file).await.unwrap(), "good morning");
    let mut sound = openai.speak(&ctx(), model("tts-1"), "Hello.", "nobody").await.unwrap();
    let mut size = 0;
    while let Some(piece) = sound.next().await {
        size += piece.unwrap().len();
    }
    assert_eq!(size, 8 * 417);
    assert_eq!(last_request(&base).await["body"]["voice"], "alloy");
    let voices = openai.voices(&ctx(), model("tts-1"), Some("de-DE")).await.unwrap();
    assert_eq!(voices.len(), 6);
    assert!(openai.moderate(&ctx(), model("omni-moderation-latest"), "a badword").await.unwrap());
    assert!(!openai.moderate(&ctx(), model("omni-moderation-latest"), "a word").await.unwrap());
}

#[tokio::test]
async fn credentials_are_checked_with_the_provider() {
    let (base, _mock) = mock().await;
    let openai = provider(OPENAI).await;
    let key =
        |key: &str, base: &str| object(json!({"openai_api_key": key, "openai_api_base": base}));
    let check = |credentials| {
        let openai = openai.clone();
        async move { openai.check_provider_credentials(&ctx(), credentials).await }
    };
    assert_eq!(check(key("sk-x", &base)).await.unwrap(), key("sk-x", &base));
    let refused = check(key("sk-invalid", &base)).await.unwrap_err();
    assert!(matches!(refused, CredentialsError::Refused(_)));
    assert_eq!(
        refused.to_string(),
        "Error code: 401 - {'error': {'message': 'Incorrect API key provided: sk-***alid.', 'type': \
         'invalid_request_error', 'param': None, 'code': 'invalid_api_key'}}"
    );
    let refused = check(key("k", "http://127.0.0.1:9/v1")).await.unwrap_err();
    assert_eq!(refused.to_string(), "Connection error.");

    let compatible = provider(COMPATIBLE).await;
    let key = |key: &str| object(json!({"api_key": key, "endpoint_url": base}));
    for (kind, model, key, words) in [
        (ModelType::Llm, "m", key("k"), None),
        (ModelType::TextEmbedding, "m", key("k"), None),
        (ModelType::Rerank, "m", key("k"), None),
        (ModelType::Tts, "m", key("k"), None),
        (
            ModelType::Llm,
            "m",
            key("invalid"),
            Some("Credentials validation failed with status code 401"),
        ),
        (
            ModelType::Llm,
            "nonexistent-1",
            key("k"),
            Some("Credentials validation failed with status code 404"),
        ),
    ] {
        let checked = compatible.check_model_credentials(&ctx(), kind, model, key).await;
        assert_eq!(checked.err().map(|error| error.to_string()).as_deref(), words);
    }
}

#[tokio::test]
async fn added_models_are_described_by_their_credentials() {
    let compatible = provider(COMPATIBLE).await;
    let credentials = object(json!({"context_size": "8192", "vision_support": "support"}));
    let model = ModelRef { model: "mine", credentials: &credentials };
    let schema = compatible.model_schema(&ctx(), ModelType::Llm, model).await.unwrap().unwrap();
    assert_eq!(schema.context_size(), Some(8192));
    assert!(compatible.model_schema(&ctx(), ModelType::Moderation, model).await.unwrap().is_none());
    let openai = provider(OPENAI).await;
    let schema = openai.model_schema(&ctx(), ModelType::Llm, model).await.unwrap().unwrap();
    assert_eq!((schema.model.as_str(), schema.context_size()), ("mine", Some(128_000)));
    assert!(openai.model_schema(&ctx(), ModelType::Tts, model).await.unwrap().is_none());
}
