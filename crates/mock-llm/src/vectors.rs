//! Vectors that are near each other for similar texts, and scores made of them.

use std::collections::{HashMap, HashSet};

/// A signed hash of character n-grams and words, of length one.
pub(crate) fn embed(text: &str, dimensions: usize) -> Vec<f32> {
    let dimensions = dimensions.max(1);
    let words: Vec<String> = text.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let letters: Vec<char> = format!(" {} ", words.join(" ")).chars().collect();
    let mut vector = vec![0.0_f64; dimensions];
    let mut add = |hash: u64, weight: f64| {
        #[allow(clippy::cast_possible_truncation, reason = "less than the dimensions")]
        if let Some(place) = vector.get_mut((hash % dimensions as u64) as usize) {
            *place += if hash >> 40 & 1 == 1 { weight } else { -weight };
        }
    };
    // Scripts without spaces carry their meaning in one or two characters.
    for (size, weight, weight_cjk) in [(1, 0.15, 1.0), (2, 0.4, 1.6), (3, 0.8, 0.8), (4, 1.0, 0.4)]
    {
        let mut counts: HashMap<u64, (u32, bool)> = HashMap::new();
        for gram in letters.windows(size) {
            let hash = hash(size as u64, gram.iter().map(|&c| u64::from(c)));
            let cjk = gram.first().is_some_and(|&c| '\u{3040}' <= c);
            counts.entry(hash).or_insert((0, cjk)).0 += 1;
        }
        for (hash, (count, cjk)) in counts {
            add(hash, (1.0 + f64::from(count).ln()) * if cjk { weight_cjk } else { weight });
        }
    }
    let mut counts: HashMap<u64, u32> = HashMap::new();
    for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()) {
        if 3 < word.chars().count() && word.is_ascii() {
            *counts.entry(hash(9, word.bytes().map(u64::from))).or_default() += 1;
        }
    }
    for (hash, count) in counts {
        add(hash, (1.0 + 0.5 * f64::from(count - 1)) * 2.5);
    }
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length == 0.0 {
        if let Some(first) = vector.first_mut() {
            *first = 1.0;
        }
    } else {
        vector.iter_mut().for_each(|x| *x /= length);
    }
    #[allow(clippy::cast_possible_truncation, reason = "vectors are of single precision")]
    vector.into_iter().map(|x| x as f32).collect()
}

/// FNV-1a over whole numbers, mixed.
fn hash(seed: u64, items: impl Iterator<Item = u64>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
    for item in items {
        hash = (hash ^ item).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 31;
    hash = hash.wrapping_mul(0x7fb5_d329_728e_a185);
    hash ^ hash >> 27
}

/// A hash of texts as hexadecimal digits.
pub(crate) fn digest<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut halves = (1, 2);
    for text in texts {
        let bytes = || text.bytes().map(u64::from);
        halves = (hash(halves.0, bytes()), hash(halves.1 ^ 0x55, bytes()));
    }
    format!("{:016x}{:016x}", halves.0, halves.1)
}

/// How well each document answers the query: half by words in common, half by vectors.
pub(crate) fn scores(query: &str, documents: &[String]) -> Vec<f64> {
    let wanted = embed(query, 512);
    let words = |text: &str| -> HashSet<String> {
        let text = text.to_lowercase();
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let asked = words(query);
    let score = |document: &String| {
        let near =
            wanted.iter().zip(embed(document, 512)).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let found = words(document);
        #[allow(clippy::cast_precision_loss, reason = "few words")]
        let overlap = if asked.is_empty() {
            0.0
        } else {
            asked.intersection(&found).count() as f64 / asked.len() as f64
        };
        ((0.5 * near.clamp(0.0, 1.0) + 0.5 * overlap) * 1e6).round() / 1e6
    };
    documents.iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_texts_are_near_each_other() {
        let near = |a: &str, b: &str| -> f32 {
            embed(a, 384).iter().zip(embed(b, 384)).map(|(x, y)| x * y).sum()
        };
        let cat = "the cat sleeps on the warm sofa";
        assert!((near(cat, cat) - 1.0).abs() < 1e-4);
        assert!(near(cat, "stock markets fell sharply") < near(cat, "a cat is sleeping on a sofa"));
        let scored = scores("cat sofa", &[cat.to_owned(), "markets".to_owned()]);
        assert!(scored[1] < scored[0]);
    }
}
