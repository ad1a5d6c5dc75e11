//! Worlds: how the chance of being won in the end hangs on what a lead is, and on what it does.

/// How leads come to be won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// Log-odds linear in attributes and in counts of activities.
    Linear,
    /// Attributes act along curves: a hump, a ceiling.
    Curved,
    /// Attributes act together: a source is good for one role and bad for another.
    Interactions,
    /// What matters changes over the two years.
    Drift,
    /// Nothing matters.
    Noise,
}

/// What a lead is, as far as it matters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    pub(crate) source: usize,
    pub(crate) role: usize,
    pub(crate) band: usize,
    pub(crate) industry: usize,
    pub(crate) seats: f64,
    pub(crate) first_pages: f64,
    pub(crate) free_mail: bool,
    /// When it was created, 0 at the start of the two years and 1 at their end.
    pub(crate) when: f64,
}

pub(crate) const SOURCES: [&str; 6] = [
    "organic", "paid", "referral", "event", "outbound", "partner",
];
pub(crate) const ROLES: [&str; 5] = ["executive", "director", "manager", "staff", "student"];
pub(crate) const BANDS: [&str; 5] = ["1-10", "11-50", "51-200", "201-1000", "over 1000"];
pub(crate) const INDUSTRIES: [&str; 6] = [
    "software",
    "retail",
    "finance",
    "health",
    "education",
    "manufacturing",
];

const SOURCE_WEIGHTS: [f64; 6] = [0.1, -0.3, 0.8, 0.3, -0.7, 0.5];
const ROLE_WEIGHTS: [f64; 5] = [0.5, 0.4, 0.1, -0.3, -1.2];
const BAND_WEIGHTS: [f64; 5] = [-0.4, 0.0, 0.3, 0.4, 0.1];
const INDUSTRY_WEIGHTS: [f64; 6] = [0.3, -0.1, 0.2, 0.0, -0.4, 0.0];

impl World {
    /// Log-odds of being won in the end, when nothing is known but what the lead is.
    pub(crate) fn log_odds(self, traits: &Traits) -> f64 {
        let base = -1.3;
        let linear: f64 = Self::linear_parts(traits)
            .iter()
            .map(|(_, log_odds)| log_odds)
            .sum();
        match self {
            Self::Noise => base,
            Self::Linear => base + linear,
            Self::Curved => {
                let seats = (traits.seats - 8.0) / 2.8;
                let hump = 0.6 - 0.6 * seats * seats;
                let ceiling = 1.5 * (1.0 - libm::exp(-traits.first_pages / 2.0)) - 1.3;
                base + SOURCE_WEIGHTS[traits.source] + ROLE_WEIGHTS[traits.role] + hump + ceiling
            }
            Self::Interactions => {
                let sign = if (traits.source + traits.role).is_multiple_of(2) {
                    0.9
                } else {
                    -0.9
                };
                let product =
                    0.5 * ((traits.seats - 8.0) / 2.8) * ((traits.first_pages - 5.0) / 2.2);
                base + 0.4 * linear + sign + product
            }
            Self::Drift => {
                // Referrals lose what events gain, and the market cools.
                let turn = 2.0 * traits.when - 1.0;
                let source = match traits.source {
                    2 => 0.6 - 1.2 * turn,
                    3 => 0.3 + 1.0 * turn,
                    other => SOURCE_WEIGHTS[other],
                };
                base + linear - SOURCE_WEIGHTS[traits.source] + source - 0.5 * turn
            }
        }
    }

    /// What each trait adds to the log-odds of the linear world, beside its base.
    pub(crate) fn linear_parts(traits: &Traits) -> [(&'static str, f64); 7] {
        [
            ("source", SOURCE_WEIGHTS[traits.source]),
            ("role", ROLE_WEIGHTS[traits.role]),
            ("employees", BAND_WEIGHTS[traits.band]),
            ("industry", INDUSTRY_WEIGHTS[traits.industry]),
            ("seats", 0.05 * (traits.seats - 8.0)),
            ("first_pages", 0.08 * (traits.first_pages - 5.0)),
            ("free_mail", if traits.free_mail { -0.4 } else { 0.0 }),
        ]
    }

    /// Rates a day of an activity for leads that will be won and that will be lost.
    pub(crate) fn rates(self, activity: &Activity) -> (f64, f64) {
        match self {
            Self::Noise => (activity.lost_rate, activity.lost_rate),
            Self::Linear | Self::Curved | Self::Interactions | Self::Drift => {
                (activity.won_rate, activity.lost_rate)
            }
        }
    }
}

/// The event tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventTable {
    Touches,
    Sessions,
    Sales,
}

/// One kind of event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Activity {
    pub(crate) table: EventTable,
    pub(crate) kind: &'static str,
    pub(crate) won_rate: f64,
    pub(crate) lost_rate: f64,
}

const fn activity(
    table: EventTable,
    kind: &'static str,
    won_rate: f64,
    lost_rate: f64,
) -> Activity {
    Activity {
        table,
        kind,
        won_rate,
        lost_rate,
    }
}

pub(crate) const ACTIVITIES: [Activity; 10] = [
    activity(EventTable::Touches, "email_open", 0.17, 0.14),
    activity(EventTable::Touches, "email_click", 0.035, 0.022),
    activity(EventTable::Touches, "form_submit", 0.014, 0.008),
    activity(EventTable::Touches, "webinar", 0.010, 0.007),
    activity(EventTable::Touches, "unsubscribe", 0.002, 0.006),
    activity(EventTable::Sessions, "session", 0.24, 0.19),
    activity(EventTable::Sales, "call", 0.06, 0.05),
    activity(EventTable::Sales, "meeting", 0.025, 0.012),
    activity(EventTable::Sales, "demo", 0.012, 0.006),
    activity(EventTable::Sales, "proposal", 0.008, 0.004),
];
