//! Running code: the sandbox service's protocol and how results are read.

use std::{sync::LazyLock, time::Duration};

use async_trait::async_trait;
use base64::Engine as _;
use graph::{Object, Value};
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// The mark around results in the output of a program.
const TAG: &str = "<<RESULT>>";

/// The longest answer of the sandbox, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// The language of a code node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Language {
    /// Python 3.
    #[serde(rename = "python3")]
    Python,
    /// JavaScript.
    #[serde(rename = "javascript")]
    JavaScript,
}

/// Code failed; the text is shown to users.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CodeError(pub String);

/// Runs code that users wrote.
#[async_trait]
pub trait CodeRunner: Send + Sync {
    /// Calls the function `main` of `code` with `inputs`; what it returns.
    ///
    /// # Errors
    /// What the code raised, or why it could not be run.
    async fn run(
        &self,
        language: Language,
        code: &str,
        inputs: Map<String, Json>,
    ) -> Result<Object, CodeError>;
}

/// The sandbox service of the reference (`CODE_EXECUTION_*`).
#[derive(Debug, Clone)]
pub struct SandboxService {
    /// The client.
    pub http: net::Http,
    /// `CODE_EXECUTION_ENDPOINT`.
    pub endpoint: String,
    /// `CODE_EXECUTION_API_KEY`.
    pub api_key: String,
    /// Time for one run.
    pub timeout: Duration,
    /// Whether the service's certificate is checked.
    pub verify_tls: bool,
}

#[derive(Serialize)]
struct Job<'a> {
    language: &'a str,
    code: &'a str,
    preload: &'a str,
    enable_network: bool,
}

