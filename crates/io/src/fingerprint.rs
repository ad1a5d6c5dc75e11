//! A hash of everything that a config reads: equal inputs have equal fingerprints.

use std::fs::File;
use std::io::{Read as _, Write};
use std::path::Path;

use leadscore_config::{Config, Location};
use leadscore_core::hex;
use polars_io::prelude::{IpcWriter, SerWriter as _};
use sha2::{Digest as _, Sha256};

use crate::error::TablesError;
use crate::frame::Frame;
use crate::presence::table_paths;

/// SHA-256 of the bytes of every file of the tables, in order of their paths, and of the rows of
/// tables in memory; as hexadecimal digits.
///
/// # Errors
///
/// [`TablesError::Io`] where a file cannot be read.
pub fn fingerprint(config: &Config, folder: &Path) -> Result<String, TablesError> {
    let mut hash = Hash(Sha256::new());
    let mut paths = table_paths(config, folder);
    paths.sort();
    paths.dedup();
    for path in paths {
        let error = |source| TablesError::Io {
            action: "read",
            path: path.clone(),
            source,
        };
        // The folder may have been moved.
        let name = path.strip_prefix(folder).unwrap_or(&path);
        hash.part(name.to_string_lossy().as_bytes());
        let mut file = File::open(&path).map_err(error)?;
        let mut buffer = vec![0; 1 << 20];
        let mut length = 0_u64;
        loop {
            let n = file.read(&mut buffer).map_err(error)?;
            if n == 0 {
                break;
            }
            length += n as u64;
            hash.0.update(&buffer[..n]);
        }
        hash.part(&length.to_le_bytes());
    }
    for table in config.tables() {
        if !matches!(table.file.location, Location::Memory(_)) {
            continue;
        }
        hash.part(table.id.to_string().as_bytes());
        if let Some(frame) = Frame::at(table.file.location) {
            frame.write_into(&mut hash);
        }
    }
    Ok(hash.finish())
}

/// A hash that can be written to.
struct Hash(Sha256);

impl Hash {
    /// Adds bytes that begin with their number, so that parts cannot be taken for one another.
    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Frame {
    /// Writes the rows as an Arrow file.
    fn write_into(&self, to: &mut Hash) {
        // A hash takes everything; what no Arrow file can have is no column of ours.
        let written = IpcWriter::new(&mut *to).finish(&mut (*self.data).clone());
        if let Err(error) = written {
            to.part(error.to_string().as_bytes());
        }
    }
}
