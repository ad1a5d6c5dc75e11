//! Overwrites where forgotten events were, and looks for what is left in the bytes of the files.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use crate::checkpoint::truncate;
use crate::error::StoreError;
use crate::event::Entity;
use crate::file::Pool;
use crate::schema::{Purpose, beside, connect};

/// IDs of fewer bytes are in many places by chance.
pub(crate) const MIN_ID: usize = 6;
/// How often the log is tried to be emptied while others read.
const TRIES: usize = 50;

/// Empties the write-ahead log, and counts how often the ID is in the files. SQLite has overwritten
/// what was deleted, in the file (`secure_delete`).
pub(crate) fn remove(pool: &Pool, entity: &Entity) -> Result<Option<usize>, StoreError> {
    let connection = connect(&pool.path, Purpose::Write)?;
    let empty_log = || -> Result<(), StoreError> {
        pool.close_idle();
        for _ in 0..TRIES {
            if truncate(&connection).map_err(|error| StoreError::of_sqlite(&pool.path, error))? {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(StoreError::ReadersInTheWay {
            path: pool.path.clone(),
        })
    };
    empty_log()?;
    let id = entity.id();
    if id.len() < MIN_ID {
        return Ok(None);
    }
    count(&pool.path, id).map(Some)
}

/// How often `text` is in the bytes of the store's files.
fn count(path: &Path, text: &str) -> Result<usize, StoreError> {
    let mut n = 0;
    for file in [path.to_path_buf(), beside(path, "-wal")] {
        n += match std::fs::File::open(&file) {
            Ok(open) => {
                count_in(open, text.as_bytes()).map_err(|error| StoreError::of_io(&file, error))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(StoreError::of_io(&file, error)),
        };
    }
    Ok(n)
}

fn count_in(mut file: impl Read, text: &[u8]) -> std::io::Result<usize> {
    let mut buffer = vec![0; 1 << 20];
    // The end of what was read before, in which a text may start.
    let mut kept = 0;
    let mut n = 0;
    loop {
        let read = file.read(&mut buffer[kept..])?;
        if read == 0 {
            return Ok(n);
        }
        let filled = kept + read;
        n += buffer[..filled]
            .windows(text.len())
            .filter(|window| *window == text)
            .count();
        let next = filled.min(text.len() - 1);
        buffer.copy_within(filled - next..filled, 0);
        kept = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_over_the_end_of_a_buffer_is_found_once() {
        let mut bytes = vec![b'x'; 3 << 20];
        for place in [0, (1 << 20) - 3, (2 << 20) + 1, (3 << 20) - 6] {
            bytes[place..place + 6].copy_from_slice(b"lead-7");
        }
        assert_eq!(count_in(bytes.as_slice(), b"lead-7").expect("memory"), 4);
    }
}
