//! Bytes to typed tables and back: reads the files of a config, refuses what would be misread,
//! writes whole files or none. The one crate with Polars.

mod bounds;
mod columns_read;
mod error;
mod remarks;

mod csv_quotes;
mod csv_rows;
mod csv_text;
mod frame;
mod frame_values;
mod ndjson_text;
mod presence;
mod remote;
mod source;
mod text_bytes;

mod arrow_file;
mod arrow_types;
mod extremes;
mod number_doubts;
mod parquet_file;
mod scan;
mod sentinels;
mod several;
mod spill;
mod time_faults;

mod associations;
mod data_profile;
mod deletions;
mod elsewhere;
mod ends;
mod fingerprint;
mod id_maps;
mod id_tables;
mod keys;
mod lead_texts;
mod links;
mod load;
mod merges;
mod partition;
mod result_words;
mod row_memory;
mod silence;

mod in_order;
mod kinds;
mod memory;
mod panics;
mod profile;
mod secret_place;

mod journal;
mod out_file;
mod scratch;
mod targets;
mod unfinished;
mod write;

pub use bounds::LEAST_MEMORY;
pub use columns_read::{ReadAs, ReadColumn, read_columns};
pub use data_profile::data_profile;
pub use elsewhere::{DayCount, EntryCount, ends_of, key_doubt, order_doubt, result_doubt};
pub use error::TablesError;
pub use fingerprint::fingerprint;
pub use frame::{Frame, FrameError, Frames, RowNames};
pub use in_order::in_order;
pub use journal::complete_and_clean;
pub use kinds::{attributes_with_history, fractional_id, time_kinds};
pub use lead_texts::{EarlierScores, check_lead_columns, lead_texts};
pub use load::{
    ReadTables, UnlinkedIds, load, look, unlinked_doubt, unordered_changes, unordered_log,
    unordered_log_doubt,
};
pub use memory::{half_of_memory, read_at_most};
pub use merges::longest_chain;
pub use out_file::{FinishedFile, OutFile, check_target, publish};
pub use panics::is_reading;
pub use partition::{PartitionOptions, Partitions, Wanted, needs_partitions};
pub use presence::{do_without_outcomes, require_outcomes, table_paths};
pub use profile::{ExportsInput, Product, ProfileInput, profile, profile_exports};
pub use remote::bring_objects;
pub use scan::ColumnFile;
pub use scratch::ScratchFolder;
pub use secret_place::{SecretPlaceError, secret_uri};
pub use silence::silence;
pub use targets::{folder_of, refuse_inputs, refuse_kept_files, refuse_remote};
pub use unfinished::remove_unfinished;
pub use write::{
    OutColumn, OutTable, TableWriter, check_table_target, close_csv_for_people, close_table,
    split_names, write_table,
};
