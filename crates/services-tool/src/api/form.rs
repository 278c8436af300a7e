//! Credentials of APIs.

use plugin::entity::{I18n, ProviderConfig, ProviderConfigOption};
use serde_json::{Map, Value};

use crate::{ToolError, builtin::text};

/// How an API knows its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auth {
    None,
    Header,
    Query,
}

impl Auth {
    /// What credentials say, in one of the reference's spellings.
    pub fn of(credentials: &Map<String, Value>) -> Result<Self, ToolError> {
        let Some(kind) = credentials.get("auth_type") else {
            return Err(ToolError::invalid("auth_type is required"));
        };
        match kind.as_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "none" => Ok(Self::None),
            "api_key_header" | "api_key" => Ok(Self::Header),
            "api_key_query" => Ok(Self::Query),
            _ => {
                let shown = match kind {
                    Value::String(text) => format!("'{text}'"),
                    other => other.to_string(),
                };
                Err(ToolError::Invalid(format!(
                    "invalid mode value {shown}, expected one of: none, api_key_header, api_key_query"
                )))
            }
        }
    }

    /// What stored credentials say; what makes no sense counts as none.
    pub fn of_stored(credentials: &Map<String, Value>) -> Self {
        Self::of(credentials).unwrap_or(Self::None)
    }

    /// What credentials of this kind hold.
    pub fn form(self) -> Vec<ProviderConfig> {
        let mut form = vec![select(
            "auth_type",
            true,
            "none",
            text("The auth type of the api provider", "api provider 的认证类型"),
            &[
                ("none", "None", "无"),
                ("api_key_header", "Header", "请求头"),
                ("api_key_query", "Query Param", "查询参数"),
            ],
        )];
        let key = field("secret-input", "api_key_value", true, None);
        match self {
            Self::None => {}
            Self::Header => {
                form.push(field("text-input", "api_key_header", false, Some("Authorization")));
                form.push(key);
                form.push(select(
                    "api_key_header_prefix",
                    false,
                    "basic",
                    text("The prefix of the api key header", "api key header 的前缀"),
                    &[
                        ("basic", "Basic", "Basic"),
                        ("bearer", "Bearer", "Bearer"),
                        ("custom", "Custom", "Custom"),
                    ],
                ));
            }
            Self::Query => {
                form.push(field("text-input", "api_key_query_param", false, Some("key")));
                form.push(key);
            }
        }
        form
    }

    /// The secret among them.
    pub fn secrets(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Header | Self::Query => &["api_key_value"],
        }
    }
}

fn field(kind: &str, name: &str, required: bool, default: Option<&str>) -> ProviderConfig {
    ProviderConfig {
        kind: kind.to_owned(),
        name: name.to_owned(),
        scope: None,
        required,
        default: default.map(Value::from),
        options: None,
        multiple: Some(false),
        label: None,
        help: None,
        url: None,
        placeholder: None,
    }
}

fn select(
    name: &str,
    required: bool,
    default: &str,
    help: I18n,
    options: &[(&str, &str, &str)],
) -> ProviderConfig {
    let option = |(value, english, chinese): &(&str, &str, &str)| ProviderConfigOption {
        value: (*value).to_owned(),
        label: text(english, chinese),
    };
    ProviderConfig {
        options: Some(options.iter().map(option).collect()),
        help: Some(help),
        ..field("select", name, required, Some(default))
    }
}

/// The form that goes along with a schema that was read: older than the one credentials are checked against.
#[must_use]
pub fn described_form() -> Vec<ProviderConfig> {
    let kinds = select(
        "auth_type",
        true,
        "none",
        I18n::default(),
        &[("none", "None", "无"), ("api_key", "Api Key", "Api Key")],
    );
    vec![
        ProviderConfig {
            help: None,
            placeholder: Some(text("Select auth type", "选择认证方式")),
            ..kinds
        },
        ProviderConfig {
            help: Some(text("HTTP header name for api key", "HTTP 头部字段名，用于传递 api key")),
            placeholder: Some(text("Enter api key header", "输入 api key header，如：X-API-KEY")),
            ..field("text-input", "api_key_header", false, Some("api_key"))
        },
        ProviderConfig {
            placeholder: Some(text("Enter api key", "输入 api key")),
            ..field("text-input", "api_key_value", false, Some(""))
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn older_spellings_are_understood() {
        let of = |kind: Value| {
            Auth::of(json!({"auth_type": kind}).as_object().unwrap()).map_err(|err| err.to_string())
        };
        assert_eq!(of(json!("none")), Ok(Auth::None));
        assert_eq!(of(json!("api_key")), Ok(Auth::Header));
        assert_eq!(of(json!("api_key_query")), Ok(Auth::Query));
        assert_eq!(
            of(json!("handshake")).unwrap_err(),
            "invalid mode value 'handshake', expected one of: none, api_key_header, api_key_query"
        );
        assert_eq!(Auth::of(&Map::new()).unwrap_err().to_string(), "auth_type is required");
    }
}
