//! Versions of DSL texts, compared as Python's `packaging` compares them.

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::Regex;

/// What a text's version means for its import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is imported.
    Same,
    /// It is imported, and the answer warns.
    Older,
    /// The user is asked first.
    Ask,
}

/// A version: `[N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    epoch: u64,
    release: Vec<u64>,
    /// Phase and number; a final release is after every phase.
    pre: (u8, u64),
    post: Option<u64>,
    dev: Option<u64>,
    local: Option<String>,
}

static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^\s*v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)
          (?:[-_.]?(?P<phase>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pre>\d+)?)?
          (?:-(?P<post1>\d+)|(?P<post>[-_.]?(?:post|rev|r)[-_.]?(?P<post2>\d+)?))?
          (?P<dev>[-_.]?dev[-_.]?(?P<devn>\d+)?)?
          (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$",
    )
    .ok()
});

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let found = FORM.as_ref()?.captures(text)?;
        let number = |name: &str| found.name(name).and_then(|n| n.as_str().parse::<u64>().ok());
        let release: Option<Vec<u64>> =
            found.name("release")?.as_str().split('.').map(|part| part.parse().ok()).collect();
        let phase = found.name("phase").map(|phase| phase.as_str().to_ascii_lowercase());
        let dev = found.name("dev").map(|_| number("devn").unwrap_or(0));
        let post =
            number("post1").or_else(|| found.name("post").map(|_| number("post2").unwrap_or(0)));
        let pre = match phase.as_deref() {
            Some("a" | "alpha") => (1, number("pre").unwrap_or(0)),
            Some("b" | "beta") => (2, number("pre").unwrap_or(0)),
            Some(_) => (3, number("pre").unwrap_or(0)),
            // A development release of a final version comes before its phases.
            None if dev.is_some() && post.is_none() => (0, 0),
            None => (4, 0),
        };
        Some(Self {
            epoch: number("epoch").unwrap_or(0),
            release: release?,
            pre,
            post,
            dev,
            local: found.name("local").map(|local| local.as_str().to_ascii_lowercase()),
        })
    }

    fn part(&self, index: usize) -> u64 {
        self.release.get(index).copied().unwrap_or(0)
    }

    /// What the import of a text of this version needs, by a server whose own version is `ours`.
    pub(super) fn fit(&self, ours: &Self) -> Fit {
        if ours < self || self.part(0) < ours.part(0) {
            Fit::Ask
        } else if self.part(1) < ours.part(1) {
            Fit::Older
        } else {
            Fit::Same
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = self.release.len().max(other.release.len());
        let release = |version: &Self| (0..parts).map(|i| version.part(i)).collect::<Vec<_>>();
        // Without a development number a version is after all that have one.
        let dev = |version: &Self| version.dev.map_or((1, 0), |dev| (0, dev));
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| release(self).cmp(&release(other)))
            .then_with(|| self.pre.cmp(&other.pre))
            .then_with(|| self.post.cmp(&other.post))
            .then_with(|| dev(self).cmp(&dev(other)))
            .then_with(|| self.local.cmp(&other.local))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        let ordered = [
            "0.1.5.dev1",
            "0.1.5a1",
            "0.1.5rc2",
            "0.1.5",
            "0.1.5.post1",
            "0.1.10",
            "v0.2",
            "0.6.0",
            "1!0.1",
        ];
        for pair in ordered.windows(2) {
            let [a, b] = pair else { panic!("windows of two") };
            assert!(Version::parse(a).unwrap() < Version::parse(b).unwrap(), "{a} < {b}");
        }
        for text in ["banana", "", "0.1.x", "1..2"] {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
        assert_eq!(
            Version::parse("0.6").unwrap().cmp(&Version::parse("0.6.0").unwrap()),
            Ordering::Equal
        );
    }

    #[test]
    fn newer_ones_and_other_majors_ask() {
        let ours = Version::parse("1.6.0").unwrap();
        for (text, expected) in [
            ("1.6.0", Fit::Same),
            ("1.6.0a1", Fit::Same),
            ("1.5.9", Fit::Older),
            ("1.6.1", Fit::Ask),
            ("9.9.9", Fit::Ask),
            ("0.9.0", Fit::Ask),
        ] {
            assert_eq!(Version::parse(text).unwrap().fit(&ours), expected, "{text}");
        }
    }
}
