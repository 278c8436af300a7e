//! Celery's protocol 2 in kombu's envelope, as lists in Redis hold it.
//!
//! Headers the Python side does not know start with `dify_rs_`; it carries them along untouched.

use std::fmt::Write as _;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::error::JobsError;
use crate::job::Job;

/// Longest text of arguments in `argsrepr`, as Celery cuts it.
const MAX_REPR: usize = 1024;

#[derive(Serialize, Deserialize)]
struct Envelope {
    body: String,
    #[serde(rename = "content-encoding", default)]
    content_encoding: Option<String>,
    #[serde(rename = "content-type")]
    content_type: String,
    headers: Headers,
    #[serde(default)]
    properties: Properties,
}

#[derive(Serialize, Deserialize)]
struct Headers {
    #[serde(default)]
    lang: Option<String>,
    task: String,
    id: String,
    #[serde(default)]
    shadow: Option<String>,
    #[serde(default)]
    eta: Option<String>,
    #[serde(default)]
    expires: Option<String>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    group_index: Option<Value>,
    #[serde(default)]
    retries: Option<u32>,
    #[serde(default)]
    timelimit: Value,
    #[serde(default)]
    root_id: Option<String>,
    #[serde(default)]
    parent_id: Option<String>,
    #[serde(default)]
    argsrepr: Option<String>,
    #[serde(default)]
    kwargsrepr: Option<String>,
    #[serde(default)]
    origin: Option<String>,
    #[serde(default)]
    ignore_result: Option<bool>,
    #[serde(default)]
    replaced_task_nesting: Option<u32>,
    #[serde(default)]
    stamped_headers: Value,
    #[serde(default)]
    stamps: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dify_rs_request_id: Option<String>,
    /// Milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dify_rs_enqueued_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dify_rs_redeliveries: Option<u32>,
}

#[derive(Serialize, Deserialize, Default)]
struct Properties {
    #[serde(default)]
    correlation_id: Option<String>,
    #[serde(default)]
    reply_to: Option<String>,
    #[serde(default)]
    delivery_mode: Option<u8>,
    #[serde(default)]
    delivery_info: DeliveryInfo,
    #[serde(default)]
    priority: Option<i64>,
    #[serde(default)]
    body_encoding: Option<String>,
    #[serde(default)]
    delivery_tag: Option<String>,
}

#[derive(Serialize, Deserialize, Default)]
struct DeliveryInfo {
    #[serde(default)]
    exchange: Option<String>,
    #[serde(default)]
    routing_key: Option<String>,
}

/// The message of a job.
#[must_use]
pub fn encode(job: &Job) -> String {
    let embed = json!({"callbacks": null, "errbacks": null, "chain": null, "chord": null});
    let body = Value::Array(vec![
        Value::Array(job.args.clone()),
        Value::Object(job.kwargs.clone()),
        embed,
    ]);
    let envelope = Envelope {
        body: STANDARD.encode(body.to_string()),
        content_encoding: Some("utf-8".to_owned()),
        content_type: "application/json".to_owned(),
        headers: Headers {
            lang: Some("py".to_owned()),
            task: job.task.clone(),
            id: job.id.clone(),
            shadow: None,
            eta: job.eta.map(isoformat),
            expires: job.expires.map(isoformat),
            group: None,
            group_index: None,
            retries: Some(job.retries),
            timelimit: json!([null, null]),
            root_id: Some(job.id.clone()),
            parent_id: job.parent_id.clone(),
            argsrepr: Some(args_repr(&job.args)),
            kwargsrepr: Some(kwargs_repr(&job.kwargs)),
            origin: Some(origin().to_owned()),
            ignore_result: Some(true),
            replaced_task_nesting: Some(0),
            stamped_headers: Value::Null,
            stamps: json!({}),
            dify_rs_request_id: job.request_id.clone(),
            dify_rs_enqueued_at: job.enqueued_at.map(|at| at.timestamp_millis()),
            dify_rs_redeliveries: Some(job.redeliveries).filter(|n| *n > 0),
        },
        properties: Properties {
            correlation_id: Some(job.id.clone()),
            reply_to: Some(reply_to().to_owned()),
            delivery_mode: Some(2),
            delivery_info: DeliveryInfo {
                exchange: Some(String::new()),
                routing_key: Some(job.queue.clone()),
            },
            priority: Some(0),
            body_encoding: Some("base64".to_owned()),
            delivery_tag: Some(Uuid::new_v4().to_string()),
        },
    };
    // Nothing in there can fail to serialize: all keys are strings.
    serde_json::to_string(&envelope).unwrap_or_default()
}

