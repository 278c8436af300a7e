//! Gives back the pages of the program's file that are not being used.
//!
//! Starting reads a table of the program that is never looked at again, building the router walks through most of its code
//! once, and a console that is looked at now and then through much of it. What is used again is mapped in again from the
//! page cache: some hundred faults of a microsecond each. (The heap is given back by the allocator, see `main.rs`.)

#![expect(unsafe_code, reason = "a call of the C library, with its reason")]

use std::time::Duration;

/// How often. The first time, the router is built and the first connections are open.
const PAUSE: Duration = Duration::from_secs(1);

/// Gives back what was not used lately, for ever.
pub async fn stay_small() {
    tokio::time::sleep(PAUSE).await;
    while tokio::task::spawn_blocking(give_back).await.is_ok() {
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns the pages of the program's own code and constants to the system.
fn give_back() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    let program = std::env::current_exe().unwrap_or_default();
    for (start, length) in constant_parts(&maps, &program.to_string_lossy()) {
        // SAFETY: the range is a private mapping of a file that is never written to through it (its pages are not
        // writable, and neither code nor the segment with the file's header has relocations), so what is dropped is
        // read again, unchanged, on the next access.
        unsafe {
            libc::madvise(
                std::ptr::with_exposed_provenance_mut(start),
                length,
                libc::MADV_DONTNEED,
            );
        }
    }
}

/// Start and length of the mappings of `program` that hold code, and of the constants at the beginning of its file. (Other
/// constants hold addresses, which the loader wrote: they are not as they are in the file.)
fn constant_parts(maps: &str, program: &str) -> Vec<(usize, usize)> {
    let range = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let (may, offset) = (fields.next()?, fields.next()?);
        let is_constant =
            may == "r-xp" || may == "r--p" && offset.bytes().all(|digit| digit == b'0');
        if !is_constant || !line.ends_with(program) || program.is_empty() {
            return None;
        }
        let start = usize::from_str_radix(start, 16).ok()?;
        Some((start, usize::from_str_radix(end, 16).ok()?.checked_sub(start)?))
    };
    maps.lines().filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::{constant_parts, give_back};

    #[test]
    fn only_the_programs_own_constant_parts_are_named() {
        let maps = "\
            55d0-55e0 r--p 00000000 08:01 1 /bin/dify-api\n\
            55e0-56f0 r-xp 00010000 08:01 1 /bin/dify-api\n\
            56f0-56f8 r--p 00120000 08:01 1 /bin/dify-api\n\
            56f8-5700 rw-p 00020000 08:01 1 /bin/dify-api\n\
            7f00-7f10 r-xp 00000000 08:01 2 /lib/libc.so.6\n\
            7fff-8000 r-xp 00000000 00:00 0 [vdso]\n";
        assert_eq!(constant_parts(maps, "/bin/dify-api"), [(0x55d0, 0x10), (0x55e0, 0x110)]);
        assert_eq!(constant_parts(maps, ""), []);
    }

    #[test]
    fn the_program_goes_on() {
        let kept = vec![1_u8; 1 << 20];
        give_back();
        assert!(kept.iter().all(|byte| *byte == 1));
    }
}
