//! The prompt syntax of basic apps: `{{variable}}` and the placeholders `{{#context#}}`,
//! `{{#histories#}}` and `{{#query#}}`.

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
