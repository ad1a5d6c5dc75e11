//! The files of the log: written whole line by whole line, read line by line, and rewritten where a
//! lead is to be forgotten.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::answer::{Answer, AnswerError};
use super::{Counts, LogOptions};

/// So many bytes wait before they are written at once.
const FULL: usize = 1 << 20;
/// So many bytes wait while the disk refuses them; then they are lost, because memory has a bound.
const MOST: usize = 8 << 20;
/// How names of files begin and end.
const NAME: (&str, &str) = ("answers-", ".ndjson");

/// Why the log cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file or folder cannot be read or written.
    #[error(
        "cannot use the log of answers {}\n  hint: check the path, its rights, and the room on the disk",
        path.display()
    )]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder has no file of answers.
    #[error(
        "there is no answer in {}\n  hint: name a folder that `log` of [serve] named, or a file of it",
        path.display()
    )]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// The thread that writes has ended.
    #[error("the log of answers has been closed\n  hint: start the server again")]
    Stopped,
}

/// What a flush came to.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) n_written: u64,
    pub(super) n_lost: u64,
    pub(super) error: Option<String>,
}

/// The file that grows, and what waits for it.
pub(super) struct Segments {
    folder: PathBuf,
    file_bytes: u64,
    current: Option<Segment>,
    waiting: Vec<u8>,
    n_waiting: u64,
    /// The moment of the first answer that waits, by which a new file is called.
    first: i64,
    is_failing: bool,
}

struct Segment {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
}

impl Segments {
    pub(super) fn open(options: &LogOptions) -> Result<Self, LogError> {
        let failed = |source| LogError::Io {
            path: options.folder.clone(),
            source,
        };
        std::fs::create_dir_all(&options.folder).map_err(failed)?;
        // A folder that refuses files is found now, and not at the first answer.
        tempfile::tempfile_in(&options.folder).map_err(failed)?;
        Ok(Self {
            folder: options.folder.clone(),
            file_bytes: options.file_bytes,
            current: None,
            waiting: Vec::new(),
            n_waiting: 0,
            first: 0,
            is_failing: false,
        })
    }

    pub(super) fn push(&mut self, answer: &Answer) {
        if self.waiting.is_empty() {
            self.first = answer.at.micros();
        }
        self.waiting.extend_from_slice(answer.to_line().as_bytes());
        self.waiting.push(b'\n');
        self.n_waiting += 1;
    }

    /// Whether what waits is to be written before its time.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= if self.is_failing { MOST } else { FULL }
    }

    /// Writes what waits. What the disk refuses waits on, until there is too much of it.
    pub(super) fn flush(&mut self) -> Written {
        if self.waiting.is_empty() {
            return Written::default();
        }
        let mut written = Written::default();
        match self.write() {
            Ok(()) => {
                self.is_failing = false;
                written.n_written = std::mem::take(&mut self.n_waiting);
                self.waiting.clear();
            }
            Err(error) => {
                self.is_failing = true;
                written.error = Some(error.to_string());
                if self.waiting.len() >= MOST {
                    written.n_lost = std::mem::take(&mut self.n_waiting);
                    self.waiting.clear();
                }
            }
        }
        written
    }

    fn write(&mut self) -> std::io::Result<()> {
        let mut segment = match self.current.take() {
            Some(segment) if segment.length < self.file_bytes && segment.path.exists() => segment,
            Some(_) | None => self.begin()?,
        };
        match segment.file.write_all(&self.waiting) {
            Ok(()) => {
                segment.length += self.waiting.len() as u64;
                self.current = Some(segment);
                Ok(())
            }
            Err(error) => {
                // Half a line is taken back; where not even that works, the next file is another.
                if segment.file.set_len(segment.length).is_ok() {
                    self.current = Some(segment);
                }
                Err(error)
            }
        }
    }

    /// A new file, called by the moment of its first answer.
    fn begin(&self) -> std::io::Result<Segment> {
        let mut moment = self.first;
        loop {
            let path = self
                .folder
                .join(format!("{}{moment:020}{}", NAME.0, NAME.1));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    return Ok(Segment {
                        path,
                        file,
                        length: 0,
                    });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => moment += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts everything on the disk at the end; what still waits is lost.
    pub(super) fn end(&mut self, counts: &Counts) {
        counts.n_lost.fetch_add(self.n_waiting, Ordering::Relaxed);
        if let Some(segment) = self.current.take() {
            // Nobody is there any more to hear of a failure.
            let _ = segment.file.sync_all();
        }
    }

    /// Rewrites every file that has answers of a lead, without them; returns how many there were.
    pub(super) fn forget(&mut self, lead: &str) -> Result<usize, LogError> {
        self.current = None;
        let mut n_removed = 0;
        for path in list(&self.folder)? {
            n_removed += forget_in(&path, lead).map_err(|source| LogError::Io { path, source })?;
        }
        Ok(n_removed)
    }
}

/// Rewrites a file without the answers of a lead.
fn forget_in(path: &Path, lead: &str) -> std::io::Result<usize> {
    // As JSON has it; in a damaged line the ID is looked for as it is.
    let needle = serde_json::to_string(lead)?;
    let is_of_lead = |line: &[u8]| match Answer::parse(line) {
        Ok(answer) => answer.lead == lead,
        Err(AnswerError::Json { .. } | AnswerError::Field { .. }) => {
            memchr::memmem::find(line, needle.as_bytes()).is_some()
        }
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut kept = tempfile::NamedTempFile::new_in(folder)?;
    let mut n_removed = 0;
    let mut failed = None;
    for_each_raw_line(path, |line| {
        if is_of_lead(line) {
            n_removed += 1;
        } else if failed.is_none() {
            failed = kept
                .write_all(line)
                .and_then(|()| kept.write_all(b"\n"))
                .err();
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    if n_removed > 0 {
        kept.as_file().sync_all()?;
        kept.persist(path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()?;
    }
    Ok(n_removed)
}

/// The files of a log, in order: those of a folder, or the file itself.
///
/// # Errors
///
/// [`LogError`] where there is none, or the folder cannot be read.
pub fn segments_of(path: &Path) -> Result<Vec<PathBuf>, LogError> {
    let found = path.metadata().map_err(|source| LogError::Io {
        path: path.to_owned(),
        source,
    })?;
    if found.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let files = list(path)?;
    if files.is_empty() {
        return Err(LogError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(files)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, LogError> {
    let failed = |source| LogError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(NAME.0) && name.ends_with(NAME.1) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Calls `visit` with each line of a file, its number from 1, and the answer that it has.
///
/// # Errors
///
/// [`LogError`] where the file cannot be read.
pub fn for_each_line(
    path: &Path,
    mut visit: impl FnMut(usize, Result<Answer, AnswerError>),
) -> Result<(), LogError> {
    let mut number = 0;
    let visit = |line: &[u8]| {
        number += 1;
        visit(number, Answer::parse(line));
    };
    for_each_raw_line(path, visit).map_err(|source| LogError::Io {
        path: path.to_owned(),
        source,
    })
}

fn for_each_raw_line(path: &Path, mut visit: impl FnMut(&[u8])) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        visit(&line);
    }
}
