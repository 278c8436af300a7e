//! Gives back the memory that only the start needed.
//!
//! Building the router walks through most of the program once, and leaves a heap full of holes behind. Neither is
//! needed by an idle server: what a request runs is mapped in again from the page cache when it is run.

#![expect(unsafe_code, reason = "calls of the C library, each with its reason")]

use std::time::Duration;

/// Returns free heap pages and the program's own code pages to the system.
pub fn give_back() {
    // SAFETY: has no arguments to get wrong; frees only what the allocator holds free.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
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

/// How often it is looked whether a burst has left free memory behind.
const LOOK: Duration = Duration::from_secs(30);

/// Free memory below this stays with the allocator.
const SLACK: u64 = 32 << 20;

/// Returns free heap pages to the system after bursts, for ever: the allocator itself keeps what thousands of streams
/// needed until the process ends.
pub async fn stay_small() {
    let mut settled = resident();
    loop {
        tokio::time::sleep(LOOK).await;
        if settled + SLACK < resident() {
            let trimmed = tokio::task::spawn_blocking(|| {
                // SAFETY: has no arguments to get wrong; frees only what the allocator holds free.
                #[cfg(target_env = "gnu")]
                unsafe {
                    libc::malloc_trim(0);
                }
                resident()
            });
            settled = trimmed.await.unwrap_or(settled);
        } else {
            settled = settled.min(resident());
        }
    }
}

/// Bytes of memory that are this process's own.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) << 10
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
    use super::{code_of, give_back, resident};

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
        assert!(1 << 20 < resident());
    }
}
