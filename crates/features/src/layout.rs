//! What a sweep over one table has to keep: tracks of events, windows, columns, and which of them
//! each feature is computed from.

use leadscore_core::{Aggregate, AggregateKind, EventFilter, FeatureSpec, Formula};
use leadscore_dataset::{Activities, MISSING};

use crate::error::FeaturesError;

/// No track.
pub(crate) const NONE: u32 = u32::MAX;

/// What a sweep keeps. A track is the events of one filter; the first is all events.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) n_tracks: usize,
    /// Tracks whose value columns are summed.
    pub(crate) summed: Vec<bool>,
    /// For each kind column, the track of each level, [`NONE`] for none.
    pub(crate) track_of_code: Vec<Vec<u32>>,
    /// Tracks of several columns: the track, and the level of each column.
    pub(crate) joint: Vec<(u32, Vec<(usize, u32)>)>,
    /// Tracks of columns that hold several values: the track, the column, and whether each level
    /// has the value.
    pub(crate) having: Vec<(u32, usize, Vec<bool>)>,
    /// Lengths of windows in microseconds.
    pub(crate) windows: Vec<i64>,
    /// Value columns.
    pub(crate) columns: Vec<usize>,
    /// Half-lives in microseconds.
    pub(crate) half_lives: Vec<i64>,
    pub(crate) needs: Needs,
    /// One a feature, in the order asked for.
    pub(crate) cells: Vec<Formula<Leaf>>,
}

/// What some cell reads, so that nothing else is kept.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Needs {
    pub(crate) maxima: bool,
    pub(crate) days: bool,
    pub(crate) gaps: bool,
}

/// Where the sweep finds an aggregate; `window` is `None` for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaf {
    Count {
        track: u32,
        window: Option<u32>,
    },
    Sum {
        track: u32,
        window: Option<u32>,
        column: u32,
    },
    Mean {
        track: u32,
        window: Option<u32>,
        column: u32,
    },
    Max {
        track: u32,
        window: Option<u32>,
        column: u32,
    },
    ActiveDays {
        track: u32,
        window: Option<u32>,
    },
    First {
        track: u32,
    },
    Last {
        track: u32,
    },
    FirstSinceCreation {
        track: u32,
    },
    LongestGap {
        track: u32,
    },
    Decayed {
        track: u32,
        half_life: u32,
    },
    LatestValue {
        track: u32,
        column: u32,
    },
    LatestKind {
        track: u32,
        column: u32,
    },
}

/// The table that a feature sweeps over, and whether over the events of the account's other leads.
pub(crate) fn swept_table(spec: &FeatureSpec) -> Option<(&str, bool)> {
    let read = spec.source.events()?;
    Some((read.table, read.of_peers))
}

impl Layout {
    /// The layout for these features, all of this table.
    pub(crate) fn new(
        activities: &Activities,
        specs: &[&FeatureSpec],
    ) -> Result<Self, FeaturesError> {
        let mut builder = LayoutBuilder::new(activities);
        for spec in specs {
            builder.add(spec)?;
        }
        Ok(builder.finish())
    }
}

/// A layout in the making, one feature after the other.
struct LayoutBuilder<'a> {
    activities: &'a Activities,
    /// The filter of each track.
    filters: Vec<EventFilter>,
    layout: Layout,
}

impl<'a> LayoutBuilder<'a> {
    /// With the track of all events alone.
    fn new(activities: &'a Activities) -> Self {
        let kinds = &activities.rows.kinds;
        Self {
            activities,
            filters: vec![EventFilter::All],
            layout: Layout {
                track_of_code: kinds
                    .iter()
                    .map(|kind| vec![NONE; kind.levels.len()])
                    .collect(),
                ..Layout::default()
            },
        }
    }

    /// The layout for all features that were added.
    fn finish(self) -> Layout {
        let mut layout = self.layout;
        layout.n_tracks = self.filters.len();
        layout.summed.resize(layout.n_tracks, false);
        layout
    }

    /// Adds a feature.
    fn add(&mut self, spec: &FeatureSpec) -> Result<(), FeaturesError> {
        let read = spec
            .source
            .events()
            .expect("only features of events are swept");
        let cell = read
            .formula()
            .try_map(&mut |aggregate| self.leaf(aggregate))
            .map_err(|column| FeaturesError::Missing {
                feature: spec.name.clone(),
                needed: format!(
                    "the column `{column}` of [activities.{}]",
                    self.activities.name
                ),
            })?;
        self.layout.cells.push(cell);
        Ok(())
    }

