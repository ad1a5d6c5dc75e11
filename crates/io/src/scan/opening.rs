//! A file of a table is opened: its columns, by who can read them, and those that nobody reads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars_arrow::datatypes::ArrowSchema;
use polars_arrow::io::ipc::read::read_file_metadata;
use polars_core::error::PolarsResult;
use polars_core::prelude::DataType;
use polars_io::prelude::{FileMetadata, FileMetadataRef, ParquetReader, SerReader, infer_schema};

use super::nested::{Names, Nested, roots};
use super::part::{Part, Rows, engine_error, open_file, without_notes};
use super::text::Text;
use crate::arrow_file;
use crate::arrow_types::{self, Reading, Unreadable};
use crate::error::TablesError;
use crate::panics::caught;
use crate::parquet_file::{self, Chunk};
use crate::source::Source;
use crate::text_bytes::{MOST_COLUMNS, Version, too_many_columns};

/// A file with its columns, and those that nobody reads.
type Opened = (Part, Vec<String>, Unreadable);

/// The columns of a file, by how their cells come to be ours.
struct Readings {
    columns: Vec<String>,
    special: BTreeSet<String>,
    unreadable: Unreadable,
}

impl Part {
    /// A file with its columns, and those that nobody reads.
    pub(super) fn open(source: Source, notes: &mut Vec<String>) -> Result<Opened, TablesError> {
        let path = source.path().to_owned();
        let (part, columns, unreadable) = caught(&path, || Self::look_into(source, notes))?;
        if columns.len() > MOST_COLUMNS {
            return Err(TablesError::Format {
                path,
                found: format!("there are {} columns", columns.len()),
                help: too_many_columns().to_owned(),
            });
        }
        Ok((part, columns, unreadable))
    }

    fn look_into(source: Source, notes: &mut Vec<String>) -> Result<Opened, TablesError> {
        let path = source.path().to_owned();
        let version = match source {
            Source::Csv { .. } | Source::Ndjson { .. } => None,
            Source::Parquet { .. } | Source::Arrow { .. } => Version::at(&path),
        };
        let mut part = Self {
            path: path.clone(),
            rows: Rows::Arrow,
            csv: None,
            uuids: BTreeSet::new(),
            days: BTreeSet::new(),
            nested: Nested::new(),
            objects: BTreeSet::new(),
            version,
            row_names: None,
        };
        match source {
            Source::Csv {
                text,
                delimiter,
                header,
                n_rows,
                note,
                ..
            } => {
                notes.extend(note.map(|note| format!("{}: {note}", path.display())));
                part.csv = Some((delimiter, n_rows));
                Ok(part.open_text(Text::of_csv(text, delimiter, &header)))
            }
            Source::Ndjson { text, .. } => {
                let of_file = |note: String| format!("{}: {note}", path.display());
                notes.extend(text.notes.into_iter().map(of_file));
                part.objects = text.objects;
                let rows = Text::of_ndjson(text.text, &text.columns).of_elements(text.elements);
                let (part, columns, _) = part.open_text(rows);
                Ok((part, columns, text.unreadable))
            }
            Source::Parquet { .. } => part.open_parquet(),
            Source::Arrow { .. } => part.open_arrow(),
        }
    }

    /// A text whose rows are in memory.
    fn open_text(mut self, text: Text) -> Opened {
        let columns = text.columns();
        self.rows = Rows::Text(Arc::new(text));
        (self, columns, Unreadable::new())
    }

    /// A Parquet file, by the types that its writer had in mind as far as the engine knows them.
    fn open_parquet(mut self) -> Result<Opened, TablesError> {
        let path = self.path.clone();
        let fail = |error| engine_error(&path, error);
        let mut reader = ParquetReader::new(open_file(&path)?);
        let metadata = Arc::clone(reader.get_metadata().map_err(fail)?);
        let chunks = metadata.row_groups.iter().flat_map(|group| {
            group.parquet_columns().iter().map(|column| Chunk {
                range: column.byte_range(),
                n_values: column.num_values(),
                n_rows: (column.descriptor().descriptor.max_rep_level == 0)
                    .then(|| group.num_rows()),
            })
        });
        if let Some(found) = parquet_file::damage(&open_file(&path)?, chunks)
            .map_err(|source| unread(&path, source))?
        {
            return Err(damaged(path, found));
        }
        let said = metadata
            .key_value_metadata
            .iter()
            .flatten()
            .find(|said| said.key == "ARROW:schema")
            .and_then(|said| said.value.as_deref());
        if said.is_some_and(arrow_types::is_unknown_in_parquet) {
            return self.open_bare_parquet(metadata);
        }
        let schema = reader.schema().map_err(fail)?;
        for column in metadata.schema_descr.columns() {
            // The logical type has no name that could be matched from here.
            let primitive = &column.descriptor.primitive_type;
            if format!("{:?}", primitive.logical_type) == "Some(Uuid)" {
                self.uuids.insert(primitive.field_info.name.to_string());
            }
        }
        let readings = self.readings(&schema);
        if !(readings.special.is_empty() && readings.unreadable.is_empty()) {
            return self.open_special_parquet(metadata, readings, &schema);
        }
        self.rows = Rows::Parquet {
            metadata,
            special: BTreeSet::new(),
        };
        Ok((self, readings.columns, Unreadable::new()))
    }

