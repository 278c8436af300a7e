//! The types a setting can have: how each is read from text and shown again.

use serde_json::{Map, Value};

/// A type of setting. `Err` is the reason, a clause that continues "NAME: …".
pub trait Kind {
    /// What the field of the group holds.
    type Value;
    /// What the table writes as the default.
    type Literal;
    /// The type in words, for documentation and errors.
    const NAME: &'static str;
    /// Text may hold a secret; numbers and switches may not.
    const TEXTUAL: bool = false;

    /// The default as a value.
    fn default(literal: Self::Literal) -> Self::Value;
    /// Reads the variable's text, which may be empty.
    ///
    /// # Errors
    /// The reason why the text is not such a value.
    fn parse(raw: &str) -> Result<Self::Value, String>;
    /// The value as the variable's text.
    fn show(value: &Self::Value) -> String;
}

/// Any text; empty is a value.
pub struct Text;
/// Text that may be absent. Empty means absent: the reference asks for truth wherever it reads one.
pub struct MaybeText;
/// `true` is true, every other word is false, as the start script and direct reads have it.
pub struct TrueWord;
/// true/false, 1/0, yes/no, on/off, t/f, y/n in any case.
pub struct Flag;
/// A whole number that may be absent; empty means absent.
pub struct MaybeInt;
/// An absolute `http://` or `https://` address, normalised (a bare host gets its slash).
pub struct HttpUrl;
/// A JSON object, or `null` for none.
pub struct JsonObject;
/// `es`, `aoss` or absent.
pub struct MaybeAwsService;

impl Kind for Text {
    type Value = String;
    type Literal = &'static str;
    const NAME: &'static str = "text";
    const TEXTUAL: bool = true;

    fn default(literal: &'static str) -> String {
        literal.to_owned()
    }

    fn parse(raw: &str) -> Result<String, String> {
        Ok(raw.to_owned())
    }

    fn show(value: &String) -> String {
        value.clone()
    }
}

impl Kind for MaybeText {
    type Value = Option<String>;
    type Literal = Option<&'static str>;
    const NAME: &'static str = "text, may be unset";
    const TEXTUAL: bool = true;

    fn default(literal: Option<&'static str>) -> Option<String> {
        literal.filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn parse(raw: &str) -> Result<Option<String>, String> {
        Ok((!raw.is_empty()).then(|| raw.to_owned()))
    }

    fn show(value: &Option<String>) -> String {
        value.clone().unwrap_or_default()
    }
}

impl Kind for TrueWord {
    type Value = bool;
    type Literal = bool;
    const NAME: &'static str = "true or anything else";

    fn default(literal: bool) -> bool {
        literal
    }

    fn parse(raw: &str) -> Result<bool, String> {
        Ok(raw.trim().eq_ignore_ascii_case("true"))
    }

    fn show(value: &bool) -> String {
        value.to_string()
    }
}

impl Kind for Flag {
    type Value = bool;
    type Literal = bool;
    const NAME: &'static str = "switch";

    fn default(literal: bool) -> bool {
        literal
    }

    fn parse(raw: &str) -> Result<bool, String> {
        match raw.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" | "t" | "y" => Ok(true),
            "false" | "0" | "no" | "off" | "f" | "n" => Ok(false),
            "" => Err("is empty; a switch needs true or false".into()),
            _ => Err("is not a switch (true/false, 1/0, yes/no, on/off, t/f, y/n)".into()),
        }
    }

    fn show(value: &bool) -> String {
        value.to_string()
    }
}

fn parse_int(raw: &str) -> Result<i64, String> {
    let text = raw.trim();
    if text.is_empty() {
        return Err("is empty; a whole number is needed".into());
    }
    // Like the reference: digits may be grouped with single underscores, and 5.0 is 5.
    let grouped_badly = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    let digits = text.replace('_', "");
    let whole = match digits.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        _ => &digits,
    };
    if grouped_badly {
        return Err("is not a whole number".into());
    }
    whole.parse().map_err(|_| "is not a whole number".into())
}

