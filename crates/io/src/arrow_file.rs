//! Arrow files before the engine sees them: what they say of their own parts must fit into the
//! file, since the engine believes it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use polars_arrow_format::ipc::planus::{self, ReadAsRoot};
use polars_arrow_format::ipc::{BlockRef, FooterRef, MessageHeaderRef, MessageRef, RecordBatchRef};

use crate::memory::half_of_memory;

/// The last bytes of a file.
const END: &[u8] = b"ARROW1";
/// What a message may begin with; its length follows.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// No codec packs so many bytes into one, whatever the column.
pub(crate) const MOST_PACKED: u64 = 100_000;
/// Rows of a batch that has no bytes at all, as one of missing cells alone.
const MOST_ROWS: u64 = 1 << 31;

/// The footer of a file; none where it ends otherwise.
pub(crate) fn footer(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let Some(at) = length.checked_sub(END.len() as u64 + 4) else {
        return Ok(None);
    };
    let mut last = [0; 10];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut last)?;
    let size = u64::from(u32::from_le_bytes([last[0], last[1], last[2], last[3]]));
    let Some(begin) = at.checked_sub(size).filter(|_| last.ends_with(END)) else {
        return Ok(None);
    };
    Ok(Some(read_at(&mut file, begin, size)?))
}

/// What is damaged in a file: a batch that lies outside of it, or has more rows or bytes than can
/// be in it.
pub(crate) fn damage(path: &Path) -> std::io::Result<Option<&'static str>> {
    let Some(footer) = footer(path)? else {
        return Ok(Some("its end is not that of an Arrow file"));
    };
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let Ok(blocks) = blocks(&footer) else {
        return Ok(Some("its footer cannot be understood"));
    };
    for (begin, n_metadata, n_body) in blocks {
        let end = begin
            .checked_add(n_metadata)
            .and_then(|at| at.checked_add(n_body));
        if end.is_none_or(|end| end > length) {
            return Ok(Some("a batch of rows lies beyond its end"));
        }
        let message = read_at(&mut file, begin, n_metadata)?;
        let skipped = if message.starts_with(&CONTINUATION) {
            8
        } else {
            4
        };
        let compressed_lengths = |offsets: &[u64]| -> std::io::Result<Vec<i64>> {
            offsets
                .iter()
                .map(|offset| {
                    Ok(i64::from_le_bytes(
                        read_at(&mut file, begin + n_metadata + offset, 8)?
                            .try_into()
                            .unwrap_or_default(),
                    ))
                })
                .collect()
        };
        match damage_of_message(
            message.get(skipped..).unwrap_or_default(),
            n_body,
            compressed_lengths,
        ) {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(found))) => return Ok(Some(found)),
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(Some("a batch of rows cannot be understood")),
        }
    }
    Ok(None)
}

/// Where batches begin, the bytes of what is said of each, and its own bytes.
fn blocks(footer: &[u8]) -> planus::Result<Vec<(u64, u64, u64)>> {
    let footer = FooterRef::read_as_root(footer)?;
    let place = |block: BlockRef<'_>| {
        // What is negative lies beyond every end.
        let whole = |number: i64| u64::try_from(number).unwrap_or(u64::MAX);
        (
            whole(block.offset()),
            whole(block.meta_data_length().into()),
            whole(block.body_length()),
        )
    };
    let of_dictionaries = footer.dictionaries()?.into_iter().flatten();
    Ok(of_dictionaries
        .chain(footer.record_batches()?.into_iter().flatten())
        .map(place)
        .collect())
}

/// What is damaged in a batch with so many bytes; `unpacked` reads how long buffers at these places
/// say that they are.
fn damage_of_message(
    message: &[u8],
    n_body: u64,
    unpacked: impl FnOnce(&[u64]) -> std::io::Result<Vec<i64>>,
) -> planus::Result<std::io::Result<Option<&'static str>>> {
    let batch = match MessageRef::read_as_root(message)?.header()? {
        Some(MessageHeaderRef::RecordBatch(batch)) => batch,
        Some(MessageHeaderRef::DictionaryBatch(dictionary)) => match dictionary.data()? {
            Some(batch) => batch,
            None => return Ok(Ok(Some("a dictionary has no values"))),
        },
        Some(
            MessageHeaderRef::Schema(_)
            | MessageHeaderRef::Tensor(_)
            | MessageHeaderRef::SparseTensor(_),
        )
        | None => {
            return Ok(Ok(Some("what its footer calls a batch is none")));
        }
    };
    damage_of_batch(batch, n_body, unpacked)
}

fn damage_of_batch(
    batch: RecordBatchRef<'_>,
    n_body: u64,
    unpacked: impl FnOnce(&[u64]) -> std::io::Result<Vec<i64>>,
) -> planus::Result<std::io::Result<Option<&'static str>>> {
    let is_compressed = batch.compression()?.is_some();
    let (mut n_bytes, mut packed) = (0_u64, Vec::new());
    for buffer in batch.buffers()?.into_iter().flatten() {
        let (Ok(offset), Ok(length)) = (
            u64::try_from(buffer.offset()),
            u64::try_from(buffer.length()),
        ) else {
            return Ok(Ok(Some("a column begins before its batch")));
        };
        if offset.checked_add(length).is_none_or(|end| end > n_body) {
            return Ok(Ok(Some("a column lies beyond its batch")));
        }
        n_bytes = n_bytes.saturating_add(length);
        if is_compressed && length >= 8 {
            packed.push(offset);
        }
    }
    let lengths = match unpacked(&packed) {
        Ok(lengths) => lengths,
        Err(error) => return Ok(Err(error)),
    };
    // -1 is what stands there where a buffer was not worth packing.
    n_bytes = lengths.iter().fold(n_bytes, |sum, &length| {
        sum.saturating_add(u64::try_from(length.max(0)).unwrap_or(0))
    });
    if n_bytes > half_of_memory().min(n_body.saturating_mul(MOST_PACKED)) {
        return Ok(Ok(Some(
            "a batch unpacks to more than there can be in it, or than half of the memory",
        )));
    }
    let most = n_bytes.saturating_mul(8);
    let n_rows = u64::try_from(batch.length()?).unwrap_or(u64::MAX);
    let fits = |length: i64| {
        u64::try_from(length)
            .is_ok_and(|length| length <= most || (length == n_rows && length <= MOST_ROWS))
    };
    let nodes = batch.nodes()?.into_iter().flatten();
    let is_damaged = n_rows > most.max(MOST_ROWS)
        || nodes.into_iter().any(|node| {
            !fits(node.length()) || node.null_count() < 0 || node.null_count() > node.length()
        });
    Ok(Ok(
        is_damaged.then_some("a column has more cells than bytes")
    ))
}

fn read_at(file: &mut File, begin: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(begin))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}
