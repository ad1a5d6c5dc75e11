//! The journal: lines that are only ever added, each with the hash of the line before; and the head,
//! by which lines that were removed at the end are noticed.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use super::error::RegistryError;
use super::event::Line;
use super::files::{HEAD, JOURNAL, failed, read, replace, sha256, sync_folder};
use super::finding::Finding;

/// The journal as it is on disk.
#[derive(Debug, Clone, Default)]
pub(super) struct Journal {
    /// Whole lines that can be read.
    pub(super) lines: Vec<Line>,
    /// SHA-256 of the last whole line; empty where there is none.
    pub(super) last_hash: String,
    /// Bytes of the whole lines.
    pub(super) length: u64,
    /// Bytes after the last line end: a line that was being written when its process ended.
    pub(super) n_torn: u64,
    /// The last line that the head knows; 0 where there is no head.
    pub(super) settled: u64,
    /// What is wrong.
    pub(super) findings: Vec<Finding>,
}

/// What the head file has.
struct Head {
    number: u64,
    sha256: String,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (number, sha256) = std::str::from_utf8(bytes)
            .ok()?
            .trim_end()
            .split_once(' ')?;
        Some(Self {
            number: number.parse().ok().filter(|&number| number > 0)?,
            sha256: sha256.to_owned(),
        })
    }
}

impl Journal {
    /// Reads the journal of a folder and checks it against itself and the head.
    pub(super) fn read(folder: &Path) -> Result<Self, RegistryError> {
        // The head first: lines that are added meanwhile are then no contradiction.
        let head = read(&folder.join(HEAD))?;
        let bytes = read(&folder.join(JOURNAL))?.unwrap_or_default();
        let whole = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |end| end + 1);
        let mut journal = Self {
            length: whole as u64,
            n_torn: (bytes.len() - whole) as u64,
            ..Self::default()
        };
        let mut hashes = Vec::new();
        for raw in bytes[..whole].split_inclusive(|&byte| byte == b'\n') {
            journal.take(&raw[..raw.len() - 1], &mut hashes);
        }
        journal.check_head(head.as_deref(), &hashes);
        Ok(journal)
    }

    /// Takes the next line; `hashes` has those of the lines before.
    fn take(&mut self, raw: &[u8], hashes: &mut Vec<(u64, String)>) {
        let position = hashes.last().map_or(0, |(number, _)| *number) + 1;
        let hash = sha256(raw);
        match serde_json::from_slice::<Line>(raw) {
            Ok(line) => {
                if line.number != position {
                    self.findings.push(Finding::OutOfOrder {
                        line: position,
                        number: line.number,
                    });
                } else if line.before != self.last_hash {
                    self.findings.push(Finding::Chain {
                        line: position.saturating_sub(1).max(1),
                    });
                }
                hashes.push((line.number, hash.clone()));
                self.lines.push(line);
            }
            Err(error) => {
                self.findings.push(unreadable(position, raw, &error));
                hashes.push((position, hash.clone()));
            }
        }
        self.last_hash = hash;
    }

    fn check_head(&mut self, head: Option<&[u8]>, hashes: &[(u64, String)]) {
        let has = hashes.last().map_or(0, |(number, _)| *number);
        let Some(head) = head else {
            // The first line is written before the first head.
            if has > 1 {
                self.findings.push(Finding::NoHead);
            }
            return;
        };
        let Some(head) = Head::parse(head) else {
            self.findings.push(Finding::NoHead);
            return;
        };
        self.settled = head.number;
        if head.number > has {
            self.findings.push(Finding::Short {
                has,
                had: head.number,
            });
        } else if !hashes.contains(&(head.number, head.sha256)) {
            self.findings.push(Finding::Head { line: head.number });
        } else if head.number + 1 < has {
            self.findings.push(Finding::OldHead {
                knows: head.number,
                has,
            });
        }
    }

    /// Number of the last line; 0 where there is none.
    pub(super) fn last_number(&self) -> u64 {
        self.lines.last().map_or(0, |line| line.number)
    }

    /// Whether the last line is written, and maybe not all that follows from it.
    pub(super) fn is_unsettled(&self) -> bool {
        self.settled < self.last_number()
    }

    /// Removes a line that was being written when its process ended.
    pub(super) fn remove_torn(&mut self, folder: &Path) -> Result<(), RegistryError> {
        if self.n_torn > 0 {
            let path = folder.join(JOURNAL);
            OpenOptions::new()
                .write(true)
                .open(&path)
                .and_then(|file| {
                    file.set_len(self.length)?;
                    file.sync_all()
                })
                .map_err(failed("remove the torn last line of", &path))?;
            self.n_torn = 0;
        }
        Ok(())
    }

    /// Adds a line. From the moment that it is on disk it counts.
    pub(super) fn append(&mut self, folder: &Path, line: Line) -> Result<(), RegistryError> {
        let path = folder.join(JOURNAL);
        let mut text = serde_json::to_vec(&line).map_err(RegistryError::Event)?;
        let hash = sha256(&text);
        text.push(b'\n');
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(failed("open", &path))?;
        let length = file.metadata().map_err(failed("look at", &path))?.len();
        if length != self.length {
            return Err(RegistryError::ChangedMeanwhile { path });
        }
        if length == 0 {
            sync_folder(folder)?;
        }
        if let Err(error) = file.write_all(&text).and_then(|()| file.sync_all()) {
            // Half a line would be taken for a torn one; a whole one would count although it was
            // refused.
            let _ = file.set_len(self.length);
            return Err(failed("write", &path)(error));
        }
        self.length += text.len() as u64;
        self.last_hash = hash;
        self.lines.push(line);
        Ok(())
    }

    /// Writes the head: all that follows from the last line is on disk.
    pub(super) fn settle(&mut self, folder: &Path) -> Result<(), RegistryError> {
        let number = self.last_number();
        if self.settled != number {
            replace(
                folder,
                HEAD,
                format!("{number} {}\n", self.last_hash).as_bytes(),
            )?;
            sync_folder(folder)?;
            self.settled = number;
        }
        Ok(())
    }
}

/// Why a line cannot be read.
fn unreadable(line: u64, raw: &[u8], error: &serde_json::Error) -> Finding {
    let found = match serde_json::from_slice::<serde_json::Value>(raw) {
        Err(_) => "it is not JSON".to_owned(),
        Ok(value) => {
            let text = |key: &str| value[key].as_str().map(str::to_owned);
            let error = error.to_string();
            match (text("event"), text("tool_version")) {
                (Some(event), Some(version)) if error.starts_with("unknown variant") => {
                    return Finding::Newer {
                        line,
                        event,
                        version,
                    };
                }
                _ => error,
            }
        }
    };
    Finding::Unreadable { line, found }
}