    /// Where an aggregate is found; the error is the column that the table lacks.
    fn leaf(&mut self, aggregate: &Aggregate) -> Result<Leaf, String> {
        let track = self.track(&aggregate.filter)? as u32;
        let window = aggregate
            .window
            .map(|span| position_or_push(&mut self.layout.windows, span.micros()) as u32);
        Ok(match &aggregate.kind {
            AggregateKind::Count => Leaf::Count { track, window },
            AggregateKind::Mean(name) => Leaf::Mean {
                track,
                window,
                column: self.sum_column(track, name)? as u32,
            },
            AggregateKind::Sum(name) => Leaf::Sum {
                track,
                window,
                column: self.sum_column(track, name)? as u32,
            },
            AggregateKind::Max(name) => {
                self.layout.needs.maxima = true;
                let column = self.value_column(name)?;
                Leaf::Max {
                    track,
                    window,
                    column: position_or_push(&mut self.layout.columns, column) as u32,
                }
            }
            AggregateKind::ActiveDays => {
                self.layout.needs.days = true;
                Leaf::ActiveDays { track, window }
            }
            AggregateKind::First => Leaf::First { track },
            AggregateKind::Last => Leaf::Last { track },
            AggregateKind::FirstSinceCreation => Leaf::FirstSinceCreation { track },
            AggregateKind::LongestGap => {
                self.layout.needs.gaps = true;
                Leaf::LongestGap { track }
            }
            AggregateKind::Decayed(half_life) => Leaf::Decayed {
                track,
                half_life: position_or_push(&mut self.layout.half_lives, half_life.micros()) as u32,
            },
            AggregateKind::LatestValue(name) => Leaf::LatestValue {
                track,
                column: self.value_column(name)? as u32,
            },
            AggregateKind::LatestKind(name) => Leaf::LatestKind {
                track,
                column: self.kind_column(name)? as u32,
            },
        })
    }

    /// The place of a value column in the table; the error is its name.
    fn value_column(&self, name: &str) -> Result<usize, String> {
        let values = &self.activities.rows.values;
        values
            .iter()
            .position(|values| values.name == name)
            .ok_or_else(|| name.to_owned())
    }

    /// The place of a kind column in the table; the error is its name.
    fn kind_column(&self, name: &str) -> Result<usize, String> {
        let kinds = &self.activities.rows.kinds;
        kinds
            .iter()
            .position(|kind| kind.name == name)
            .ok_or_else(|| name.to_owned())
    }

    /// The place among the kept columns of one whose values a track sums.
    fn sum_column(&mut self, track: u32, name: &str) -> Result<usize, String> {
        let column = self.value_column(name)?;
        let layout = &mut self.layout;
        let track = track as usize;
        if layout.summed.len() <= track {
            layout.summed.resize(track + 1, false);
        }
        layout.summed[track] = true;
        Ok(position_or_push(&mut layout.columns, column))
    }

    /// The track of a filter; the error is the column that the table lacks.
    fn track(&mut self, filter: &EventFilter) -> Result<usize, String> {
        if let Some(known) = self.filters.iter().position(|known| known == filter) {
            return Ok(known);
        }
        let track = self.filters.len();
        let kinds = &self.activities.rows.kinds;
        // A value that this data never shows has no code: its track stays empty.
        let code = |column: usize, value: &str| {
            kinds[column]
                .levels
                .binary_search_by(|level| level.as_str().cmp(value))
                .ok()
        };
        match filter {
            EventFilter::All => unreachable!("the first track"),
            EventFilter::Is(name, value) => {
                let column = self.kind_column(name)?;
                if let Some(code) = code(column, value) {
                    self.layout.track_of_code[column][code] = track as u32;
                }
            }
            EventFilter::Other {
                column: name,
                named,
            } => {
                let column = self.kind_column(name)?;
                for (code, level) in kinds[column].levels.iter().enumerate() {
                    if named.binary_search(level).is_err() {
                        self.layout.track_of_code[column][code] = track as u32;
                    }
                }
            }
            EventFilter::Each(pairs) => {
                let mut wanted = Vec::new();
                for (name, value) in pairs {
                    let column = self.kind_column(name)?;
                    wanted.push((
                        column,
                        code(column, value).map_or(MISSING, |code| code as u32),
                    ));
                }
                if wanted.iter().all(|(_, code)| *code != MISSING) {
                    self.layout.joint.push((track as u32, wanted));
                }
            }
            EventFilter::Has {
                column: name,
                tokenizer,
                token,
            } => {
                let column = self.kind_column(name)?;
                let has = |level: &String| tokenizer.tokens(level).contains(token);
                let holds = kinds[column].levels.iter().map(has).collect();
                self.layout.having.push((track as u32, column, holds));
            }
        }
        self.filters.push(filter.clone());
        Ok(track)
    }
}

pub(crate) fn position_or_push<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter()
        .position(|known| *known == value)
        .unwrap_or_else(|| {
            list.push(value);
            list.len() - 1
        })
}
