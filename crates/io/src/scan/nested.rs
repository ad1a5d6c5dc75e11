//! Columns of objects in typed tables: each field is a column, called by the names that lead to it
//! with dots between them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use polars_core::error::PolarsResult;
use polars_core::prelude::{ChunkNestingUtils, Column, DataFrame, DataType, Field, Series};

use crate::arrow_types::Unreadable;

/// For each field of an object, the column that it is in and the names of objects on the way to it.
pub(super) type Nested = BTreeMap<String, Vec<String>>;

/// The columns of a table, whose own are these.
#[derive(Default)]
pub(super) struct Names {
    pub(super) columns: Vec<String>,
    pub(super) nested: Nested,
    /// Names of objects, whose fields are columns.
    pub(super) objects: BTreeSet<String>,
    pub(super) unreadable: Unreadable,
    seen: HashSet<String>,
}

impl Names {
    /// Adds a column of the table, or the fields in it.
    pub(super) fn add(&mut self, name: &str, kind: &DataType) {
        self.add_field(&mut vec![name.to_owned()], kind);
    }

    fn add_field(&mut self, path: &mut Vec<String>, kind: &DataType) {
        if let DataType::Struct(fields) = kind {
            self.objects.insert(path.join("."));
            for Field { name, dtype } in fields {
                path.push(name.to_string());
                self.add_field(path, dtype);
                path.pop();
            }
            return;
        }
        let name = path.join(".");
        if self.add_plain(&name) && path.len() > 1 {
            self.nested.insert(name, path.clone());
        }
    }

    /// Adds a column that is no object; `false` where another one has its name.
    pub(super) fn add_plain(&mut self, name: &str) -> bool {
        let is_new = self.seen.insert(name.to_owned());
        if is_new {
            self.columns.push(name.to_owned());
        } else {
            let why = "two fields of this name, one with a dot in it";
            self.unreadable.insert(name.to_owned(), why.to_owned());
        }
        is_new
    }
}

/// The columns of the table in which these are, each once.
pub(super) fn roots<'n>(columns: &[&'n str], nested: &'n Nested) -> Vec<&'n str> {
    let mut roots = Vec::new();
    for &column in columns {
        let root = nested.get(column).map_or(column, |path| path[0].as_str());
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
}

/// These columns, taken out of the ones that they are in.
pub(super) fn take_out(
    frame: &DataFrame,
    columns: &[&str],
    nested: &Nested,
) -> PolarsResult<DataFrame> {
    let taken = columns
        .iter()
        .map(|&column| match nested.get(column) {
            None => frame.column(column).cloned(),
            Some(path) => {
                let root = frame.column(&path[0])?.as_materialized_series();
                let field = field(root, &path[1..])?;
                Ok(Column::from(field.with_name(column.into())))
            }
        })
        .collect::<PolarsResult<Vec<_>>>()?;
    DataFrame::new(frame.height(), taken)
}

/// A field of the objects of a column, missing where an object is.
fn field(objects: &Series, path: &[String]) -> PolarsResult<Series> {
    let mut found = objects.clone();
    for name in path {
        let objects = found.struct_()?;
        let objects = objects.propagate_nulls().unwrap_or_else(|| objects.clone());
        found = objects.field_by_name(name)?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use leadscore_config::{FileConfig, Location};
    use polars_core::prelude::{IntoSeries, NamedFrom, StructChunked};
    use polars_io::prelude::{IpcWriter, ParquetWriter, SerWriter};

    use super::super::Table;
    use super::*;
    use crate::bounds::Bounds;

    /// The cells of a column as texts.
    fn cells(table: &Table<'_>, column: &str) -> Vec<Option<String>> {
        let raw = table.read(&[column]).expect("readable");
        let mut cells = Vec::new();
        raw.for_each_text(column, |_, text| {
            cells.push(text.map(str::to_owned));
            Ok(())
        })
        .expect("texts");
        cells
    }

    fn objects(name: &str, n_rows: usize, fields: &[Series]) -> StructChunked {
        StructChunked::from_series(name.into(), n_rows, fields.iter()).expect("one length")
    }

    #[test]
    fn fields_are_read_from_every_typed_format() {
        let seats = Series::new("seats".into(), [Some(3), None, Some(5), Some(7)]);
        let days = Series::new("a.b".into(), ["x", "y", "z", "w"]);
        let tags = Series::new(
            "tags".into(),
            [seats.clone(), days.clone(), seats.clone(), days.clone()]
                .map(|of| of.cast(&DataType::String).expect("texts")),
        );
        let inner = objects("size", 4, &[seats]).into_series();
        // The third object is missing, whatever is in the bytes behind it.
        let is_there = [true, true, false, true];
        let outer = objects("properties", 4, &[inner, days, tags])
            .with_outer_validity(Some(is_there.into_iter().collect()))
            .into_series();
        let id = Series::new("id".into(), ["L0", "L1", "L2", "L3"]);
        let twice = Series::new("properties.a.b".into(), ["q", "q", "q", "q"]);
        let frame = |columns: &[&Series]| {
            let columns = columns.iter().map(|&column| Column::from(column.clone()));
            DataFrame::new(4, columns.collect()).expect("one length")
        };
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let create = |name: &str| std::fs::File::create(at(name)).expect("a file");
        let mut plain = frame(&[&id, &outer]);
        let mut doubtful = frame(&[&id, &outer, &twice]);
        ParquetWriter::new(create("x.parquet"))
            .finish(&mut plain)
            .expect("written");
        IpcWriter::new(create("x.arrow"))
            .finish(&mut plain)
            .expect("written");
        ParquetWriter::new(create("twice.parquet"))
            .finish(&mut doubtful)
            .expect("written");
        for name in ["x.parquet", "x.arrow"] {
            let location = Location::One(at(name).to_string_lossy().into_owned());
            let file = FileConfig::plain(&location);
            let table =
                Table::open("[leads]", folder.path(), file, Bounds::usual(None)).expect(name);
            let columns = [
                "id",
                "properties.size.seats",
                "properties.a.b",
                "properties.tags",
            ];
            assert_eq!(table.columns(), columns);
            let texts = |cells: [Option<&str>; 4]| cells.map(|cell| cell.map(str::to_owned));
            assert_eq!(
                cells(&table, "properties.size.seats"),
                texts([Some("3"), None, None, Some("7")])
            );
            assert_eq!(
                cells(&table, "properties.a.b"),
                texts([Some("x"), Some("y"), None, Some("w")])
            );
            let error = table
                .read(&["properties.tags"])
                .err()
                .expect("lists")
                .to_string();
            assert!(error.contains("it holds lists"), "{error}");
            let batch = table.batches(3).expect("runs")[0];
            let some = table
                .read_batch(&["properties.a.b", "id"], batch)
                .expect("readable");
            assert!(some.n_rows >= 3);
        }
        let location = Location::One(at("twice.parquet").to_string_lossy().into_owned());
        let file = FileConfig::plain(&location);
        let table =
            Table::open("[leads]", folder.path(), file, Bounds::usual(None)).expect("opened");
        let doubt = table
            .unreadable("properties.a.b")
            .expect("two of them")
            .to_string();
        assert!(doubt.contains("two fields of this name"), "{doubt}");
    }
}
