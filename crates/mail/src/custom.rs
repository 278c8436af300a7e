//! Mail whose text an operator's own system brings (`/inner/api/…/mail`).

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, Value};

use crate::error::MailError;

/// Steps a template may take; enough for any mail, an end to any loop.
const FUEL: u64 = 1_000_000;

/// `MAIL_TEMPLATING_MODE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TemplatingMode {
    /// `unsafe`: variables are escaped. The engine is the same; there is nothing unsafe to reach in it.
    Unsafe,
    /// `sandbox`: variables are put in as they are.
    #[default]
    Sandbox,
    /// `disabled`: the text is sent as it is.
    Disabled,
}

impl std::str::FromStr for TemplatingMode {
    type Err = MailError;

    fn from_str(text: &str) -> Result<Self, MailError> {
        match text {
            "unsafe" => Ok(Self::Unsafe),
            "sandbox" => Ok(Self::Sandbox),
            "disabled" => Ok(Self::Disabled),
            other => Err(MailError::Config(format!("unsupported mail templating mode: {other}"))),
        }
    }
}

/// Fills a text with its substitutions. Takes bounded time whatever the text says.
///
/// # Errors
/// [`MailError::Template`] if it does not parse or runs too long.
pub fn render_custom<'a>(
    body: &str,
    substitutions: impl IntoIterator<Item = (&'a str, &'a str)>,
    mode: TemplatingMode,
) -> Result<String, MailError> {
    if mode == TemplatingMode::Disabled {
        return Ok(body.to_owned());
    }
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(move |_| match mode {
        TemplatingMode::Unsafe => AutoEscape::Html,
        TemplatingMode::Sandbox | TemplatingMode::Disabled => AutoEscape::None,
    });
    let variables: BTreeMap<String, Value> = substitutions
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    Ok(environment.render_str(body, Value::from(variables))?)
}

#[cfg(test)]
mod tests {
    use super::{TemplatingMode, render_custom};

    #[test]
    fn texts_are_filled_by_mode() {
        fn check(mode: TemplatingMode, expected: &str) {
            let found = render_custom("Hi {{ name }}!", [("name", "<b>")], mode).unwrap();
            assert_eq!(found, expected);
        }
        check(TemplatingMode::Sandbox, "Hi <b>!");
        check(TemplatingMode::Unsafe, "Hi &lt;b&gt;!");
        check(TemplatingMode::Disabled, "Hi {{ name }}!");
    }

    #[test]
    fn endless_texts_end() {
        let body =
            "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}";
        assert!(render_custom(body, [], TemplatingMode::Sandbox).is_err());
        assert!(render_custom("{{ ", [], TemplatingMode::Sandbox).is_err());
    }
}
