//! What an operator is told at start-up: settings without effect and misspelt names.

use std::collections::{BTreeMap, HashSet};

use crate::Config;
use crate::groups::reads_dotenv;
use crate::reader::Reader;
use crate::table::{Source, Status};

/// How many names one line of a warning lists.
const LISTED: usize = 12;

pub(crate) fn of(config: &Config, reader: &Reader) -> Vec<String> {
    let mut warnings = ignored(config);
    let specs = || config.groups().into_iter().flat_map(|(_, group)| group.specs());
    for spec in specs().filter(|spec| !reads_dotenv(spec.scope)) {
        let name = spec.name();
        if reader.only_in_dotenv(&name) {
            warnings.push(format!(
                "{name} in .env has no effect: it is read from the process environment only"
            ));
        }
    }
    let known: HashSet<String> =
        specs().flat_map(|spec| spec.variables().into_iter().chain([spec.name()])).collect();
    for name in reader.names() {
        if let Some(meant) = near_miss(name, &known) {
            warnings.push(format!("{name} is not a known setting; was {meant} meant?"));
        }
    }
    warnings
}

/// Only what differs from its default: the compose file sets almost every variable, most to the default.
fn ignored(config: &Config) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in &config.effective {
        if let Status::Ignored(reason) = row.status
            && row.source != Source::Default
            && !row.is_default
        {
            by_reason.entry(reason).or_default().push(&row.name);
        }
    }
    by_reason
        .into_iter()
        .map(|(reason, names)| {
            let mut listed = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
            if let Some(more) = names.len().checked_sub(LISTED).filter(|&more| more > 0) {
                listed.push_str(&format!(" and {more} more"));
            }
            format!("set without effect: {listed}: {reason}")
        })
        .collect()
}

/// The known name that `name` is one or two keystrokes from, if `name` is none itself.
fn near_miss<'a>(name: &str, known: &'a HashSet<String>) -> Option<&'a str> {
    // Short names are near each other by chance (`LANG`, `MODE`, `TZ`).
    if name.len() < 8 || !name.contains('_') || known.contains(name) {
        return None;
    }
    let allowed = if name.len() < 14 { 1 } else { 2 };
    known
        .iter()
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= allowed)
        .map(|candidate| (distance(name, candidate), candidate.as_str()))
        .filter(|&(distance, _)| distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
    for (i, &left) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &right) in b.iter().enumerate() {
            let replaced = cell(&last, j) + usize::from(left != right);
            let mut best = replaced.min(cell(&last, j + 1) + 1).min(cell(&row, j) + 1);
            let swapped =
                i > 0 && j > 0 && a.get(i - 1) == Some(&right) && b.get(j - 1) == Some(&left);
            if swapped {
                best = best.min(cell(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_keystrokes() {
        for (a, b, expected) in
            [("abc", "abc", 0), ("abc", "acb", 1), ("abc", "abcd", 1), ("", "ab", 2)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn a_misspelt_name_and_an_ignored_one_are_reported() {
        let config = Config::from_map([
            ("CONSOLE_WEB_ULR", "http://x"),
            ("SENTRY_DSN", "https://x"),
            ("GUNICORN_TIMEOUT", "360"),
            ("SERVER_WORKER_CLASS", "gevent"),
            ("PATH", "/bin"),
        ])
        .unwrap();
        let text = config.warnings().join("\n");
        assert!(
            text.contains("CONSOLE_WEB_ULR is not a known setting; was CONSOLE_WEB_URL meant?"),
            "{text}"
        );
        assert!(text.contains("SENTRY_DSN") && text.contains("GUNICORN_TIMEOUT"), "{text}");
        assert!(!text.contains("SERVER_WORKER_CLASS") && !text.contains("PATH "), "{text}");
    }
}
