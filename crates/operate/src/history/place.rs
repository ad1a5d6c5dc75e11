//! Where scores of a moment are: folders named after moments, and the parts in them of which the
//! latest counts.

use std::path::{Path, PathBuf};

use leadscore_core::Timestamp;

use super::error::HistoryError;

/// How folders of moments begin, as Hive and Spark name partitions.
const BEGINNING: &str = "as_of=";

/// The scores of one moment on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) moment: Timestamp,
    /// The files that count: one that `score` has written, or the several of an engine.
    pub(super) files: Vec<PathBuf>,
    /// Earlier scores of the same moment, which do not count any more.
    pub(super) n_replaced: usize,
    /// The number that the next part gets.
    pub(super) next_part: u32,
}

/// The folder of a moment, such as `as_of=2025-07-01` or `as_of=2025-07-01T06-00-00`: colons are
/// not allowed in names everywhere.
pub(super) fn folder_name(moment: Timestamp) -> String {
    format!("{BEGINNING}{}", in_a_name(moment))
}

/// A moment as a part of the name of a file or a folder.
pub(crate) fn in_a_name(moment: Timestamp) -> String {
    let text = moment.to_string().replace(':', "-");
    text.trim_end_matches('Z').to_owned()
}

/// The moment that a folder is named after; `None` of any other name, also of one that would be
/// written otherwise.
fn moment_of(name: &str) -> Option<Timestamp> {
    let text = name.strip_prefix(BEGINNING)?;
    let iso = match text.split_once('T') {
        None => text.to_owned(),
        Some((day, time)) => format!("{day}T{}Z", time.replace('-', ":")),
    };
    let (moment, _, _) = Timestamp::parse_iso(&iso)?;
    (folder_name(moment) == name).then_some(moment)
}

/// The number of a part that `score` has written.
fn part_number(name: &str) -> Option<u32> {
    let number = name.strip_prefix("part-")?.strip_suffix(".parquet")?;
    let parsed = number.parse().ok()?;
    (part_name(parsed) == name).then_some(parsed)
}

/// The name of a part that `score` writes.
pub(super) fn part_name(number: u32) -> String {
    format!("part-{number}.parquet")
}

/// All moments of a history, earliest first; none where there is no folder yet.
pub(super) fn places(folder: &Path) -> Result<Vec<Place>, HistoryError> {
    let mut places = Vec::new();
    for (name, path) in entries(folder)? {
        if !path.is_dir() || name.starts_with(['.', '_']) {
            continue;
        }
        let Some(moment) = moment_of(&name) else {
            return Err(HistoryError::NoMoment { path });
        };
        places.extend(place(&path, moment)?);
    }
    places.sort_by_key(|place| place.moment);
    Ok(places)
}

/// The scores in the folder of a moment; `None` where there are none.
pub(super) fn place(folder: &Path, moment: Timestamp) -> Result<Option<Place>, HistoryError> {
    let (mut own, mut of_engine) = (Vec::new(), Vec::new());
    let mut next_part = 0;
    for (name, path) in parquet_in(folder)? {
        // An engine writes a folder of files in place of a file.
        let files = if path.is_dir() {
            let of_folder = parquet_in(&path)?.into_iter().map(|(_, path)| path);
            of_folder.filter(|path| path.is_file()).collect()
        } else {
            vec![path]
        };
        let number = part_number(&name);
        next_part = next_part.max(number.map_or(0, |number| number + 1));
        match number {
            _ if files.is_empty() => {}
            Some(number) => own.push((number, files)),
            None => of_engine.extend(files),
        }
    }
    own.sort();
    of_engine.sort();
    // What an engine writes under names of its own is there before: it replaces the folder with all
    // that is in it.
    let n_sets = own.len() + usize::from(!of_engine.is_empty());
    let mut files = own.pop().map_or(of_engine, |(_, files)| files);
    files.sort();
    Ok((!files.is_empty()).then_some(Place {
        moment,
        files,
        n_replaced: n_sets.saturating_sub(1),
        next_part,
    }))
}

/// Names and paths of what is named as Parquet files are; fails where an engine is still writing.
fn parquet_in(folder: &Path) -> Result<Vec<(String, PathBuf)>, HistoryError> {
    let mut found = entries(folder)?;
    if found.iter().any(|(name, _)| name == "_temporary") {
        return Err(HistoryError::Unfinished {
            path: folder.to_owned(),
        });
    }
    found.retain(|(name, _)| !name.starts_with(['.', '_']) && name.ends_with(".parquet"));
    Ok(found)
}

