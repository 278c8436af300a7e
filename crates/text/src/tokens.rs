//! How many tokens a text takes.
//!
//! The vocabularies are built in and unpacked when first needed: GPT-2's takes some 15 MB of memory, `cl100k_base` some
//! 35 MB. Nothing else is ever loaded.

use tiktoken_rs::CoreBPE;

/// A vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// GPT-2's, which the reference counts with wherever a model does not say otherwise.
    #[default]
    Gpt2,
    /// The one of GPT-3.5, GPT-4 and OpenAI's embedding models.
    Cl100k,
}

impl Encoding {
    /// Tokens of `text`; special tokens in it count as ordinary text. Takes a few microseconds a hundred words once the
    /// vocabulary is there; give large documents to a blocking thread.
    #[must_use]
    pub fn count(self, text: &str) -> usize {
        if text.is_empty() { 0 } else { self.vocabulary().count_ordinary(text) }
    }

    fn vocabulary(self) -> &'static CoreBPE {
        match self {
            // GPT-2's merges under the name OpenAI published them with.
            Self::Gpt2 => tiktoken_rs::r50k_base_singleton(),
            Self::Cl100k => tiktoken_rs::cl100k_base_singleton(),
        }
    }
}

/// Tokens of `text` as the reference counts them.
#[must_use]
pub fn count(text: &str) -> usize {
    Encoding::Gpt2.count(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_counted_as_the_published_encoders_count_them() {
        for (text, gpt2, cl100k) in [
            ("", 0, 0),
            ("hello world", 2, 2),
            ("antidisestablishmentarianism", 5, 6),
            ("2 + 2 = 4", 5, 7),
            ("お誕生日おめでとう", 14, 9),
            ("<|endoftext|>", 7, 7),
        ] {
            assert_eq!(
                (Encoding::Gpt2.count(text), Encoding::Cl100k.count(text)),
                (gpt2, cl100k),
                "{text}"
            );
        }
    }
}
