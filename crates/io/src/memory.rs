//! How much memory there is, and files that are known to be small.

use std::io::Read;
use std::path::Path;

use leadscore_config::Bytes;

/// Half of the memory that this program may have, in bytes: the machine's, its container's, or what
/// `ulimit -v` leaves; half of 8 GB where nothing says it.
pub fn half_of_memory() -> u64 {
    smallest_limit(&|path| std::fs::read_to_string(path).ok()).unwrap_or(8_000_000_000) / 2
}

/// The smallest limit of memory that the system's files tell of, in bytes; `text_of` gives the text
/// of a path, where there is one.
fn smallest_limit(text_of: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
    let text = |path| text_of(path).unwrap_or_default();
    let of_groups = group_files(&text("/proc/self/cgroup"))
        .into_iter()
        .filter_map(|path| of_group(&text_of(&path)?));
    of_machine(&text("/proc/meminfo"))
        .into_iter()
        .chain(of_process(&text("/proc/self/limits")))
        .chain(of_groups)
        .min()
}

/// Of `/proc/meminfo`.
fn of_machine(meminfo: &str) -> Option<u64> {
    let kib: u64 = meminfo.lines().find_map(|line| {
        line.strip_prefix("MemTotal:")?
            .trim()
            .strip_suffix("kB")?
            .trim()
            .parse()
            .ok()
    })?;
    kib.checked_mul(1024)
}

/// Of `/proc/self/limits`; `None` where there is no limit.
fn of_process(limits: &str) -> Option<u64> {
    limits.lines().find_map(|line| {
        line.strip_prefix("Max address space")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    })
}

/// Of a control group's file; `None` for `max`, and for the huge number that version 1 has where
/// there is no limit.
fn of_group(limit: &str) -> Option<u64> {
    const LEAST_UNLIMITED: u64 = 1 << 60;
    limit
        .trim()
        .parse()
        .ok()
        .filter(|bytes| *bytes < LEAST_UNLIMITED)
}