    /// A Parquet file whose writer noted down types that the engine does not know: it is read by
    /// its own types.
    fn open_bare_parquet(mut self, metadata: FileMetadataRef) -> Result<Opened, TablesError> {
        let bare = bare_schema(&metadata).map_err(|error| engine_error(&self.path, error))?;
        let readings = self.readings(&bare);
        let read: Vec<&str> = readings
            .columns
            .iter()
            .filter(|column| !readings.unreadable.contains_key(*column))
            .map(String::as_str)
            .collect();
        let special = roots(&read, &self.nested).into_iter().map(str::to_owned);
        let special = special.collect();
        self.rows = Rows::Parquet { metadata, special };
        Ok((self, readings.columns, readings.unreadable))
    }

    /// A Parquet file some of whose columns are read by their own types. Without the Arrow types
    /// that the writer had in mind, a file has types of its own.
    fn open_special_parquet(
        mut self,
        metadata: FileMetadataRef,
        mut readings: Readings,
        schema: &ArrowSchema,
    ) -> Result<Opened, TablesError> {
        let bare = bare_schema(&metadata).map_err(|error| engine_error(&self.path, error))?;
        let is_held = |name: &String| {
            bare.get(name.as_str())
                .is_some_and(|field| arrow_types::reading(&field.dtype) == Reading::Plain)
        };
        let (special, lost): (BTreeSet<String>, BTreeSet<String>) =
            readings.special.into_iter().partition(is_held);
        for name in lost {
            let kind = schema
                .get(name.as_str())
                .map_or_else(String::new, |field| arrow_types::type_name(&field.dtype));
            readings.unreadable.insert(name, kind);
        }
        self.rows = Rows::Parquet { metadata, special };
        Ok((self, readings.columns, readings.unreadable))
    }

    /// An Arrow file, by the engine where that knows all of its types.
    fn open_arrow(mut self) -> Result<Opened, TablesError> {
        let path = self.path.clone();
        let fail = |error| engine_error(&path, error);
        if let Some(found) = arrow_file::damage(&path).map_err(|source| unread(&path, source))? {
            return Err(damaged(path, found));
        }
        if let Some((column, kind)) =
            arrow_types::unknown_in_file(&path).map_err(|source| unread(&path, source))?
        {
            let found =
                format!("column `{column}` holds {kind}, beside which no column can be read");
            return Err(TablesError::Format {
                path,
                found,
                help: "write the file without it, or as Parquet".to_owned(),
            });
        }
        let schema = read_file_metadata(&mut open_file(&path)?)
            .map_err(fail)?
            .schema;
        let readings = self.readings(&schema);
        Ok((self, readings.columns, readings.unreadable))
    }

    /// Sorts columns by how their cells come to be ours.
    fn readings(&mut self, schema: &ArrowSchema) -> Readings {
        let mut readings = Readings {
            columns: Vec::new(),
            special: BTreeSet::new(),
            unreadable: Unreadable::new(),
        };
        let mut names = Names::default();
        for field in schema.iter_values() {
            let name = field.name.to_string();
            match arrow_types::reading(&field.dtype) {
                Reading::Plain => {
                    names.add(&name, &DataType::from_arrow_field(field));
                    continue;
                }
                Reading::Days => drop(self.days.insert(name.clone())),
                Reading::Uuid => {
                    self.uuids.insert(name.clone());
                    readings.special.insert(name.clone());
                }
                Reading::Storage | Reading::UnknownZone => {
                    _ = readings.special.insert(name.clone());
                }
                Reading::Nothing => drop(
                    readings
                        .unreadable
                        .insert(name.clone(), arrow_types::type_name(&field.dtype)),
                ),
            }
            names.add_plain(&name);
        }
        (self.nested, self.objects) = (names.nested, names.objects);
        readings.columns = names.columns;
        readings.unreadable.extend(names.unreadable);
        readings
    }
}

/// The error of a file that cannot be read at all.
fn unread(path: &Path, source: std::io::Error) -> TablesError {
    TablesError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    }
}

fn damaged(path: PathBuf, found: &str) -> TablesError {
    TablesError::Format {
        path,
        found: found.to_owned(),
        help: "the file may be damaged or cut off: export it again".to_owned(),
    }
}

/// The types of a Parquet file without those that its writer noted down beside them.
fn bare_schema(metadata: &FileMetadata) -> PolarsResult<ArrowSchema> {
    infer_schema(&without_notes(metadata))
}
