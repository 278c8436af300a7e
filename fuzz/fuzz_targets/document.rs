//! Documents somebody uploads: the first byte says what it claims to be.

#![no_main]

use libfuzzer_sys::fuzz_target;

const KINDS: [&str; 14] = [
    ".txt", ".json", ".yaml", ".pdf", ".doc", ".docx", ".csv", ".xlsx", ".pptx", ".epub", ".eml", ".msg",
    ".properties", ".vtt",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, content)) = data.split_first() else { return };
    let kind = KINDS[usize::from(*first) % KINDS.len()];
    let _ = extract::extract(content, Some(kind), None);
});
