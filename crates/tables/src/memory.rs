//! How much memory there is, and numbers of bytes as people write them.

use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

/// A number of bytes, written `512MB`, `2GB` or `1.5GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a number and a unit, such as 512MB or 2GB".to_owned();
        let trimmed = text.trim();
        let (number, unit) = trimmed.split_at(
            trimmed
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(trimmed.len()),
        );
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "kb" => 1e3,
            "mb" | "m" => 1e6,
            "mib" => 1_048_576.0,
            "gb" | "g" => 1e9,
            "gib" => 1_073_741_824.0,
            "tb" => 1e12,
            _ => return Err(wrong()),
        };
        let bytes = number.parse::<f64>().map_err(|_| wrong())? * factor;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive; more than there are bytes saturates"
        )]
        Ok(Self(bytes as u64))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            bytes @ ..10_000 => write!(f, "{bytes} bytes"),
            bytes @ ..10_000_000_000 => write!(f, "{:.0} MB", bytes as f64 / 1e6),
            bytes => write!(f, "{:.0} GB", bytes as f64 / 1e9),
        }
    }
}

/// Half of the memory that this program may have, in bytes: the machine's, its container's, or what
/// `ulimit -v` leaves; half of 8 GB where nothing says it.
pub fn half_of_memory() -> u64 {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let (machine, limits, group) = (
        read("/proc/meminfo"),
        read("/proc/self/limits"),
        read("/sys/fs/cgroup/memory.max"),
    );
    let of_machine = machine.lines().find_map(|line| {
        line.strip_prefix("MemTotal:")?
            .trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()
    });
    let of_process = limits.lines().find_map(|line| {
        line.strip_prefix("Max address space")?
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    });
    let of_group = group.trim().parse::<u64>().ok();
    [of_machine.map(|kib| kib * 1024), of_process, of_group]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(8_000_000_000)
        / 2
}

/// Reads a file that is known to be small; a pipe is read once, and a device that never ends is an
/// error.
///
/// # Errors
///
/// As [`std::fs::read`]; of kind `FileTooLarge` where it has more than `most`.
pub fn read_at_most(path: &Path, most: Bytes) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(most.0 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most.0 {
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            format!("it has more than {most}: is this the right file?"),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_as_people_write_them() {
        for (text, expected) in [
            ("512MB", Some(512_000_000)),
            ("1.5 GiB", Some(1_610_612_736)),
            ("2g", Some(2_000_000_000)),
            ("2", None),
            ("GB", None),
            ("-1GB", None),
            ("1.2.3GB", None),
        ] {
            assert_eq!(
                text.parse::<Bytes>().ok().map(|bytes| bytes.0),
                expected,
                "{text}"
            );
        }
        assert_eq!(Bytes(512_000_000).to_string(), "512 MB");
        assert!(half_of_memory() > 0);
    }
}
