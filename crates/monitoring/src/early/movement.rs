//! Level apart from pace: whether fewer deals are won, or the same deals later.

use serde::{Deserialize, Serialize};

use super::bins::{Bins, Normal, WeekSums};
use super::interval::Z;

/// Standard errors within which closings are as fast as before.
const STILL: f64 = 1.0;
/// Share of the shift of wins from which on that of closings explains it: new deals that take longer
/// are first seen in wins, and in closings about half as much.
const COMPARABLE: f64 = 1.0 / 3.0;
/// Standard errors beyond which young and old leads moved apart for sure.
const SURE: f64 = 2.576;

/// What moved since the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// Young and old leads moved together, and leads are closed without a win as fast as before: the
    /// share that is won is another one.
    Level,
    /// Young leads moved and old ones did not, or the other way round, or leads are closed without a
    /// win more slowly as well (or faster): deals take longer, or less long.
    Pace,
    /// Neither can be excluded. So it is where young and old leads moved together and it is not
    /// known which leads were closed without a win: all deals may be slower at once.
    CannotTell,
}

/// Wins against expected wins of leads below and above an age since the change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ages {
    /// What moved.
    pub movement: Movement,
    /// Age in weeks that parts the two; half of the expected wins are of younger leads.
    pub age_weeks: f32,
    /// Ratio of wins to expected wins of the younger leads, and its 95 % interval (pointwise).
    pub young: [f64; 3],
    /// The same of the older leads.
    pub old: [f64; 3],
    /// The same of leads that were closed without a win, where it is known.
    pub lost: Option<[f64; 3]>,
}

/// One group's weeks and what the reference knows of its level.
pub(crate) struct Group<'a> {
    pub(crate) weeks: &'a [WeekSums],
    pub(crate) level: Normal,
    pub(crate) dispersion: f64,
}

/// How far a group moved, in log-odds, and as a ratio of counts.
struct Moved {
    shift: Normal,
    ratio: [f64; 3],
}

impl Group<'_> {
    fn since(&self, week: u32) -> Moved {
        let mut before = (Bins::default(), 0.0);
        let mut since = (Bins::default(), 0.0);
        for sums in self.weeks {
            let part = if sums.week < week {
                &mut before
            } else {
                &mut since
            };
            part.0.add_bins(&sums.bins, 1.0);
            part.1 += sums.observed;
        }
        let old = before
            .0
            .shift_of(before.1, self.dispersion, Some(self.level));
        // A weak prior keeps a group without a win finite.
        let weak = Normal {
            mean: old.mean,
            variance: 4.0,
        };
        let new = since.0.shift_of(since.1, self.dispersion, Some(weak));
        let usual = since.0.shifted(old.mean);
        let shift = Normal {
            mean: new.mean - old.mean,
            variance: new.variance + old.variance,
        };
        let width = Z * shift.variance.sqrt();
        Moved {
            ratio: [shift.mean, shift.mean - width, shift.mean + width]
                .map(|shift| usual.ratio(shift)),
            shift,
        }
    }
}

/// What moved since a week, in the direction of the change.
pub(crate) fn judge(
    week: u32,
    is_fall: bool,
    age_weeks: f32,
    young: &Group<'_>,
    old: &Group<'_>,
    lost: Option<&Group<'_>>,
) -> Ages {
    let sign = if is_fall { -1.0 } else { 1.0 };
    let (young, old) = (young.since(week), old.since(week));
    let lost = lost.map(|lost| lost.since(week));
    let z = |shift: Normal| sign * shift.mean / shift.variance.sqrt();
    let contrast = Normal {
        mean: young.shift.mean - old.shift.mean,
        variance: young.shift.variance + old.shift.variance,
    };
    let apart = z(contrast).abs();
    let least = z(young.shift).min(z(old.shift));
    let wins = both(young.shift, old.shift);
    let closings_move = lost
        .as_ref()
        .is_some_and(|lost| z(lost.shift) > Z && (lost.shift.mean / wins.mean) > COMPARABLE);
    // Closings that may have slowed as much as wins have fallen exclude nothing.
    let closings_stay = lost.as_ref().is_some_and(|lost| {
        let beyond = Normal {
            mean: wins.mean - lost.shift.mean,
            variance: wins.variance + lost.shift.variance,
        };
        z(lost.shift) < STILL && z(beyond) > Z
    });
    let movement = if closings_move || (apart > SURE && least < Z) {
        Movement::Pace
    } else if closings_stay && apart < Z && least > Z {
        Movement::Level
    } else {
        Movement::CannotTell
    };
    Ages {
        movement,
        age_weeks,
        young: young.ratio,
        old: old.ratio,
        lost: lost.map(|lost| lost.ratio),
    }
}

/// Two estimates of one shift put together.
fn both(a: Normal, b: Normal) -> Normal {
    let precision = a.variance.recip() + b.variance.recip();
    Normal {
        mean: (a.mean / a.variance + b.mean / b.variance) / precision,
        variance: precision.recip(),
    }
}