/// The job of a message found in `queue`.
///
/// # Errors
/// [`JobsError::Malformed`] if it is not one of Celery's, or not in JSON.
pub fn decode(message: &[u8], queue: &str) -> Result<Job, JobsError> {
    let malformed = |what: &dyn std::fmt::Display| JobsError::Malformed(what.to_string());
    let envelope: Envelope = serde_json::from_slice(message).map_err(|err| malformed(&err))?;
    if envelope.content_type != "application/json" {
        return Err(malformed(&format!("content type {}", envelope.content_type)));
    }
    let body = match envelope.properties.body_encoding.as_deref() {
        Some("base64") => STANDARD.decode(&envelope.body).map_err(|err| malformed(&err))?,
        None | Some("") => envelope.body.into_bytes(),
        Some(other) => return Err(malformed(&format!("body encoding {other}"))),
    };
    let (args, kwargs, _embed): (Vec<Value>, Map<String, Value>, Value) =
        serde_json::from_slice(&body).map_err(|err| malformed(&err))?;
    let headers = envelope.headers;
    let time = |text: Option<String>| match text {
        None => Ok(None),
        Some(text) => parse_time(&text).map(Some).ok_or_else(|| malformed(&format!("time {text}"))),
    };
    let queue = Some(queue.to_owned()).filter(|queue| !queue.is_empty());
    let queue = queue.or(envelope.properties.delivery_info.routing_key).unwrap_or_default();
    let mut job = Job::named(headers.id, headers.task, queue);
    job.args = args;
    job.kwargs = kwargs;
    job.eta = time(headers.eta)?;
    job.expires = time(headers.expires)?;
    job.retries = headers.retries.unwrap_or(0);
    job.redeliveries = headers.dify_rs_redeliveries.unwrap_or(0);
    job.enqueued_at = headers.dify_rs_enqueued_at.and_then(DateTime::from_timestamp_millis);
    job.request_id = headers.dify_rs_request_id;
    job.parent_id = headers.parent_id;
    Ok(job)
}

fn isoformat(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// Python's `isoformat`, whose offset may be missing: UTC then.
fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Some(time.to_utc()),
        Err(_) => text.parse::<chrono::NaiveDateTime>().ok().map(|time| time.and_utc()),
    }
}

/// `gen<pid>@<host>`, as Celery names producers.
fn origin() -> &'static str {
    static ORIGIN: OnceLock<String> = OnceLock::new();
    ORIGIN.get_or_init(|| {
        let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
        let host = Some(host.trim()).filter(|host| !host.is_empty()).unwrap_or("localhost");
        format!("gen{}@{host}", std::process::id())
    })
}

/// The reply queue's name; nobody replies, as results are ignored.
fn reply_to() -> &'static str {
    static REPLY_TO: OnceLock<String> = OnceLock::new();
    REPLY_TO.get_or_init(|| Uuid::new_v4().to_string())
}

fn args_repr(args: &[Value]) -> String {
    let items: Vec<String> = args.iter().map(repr).collect();
    let comma = if items.len() == 1 { "," } else { "" };
    cut(format!("({}{comma})", items.join(", ")))
}

