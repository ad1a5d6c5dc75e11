//! Bytes to typed tables and back: reads the config and its files, refuses what would be misread, writes whole files or none.

mod config;
mod error;
mod frame;
mod remote;
mod source;

mod events;
mod typed;
mod values;

mod scan;
mod spill;

mod load;
mod partition;

mod in_order;
mod kinds;
mod profile;
mod write;

pub use config::{
    ActivityConfig, Capacity, Config, ConfigError, DAYS_OF_MONTH, DatabaseConfig, Every, FamilyChoice, FeaturesConfig, FileConfig, HistoryConfig, LeadsConfig,
    Location, LookupConfig, ModelConfig, ModelDirection, ModelKind, Moment, OneOrMany, OutcomesConfig, Query, ReportConfig, Scalar, SnapshotsConfig, TierEdges,
    TiersConfig, nearest, parse_toml,
};
pub use error::TablesError;
pub use events::{Activities, EventRows, KindColumn, MAX_VALUE, ValueColumn};
pub use frame::{Frame, FrameError, Frames};
pub use in_order::in_order;
pub use kinds::{TimeKind, TimeKinds, attributes_with_history, time_kinds};
pub use load::load;
pub use partition::{PartitionOptions, Partitions, Wanted, needs_partitions};
pub use profile::{ProfileInput, profile};
pub use typed::{
    Attribute, AttributeKey, Column, History, HistoryChange, LeadOutcome, Leads, LoadOptions, Lookup, LookupRows, MISSING, Note, Tables, Versions,
};
pub use values::DEFAULT_NULLS;
pub use write::{OutColumn, OutFile, OutTable, TableWriter, check_table_target, check_target, folder_of, remove_unfinished, write_table};
