//! Scores of a store's leads at the moment of asking, by the road that scores tables: the same bits.

mod door;
mod error;
mod hashes;
mod import;
mod scorer;

mod log;

mod engine;
mod queue;

mod replay;

pub use door::Door;
pub use error::LiveError;
pub use hashes::{Asked, feature_hash, input_hash, json_hash};
pub use import::{Imported, import};
pub use scorer::{LeadInNoTable, LiveScorer};

pub use engine::{EngineError, EngineOptions, EngineState, LiveEngine, Watcher};
pub use log::{
    Answer, AnswerError, AnswerLog, LogError, LogOptions, LogState, for_each_line, segments_of,
};
pub use queue::Edges;
pub use replay::{
    DamagedLine, Difference, DifferentField, ModelOf, ReplayError, ReplayInputs, ReplayOptions,
    ReplayReport, UnknownLead, models_of, replay,
};