fn kwargs_repr(kwargs: &Map<String, Value>) -> String {
    cut(object_repr(kwargs))
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_REPR) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn object_repr(object: &Map<String, Value>) -> String {
    let pairs: Vec<String> = object
        .iter()
        .map(|(key, value)| format!("{}: {}", string_repr(key), repr(value)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// As Python prints the value, for logs of Python workers.
fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => string_repr(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => object_repr(object),
    }
}

fn string_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use chrono::{TimeZone, Utc};
    use serde_json::{Value, json};

    use super::{args_repr, decode, encode, repr};
    use crate::job::Job;
    use crate::tasks::DOCUMENT_INDEXING_UPDATE;

    /// What a Celery 5 producer put into the list `dataset`.
    const FROM_PYTHON: &str = r#"{"body": "W1siZC0xIiwgImRvYy0yIl0sIHt9LCB7ImNhbGxiYWNrcyI6IG51bGwsICJlcnJiYWNrcyI6IG51bGwsICJjaGFpbiI6IG51bGwsICJjaG9yZCI6IG51bGx9XQ==", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"lang": "py", "task": "tasks.document_indexing_update_task.document_indexing_update_task", "id": "777be3b7-4663-4d7a-a926-9d3cb87f9a4c", "shadow": null, "eta": "2026-11-21T09:00:22.638411+00:00", "expires": null, "group": null, "group_index": null, "retries": 1, "timelimit": [null, null], "root_id": "777be3b7-4663-4d7a-a926-9d3cb87f9a4c", "parent_id": null, "argsrepr": "('d-1', 'doc-2')", "kwargsrepr": "{}", "origin": "gen21662@vm", "ignore_result": true, "replaced_task_nesting": 0, "stamped_headers": null, "stamps": {}, "redelivered": true}, "properties": {"correlation_id": "777be3b7-4663-4d7a-a926-9d3cb87f9a4c", "reply_to": "06d18cff-8d20-34ea-8405-084f8402b8ee", "delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": "dataset", "redelivered": true}, "priority": 0, "body_encoding": "base64", "delivery_tag": "fd51f7bd-3f17-4cf4-8eca-e4f909ddd230"}}"#;

    #[test]
    fn a_message_of_the_python_side_is_understood() {
        let job = decode(FROM_PYTHON.as_bytes(), "dataset").unwrap();
        assert_eq!(job.task, DOCUMENT_INDEXING_UPDATE.name);
        assert_eq!(job.get::<String>("dataset_id").unwrap(), "d-1");
        assert_eq!(job.get::<String>("document_id").unwrap(), "doc-2");
        assert_eq!((job.retries, job.queue.as_str()), (1, "dataset"));
        let eta = Utc.with_ymd_and_hms(2026, 11, 21, 9, 0, 22).unwrap();
        assert_eq!(job.eta.unwrap().timestamp(), eta.timestamp());
    }

    #[test]
    fn ours_has_every_key_of_theirs() {
        let mut job = Job::new(DOCUMENT_INDEXING_UPDATE);
        job.args = vec![json!("d-1"), json!("doc-2")];
        let ours: Value = serde_json::from_str(&encode(&job)).unwrap();
        let theirs: Value = serde_json::from_str(FROM_PYTHON).unwrap();
        for part in ["headers", "properties"] {
            for key in theirs[part].as_object().unwrap().keys().filter(|key| *key != "redelivered")
            {
                assert!(ours[part].get(key).is_some(), "{part}.{key}");
            }
        }
        for key in ["content-type", "content-encoding"] {
            assert_eq!(ours[key], theirs[key]);
        }
        for key in
            ["lang", "task", "timelimit", "argsrepr", "kwargsrepr", "stamps", "ignore_result"]
        {
            assert_eq!(ours["headers"][key], theirs["headers"][key], "{key}");
        }
        let body = |message: &Value| -> Value {
            let body = STANDARD.decode(message["body"].as_str().unwrap()).unwrap();
            serde_json::from_slice(&body).unwrap()
        };
        assert_eq!(body(&ours), body(&theirs));
        assert_eq!(ours["headers"]["id"], ours["properties"]["correlation_id"]);
    }

    #[test]
    fn jobs_survive_the_wire() {
        let mut job = Job::new(DOCUMENT_INDEXING_UPDATE).set("dataset_id", "资料");
        job.eta = Some(Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap());
        job.enqueued_at = job.eta;
        job.request_id = Some("r".to_owned());
        (job.retries, job.redeliveries) = (2, 1);
        assert_eq!(decode(encode(&job).as_bytes(), "dataset").unwrap(), job);
    }

    #[test]
    fn what_is_no_job_is_said_to_be_none() {
        for text in [
            "",
            "{}",
            "[]",
            "hello",
            r#"{"body":"x","content-type":"application/x-python-serialize","headers":{"task":"t","id":"i"}}"#,
        ] {
            assert!(decode(text.as_bytes(), "q").is_err(), "{text}");
        }
    }

    #[test]
    fn arguments_print_as_in_python() {
        assert_eq!(args_repr(&[json!("a")]), "('a',)");
        assert_eq!(args_repr(&[json!(1), json!(null)]), "(1, None)");
        assert_eq!(repr(&json!({"a": [true, "it's", "\n"]})), r#"{'a': [True, "it's", '\n']}"#);
    }
}
