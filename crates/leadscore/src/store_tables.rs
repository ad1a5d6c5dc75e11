//! The rows of an event store as the tables of a config: for batch all rows, for one lead its own,
//! by the same code.

mod cells;
mod columns;
mod export;
mod file_lookups;
mod import;
mod lead_reader;
mod lead_tables;
mod leads;
mod open;
mod rows;
mod rows_reader;
mod settings;

pub use self::cells::stored_instant;
pub use self::columns::{CellUse, TableColumns, WORD_COLUMNS, table_columns};
pub use self::export::export_store;
pub use self::file_lookups::kept_lookups;
pub use self::import::ImportedRows;
pub use self::lead_reader::{LeadRead, LeadReader, LeadRow, RawLead, check_served_model};
pub use self::open::{Scan, is_store_address, store_place};
pub use self::settings::{CHANGED_AT, RECORDED, check_store_settings};

pub(crate) use self::lead_reader::of_other_leads;
pub(crate) use self::open::{event_finder, put_lookup_rows, put_lookups, scan_table, store_of};
pub(crate) use self::rows::{ColumnsRead, EventOf, StoreRows};
pub(crate) use self::rows_reader::{LeadOfRows, RowsReader};
pub(crate) use self::settings::{of_store, times_by_door};
