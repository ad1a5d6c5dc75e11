//! What a sweep over one table has to keep: tracks of events, windows, columns, and which cell each
//! feature reads.

use leadscore_core::{EventFilter, FeatureSource, FeatureSpec, Span, Statistic};
use leadscore_tables::{Activities, KindColumn, MISSING};

use crate::compute::FeaturesError;

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
    /// Lengths of windows in microseconds.
    pub(crate) windows: Vec<i64>,
    /// Value columns.
    pub(crate) columns: Vec<usize>,
    /// Half-lives in microseconds.
    pub(crate) half_lives: Vec<i64>,
    pub(crate) needs: Needs,
    /// One a feature, in the order asked for.
    pub(crate) cells: Vec<Cell>,
}

/// What some cell reads, so that nothing else is kept.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Needs {
    pub(crate) maxima: bool,
    pub(crate) days: bool,
    pub(crate) gaps: bool,
}

/// Where the value of a feature is read; `window` is `None` for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    Count {
        track: usize,
        window: Option<usize>,
    },
    Sum {
        track: usize,
        window: Option<usize>,
        column: usize,
    },
    Mean {
        track: usize,
        window: Option<usize>,
        column: usize,
    },
    Max {
        track: usize,
        window: Option<usize>,
        column: usize,
    },
    Days {
        track: usize,
        window: Option<usize>,
    },
    Recency {
        track: usize,
    },
    First {
        track: usize,
    },
    Decayed {
        track: usize,
        half_life: usize,
    },
    Trend {
        track: usize,
        window: usize,
        double: usize,
    },
    Share {
        track: usize,
        window: Option<usize>,
    },
    MeanGap {
        track: usize,
    },
    MaxGap {
        track: usize,
    },
    Reply {
        track: usize,
    },
    Follows {
        track: usize,
        after: usize,
    },
    LatestValue {
        track: usize,
        column: usize,
    },
    LatestKind {
        track: usize,
        column: usize,
    },
}

/// The table that a feature sweeps over, and whether over the events of the account's other leads.
pub(crate) fn swept_table(spec: &FeatureSpec) -> Option<(&str, bool)> {
    match &spec.source {
        FeatureSource::Activity { table, .. } => Some((table, false)),
        FeatureSource::Peers { table, .. } => Some((table, true)),
        _ => None,
    }
}

impl Layout {
    /// The layout for these features, all of this table.
    pub(crate) fn new(
        activities: &Activities,
        specs: &[&FeatureSpec],
    ) -> Result<Self, FeaturesError> {
        let kinds = &activities.rows.kinds;
        let mut layout = Self {
            track_of_code: kinds
                .iter()
                .map(|kind| vec![NONE; kind.levels.len()])
                .collect(),
            ..Self::default()
        };
        let mut filters = vec![EventFilter::All];
        for spec in specs {
            let (FeatureSource::Activity {
                kind,
                window,
                statistic,
                ..
            }
            | FeatureSource::Peers {
                kind,
                window,
                statistic,
                ..
            }) = &spec.source
            else {
                unreachable!("only features of events are swept")
            };
            let missing = |column: &str| FeaturesError::Missing {
                feature: spec.name.clone(),
                needed: format!("the column `{column}` of [activities.{}]", activities.name),
            };
            let column_of = |name: &str| {
                activities
                    .rows
                    .values
                    .iter()
                    .position(|values| values.name == name)
                    .ok_or_else(|| missing(name))
            };
            let track = layout.track(&mut filters, kind, kinds).map_err(missing)?;
            let window = match (window, statistic.has_window()) {
                (Some(span), true) => Some(position_or_push(&mut layout.windows, span.micros())),
                _ => None,
            };
            let cell = match statistic {
                Statistic::Count => Cell::Count { track, window },
                Statistic::Sum(name) => Cell::Sum {
                    track,
                    window,
                    column: layout.sum_column(track, column_of(name)?),
                },
                Statistic::Mean(name) => Cell::Mean {
                    track,
                    window,
                    column: layout.sum_column(track, column_of(name)?),
                },
                Statistic::Max(name) => {
                    layout.needs.maxima = true;
                    Cell::Max {
                        track,
                        window,
                        column: position_or_push(&mut layout.columns, column_of(name)?),
                    }
                }
                Statistic::ActiveDays => {
                    layout.needs.days = true;
                    Cell::Days { track, window }
                }
                Statistic::RecencyDays => Cell::Recency { track },
                Statistic::FirstDays => Cell::First { track },
                Statistic::Decayed(half_life) => Cell::Decayed {
                    track,
                    half_life: layout.half_life(*half_life),
                },
                Statistic::Trend => match window {
                    // Over the whole life there is no window before.
                    None => Cell::Count { track, window },
                    Some(window) => {
                        let double = 2 * layout.windows[window];
                        Cell::Trend {
                            track,
                            window,
                            double: position_or_push(&mut layout.windows, double),
                        }
                    }
                },
                Statistic::Share => Cell::Share { track, window },
                Statistic::MeanGapDays => Cell::MeanGap { track },
                Statistic::MaxGapDays => {
                    layout.needs.gaps = true;
                    Cell::MaxGap { track }
                }
                Statistic::ReplyDays => Cell::Reply { track },
                Statistic::Follows(after) => Cell::Follows {
                    track,
                    after: layout.track(&mut filters, after, kinds).map_err(missing)?,
                },
                Statistic::LatestValue(name) => Cell::LatestValue {
                    track,
                    column: column_of(name)?,
                },
                Statistic::LatestKind(name) => Cell::LatestKind {
                    track,
                    column: kinds
                        .iter()
                        .position(|kind| kind.name == *name)
                        .ok_or_else(|| missing(name))?,
                },
            };
            layout.cells.push(cell);
        }
        layout.n_tracks = filters.len();
        layout.summed.resize(layout.n_tracks, false);
        Ok(layout)
    }

    fn sum_column(&mut self, track: usize, column: usize) -> usize {
        if self.summed.len() <= track {
            self.summed.resize(track + 1, false);
        }
        self.summed[track] = true;
        position_or_push(&mut self.columns, column)
    }

    fn half_life(&mut self, half_life: Span) -> usize {
        position_or_push(&mut self.half_lives, half_life.micros())
    }

    /// The track of a filter; the error is the column that the table lacks.
    fn track<'f>(
        &mut self,
        filters: &mut Vec<EventFilter>,
        filter: &'f EventFilter,
        kinds: &[KindColumn],
    ) -> Result<usize, &'f str> {
        if let Some(known) = filters.iter().position(|known| known == filter) {
            return Ok(known);
        }
        let track = filters.len();
        let position = |name: &'f str| kinds.iter().position(|kind| kind.name == name).ok_or(name);
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
                let column = position(name)?;
                if let Some(code) = code(column, value) {
                    self.track_of_code[column][code] = track as u32;
                }
            }
            EventFilter::Other {
                column: name,
                named,
            } => {
                let column = position(name)?;
                for (code, level) in kinds[column].levels.iter().enumerate() {
                    if named.binary_search(level).is_err() {
                        self.track_of_code[column][code] = track as u32;
                    }
                }
            }
            EventFilter::Each(pairs) => {
                let mut wanted = Vec::new();
                for (name, value) in pairs {
                    let column = position(name)?;
                    wanted.push((
                        column,
                        code(column, value).map_or(MISSING, |code| code as u32),
                    ));
                }
                if wanted.iter().all(|(_, code)| *code != MISSING) {
                    self.joint.push((track as u32, wanted));
                }
            }
        }
        filters.push(filter.clone());
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