/// The files with the limits of the control groups that `/proc/self/cgroup` lists: of the process's
/// own group and of every group above it, since the limit of each holds for all below.
///
/// A container often sees the tree from its own group on, and yet reads the group's path on the
/// host: the root of the tree is looked at in any case, and a file that is not there is no limit.
fn group_files(cgroup: &str) -> Vec<String> {
    const VERSION_1: (&str, &str) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes");
    const VERSION_2: (&str, &str) = ("/sys/fs/cgroup", "memory.max");
    let mut files: Vec<String> = [VERSION_1, VERSION_2]
        .map(|(root, file)| format!("{root}/{file}"))
        .to_vec();
    for line in cgroup.lines() {
        // Such as `5:cpu,memory:/user.slice`, or `0::/user.slice` of version 2.
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let (root, file) = if controllers.is_empty() {
            VERSION_2
        } else if controllers.split(',').any(|name| name == "memory") {
            VERSION_1
        } else {
            continue;
        };
        let mut group = root.to_owned();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            // Above the part of the tree that can be seen.
            if name == ".." {
                break;
            }
            group = format!("{group}/{name}");
            files.push(format!("{group}/{file}"));
        }
    }
    files
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

    const MEMINFO: (&str, &str) = (
        "proc/meminfo",
        "MemTotal:       16000000 kB\nMemFree:         1000 kB\n",
    );
    const MACHINE: u64 = 16_384_000_000;
    /// What version 1 has where there is no limit: the largest number, down to a page of 4 KiB.
    const UNLIMITED: &str = "9223372036854771712\n";

    /// The limit that a system with these files has.
    #[track_caller]
    fn check(files: &[(&str, &str)], expected: Option<u64>) {
        let root = tempfile::tempdir().expect("there is room for a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
            std::fs::write(path, text).expect("the folder can be written");
        }
        let text_of =
            |path: &str| std::fs::read_to_string(root.path().join(path.strip_prefix('/')?)).ok();
        assert_eq!(smallest_limit(&text_of), expected);
    }

    #[test]
    fn there_is_memory() {
        assert!(half_of_memory() > 0);
    }

    #[test]
    fn a_machine_and_its_process() {
        check(&[], None);
        check(&[MEMINFO], Some(MACHINE));
        let limits = |bytes: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units\n\
                 Max cpu time              unlimited            unlimited            seconds\n\
                 Max address space         {bytes}           unlimited            bytes\n"
            )
        };
        check(
            &[MEMINFO, ("proc/self/limits", &limits("4000000000"))],
            Some(4_000_000_000),
        );
        check(
            &[MEMINFO, ("proc/self/limits", &limits("unlimited"))],
            Some(MACHINE),
        );
        check(&[("proc/meminfo", "MemTotal: many kB\n")], None);
        check(&[("proc/meminfo", "")], None);
    }

    #[test]
    fn a_container_of_version_2() {
        // It sees its own group as the root.
        let own = ("proc/self/cgroup", "0::/\n");
        check(
            &[MEMINFO, own, ("sys/fs/cgroup/memory.max", "2000000000\n")],
            Some(2_000_000_000),
        );
        check(
            &[MEMINFO, own, ("sys/fs/cgroup/memory.max", "max\n")],
            Some(MACHINE),
        );
        // Without a list of groups, too.
        check(
            &[MEMINFO, ("sys/fs/cgroup/memory.max", "2000000000\n")],
            Some(2_000_000_000),
        );
        check(
            &[MEMINFO, ("sys/fs/cgroup/memory.max", "64000000000\n")],
            Some(MACHINE),
        );
    }

    #[test]
    fn groups_within_groups() {
        let own = ("proc/self/cgroup", "0::/a.slice/b:c.service/d\n");
        let (top, middle, lowest, beside) = (
            "sys/fs/cgroup/a.slice/memory.max",
            "sys/fs/cgroup/a.slice/b:c.service/memory.max",
            "sys/fs/cgroup/a.slice/b:c.service/d/memory.max",
            "sys/fs/cgroup/x.slice/memory.max",
        );
        for smallest in [top, middle, lowest] {
            let files = [top, middle, lowest, beside].map(|path| {
                let text = match path {
                    _ if path == beside => "1000\n",
                    _ if path == smallest => "1500000000\n",
                    _ => "3000000000\n",
                };
                (path, text)
            });
            check(&[&[MEMINFO, own][..], &files].concat(), Some(1_500_000_000));
        }
        // Most groups have no limit, and some no file.
        check(
            &[MEMINFO, own, (middle, "max\n"), (top, "5000000000\n")],
            Some(5_000_000_000),
        );
        check(&[MEMINFO, own], Some(MACHINE));
    }

    #[test]
    fn groups_of_version_1() {
        let lists = "12:cpu,cpuacct:/a\n5:hugetlb,memory:/docker/0f\n1:name=systemd:/s\n0::/s\n";
        let own = ("proc/self/cgroup", lists);
        let (root, group) = (
            "sys/fs/cgroup/memory/memory.limit_in_bytes",
            "sys/fs/cgroup/memory/docker/0f/memory.limit_in_bytes",
        );
        check(
            &[MEMINFO, own, (root, UNLIMITED), (group, "700000000\n")],
            Some(700_000_000),
        );
        // A container that reads the path of the host, and has its own group as the root.
        check(&[MEMINFO, own, (root, "800000000\n")], Some(800_000_000));
        check(
            &[MEMINFO, own, (root, UNLIMITED), (group, UNLIMITED)],
            Some(MACHINE),
        );
        // No limit is no number, though nothing else says anything.
        check(&[own, (root, UNLIMITED)], None);
        // Groups of other controllers may be elsewhere.
        check(
            &[
                MEMINFO,
                own,
                ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1000\n"),
                ("sys/fs/cgroup/memory/s/memory.limit_in_bytes", "1000\n"),
            ],
            Some(MACHINE),
        );
    }

    #[test]
    fn lists_that_are_odd() {
        let limit = ("sys/fs/cgroup/memory.max", "1000000000\n");
        for list in ["", "\n", "0", "0:", "x\ny", "0::/../..", "0::"] {
            check(
                &[MEMINFO, limit, ("proc/self/cgroup", list)],
                Some(1_000_000_000),
            );
        }
        // What is above the tree that is seen is no part of it.
        check(
            &[
                MEMINFO,
                limit,
                ("sys/fs/memory.max", "1000\n"),
                ("proc/self/cgroup", "0::/../x\n"),
            ],
            Some(1_000_000_000),
        );
        assert_eq!(of_group("-1"), None);
        assert_eq!(of_group("0\n"), Some(0));
        assert_eq!(of_machine("MemTotal: 18446744073709551615 kB"), None);
    }
}
