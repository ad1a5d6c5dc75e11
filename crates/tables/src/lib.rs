//! Bytes to typed tables and back: reads the config and its files, refuses what would be misread,
//! writes whole files or none.

mod bounds;
mod config;
mod config_lines;
mod doubt;
mod error;
mod note;
mod remarks;

mod csv_text;
mod frame;
mod frame_values;
mod presence;
mod remote;
mod source;
mod text_bytes;

mod events;
mod missing;
mod seen;
mod typed;
mod values;

mod arrow_file;
mod arrow_types;
mod extremes;
mod number_doubts;
mod parquet_file;
mod scan;
mod sentinels;
mod spill;
mod time_faults;

mod data_profile;
mod elsewhere;
mod ends;
mod extent;
mod familiar;
mod keys;
mod lead_texts;
mod load;
mod partition;
mod result_words;
mod row_memory;

mod in_order;
mod kinds;
mod memory;
mod panics;
mod profile;

mod journal;
mod out_file;
mod scratch;
mod targets;
mod unfinished;
mod write;

pub use bounds::LEAST_MEMORY;
pub use config::{
    ActivityConfig, Capacity, ColumnType, Config, ConfigError, DAYS_OF_MONTH, DataConfig,
    DatabaseConfig, Every, FamilyChoice, FeaturesConfig, FileConfig, GuardsConfig, HistoryConfig,
    Latest, LeadsConfig, Location, LookupConfig, ModelConfig, ModelDirection, ModelHalfLife,
    ModelKind, ModelLabel, ModelSmoothing, Moment, NumberStyle, ObservationEnd, OneOrMany,
    OutcomesConfig, Parentheses, PerColumn, Query, ReportConfig, Scalar, SnapshotsConfig,
    TierEdges, TiersConfig, nearest, null_values, parse_toml,
};
pub use data_profile::data_profile;
pub use doubt::{Doubt, Setting, Subject, quoted};
pub use elsewhere::{
    DayCount, EntryCount, ends_of, key_doubt, order_doubt, result_doubt, time_columns,
};
pub use error::TablesError;
pub use events::{Activities, EventRows, KindColumn, MAX_VALUE, ValueColumn};
pub use extent::{Extent, TableEnd};
pub use familiar::silence;
pub use frame::{Frame, FrameError, Frames};
pub use in_order::in_order;
pub use journal::complete_and_clean;
pub use keys::Matched;
pub use kinds::{TimeKind, TimeKinds, attributes_with_history, time_kinds};
pub use lead_texts::{EarlierScores, check_lead_columns, lead_texts};
pub use load::{ReadTables, load, look, unordered_changes};
pub use memory::{Bytes, half_of_memory, read_at_most};
pub use missing::MISSING;
pub use note::Note;
pub use out_file::{FinishedFile, OutFile, check_target, publish};
pub use panics::is_reading;
pub use partition::{PartitionOptions, Partitions, Wanted, needs_partitions};
pub use profile::{ProfileInput, profile};
pub use scratch::ScratchFolder;
pub use seen::SeenTable;
pub use targets::{folder_of, refuse_inputs};
pub use typed::{
    Attribute, AttributeKey, Column, Flag, History, HistoryChange, KnownEnds, LeadOutcome, Leads,
    LoadOptions, Lookup, LookupRows, Tables, Versions,
};
pub use unfinished::remove_unfinished;
pub use values::DEFAULT_NULLS;
pub use write::{
    OutColumn, OutTable, TableWriter, check_table_target, close_csv_for_people, close_table,
    split_names, write_table,
};
