//! Tables as a whole, or in parts that fit into memory one by one, for commands that look at one
//! lead after the other.

use std::path::PathBuf;

use leadscore_core::Timestamp;
use leadscore_dataset::{LoadOptions, Note, TableEnd, Tables};
use leadscore_io::{
    PartitionOptions, Partitions, TablesError, Wanted, half_of_memory, needs_partitions,
};

use crate::data::{Data, now};

/// Tables that need no more than this are worked on as a whole; from there on parts, which fit the
/// processor's cache, are faster.
const WHOLE: u64 = 1_000_000_000;

/// The tables as a whole, or in parts that fit into memory one by one.
pub(crate) enum Source<'p> {
    Whole(Box<Tables>),
    Parts(Box<Partitions<'p>>),
}

impl<'p> Source<'p> {
    /// The tables of the data, within `memory` bytes (half of the machine's if not given); parts
    /// wait in the folder `spill`, and may hold the rows of `wanted` leads alone.
    pub(crate) fn open(
        data: &'p Data,
        options: &LoadOptions,
        memory: Option<u64>,
        spill: PathBuf,
        wanted: Option<Wanted<'_>>,
    ) -> crate::Result<Self> {
        let options = &LoadOptions {
            as_of: data.known_before,
            memory,
            now: Some(now()),
            ..options.clone()
        };
        let memory = memory.unwrap_or_else(half_of_memory);
        let config = &data.config;
        // What cannot be split is worked on as a whole while memory allows.
        let limit = if config.is_splittable() {
            memory.min(WHOLE)
        } else {
            memory
        };
        if config.is_flat() || !needs_partitions(config, &data.folder, limit, options)? {
            return Ok(Self::Whole(Box::new(data.load_once(options)?)));
        }
        let stage = data.stage("reading rows", 1)?;
        let progress = |done: usize, total: usize| stage.at(done, total);
        let partitions = Partitions::new(
            config,
            &data.folder,
            options,
            &PartitionOptions {
                memory,
                spill,
                progress: &progress,
                wanted,
            },
        )?;
        drop(stage);
        Ok(Self::Parts(Box::new(partitions)))
    }

    /// Says what is to be known about the tables, given the notes of their parts; those of whole
    /// tables were said when they were read.
    pub(crate) fn say_notes(&self, data: &Data, mut notes: Vec<Note>) {
        if let Self::Parts(partitions) = self {
            Note::merge(&mut notes, partitions.notes.clone());
            data.notes(&notes);
        }
    }

    /// Where each table ends.
    pub(crate) fn ends(&self) -> &[TableEnd] {
        match self {
            Self::Whole(tables) => &tables.ends,
            Self::Parts(partitions) => partitions.ends().map_or(&[], |ends| &ends.tables),
        }
    }

    /// The last moment that the data speaks of.
    pub(crate) fn observation_end(&self) -> Timestamp {
        match self {
            Self::Whole(tables) => tables.observation_end,
            Self::Parts(partitions) => partitions
                .ends()
                .map_or(Timestamp::MAX, |ends| ends.observation_end),
        }
    }

    pub(crate) fn n_parts(&self) -> usize {
        match self {
            Self::Whole(_) => 1,
            Self::Parts(partitions) => partitions.n_parts(),
        }
    }

    pub(crate) fn with_part<T>(
        &self,
        part: usize,
        work: impl FnOnce(&Tables) -> T,
    ) -> Result<T, TablesError> {
        match self {
            Self::Whole(tables) => Ok(work(tables)),
            Self::Parts(partitions) => partitions.load(part).map(|tables| work(&tables)),
        }
    }
}
