//! Tables as a whole, or in parts that fit into memory one by one, for commands that look at one lead after the other.

use std::path::PathBuf;

use leadscore_tables::{LoadOptions, PartitionOptions, Partitions, Tables, TablesError, needs_partitions};

use crate::project::Project;

/// Tables that need no more than this are worked on as a whole; from there on parts, which fit the processor's cache, are faster.
const WHOLE: u64 = 1_000_000_000;

/// The tables as a whole, or in parts that fit into memory one by one.
pub(crate) enum Source<'p> {
    Whole(Box<Tables>),
    Parts(Box<Partitions<'p>>),
}

impl<'p> Source<'p> {
    /// The tables of a project, within `memory` bytes (half of the machine's if not given); parts wait in the folder `spill`.
    pub(crate) fn open(project: &'p Project, options: &LoadOptions, memory: Option<u64>, spill: PathBuf) -> anyhow::Result<Self> {
        let memory = memory.unwrap_or_else(half_of_memory);
        if project.config.is_flat() || !needs_partitions(&project.config, &project.folder, memory.min(WHOLE))? {
            return Ok(Self::Whole(Box::new(project.load(options)?)));
        }
        let stage = project.stage("reading rows", 1)?;
        let progress = |done: usize, total: usize| stage.at(done, total);
        let partitions = Partitions::new(&project.config, &project.folder, options, &PartitionOptions { memory, spill, progress: &progress })?;
        drop(stage);
        Ok(Self::Parts(Box::new(partitions)))
    }

    pub(crate) fn n_parts(&self) -> usize {
        match self {
            Self::Whole(_) => 1,
            Self::Parts(partitions) => partitions.n_parts(),
        }
    }

    pub(crate) fn with_part<T>(&self, part: usize, work: impl FnOnce(&Tables) -> T) -> Result<T, TablesError> {
        match self {
            Self::Whole(tables) => Ok(work(tables)),
            Self::Parts(partitions) => partitions.load(part).map(|tables| work(&tables)),
        }
    }
}

/// Half of the machine's memory in bytes, or 4 GB where it does not say.
pub(crate) fn half_of_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.map_or(4_000_000_000, |kib| kib * 512)
}