/// Names and paths in a folder; none where there is no folder.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, HistoryError> {
    let error = |source| HistoryError::Io {
        action: "read",
        path: folder.to_owned(),
        source,
    };
    match std::fs::read_dir(folder) {
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) if source.kind() == std::io::ErrorKind::NotADirectory => {
            Err(HistoryError::NoFolder {
                path: folder.to_owned(),
            })
        }
        Err(source) => Err(error(source)),
        Ok(found) => found
            .map(|entry| {
                let entry = entry.map_err(error)?;
                Ok((
                    entry.file_name().to_string_lossy().into_owned(),
                    entry.path(),
                ))
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_name(moment: &str, expected: &str) {
        let moment: Timestamp = moment.parse().expect("a moment");
        assert_eq!(folder_name(moment), expected);
        assert_eq!(moment_of(expected), Some(moment));
    }

    #[test]
    fn folders_are_named_after_moments() {
        check_name("2025-07-01", "as_of=2025-07-01");
        check_name("2025-07-01T06:00:00Z", "as_of=2025-07-01T06-00-00");
        check_name(
            "2025-07-01T06:00:00.000250Z",
            "as_of=2025-07-01T06-00-00.000250",
        );
        check_name("1969-12-31T23:59:59Z", "as_of=1969-12-31T23-59-59");
    }

    #[test]
    fn every_moment_has_a_folder_of_its_own() {
        // Moments of all precisions over two centuries, by a linear congruential generator.
        let mut state = 7_u64;
        let mut names = std::collections::BTreeSet::new();
        let units = [1, 1_000, 1_000_000, 60_000_000, 86_400_000_000];
        for n in 0..5_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let century = 100 * 366 * 86_400_000_000_i64;
            let micros = (state >> 1).cast_signed() % century;
            let moment = Timestamp::from_micros(micros - micros % units[n % units.len()]);
            let name = folder_name(moment);
            assert_eq!(moment_of(&name), Some(moment), "{name}");
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_=-.".contains(c))
            );
            names.insert((name, moment));
        }
        let moments: std::collections::BTreeSet<_> = names.iter().map(|(_, at)| at).collect();
        assert_eq!(names.len(), moments.len());
    }

    #[test]
    fn other_names_are_no_moments() {
        for name in [
            "as_of=",
            "as_of=2025-7-1",
            "as_of=2025-07-01T00-00-00",
            "as_of=2025-07-01T06:00:00",
            "as_of=2025-07-01T06-00-00Z",
            "as_of=2025-02-30",
            "AS_OF=2025-07-01",
            "2025-07-01",
            "as_of=__HIVE_DEFAULT_PARTITION__",
        ] {
            assert_eq!(moment_of(name), None, "{name}");
        }
    }

    #[test]
    fn the_latest_part_counts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let moment = Timestamp::from_micros(0);
        let found = || place(folder.path(), moment).expect("readable");
        assert_eq!(found(), None);
        for name in ["_SUCCESS", ".part-9.parquet.crc", "notes.txt", "part-1.csv"] {
            std::fs::write(at(name), "").expect("room");
        }
        assert_eq!(found(), None);
        // An engine's files count together.
        let engine = [
            "part-00000-1c.snappy.parquet",
            "part-00001-1c.snappy.parquet",
        ];
        for name in engine {
            std::fs::write(at(name), "").expect("room");
        }
        let place = found().expect("files");
        assert_eq!(place.files, engine.map(at));
        assert_eq!((place.n_replaced, place.next_part), (0, 0));
        // Numbers count as numbers.
        for name in ["part-0.parquet", "part-2.parquet", "part-10.parquet"] {
            std::fs::write(at(name), "").expect("room");
        }
        let place = found().expect("files");
        assert_eq!(place.files, [at("part-10.parquet")]);
        assert_eq!((place.n_replaced, place.next_part), (3, 11));
        // As an engine writes a part: a folder under the name of a file.
        std::fs::create_dir(at("part-11.parquet")).expect("room");
        assert_eq!(found().expect("files").files, [at("part-10.parquet")]);
        let inner = ["part-11.parquet/a.parquet", "part-11.parquet/b.parquet"];
        for name in inner {
            std::fs::write(at(name), "").expect("room");
        }
        std::fs::write(at("part-11.parquet/_SUCCESS"), "").expect("room");
        let place = found().expect("files");
        assert_eq!(place.files, inner.map(at));
        assert_eq!((place.n_replaced, place.next_part), (4, 12));
        std::fs::create_dir(at("_temporary")).expect("room");
        assert!(super::place(folder.path(), moment).is_err());
    }
}
