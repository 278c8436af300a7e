//! Texts in pieces, as a model would stream them.

/// Words with the space behind them; characters of scripts without spaces one by one.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut spaced = false;
    for c in text.chars() {
        let lone = matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}');
        if !current.is_empty() && (lone || (spaced && !c.is_whitespace())) {
            out.push(std::mem::take(&mut current));
        }
        current.push(c);
        spaced = c.is_whitespace();
        if lone {
            out.push(std::mem::take(&mut current));
        }
    }
    if !current.is_empty() {
        out.push(current);
    }
    out
}

const WORDS: [&str; 24] = [
    "alpha ", "beta ", "gamma ", "delta ", "epsilon ", "zeta ", "eta ", "theta ", "iota ",
    "kappa ", "lambda ", "mu ", "nu ", "xi ", "omicron ", "pi ", "rho ", "sigma ", "tau ",
    "upsilon ", "phi ", "chi ", "psi ", "omega ",
];

/// Cuts or fills up to exactly `wanted` pieces.
pub(crate) fn fit(pieces: &mut Vec<String>, wanted: usize) {
    pieces.truncate(wanted);
    if pieces.len() < wanted
        && let Some(last) = pieces.last_mut()
        && !last.ends_with(char::is_whitespace)
    {
        last.push(' ');
    }
    let missing = wanted - pieces.len();
    pieces.extend(WORDS.iter().cycle().take(missing).map(|&word| word.to_owned()));
}

/// A quarter of the characters, rounded up.
pub(crate) fn tokens(text: &str) -> u64 {
    text.chars().count().div_ceil(4) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_between_words() {
        assert_eq!(split("one two\n three"), ["one ", "two\n ", "three"]);
        assert_eq!(split("a 你好 b"), ["a ", "你", "好", " ", "b"]);
        for text in ["", " x", "a  b ", "日本語 text"] {
            assert_eq!(split(text).concat(), text);
        }
    }

    #[test]
    fn pieces_are_cut_and_filled_up() {
        let mut pieces = split("one two three");
        fit(&mut pieces, 2);
        assert_eq!(pieces.concat(), "one two ");
        fit(&mut pieces, 4);
        assert_eq!(pieces.concat(), "one two alpha beta ");
    }
}
