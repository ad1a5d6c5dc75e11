//! What a call of a receiver ended with, and what that says of the call and of the receiver.

use std::time::Duration;

/// What a call of a receiver ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It was taken.
    Taken {
        /// The HTTP status.
        status: u16,
    },
    /// The receiver works, and does not take this call.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why.
        problem: String,
    },
    /// The receiver wants no calls any more: 410.
    Gone,
    /// The receiver cannot take calls now.
    Down {
        /// The HTTP status, if it answered.
        status: Option<u16>,
        /// Why.
        problem: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// Nobody was called: the lead is held back.
    HeldBack,
    /// Nobody was called, since it cannot be known whether the lead is held back.
    Unsure {
        /// Why.
        problem: String,
    },
}

impl Answer {
    /// What an HTTP status says.
    pub(super) fn of(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            200..=299 => Self::Taken { status },
            410 => Self::Gone,
            300..=399 => Self::Refused {
                status,
                problem: format!("answered {status}, a redirect, which is not followed"),
            },
            408 | 425 | 429 | 500.. => Self::Down {
                status: Some(status),
                problem: format!("answered {status}"),
                retry_after,
            },
            _ => Self::Refused {
                status,
                problem: format!("answered {status}"),
            },
        }
    }

    /// The HTTP status.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Taken { status } | Self::Refused { status, .. } => Some(*status),
            Self::Gone => Some(410),
            Self::Down { status, .. } => *status,
            Self::HeldBack | Self::Unsure { .. } => None,
        }
    }

    /// Why it was not taken.
    pub(super) fn problem(&self) -> Option<&str> {
        match self {
            Self::Taken { .. } => None,
            Self::Gone => Some("answered 410: it wants no calls any more"),
            Self::Refused { problem, .. }
            | Self::Down { problem, .. }
            | Self::Unsure { problem } => Some(problem),
            Self::HeldBack => Some("nobody was called: the lead is held back"),
        }
    }

    /// How long the receiver wants to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Down { retry_after, .. } => *retry_after,
            Self::Taken { .. }
            | Self::Refused { .. }
            | Self::Gone
            | Self::HeldBack
            | Self::Unsure { .. } => None,
        }
    }

    /// Whether the receiver was called.
    pub(super) fn is_try(&self) -> bool {
        match self {
            Self::Taken { .. } | Self::Refused { .. } | Self::Gone | Self::Down { .. } => true,
            Self::HeldBack | Self::Unsure { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_that_the_receiver_is_down_is_held_against_it() {
        for (status, expected) in [
            (200, "taken"),
            (204, "taken"),
            (299, "taken"),
            (302, "refused"),
            (400, "refused"),
            (401, "refused"),
            (404, "refused"),
            (408, "down"),
            (410, "gone"),
            (429, "down"),
            (499, "refused"),
            (500, "down"),
            (599, "down"),
            (999, "down"),
        ] {
            let answer = Answer::of(status, None);
            let found = match answer {
                Answer::Taken { .. } => "taken",
                Answer::Refused { .. } => "refused",
                Answer::Gone => "gone",
                Answer::Down { .. } => "down",
                Answer::HeldBack | Answer::Unsure { .. } => "not called",
            };
            assert_eq!(found, expected, "{status}");
            assert_eq!(answer.status(), Some(status));
            assert_eq!(answer.problem().is_none(), found == "taken");
        }
    }
}
