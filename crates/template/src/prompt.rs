//! The prompt syntax of basic apps: `{{variable}}` and the placeholders `{{#context#}}`,
//! `{{#histories#}}` and `{{#query#}}`.

use std::borrow::Cow;

/// Longest name of a variable, in bytes (names are ASCII).
const LONGEST_NAME: usize = 30;

/// Names that stand for something the server puts in.
const PLACEHOLDERS: [&str; 3] = ["#histories#", "#query#", "#context#"];

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Literal text, never empty.
    Text(&'a str),
    /// What stands between `{{` and `}}`.
    Variable(&'a str),
}

/// The pieces of a template in order.
pub fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = template;
    let mut pending = None;
    std::iter::from_fn(move || {
        if let Some(name) = pending.take() {
            return Some(Part::Variable(name));
        }
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        while let Some(at) = rest.get(from..).and_then(|text| text.find("{{")) {
            let at = from + at;
            if let Some(name) = rest.get(at + 2..).and_then(name_before_braces) {
                let text = rest.get(..at).unwrap_or_default();
                rest = rest.get(at + name.len() + 4..).unwrap_or_default();
                if text.is_empty() {
                    return Some(Part::Variable(name));
                }
                pending = Some(name);
                return Some(Part::Text(text));
            }
            from = at + 1;
        }
        Some(Part::Text(std::mem::take(&mut rest)))
    })
}

/// The name at the start of `text` if `}}` follows it.
fn name_before_braces(text: &str) -> Option<&str> {
    let placeholder = PLACEHOLDERS.into_iter().find(|name| text.starts_with(name));
    let length = match placeholder {
        Some(name) => name.len(),
        None => {
            let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let length = text.bytes().take_while(|byte| is_word(byte)).count();
            let digit_first = text.starts_with(|c: char| c.is_ascii_digit());
            if length == 0 || LONGEST_NAME < length || digit_first {
                return None;
            }
            length
        }
    };
    text.get(length..)?.starts_with("}}").then(|| text.get(..length))?
}

/// The names a template refers to, in order, repeated ones repeatedly.
pub fn names(template: &str) -> impl Iterator<Item = &str> {
    parts(template).filter_map(|part| match part {
        Part::Variable(name) => Some(name),
        Part::Text(_) => None,
    })
}

/// `template` with every variable replaced by what `value` says of it. A variable without value keeps one pair of its
/// braces, and so do variables inside values, so that no later pass replaces them; `<|…|>` is removed.
#[must_use]
pub fn format<'v>(template: &str, mut value: impl FnMut(&str) -> Option<Cow<'v, str>>) -> String {
    let mut out = String::with_capacity(template.len());
    for part in parts(template) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Variable(name) => match value(name) {
                Some(text) => out.push_str(&without_variables(&text)),
                None => push_single(&mut out, name),
            },
        }
    }
    if out.contains("<|") { without_special_tokens(&out) } else { out }
}

/// `text` with one pair of braces taken from each variable.
#[must_use]
pub fn without_variables(text: &str) -> Cow<'_, str> {
    if !text.contains("{{") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Variable(name) => push_single(&mut out, name),
        }
    }
    Cow::Owned(out)
}

fn push_single(out: &mut String, name: &str) {
    out.push('{');
    out.push_str(name);
    out.push('}');
}

/// `text` without `<|…|>`, which models may read as control tokens.
#[must_use]
pub fn without_special_tokens(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<|") {
        out.push_str(before);
        // As in a regular expression without "dot matches new line".
        match after.split_once("|>") {
            Some((inside, after)) if !inside.contains('\n') => rest = after,
            _ => {
                out.push_str("<|");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found() {
        for (template, expected) in [
            ("", vec![]),
            ("plain {{ spaced }} {{1a}} {{#other#}}", vec![]),
            ("{{a}}{{b_1}}", vec!["a", "b_1"]),
            ("{{{a}}}", vec!["a"]),
            (
                "{{#context#}} {{#query#}} {{#histories#}}",
                vec!["#context#", "#query#", "#histories#"],
            ),
            ("{{ä}} {{a", vec![]),
            ("{{abcdefghijabcdefghijabcdefghij}}", vec!["abcdefghijabcdefghijabcdefghij"]),
            ("{{abcdefghijabcdefghijabcdefghijk}}", vec![]),
        ] {
            assert_eq!(names(template).collect::<Vec<_>>(), expected, "{template}");
        }
        assert_eq!(
            parts("a{{{b}}}").collect::<Vec<_>>(),
            [Part::Text("a{"), Part::Variable("b"), Part::Text("}")]
        );
    }

    #[test]
    fn values_are_put_in_once() {
        let text =
            format("You are {{who}}, {{what}}, {{ spaced }}. <|im_end|>{{#query#}}", |name| {
                (name == "who").then_some(Cow::Borrowed("Ülkü {{who}}"))
            });
        assert_eq!(text, "You are Ülkü {who}, {what}, {{ spaced }}. {#query#}");
    }

    proptest::proptest! {
        #[test]
        fn formatting_never_fails(template in ".*", value in ".*") {
            let _ = format(&template, |_| Some(Cow::Borrowed(&value)));
        }

        #[test]
        fn pieces_make_up_the_template(template in "(\\{\\{[a-z_]{1,3}\\}\\}|\\{|.){0,8}") {
            let whole: String = parts(&template)
                .map(|part| match part {
                    Part::Text(text) => text.to_owned(),
                    Part::Variable(name) => format!("{{{{{name}}}}}"),
                })
                .collect();
            proptest::prop_assert_eq!(whole, template);
        }
    }
}
