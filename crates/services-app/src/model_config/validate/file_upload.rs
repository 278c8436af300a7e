//! `file_upload`.

use serde_json::{Value, json};

use super::{Checked, ConfigError};
use crate::json::{Object, truthy, type_name, validation_text};

const TYPES: [&str; 5] = ["image", "document", "audio", "video", "custom"];
const METHODS: [&str; 4] = ["remote_url", "local_file", "tool_file", "datasource_file"];
const DETAILS: [&str; 2] = ["low", "high"];

/// Checks `file_upload`; nothing becomes `{}`.
///
/// # Errors
/// [`ConfigError::Invalid`] naming every field that does not fit.
pub fn check(config: &mut Object) -> Checked {
    match config.get("file_upload") {
        Some(upload) if truthy(upload) => fits(upload),
        _ => {
            config.insert("file_upload".to_owned(), json!({}));
            Ok(())
        }
    }
}

fn fits(upload: &Value) -> Checked {
    let mut faults = Faults::default();
    match upload.as_object() {
        None => {
            faults.add("", "Input should be a valid dictionary or instance of FileUploadConfig");
        }
        Some(upload) => {
            match upload.get("image_config") {
                None | Some(Value::Null) => {}
                Some(Value::Object(image)) => {
                    faults.integer(image, "image_config.", "number_limits");
                    faults.list(image, "image_config.", "transfer_methods", Some(&METHODS));
                    match image.get("detail") {
                        None | Some(Value::Null) => {}
                        Some(detail) => faults.one_of("image_config.detail", detail, &DETAILS),
                    }
                }
                Some(other) => {
                    faults.add(
                        "image_config",
                        &expected("dictionary or instance of ImageConfig", "model_type", other),
                    );
                }
            }
            faults.list(upload, "", "allowed_file_types", Some(&TYPES));
            faults.list(upload, "", "allowed_file_extensions", None);
            faults.list(upload, "", "allowed_file_upload_methods", Some(&METHODS));
            faults.integer(upload, "", "number_limits");
        }
    }
    if faults.0.is_empty() {
        return Ok(());
    }
    Err(ConfigError::Invalid(validation_text("FileUploadConfig", &faults.0)))
}

#[derive(Default)]
struct Faults(Vec<(String, String)>);

impl Faults {
    fn add(&mut self, path: &str, message: &str) {
        self.0.push((path.to_owned(), message.to_owned()));
    }

    fn integer(&mut self, map: &Object, prefix: &str, key: &str) {
        let Some(value) = map.get(key) else { return };
        let fits = match value {
            Value::Bool(_) => true,
            Value::Number(number) => number.as_f64().is_some_and(|number| number.fract() == 0.0),
            Value::String(text) => text.trim().parse::<i64>().is_ok(),
            _ => false,
        };
        if !fits {
            self.add(&format!("{prefix}{key}"), &expected("integer", "int_type", value));
        }
    }

    fn list(&mut self, map: &Object, prefix: &str, key: &str, options: Option<&[&str]>) {
        let Some(value) = map.get(key) else { return };
        let path = format!("{prefix}{key}");
        let Some(items) = value.as_array() else {
            self.add(&path, &expected("list", "list_type", value));
            return;
        };
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}.{index}");
            match options {
                Some(options) => self.one_of(&path, item, options),
                None if item.is_string() => {}
                None => self.add(&path, &expected("string", "string_type", item)),
            }
        }
    }

    fn one_of(&mut self, path: &str, value: &Value, options: &[&str]) {
        if value.as_str().is_some_and(|word| options.contains(&word)) {
            return;
        }
        let options: Vec<_> = options.iter().map(|option| format!("'{option}'")).collect();
        let kind = type_name(value);
        self.add(
            path,
            &format!("Input should be {} [type=enum, input_type={kind}]", options.join(", ")),
        );
    }
}

fn expected(what: &str, code: &str, value: &Value) -> String {
    format!("Input should be a valid {what} [type={code}, input_type={}]", type_name(value))
}
