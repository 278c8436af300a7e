//! Gives back the pages of the program that are not being run.
//!
//! Building the router walks through most of the program once, and a console that is looked at now and then through much
//! of it. What is run again is mapped in again from the page cache: some hundred faults of a microsecond each. (The heap
//! is given back by the allocator, see `main.rs`.)

#![expect(unsafe_code, reason = "a call of the C library, with its reason")]

use std::time::Duration;

/// How often. The first time, the router is built and the first connections are open.
const PAUSE: Duration = Duration::from_secs(3);

/// Gives back what was not run lately, for ever.
pub async fn stay_small() {
    tokio::time::sleep(Duration::from_secs(1)).await;
    while tokio::task::spawn_blocking(give_back).await.is_ok() {
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns the program's own code pages to the system.
fn give_back() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    let program = std::env::current_exe().unwrap_or_default();
    for (start, length) in code_of(&maps, &program.to_string_lossy()) {
        // SAFETY: the range is a private mapping of a file that is never written to through it (its pages are
        // executable and not writable, and code has no relocations), so what is dropped is read again, unchanged, on
        // the next access.
        unsafe {
            libc::madvise(
                std::ptr::with_exposed_provenance_mut(start),
                length,
                libc::MADV_DONTNEED,
            );
        }
    }
}

/// Start and length of the mappings of `program` that hold code.
fn code_of(maps: &str, program: &str) -> Vec<(usize, usize)> {
    let range = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        if fields.next()? != "r-xp" || !line.ends_with(program) || program.is_empty() {
            return None;
        }
        let start = usize::from_str_radix(start, 16).ok()?;
        Some((start, usize::from_str_radix(end, 16).ok()?.checked_sub(start)?))
    };
    maps.lines().filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::{code_of, give_back};

    #[test]
    fn only_the_programs_own_code_is_named() {
        let maps = "\
            55d0-55e0 r--p 00000000 08:01 1 /bin/dify-api\n\
            55e0-56f0 r-xp 00010000 08:01 1 /bin/dify-api\n\
            56f0-5700 rw-p 00020000 08:01 1 /bin/dify-api\n\
            7f00-7f10 r-xp 00000000 08:01 2 /lib/libc.so.6\n\
            7fff-8000 r-xp 00000000 00:00 0 [vdso]\n";
        assert_eq!(code_of(maps, "/bin/dify-api"), [(0x55e0, 0x110)]);
        assert_eq!(code_of(maps, ""), []);
    }

    #[test]
    fn the_program_goes_on() {
        let kept = vec![1_u8; 1 << 20];
        give_back();
        assert!(kept.iter().all(|byte| *byte == 1));
    }
}
