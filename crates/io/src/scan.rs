//! The one door to Polars for reading: scans of a table's files, only the columns needed, cells
//! with their place.

mod column_file;
mod opening;
mod part;
mod table;
mod text;
mod written;

mod ids;
mod left_out;
mod nested;
mod numbers;
mod plain;
mod raw;
mod time_cells;
mod times;
mod unpivot;

pub use column_file::ColumnFile;
pub(crate) use left_out::is_deleted;
pub(crate) use part::Batch;
pub(crate) use raw::RawTable;
pub(crate) use table::Table;
pub(crate) use written::Dropped;
