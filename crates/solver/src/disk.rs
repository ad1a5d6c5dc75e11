//! Parts of a design on disk: written once, in order, and read by their place.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::error::SolverError;
use crate::layout::{Numbers, Part};

/// Parts in a file without a name; they all have one size but the last.
#[derive(Debug, Clone)]
pub(crate) struct DiskParts {
    file: Arc<File>,
    /// Bytes of the first part, and so of all but the last.
    part_bytes: usize,
    n_bytes: usize,
}

/// Parts that are made at once, before they are written.
const BATCH: usize = 16;

impl DiskParts {
    /// Writes the parts that `make` makes, in order.
    pub(crate) fn write(
        n_parts: usize,
        folder: &Path,
        make: impl Fn(usize) -> Result<Part, SolverError> + Sync,
    ) -> Result<Self, SolverError> {
        let file = tempfile::tempfile_in(folder)?;
        let mut writer = BufWriter::with_capacity(1 << 20, &file);
        let (mut part_bytes, mut n_bytes) = (0, 0);
        for first in (0..n_parts).step_by(BATCH) {
            let parts = (first..n_parts.min(first + BATCH))
                .into_par_iter()
                .map(&make)
                .collect::<Result<Vec<Part>, SolverError>>()?;
            for part in &parts {
                part.slices()
                    .into_iter()
                    .try_for_each(|bytes| writer.write_all(bytes))?;
                part_bytes = part_bytes.max(part.n_bytes());
                n_bytes += part.n_bytes();
            }
        }
        writer.flush()?;
        drop(writer);
        Ok(Self {
            file: Arc::new(file),
            part_bytes,
            n_bytes,
        })
    }

    /// Fills in a part of the right size.
    pub(crate) fn read(&self, idx: usize, part: &mut Part) -> Result<(), SolverError> {
        let mut at = (idx * self.part_bytes) as u64;
        for bytes in part.slices_mut() {
            read_exact_at(&self.file, bytes, at)?;
            at += bytes.len() as u64;
        }
        Ok(())
    }

    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes
    }
}

/// Fills in bytes from a place in a file that others read at the same time.
#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

/// Fills in bytes from a place in a file that others read at the same time.
#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, at)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n_read => {
                bytes = &mut bytes[n_read..];
                at += n_read as u64;
            }
        }
    }
    Ok(())
}

impl Part {
    fn slices(&self) -> [&[u8]; 4] {
        let numbers = match &self.numbers {
            Numbers::F32(numbers) => bytemuck::cast_slice(numbers),
            Numbers::F64(numbers) => bytemuck::cast_slice(numbers),
        };
        [
            numbers,
            &self.bytes,
            bytemuck::cast_slice(&self.twos),
            bytemuck::cast_slice(&self.fours),
        ]
    }

    fn slices_mut(&mut self) -> [&mut [u8]; 4] {
        let numbers = match &mut self.numbers {
            Numbers::F32(numbers) => bytemuck::cast_slice_mut(numbers),
            Numbers::F64(numbers) => bytemuck::cast_slice_mut(numbers),
        };
        [
            numbers,
            &mut self.bytes,
            bytemuck::cast_slice_mut(&mut self.twos),
            bytemuck::cast_slice_mut(&mut self.fours),
        ]
    }
}