#[derive(Deserialize)]
struct Answer {
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Option<Output>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    stdout: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

#[async_trait]
impl CodeRunner for SandboxService {
    async fn run(
        &self,
        language: Language,
        code: &str,
        inputs: Map<String, Json>,
    ) -> Result<Object, CodeError> {
        let program = program(language, code, &inputs);
        let url = format!("{}/v1/sandbox/run", self.endpoint.trim_end_matches('/'));
        let job = Job {
            language: match language {
                Language::Python => "python3",
                Language::JavaScript => "nodejs",
            },
            code: &program,
            preload: "",
            enable_network: true,
        };
        let unreachable = |reason: String| {
            CodeError(format!(
                "Failed to execute code, which is likely a network issue, please check if the sandbox service is \
                 running. ( Error: {reason} )"
            ))
        };
        let call = self.http.upstream().post(url).header("X-Api-Key", &self.api_key).json(&job);
        let call = call.first_byte_timeout(self.timeout).verify_tls(self.verify_tls);
        let response = call.send().await.map_err(|err| unreachable(err.to_string()))?;
        let status = response.status().as_u16();
        if status == 503 {
            return Err(CodeError("Code execution service is unavailable".to_owned()));
        }
        if status != 200 {
            return Err(unreachable(format!(
                "Failed to execute code, got status code {status}, please check if the sandbox service is running"
            )));
        }
        let answer =
            response.bytes(LARGEST_ANSWER).await.map_err(|err| unreachable(err.to_string()))?;
        let answer: Answer = serde_json::from_slice(&answer)
            .map_err(|_| CodeError("Failed to parse response".to_owned()))?;
        if answer.code != 0 {
            let (code, message) = (answer.code, answer.message);
            return Err(CodeError(format!("Got error code: {code}. Got error msg: {message}")));
        }
        let output = answer.data.unwrap_or(Output { stdout: None, error: None });
        if let Some(error) = output.error.filter(|error| !error.is_empty()) {
            return Err(CodeError(error));
        }
        result(&output.stdout.unwrap_or_default())
    }
}

/// A program that calls `main` with the inputs and prints the result between tags.
///
/// The user's code comes first, so that line numbers in its errors are the editor's.
pub(super) fn program(language: Language, code: &str, inputs: &Map<String, Json>) -> String {
    let json = serde_json::to_string(inputs).unwrap_or_default();
    let encoded = base64::engine::general_purpose::STANDARD.encode(json);
    match language {
        // The call stands nine lines below the user's code, where error texts of the reference have it.
        Language::Python => format!(
            "{code}\n\n\n\n\nfrom base64 import b64decode as __decode\nimport json as __json\n\
             __inputs = __json.loads(__decode('{encoded}').decode('utf-8'))\n\n\
             __output = main(**__inputs)\n\n\
             print('{TAG}' + __json.dumps(__output, indent=4) + '{TAG}')\n"
        ),
        Language::JavaScript => format!(
            "{code}\n\n\
             var __inputs = JSON.parse(Buffer.from('{encoded}', 'base64').toString('utf-8'))\n\
             var __output = main(__inputs)\n\
             console.log('{TAG}' + JSON.stringify(__output) + '{TAG}')\n"
        ),
    }
}

/// The result in the output of a program.
pub(super) fn result(stdout: &str) -> Result<Object, CodeError> {
    let first = stdout.find(TAG);
    let last = stdout.rfind(TAG);
    let text = match (first, last) {
        (Some(first), Some(last)) if first < last => stdout.get(first + TAG.len()..last),
        _ => None,
    };
    let Some(text) = text else {
        let head: String = stdout.chars().take(200).collect();
        return Err(CodeError(format!(
            "Failed to parse result: no result tag found in response. Response: {head}..."
        )));
    };
    parse(text)
}

/// The object that JSON text of a program stands for.
pub(super) fn parse(text: &str) -> Result<Object, CodeError> {
    let json = serde_json::from_str::<Json>(text)
        .or_else(|err| serde_json::from_str(&without_specials(text)).map_err(|_| err))
        .map_err(|err| CodeError(format!("Failed to parse JSON response: {err}.")))?;
    let value = with_numbers(Value::from_json(json));
    match &value {
        Value::Object(object) => Ok((**object).clone()),
        other => Err(CodeError(format!("Result must be a dict, got {}", other.py_type()))),
    }
}

/// Python writes numbers that JSON does not know; they become null.
fn without_specials(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_text = false;
    while let Some(c) = rest.chars().next() {
        let special = ["-Infinity", "Infinity", "NaN"].into_iter().find(|it| rest.starts_with(it));
        let taken = match (is_text, special) {
            (false, Some(special)) => {
                out.push_str("null");
                special.len()
            }
            (true, _) if c == '\\' => {
                let taken = 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
                out.push_str(rest.get(..taken).unwrap_or_default());
                taken
            }
            _ => {
                is_text ^= c == '"';
                out.push(c);
                c.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

static SCIENTIFIC: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^-?\d+\.?\d*[eE][+-]\d+$").ok());

/// Texts that are numbers in scientific notation become numbers, as in the reference.
fn with_numbers(value: Value) -> Value {
    match value {
        Value::String(text) if SCIENTIFIC.as_ref().is_some_and(|it| it.is_match(&text)) => {
            text.parse().map_or(Value::String(text), Value::Float)
        }
        Value::Array(items) => items.iter().cloned().map(with_numbers).collect(),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, it)| (key.clone(), with_numbers(it.clone())));
            Value::object(entries.collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn results_are_found_and_read() {
        for (stdout, expected) in [
            ("log\n<<RESULT>>{\"a\": \"1e+5\"}<<RESULT>>", Ok(json!({"a": 100000.0}))),
            ("<<RESULT>>{\"a\": \"1e5 <<RESULT>>\"}<<RESULT>>", Ok(json!({"a": "1e5 <<RESULT>>"}))),
            (
                "<<RESULT>>{\"a\": NaN, \"b\": \"\\\"NaN\"}<<RESULT>>",
                Ok(json!({"a": null, "b": "\"NaN"})),
            ),
            ("<<RESULT>>[1]<<RESULT>>", Err("Result must be a dict, got list")),
            (
                "nothing",
                Err(
                    "Failed to parse result: no result tag found in response. Response: nothing...",
                ),
            ),
        ] {
            let expected = expected.map(Value::from_json).map_err(str::to_owned);
            assert_eq!(result(stdout).map(Value::object).map_err(|err| err.0), expected);
        }
    }

    #[test]
    fn the_call_stands_where_the_reference_has_it() {
        let program = program(Language::Python, "def main(q):\n    pass", &Map::new());
        assert_eq!(program.lines().nth(10), Some("__output = main(**__inputs)"));
    }
}
