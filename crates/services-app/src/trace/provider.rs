//! The tracing providers: their fields, which of them are secret, what is filled in.

use serde_json::{Value, json};

use super::url::{self, Form};
use crate::json::{Object, text, type_name, validation_text};

/// A tracing provider.
#[derive(Debug)]
pub struct Provider {
    /// Its name on the wire.
    pub name: &'static str,
    /// The reference's name of its credentials, in messages.
    model: &'static str,
    /// Fields that are encrypted and masked.
    pub secrets: &'static [&'static str],
    fields: &'static [Field],
}

#[derive(Debug)]
struct Field {
    name: &'static str,
    rule: Rule,
}

#[derive(Debug)]
enum Rule {
    /// Must be given.
    Required,
    /// Must be given, and be more than blanks.
    Filled(&'static str),
    /// May be missing.
    Optional,
    /// A name with a default.
    Named(&'static str),
    /// An address with a default; the second half says whether it must be given.
    Address(Form, bool),
    /// Digits, with a default if there is one.
    Digits(Option<&'static str>),
}

const fn field(name: &'static str, rule: Rule) -> Field {
    Field { name, rule }
}

const fn address(name: &'static str, default: &'static str, with_path: bool) -> Field {
    field(name, Rule::Address(Form { default, https_only: false, with_path, suffix: "" }, false))
}

const fn https(name: &'static str, default: &'static str) -> Field {
    field(
        name,
        Rule::Address(Form { default, https_only: true, with_path: false, suffix: "" }, false),
    )
}

const PROVIDERS: &[Provider] = &[
    Provider {
        name: "langfuse",
        model: "LangfuseConfig",
        secrets: &["public_key", "secret_key"],
        fields: &[
            field("public_key", Rule::Required),
            field("secret_key", Rule::Required),
            address("host", "https://api.langfuse.com", true),
        ],
    },
    Provider {
        name: "langsmith",
        model: "LangSmithConfig",
        secrets: &["api_key"],
        fields: &[
            field("api_key", Rule::Required),
            field("project", Rule::Required),
            https("endpoint", "https://api.smith.langchain.com"),
        ],
    },
    Provider {
        name: "opik",
        model: "OpikConfig",
        secrets: &["api_key"],
        fields: &[
            field("api_key", Rule::Optional),
            field("project", Rule::Named("Default Project")),
            field("workspace", Rule::Optional),
            field(
                "url",
                Rule::Address(
                    Form {
                        default: "https://www.comet.com/opik/api/",
                        https_only: false,
                        with_path: true,
                        suffix: "/api/",
                    },
                    false,
                ),
            ),
        ],
    },
    Provider {
        name: "weave",
        model: "WeaveConfig",
        secrets: &["api_key"],
        fields: &[
            field("api_key", Rule::Required),
            field("entity", Rule::Optional),
            field("project", Rule::Required),
            https("endpoint", "https://trace.wandb.ai"),
            field("host", Rule::Optional),
        ],
    },
    Provider {
        name: "arize",
        model: "ArizeConfig",
        secrets: &["api_key", "space_id"],
        fields: &[
            field("api_key", Rule::Optional),
            field("space_id", Rule::Optional),
            field("project", Rule::Named("default")),
            address("endpoint", "https://otlp.arize.com", false),
        ],
    },
    Provider {
        name: "phoenix",
        model: "PhoenixConfig",
        secrets: &["api_key"],
        fields: &[
            field("api_key", Rule::Optional),
            field("project", Rule::Named("default")),
            address("endpoint", "https://app.phoenix.arize.com", true),
        ],
    },
    Provider {
        name: "aliyun",
        model: "AliyunConfig",
        secrets: &["license_key"],
        fields: &[
            field("app_name", Rule::Named("dify_app")),
            field("license_key", Rule::Filled("License key cannot be empty")),
            field(
                "endpoint",
                Rule::Address(
                    Form {
                        default: "https://tracing-analysis-dc-hz.aliyuncs.com",
                        https_only: false,
                        with_path: true,
                        suffix: "",
                    },
                    true,
                ),
            ),
        ],
    },
    Provider {
        name: "tencent",
        model: "TencentConfig",
        secrets: &["token"],
        fields: &[
            field("token", Rule::Filled("Token cannot be empty")),
            field(
                "endpoint",
                Rule::Address(
                    Form {
                        default: "https://apm.tencentcloudapi.com",
                        https_only: false,
                        with_path: false,
                        suffix: "",
                    },
                    true,
                ),
            ),
            field("service_name", Rule::Required),
        ],
    },
    Provider {
        name: "mlflow",
        model: "MLflowConfig",
        secrets: &["password"],
        fields: &[
            address("tracking_uri", "http://localhost:5000", true),
            field("experiment_id", Rule::Digits(Some("0"))),
            field("username", Rule::Optional),
            field("password", Rule::Optional),
        ],
    },
    Provider {
        name: "databricks",
        model: "DatabricksConfig",
        secrets: &["personal_access_token", "client_secret"],
        fields: &[
            field("experiment_id", Rule::Digits(None)),
            field("host", Rule::Required),
            field("client_id", Rule::Optional),
            field("client_secret", Rule::Optional),
            field("personal_access_token", Rule::Optional),
        ],
    },
];

impl Provider {
    /// The provider of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        PROVIDERS.iter().find(|provider| provider.name == name)
    }

    /// The credentials with every field of the provider and no other, defaults filled in; or what is wrong with them
    /// in the reference's layout.
    ///
    /// # Errors
    /// The text for the client.
    pub fn complete(&self, given: &Object) -> Result<Object, String> {
        let mut faults = Vec::new();
        let mut complete = Object::new();
        for Field { name, rule } in self.fields {
            match settle(rule, given.get(*name)) {
                Ok(value) => {
                    complete.insert((*name).to_owned(), value);
                }
                Err(fault) => faults.push(((*name).to_owned(), fault)),
            }
        }
        if faults.is_empty() { Ok(complete) } else { Err(validation_text(self.model, &faults)) }
    }

    /// The page of the provider on which the traces are.
    #[must_use]
    pub fn page(&self, clear: &Object) -> String {
        let at = |key: &str| text(clear, key).unwrap_or_default().trim_end_matches('/').to_owned();
        match self.name {
            "langfuse" => format!("{}/", at("host")),
            "langsmith" => "https://smith.langchain.com/".to_owned(),
            "opik" => "https://www.comet.com/opik/".to_owned(),
            "weave" => "https://wandb.ai/".to_owned(),
            "arize" => "https://app.arize.com/".to_owned(),
            "phoenix" => "https://app.phoenix.arize.com/projects/".to_owned(),
            "aliyun" => "https://arms.console.aliyun.com/".to_owned(),
            "tencent" => "https://console.cloud.tencent.com/apm".to_owned(),
            "mlflow" => format!("{}/", at("tracking_uri")),
            _ => "https://www.databricks.com/".to_owned(),
        }
    }
}

fn settle(rule: &Rule, given: Option<&Value>) -> Result<Value, String> {
    let given = match given {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.as_str()),
        Some(other) => {
            let kind = type_name(other);
            return Err(format!(
                "Input should be a valid string [type=string_type, input_type={kind}]"
            ));
        }
    };
    let missing = || "Field required [type=missing]".to_owned();
    let wrong =
        |message: &str| format!("Value error, {message} [type=value_error, input_type=str]");
    match rule {
        Rule::Required => given.map(|text| json!(text)).ok_or_else(missing),
        Rule::Filled(message) => {
            let text = given.ok_or_else(missing)?;
            if text.trim().is_empty() { Err(wrong(message)) } else { Ok(json!(text)) }
        }
        Rule::Optional => Ok(json!(given)),
        Rule::Named(default) => {
            let name = given.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(default);
            Ok(json!(name))
        }
        Rule::Address(form, required) => {
            if *required && given.is_none() {
                return Err(missing());
            }
            let address = url::settle(given.unwrap_or_default(), *form);
            address.map(Value::String).map_err(|message| wrong(&message))
        }
        Rule::Digits(default) => {
            let text = given.or(*default).ok_or_else(missing)?.trim();
            if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
                Ok(json!(text))
            } else {
                Err(wrong("ID must be a valid integer"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_completed_or_refused() {
        for (name, given, expected) in [
            ("langfuse", json!({}), Err("2 validation errors for LangfuseConfig\npublic_key\n")),
            (
                "langfuse",
                json!({"public_key": "p", "secret_key": "s", "x": 1}),
                Ok(
                    json!({"public_key": "p", "secret_key": "s", "host": "https://api.langfuse.com"}),
                ),
            ),
            (
                "opik",
                json!({}),
                Ok(
                    json!({"api_key": null, "project": "Default Project", "workspace": null, "url": "https://www.comet.com/opik/api/"}),
                ),
            ),
            (
                "mlflow",
                json!({"experiment_id": "x"}),
                Err("1 validation error for MLflowConfig\nexperiment_id\n"),
            ),
            (
                "tencent",
                json!({"token": " ", "endpoint": "", "service_name": "s"}),
                Err("1 validation error for TencentConfig\ntoken\n"),
            ),
            (
                "weave",
                json!({"api_key": 5, "project": "p"}),
                Err("1 validation error for WeaveConfig\napi_key\n"),
            ),
        ] {
            let given = given.as_object().unwrap();
            match (Provider::find(name).unwrap().complete(given), expected) {
                (Ok(got), Ok(expected)) => assert_eq!(Value::Object(got), expected, "{name}"),
                (Err(got), Err(expected)) => assert!(got.starts_with(expected), "{got}"),
                (got, expected) => panic!("{name}: {got:?} instead of {expected:?}"),
            }
        }
        assert!(Provider::find("abacus").is_none());
    }
}
