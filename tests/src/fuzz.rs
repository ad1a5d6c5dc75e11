//! Inputs that somebody made, or a bad disk: bytes changed at random, and what was seen while code
//! was given them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n.max(1) as u64) as usize
    }
}

/// Numbers at which binary formats stumble, as four and eight bytes.
const NUMBERS: [u64; 10] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff_ffff,
    0xffff_ffff,
    0x8000_0000,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
];
/// Words at which readers of text stumble.
const WORDS: [&str; 40] = [
    "\"",
    "'",
    ",",
    ";",
    "\n",
    "\r\n",
    "\r",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\u{1b}[2J",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-9223372036854775808",
    "9223372036854775807",
    "99999999999999999999",
    "0000-00-00",
    "9999-12-31",
    "0001-01-01",
    "1970-01-01T00:00:00+23:59",
    "NULL",
    "[",
    "]",
    "{",
    "}",
    "[[",
    "\\",
    "\\u0000",
    "%Y",
    "%s",
    "%%",
    "=",
    ".",
    "..",
    "@",
    "://",
    "#",
    "true",
];

/// A few changes to a text or a file; `others` lend parts of theirs.
pub fn mutated(random: &mut Random, seed: &[u8], others: &[&[u8]]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() + 1);
        let longest = [2, 8, 64][random.below(3)];
        let length = 1 + random.below(longest);
        let end = (at + length).min(bytes.len());
        match random.below(11) {
            0 | 1 if at < bytes.len() => bytes[at] = random.bits() as u8,
            2 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                drop(bytes.splice(to..to, part));
            }
            5 => {
                let number = NUMBERS[random.below(NUMBERS.len())].to_le_bytes();
                let width = [1, 4, 8][random.below(3)].min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&number[..width]);
            }
            6 | 7 => {
                let word = WORDS[random.below(WORDS.len())];
                let end = if random.below(2) == 0 { at } else { end };
                drop(bytes.splice(at..end, word.bytes()));
            }
            8 => bytes.truncate(at),
            9 if !others.is_empty() => {
                let other = others[random.below(others.len())];
                let from = random.below(other.len());
                drop(
                    bytes.splice(
                        at..end,
                        other[from..(from + length).min(other.len())]
                            .iter()
                            .copied(),
                    ),
                );
            }
            _ => drop(bytes.splice(at..at, std::iter::repeat_n(random.bits() as u8, length))),
        }
    }
    bytes
}

/// How many tries a door gets: its share of a few seconds, or so many times more as
/// `LEADSCORE_FUZZ` says.
pub fn n_tries(usual: usize) -> usize {
    usual
        * std::env::var("LEADSCORE_FUZZ")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(1)
}

/// What was seen at one door.
#[derive(Debug)]
pub struct Seen {
    /// Inputs that were tried.
    pub n: usize,
    /// Those that were taken.
    pub n_taken: usize,
    /// The longest that one took.
    pub slowest: Duration,
}

/// Longer than this is a hang.
const HANG: Duration = Duration::from_secs(10);

/// Gives `n` inputs to `work`, which says whether each was taken.
///
/// # Panics
///
/// Where one made `work` panic or took longer than ten seconds: with the number of the try, and the
/// place.
pub fn try_door(door: &str, n: usize, mut work: impl FnMut(usize) -> bool) -> Seen {
    static PLACES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut seen = Seen {
        n,
        n_taken: 0,
        slowest: Duration::ZERO,
    };
    let mut failed = Vec::new();
    // Where it happened is all that one needs to know.
    std::panic::set_hook(Box::new(|panic| {
        PLACES
            .lock()
            .expect("no thread fails while it writes")
            .push(format!("{panic}"));
    }));
    for number in 0..n {
        let begin = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| work(number))) {
            Ok(is_taken) => seen.n_taken += usize::from(is_taken),
            Err(_) => failed.push(format!(
                "{number}: {}",
                PLACES.lock().expect("as above").pop().unwrap_or_default()
            )),
        }
        let took = begin.elapsed();
        if took > HANG {
            failed.push(format!("{number}: {} s", took.as_secs()));
        }
        seen.slowest = seen.slowest.max(took);
    }
    drop(std::panic::take_hook());
    assert!(
        failed.is_empty(),
        "{door}: {} of {n}: {}",
        failed.len(),
        failed
            .iter()
            .take(12)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
    super::say(&format!(
        "{door}: {n} runs, {} taken, 0 panics, the slowest {:.2} s, peak {} MB",
        seen.n_taken,
        seen.slowest.as_secs_f64(),
        peak_megabytes()
    ));
    seen
}

/// The most memory that this process has had.
pub fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?
            .trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()
    });
    kib.unwrap_or(0) / 1024
}
