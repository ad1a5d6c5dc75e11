//! One world read: what was told, and when.

use leadscore_monitoring::{
    EarlyOptions, EarlyRead, EarlyReference, EarlyVerdict, LeadWeeks, Movement, Season,
    Segmentation, Side,
};

use crate::world::{Made, Rows, World};

/// Looks at which the interval of the level is looked at.
const INTERVAL_LOOKS: [u32; 3] = [13, 39, 103];

/// What one world came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trial {
    /// Look of the first alarm, from 0.
    pub(crate) alarm: Option<u32>,
    /// Look of the first evidence beyond the threshold without simulation.
    pub(crate) plain: Option<u32>,
    /// Whether that alarm was of a fall.
    pub(crate) is_fall: bool,
    /// What moved: at the alarm, and eight weeks later.
    pub(crate) movement: [Option<Movement>; 2],
    /// Estimated look of the change: at the alarm, and eight weeks later.
    pub(crate) change: [Option<u32>; 2],
    /// Ratio of the change eight weeks after the alarm, between the ends of its interval.
    pub(crate) ratio: Option<[f64; 3]>,
    /// Whether the interval of wins over expected wins missed 1 at a look, in a quiet world.
    pub(crate) missed: bool,
    /// Whether each source is called changed at the end.
    pub(crate) sources: Vec<bool>,
    /// Figures of the reference.
    pub(crate) level_error: f64,
    pub(crate) dispersion: f64,
    pub(crate) threshold: f64,
    pub(crate) season: Season,
    pub(crate) holds: bool,
    pub(crate) weekly_wins: f64,
    /// Weeks that half of the falls to 0.7 take, by the reference.
    pub(crate) promised: Option<usize>,
}

/// The rows as the early read takes them, of weeks before `end`.
pub(crate) fn lead_weeks(rows: &Rows, with_lost: bool, end: u32) -> LeadWeeks {
    // Rows are in order of weeks.
    let n = rows.week.partition_point(|week| *week < end);
    LeadWeeks {
        week: rows.week[..n].to_vec(),
        log_odds: rows.log_odds[..n].to_vec(),
        tier: rows.tier[..n].to_vec(),
        age_weeks: rows.age[..n].to_vec(),
        cluster: rows.account[..n].to_vec(),
        held_back: rows.held_back[..n].to_vec(),
        won: rows.won[..n].to_vec(),
        lost: if with_lost {
            rows.lost[..n].to_vec()
        } else {
            Vec::new()
        },
        segmentations: vec![Segmentation {
            name: "source".to_owned(),
            levels: (0..5).map(|source| format!("source {source}")).collect(),
            codes: rows.source[..n].to_vec(),
        }],
    }
}

/// Learns from the reference of a world.
pub(crate) fn learned(made: &Made, with_lost: bool, options: &EarlyOptions) -> EarlyReference {
    EarlyReference::learn(&lead_weeks(&made.reference, with_lost, u32::MAX), options)
        .expect("the columns are right")
        .expect("the reference is long enough")
}

/// Reads a world.
pub(crate) fn tried(
    world: &World,
    made: &Made,
    reference: &EarlyReference,
    with_lost: bool,
) -> Trial {
    let first = world.n_reference;
    let at = |end: u32| -> EarlyRead {
        reference
            .read(&lead_weeks(&made.monitored, with_lost, end))
            .expect("the columns are right")
    };
    let read = at(u32::MAX);
    let summary = reference.summary();
    let alarm = read.first_alarm;
    let reaches = |threshold: f64| {
        read.weeks
            .iter()
            .find(|week| week.evidence >= threshold)
            .map(|week| week.week - first)
    };
    let looks = alarm.map(|week| [at(week + 1), at(week + 9)]);
    let of_looks = |look: usize| looks.as_ref().map(|looks| &looks[look]);
    let change = |look| {
        of_looks(look)
            .and_then(|read| read.change)
            .map(|change| change.week - first)
    };
    let movement = |look| {
        of_looks(look)
            .and_then(|read| read.ages)
            .map(|ages| ages.movement)
    };
    let is_fall = of_looks(0).is_some_and(|read| match read.verdict {
        EarlyVerdict::Alarm { side } | EarlyVerdict::Watch { side } => side == Side::Fall,
        EarlyVerdict::Ok | EarlyVerdict::CannotTell(_) => false,
    });
    Trial {
        alarm: alarm.map(|week| week - first),
        plain: reaches(summary.thresholds.plain),
        is_fall,
        movement: [movement(0), movement(1)],
        change: [change(0), change(1)],
        ratio: of_looks(1)
            .and_then(|read| read.change)
            .map(|change| [change.low, change.ratio, change.high]),
        missed: world.is_quiet()
            && INTERVAL_LOOKS.iter().any(|look| {
                let level = at(first + look).level;
                level.is_some_and(|level| level.low > 1.0 || level.high < 1.0)
            }),
        sources: read.parts[read.parts.len() - 5..]
            .iter()
            .map(|part| part.is_changed)
            .collect(),
        level_error: summary.level_error,
        dispersion: summary.dispersion,
        threshold: summary.thresholds.alarm,
        season: summary.season,
        holds: summary.validation.is_none_or(|validation| validation.holds),
        weekly_wins: summary.weekly_wins,
        promised: summary.detectable.first().and_then(|found| found.median),
    }
}

/// Names of the columns of [`Trial::line`].
pub(crate) const COLUMNS: &str = "kind,open,seed,lost,alarm,plain,is_fall,movement,\
     movement_later,change,change_later,low,ratio,high,missed,sources,level_error,dispersion,\
     threshold,season,holds,weekly_wins,promised";

impl Trial {
    /// One line of a CSV file.
    pub(crate) fn line(&self, kind: &str, open: usize, seed: u64, with_lost: bool) -> String {
        let [low, ratio, high] = self
            .ratio
            .map_or([String::new(), String::new(), String::new()], |ends| {
                ends.map(|end| format!("{end:.4}"))
            });
        let sources: String = self
            .sources
            .iter()
            .map(|is_changed| if *is_changed { '1' } else { '0' })
            .collect();
        [
            kind.to_owned(),
            open.to_string(),
            seed.to_string(),
            flag(with_lost),
            text(self.alarm),
            text(self.plain),
            flag(self.is_fall),
            word(self.movement[0]),
            word(self.movement[1]),
            text(self.change[0]),
            text(self.change[1]),
            low,
            ratio,
            high,
            flag(self.missed),
            sources,
            format!("{:.4}", self.level_error),
            format!("{:.3}", self.dispersion),
            format!("{:.0}", self.threshold),
            match self.season {
                Season::Unknown => "unknown",
                Season::None => "none",
                Season::OneYear => "one_year",
                Season::Years => "years",
            }
            .to_owned(),
            flag(self.holds),
            format!("{:.1}", self.weekly_wins),
            text(self.promised),
        ]
        .join(",")
    }
}

fn text<N: ToString>(value: Option<N>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

fn flag(value: bool) -> String {
    u8::from(value).to_string()
}

fn word(movement: Option<Movement>) -> String {
    movement
        .map_or("", |movement| match movement {
            Movement::Level => "level",
            Movement::Pace => "pace",
            Movement::CannotTell => "cannot_tell",
        })
        .to_owned()
}
