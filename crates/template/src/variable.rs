//! `{{#node.variable.path#}}`: references to workflow variables inside templates.

use std::sync::LazyLock;

use regex::Regex;

/// A node id of up to 50 word characters, then one to ten names of up to 30.
static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\{\{#([a-zA-Z0-9_]{1,50}(?:\.[a-zA-Z_][a-zA-Z0-9_]{0,29}){1,10})#\}\}").ok()
});

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Literal text, never empty.
    Text(&'a str),
    /// A reference: what stands between `{{#` and `#}}`, as `node.variable`.
    Variable(&'a str),
}

impl<'a> Part<'a> {
    /// The piece's text; a reference without its braces.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        match self {
            Self::Text(text) | Self::Variable(text) => text,
        }
    }
}

/// The pieces of `template` in order.
#[must_use]
pub fn parts(template: &str) -> Vec<Part<'_>> {
    let Some(pattern) = PATTERN.as_ref().filter(|_| template.contains("{{#")) else {
        return if template.is_empty() { Vec::new() } else { vec![Part::Text(template)] };
    };
    let mut parts = Vec::new();
    let mut end = 0;
    for found in pattern.captures_iter(template) {
        let (Some(whole), Some(inner)) = (found.get(0), found.get(1)) else { continue };
        if let Some(text) = template.get(end..whole.start())
            && !text.is_empty()
        {
            parts.push(Part::Text(text));
        }
        parts.push(Part::Variable(inner.as_str()));
        end = whole.end();
    }
    if let Some(text) = template.get(end..)
        && !text.is_empty()
    {
        parts.push(Part::Text(text));
    }
    parts
}

/// The selectors that `template` refers to, each once, in order of appearance.
#[must_use]
pub fn selectors(template: &str) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    for part in parts(template) {
        if let Part::Variable(name) = part {
            let selector: Vec<String> = name.split('.').map(str::to_owned).collect();
            if !found.contains(&selector) {
                found.push(selector);
            }
        }
    }
    found
}

/// `template` with every reference replaced by what `value` returns for it (its text with the
/// `#`s, as `#node.variable#`). References without value stay; references inside values lose one
/// pair of braces, so that they are not replaced in a later pass; `<|…|>` is removed.
#[must_use]
pub fn format(template: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len());
    for part in parts(template) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Variable(name) => {
                let key = format!("#{name}#");
                let text = value(&key).unwrap_or_else(|| format!("{{{{{key}}}}}"));
                for part in parts(&text) {
                    match part {
                        Part::Text(text) => out.push_str(text),
                        Part::Variable(name) => {
                            out.push_str("{#");
                            out.push_str(name);
                            out.push_str("#}");
                        }
                    }
                }
            }
        }
    }
    crate::prompt::without_special_tokens(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_split() {
        assert_eq!(
            parts("a {{#n1.text#}}{{#sys.query#}} {{#bad#}} {{ #x.y# }}"),
            [
                Part::Text("a "),
                Part::Variable("n1.text"),
                Part::Variable("sys.query"),
                Part::Text(" {{#bad#}} {{ #x.y# }}"),
            ]
        );
        assert_eq!(parts(""), []);
        assert_eq!(parts("{{#a.1b#}}"), [Part::Text("{{#a.1b#}}")]);
    }

    #[test]
    fn values_are_put_in() {
        let text = format("{{#a.b#}}-{{#a.c#}}<|im_end|>", |key| {
            (key == "#a.b#").then(|| "x {{#e.f#}}".to_owned())
        });
        assert_eq!(text, "x {#e.f#}-{#a.c#}");
    }

    proptest::proptest! {
        #[test]
        fn pieces_make_up_the_template(
            template in "(\\{\\{#[a-z]{1,3}(\\.[a-z0-9]{1,3}){0,2}#\\}\\}|.){0,8}"
        ) {
            let whole: String = parts(&template)
                .into_iter()
                .map(|part| match part {
                    Part::Text(text) => text.to_owned(),
                    Part::Variable(name) => format!("{{{{#{name}#}}}}"),
                })
                .collect();
            proptest::prop_assert_eq!(whole, template);
        }
    }
}
