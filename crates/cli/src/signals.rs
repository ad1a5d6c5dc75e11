//! What the system says while the command works: stop, no more room, a file that ends before its
//! end.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGBUS, SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use crate::show;

/// Begins to hear signals.
///
/// Ctrl-C, a terminal that closes and a request to end remove what is unfinished; the exit code is
/// then 128 and the number of the signal. One that whoever started the command ignores (`nohup`)
/// stays ignored.
pub(crate) fn hear() {
    let ignored = ignored();
    let heard = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| ignored & (1 << (signal - 1)) == 0);
    if let Ok(mut signals) = signal_hook::iterator::Signals::new(heard) {
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if show::is_left_to_the_work() {
                    continue;
                }
                leadscore::front_end::remove_unfinished();
                std::process::exit(128 + signal);
            }
        });
    }
    // Heard and not heeded: writing beyond a limit of sizes is then an error like a full disk.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    hear_truncation();
}

/// Signals that are ignored, a bit each.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// A Parquet or Arrow file is mapped into memory, and reading a part of it that somebody has cut
/// off meanwhile is a signal.
#[expect(
    unsafe_code,
    reason = "a handler of signals, which calls nothing but write and _exit"
)]
fn hear_truncation() {
    const MESSAGE: &str = "error: a file became shorter while it was read\nhint: write new exports beside the old ones and rename them, so that no reader sees half a file\n";
    // SAFETY: the handler calls two functions that POSIX allows in one.
    let _ = unsafe {
        signal_hook::low_level::register(SIGBUS, || {
            libc::write(2, MESSAGE.as_ptr().cast(), MESSAGE.len());
            libc::_exit(EXIT_BAD_INPUT);
        })
    };
}

/// As every other input that cannot be used.
const EXIT_BAD_INPUT: c_int = 2;
