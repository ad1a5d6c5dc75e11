//! How much memory there is, and files that are known to be small.

use std::io::Read;
use std::path::Path;

use leadscore_config::Bytes;

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
    fn there_is_memory() {
        assert!(half_of_memory() > 0);
    }
}
