//! The verdict of the early read: `ok`, `watch`, `alarm`, or why nothing can be told.

use serde::{Deserialize, Serialize};

/// Which way wins moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Fewer than expected.
    Fall,
    /// More than expected.
    Rise,
}

/// Why nothing can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "because")]
pub enum CannotTell {
    /// The reference has too few weeks.
    TooFewReferenceWeeks {
        /// Weeks with rows.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The reference has no win.
    NoWinYet,
    /// The reference has too few wins.
    TooFewReferenceWins {
        /// Wins.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Every row of the reference is a win.
    OnlyWins,
    /// There are no rows after the reference.
    NoWeeks,
    /// Nothing is seen, and a fall would take too long to be seen.
    TooSlow {
        /// Weeks after which half of the falls are found; none within the looks.
        median: Option<usize>,
    },
}

/// Whether the level is right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum EarlyVerdict {
    /// Wins are as expected.
    Ok,
    /// There is some evidence of a change, or there was an alarm that is over.
    Watch {
        /// Which way.
        side: Side,
    },
    /// There is evidence of a change beyond the promise.
    Alarm {
        /// Which way.
        side: Side,
    },
    /// Neither can be said.
    CannotTell(CannotTell),
}
