//! Event streams of models and tools: however they are cut, the same events come out.

#![no_main]

use libfuzzer_sys::fuzz_target;
use net::SseDecoder;

fn events(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<String> {
    let mut decoder = SseDecoder::default();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(&piece);
        while let Some(event) = decoder.pop() {
            events.push(format!("{event:?}"));
        }
    }
    events.extend(decoder.finish().map(|event| format!("{event:?}")));
    events
}

fuzz_target!(|data: &[u8]| {
    let Some((size, body)) = data.split_first() else { return };
    let whole = events(std::iter::once(body.to_vec()));
    let cut = events(body.chunks(usize::from(*size).max(1)).map(<[u8]>::to_vec));
    assert_eq!(whole, cut);
});
