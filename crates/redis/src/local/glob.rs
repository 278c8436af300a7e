//! Redis key patterns: `*`, `?`, `[abc]`, `[^a-z]`, `\x`.

/// True when `text` matches `pattern` as a whole.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Backtracks to the last star only, which is enough and keeps the cost at |pattern|·|text|.
    let (mut pattern, mut text) = (pattern, text);
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        let step = match (pattern, text) {
            ([b'*', rest @ ..], _) => {
                star = Some((rest, text));
                pattern = rest;
                continue;
            }
            ([], []) => return true,
            ([], _) | (_, []) => None,
            (pattern, [byte, rest_text @ ..]) => one(pattern, *byte).map(|rest| (rest, rest_text)),
        };
        match (step, star) {
            (Some(next), _) => (pattern, text) = next,
            (None, Some((after_star, [_, shorter @ ..]))) => {
                star = Some((after_star, shorter));
                (pattern, text) = (after_star, shorter);
            }
            (None, _) => return false,
        }
    }
}

/// Matches one byte; the pattern after it.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'\\', literal, rest @ ..] => (*literal == byte).then_some(rest),
        [b'[', set @ ..] => {
            let (negated, mut set) = match set {
                [b'^', set @ ..] => (true, set),
                set => (false, set),
            };
            let mut found = false;
            loop {
                match set {
                    [b']', rest @ ..] => return (found != negated).then_some(rest),
                    [b'\\', literal, rest @ ..] => {
                        found |= *literal == byte;
                        set = rest;
                    }
                    [from, b'-', to, rest @ ..] if *to != b']' => {
                        found |= (*from.min(to)..=*from.max(to)).contains(&byte);
                        set = rest;
                    }
                    [literal, rest @ ..] => {
                        found |= *literal == byte;
                        set = rest;
                    }
                    // An unclosed set ends with the pattern.
                    [] => return (found != negated).then_some(set),
                }
            }
        }
        [literal, rest @ ..] => (*literal == byte).then_some(rest),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        fn check(pattern: &str, text: &str, expected: bool) {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
        check("*", "", true);
        check("a*c", "abbc", true);
        check("a*c*", "abcbd", true);
        check("a*d", "abc", false);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("[a-c]x", "bx", true);
        check("[^a-c]x", "bx", false);
        check("a\\*", "a*", true);
        check("a\\*", "ab", false);
        check("api_token_active:*", "api_token_active:x", true);
        check("a*a*a*a*b", &"a".repeat(50), false);
    }
}