fn parse_float(raw: &str) -> Result<f64, String> {
    let text = raw.trim();
    if text.is_empty() {
        return Err("is empty; a number is needed".into());
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_nan() => Err("is not a number".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("is not a number".into()),
    }
}

impl Kind for MaybeInt {
    type Value = Option<i64>;
    type Literal = Option<i64>;
    const NAME: &'static str = "whole number, may be unset";

    fn default(literal: Option<i64>) -> Option<i64> {
        literal
    }

    fn parse(raw: &str) -> Result<Option<i64>, String> {
        if raw.trim().is_empty() { Ok(None) } else { parse_int(raw).map(Some) }
    }

    fn show(value: &Option<i64>) -> String {
        value.map(|number| number.to_string()).unwrap_or_default()
    }
}

impl Kind for HttpUrl {
    type Value = String;
    type Literal = &'static str;
    const NAME: &'static str = "http(s) address";
    const TEXTUAL: bool = true;

    fn default(literal: &'static str) -> String {
        literal.to_owned()
    }

    fn parse(raw: &str) -> Result<String, String> {
        let parsed = url::Url::parse(raw.trim()).map_err(|why| format!("is not a URL: {why}"))?;
        match parsed.scheme() {
            "http" | "https" => Ok(parsed.into()),
            other => Err(format!("must begin with http:// or https://, not {other}://")),
        }
    }

    fn show(value: &String) -> String {
        value.clone()
    }
}

impl Kind for JsonObject {
    type Value = Option<Map<String, Value>>;
    type Literal = Option<()>;
    const NAME: &'static str = "JSON object";
    const TEXTUAL: bool = true;

    fn default(_: Option<()>) -> Self::Value {
        None
    }

    fn parse(raw: &str) -> Result<Self::Value, String> {
        match serde_json::from_str(raw) {
            Ok(Value::Object(object)) => Ok(Some(object)),
            Ok(Value::Null) => Ok(None),
            Ok(_) => Err("is not a JSON object".into()),
            Err(why) => Err(format!("is not JSON: {why}")),
        }
    }

    fn show(value: &Self::Value) -> String {
        value.as_ref().map(|o| serde_json::to_string(o).unwrap_or_default()).unwrap_or_default()
    }
}

impl Kind for MaybeAwsService {
    type Value = Option<String>;
    type Literal = Option<&'static str>;
    const NAME: &'static str = "es or aoss, may be unset";

    fn default(literal: Option<&'static str>) -> Option<String> {
        literal.map(str::to_owned)
    }

    fn parse(raw: &str) -> Result<Option<String>, String> {
        match raw {
            "" => Ok(None),
            "es" | "aoss" => Ok(Some(raw.to_owned())),
            _ => Err("is not one of es, aoss".into()),
        }
    }

    fn show(value: &Option<String>) -> String {
        value.clone().unwrap_or_default()
    }
}

macro_rules! number {
    ($($kind:ident($value:ty, $parse:ident) $words:literal where $number:ident: $holds:expr, else $why:literal;)+) => {
        $(
            #[doc = concat!("A ", $words, ".")]
            pub struct $kind;

            impl Kind for $kind {
                type Value = $value;
                type Literal = $value;
                const NAME: &'static str = $words;

                fn default(literal: $value) -> $value {
                    literal
                }

                fn parse(raw: &str) -> Result<$value, String> {
                    let $number = $parse(raw)?;
                    if $holds { Ok($number) } else { Err($why.into()) }
                }

                fn show(value: &$value) -> String {
                    value.to_string()
                }
            }
        )+
    };
}

number! {
    Int(i64, parse_int) "whole number" where n: (i64::MIN..=i64::MAX).contains(&n), else "is out of range";
    Positive(i64, parse_int) "whole number > 0" where n: n > 0, else "must be greater than 0";
    Natural(i64, parse_int) "whole number >= 0" where n: n >= 0, else "must not be negative";
    Negative(i64, parse_int) "whole number < 0" where n: n < 0, else "must be less than 0";
    Float(f64, parse_float) "number" where n: !n.is_nan(), else "is not a number";
    PositiveFloat(f64, parse_float) "number > 0" where n: n > 0.0, else "must be greater than 0";
    NaturalFloat(f64, parse_float) "number >= 0" where n: n >= 0.0, else "must not be negative";
    TenthOrMore(f64, parse_float) "number >= 0.1" where n: n >= 0.1, else "must be at least 0.1";
}

macro_rules! choice {
    ($($kind:ident $about:literal: $first:literal $(| $other:literal)*;)+) => {
        $(
            #[doc = $about]
            pub struct $kind;

            impl Kind for $kind {
                type Value = String;
                type Literal = &'static str;
                const NAME: &'static str = concat!("one of ", $first $(, ", ", $other)*);

                fn default(literal: &'static str) -> String {
                    literal.to_owned()
                }

                fn parse(raw: &str) -> Result<String, String> {
                    match raw {
                        $first $(| $other)* => Ok(raw.to_owned()),
                        _ => Err(format!("is not {}", Self::NAME)),
                    }
                }

                fn show(value: &String) -> String {
                    value.clone()
                }
            }
        )+
    };
}

choice! {
    DatabaseType "Which database server.": "postgresql" | "mysql" | "oceanbase" | "seekdb";
    ChannelType "How events travel between nodes.": "pubsub" | "sharded" | "streams";
    StorageType "Where files are kept.": "opendal" | "s3" | "aliyun-oss" | "azure-blob" | "baidu-obs" | "clickzetta-volume" | "google-storage" | "huawei-obs" | "oci-storage" | "tencent-cos" | "volcengine-tos" | "supabase" | "local";
    S3AddressStyle "How a bucket is put into an address.": "auto" | "virtual" | "path";
    LogOutput "Form of the log.": "text" | "json";
    SendFormat "How files reach a model.": "base64" | "url";
    TemplateMode "How far mail bodies are templates.": "unsafe" | "sandbox" | "disabled";
    OpenSearchAuth "How OpenSearch is signed in to.": "basic" | "aws_managed_iam";
    HologresDistance "Distance of Hologres.": "Euclidean" | "InnerProduct" | "Cosine";
    HologresQuantisation "Quantisation of Hologres.": "sq8" | "sq8_uniform" | "fp16" | "fp32" | "rabitq";
    HologresTokenizer "Tokenizer of Hologres.": "jieba" | "ik" | "icu" | "whitespace" | "standard" | "keyword" | "simple" | "ngram" | "pinyin";
    OceanBaseMetric "Distance of OceanBase.": "l2" | "cosine" | "inner_product";
    DisconnectedRun "What happens to a run whose client went away.": "finish" | "cancel";
}
