//! The bytes of a file that is held in memory as a whole: unpacked, of one version, as UTF-8.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use crate::error::TablesError;
use leadscore_config::Bytes;

/// Largest row of a text, in bytes: the text of a whole book is a million.
pub(crate) const LARGEST_ROW: usize = 64_000_000;

/// Most columns of a table.
pub(crate) const MOST_COLUMNS: usize = 20_000;

/// What to do about [`MOST_COLUMNS`].
pub(crate) fn too_many_columns() -> &'static str {
    "a table has at most 20,000: name those that are needed in the export, or turn columns into rows"
}

pub(crate) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> TablesError {
    let path = path.to_owned();
    move |source| TablesError::Io {
        action,
        path,
        source,
    }
}

/// Reads a file, and unpacks it where it is packed; a text has at most `largest` bytes.
pub(crate) fn read_bytes(path: &Path, largest: u64) -> Result<Vec<u8>, TablesError> {
    let too_large = |what: &str| too_large(path, what, largest);
    let mut file = File::open(path).map_err(io_error("open", path))?;
    let before = Version::of(&file);
    if before.length > largest {
        return Err(too_large("it has"));
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(usize::try_from(before.length).unwrap_or(usize::MAX))
        .map_err(|_| too_large("it has"))?;
    file.by_ref()
        .take(largest + 1)
        .read_to_end(&mut bytes)
        .map_err(io_error("read", path))?;
    if Version::of(&file) != before || bytes.len() as u64 != before.length {
        return Err(changed(path));
    }
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .take(largest + 1)
        .read_to_end(&mut text)
        .map_err(io_error("decompress", path))?;
    if text.len() as u64 > largest {
        return Err(too_large("it unpacks to"));
    }
    Ok(text)
}

/// The error of a text with more bytes than one may have; `what` ends with its verb.
pub(crate) fn too_large(path: &Path, what: &str, largest: u64) -> TablesError {
    TablesError::Format {
        path: path.to_owned(),
        found: format!("{what} more than {}, and a text is held in memory as a whole", Bytes(largest)),
        help: "write it as Parquet, split it into several files, or raise `[data] largest_text` (and --memory)".to_owned(),
    }
}

/// A text cut at ends of lines, into runs of about so many bytes.
pub(crate) fn runs_of_lines(text: &[u8], n_bytes: usize) -> Vec<Range<usize>> {
    let (mut runs, mut begin) = (Vec::new(), 0);
    while begin < text.len() {
        let least = text.len().min(begin + n_bytes);
        let end = memchr::memchr(b'\n', &text[least..]).map_or(text.len(), |at| least + at + 1);
        runs.push(begin..end);
        begin = end;
    }
    runs
}

/// By what a file that somebody writes to is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    length: u64,
    modified: Option<std::time::SystemTime>,
}

impl Version {
    pub(crate) fn of(file: &File) -> Self {
        let metadata = file.metadata();
        Self {
            length: metadata.as_ref().map_or(0, std::fs::Metadata::len),
            modified: metadata.and_then(|meta| meta.modified()).ok(),
        }
    }

    /// The version of the file at a path, if there is one.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        Some(Self::of(&File::open(path).ok()?))
    }
}

/// The error of a file that somebody wrote to meanwhile.
pub(crate) fn changed(path: &Path) -> TablesError {
    TablesError::Format {
        path: path.to_owned(),
        found: "it changed while it was read".to_owned(),
        help: "run again once it is whole; write new exports beside the old ones and rename them, so that no reader sees half a file".to_owned(),
    }
}

/// Turns a text file to UTF-8 without a byte order mark; the second value says what was recognised
/// and not declared.
pub(crate) fn decode(
    path: &Path,
    bytes: Vec<u8>,
    declared: Option<&str>,
) -> Result<(Vec<u8>, Option<String>), TablesError> {
    let format_error = |found: &str, help: &str| TablesError::Format {
        path: path.to_owned(),
        found: found.to_owned(),
        help: help.to_owned(),
    };
    let unmarked = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    if unmarked.iter().all(u8::is_ascii_whitespace) {
        return Err(format_error(
            "the file is empty",
            "check the export; a table needs a header and rows",
        ));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(format_error(
            "this is an Excel workbook (or a zip archive), despite its name",
            "open it and save the sheet as CSV",
        ));
    }
    if bytes.starts_with(b"PAR1") {
        return Err(format_error(
            "this is a Parquet file, despite its name",
            "rename it to end in .parquet",
        ));
    }
    if let Some(label) = declared {
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            format_error(
                &format!("`{label}` is not an encoding"),
                "use a name such as \"utf-8\", \"latin1\" or \"utf-16le\"",
            )
        })?;
        let (text, used, malformed) = encoding.decode(&bytes);
        if malformed {
            return Err(format_error(
                &format!("it is not valid {}", used.name()),
                "correct `encoding`",
            ));
        }
        return Ok((text.into_owned().into_bytes(), None));
    }
    if let Some((encoding, mark_length)) = encoding_rs::Encoding::for_bom(&bytes) {
        if encoding == encoding_rs::UTF_8 {
            return decode_unmarked(path, bytes[mark_length..].to_vec());
        }
        let (text, _, malformed) = encoding.decode(&bytes);
        if malformed {
            return Err(format_error(
                &format!("it begins as {} and then breaks it", encoding.name()),
                "export it again as UTF-8",
            ));
        }
        return Ok((text.into_owned().into_bytes(), None));
    }
    if memchr::memchr(0, &bytes[..bytes.len().min(4096)]).is_some() {
        return Err(format_error(
            "it has zero bytes, as UTF-16 without a byte order mark or a binary file does",
            "export it as UTF-8, or set `encoding = \"utf-16le\"`",
        ));
    }
    decode_unmarked(path, bytes)
}

/// UTF-8 as it is; anything else as Windows-1252, with a note, unless much of it is UTF-8 or it has
/// bytes that no text of Windows-1252 has.
fn decode_unmarked(path: &Path, bytes: Vec<u8>) -> Result<(Vec<u8>, Option<String>), TablesError> {
    let Err(error) = std::str::from_utf8(&bytes) else {
        return Ok((bytes, None));
    };
    let line = 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count();
    let is_utf_8_elsewhere = bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii());
    let is_none = |byte: &u8| [0x81, 0x8d, 0x8f, 0x90, 0x9d].contains(byte);
    if is_utf_8_elsewhere || bytes.iter().any(is_none) {
        return Err(TablesError::Row {
            path: path.to_owned(),
            line: line as u64,
            found: if is_utf_8_elsewhere {
                "the line is not UTF-8, and others are".to_owned()
            } else {
                "the line is neither UTF-8 nor Windows-1252".to_owned()
            },
            help: "export the file again as UTF-8, or set `encoding` for the whole of it"
                .to_owned(),
        });
    }
    let (text, _, _) = encoding_rs::WINDOWS_1252.decode(&bytes);
    let note = format!(
        "line {line} is not UTF-8; read as Windows-1252 (Latin-1); set `encoding` if it is something else"
    );
    Ok((text.into_owned().into_bytes(), Some(note)))
}
