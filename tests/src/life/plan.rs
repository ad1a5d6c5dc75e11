//! What happens to the company and to its CRM, and on which days.

use super::days::Day;

/// Something that happens; each can happen alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Wins rise towards December and fall towards June; it was always so.
    Season,
    /// Visits stop coming in for ten days, and then come all at once.
    FrozenFeed,
    /// Many outcomes are entered two to six weeks late.
    LateDeals,
    /// Budgets are exported in thousands.
    UnitChange,
    /// Wins times 0.7.
    Drift,
    /// A week without an export and without a run.
    Outage,
    /// A rep enters wins in a batch at the end of the month.
    Batches,
    /// Leads come from a source that was never seen.
    NewSource,
    /// The job of a contact loses its meaning.
    FadingEffect,
    /// A campaign doubles the leads, with little interest.
    Campaign,
    /// Sales cycles lengthen by 1.4: as many are won in the end, but later.
    LongerCycles,
}

impl Event {
    /// All of them, in the order in which they happen.
    pub const ALL: [Self; 11] = [
        Self::Season,
        Self::FrozenFeed,
        Self::LateDeals,
        Self::UnitChange,
        Self::Drift,
        Self::Outage,
        Self::Batches,
        Self::NewSource,
        Self::FadingEffect,
        Self::Campaign,
        Self::LongerCycles,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Season => "season",
            Self::FrozenFeed => "frozen",
            Self::LateDeals => "late",
            Self::UnitChange => "units",
            Self::Drift => "drift",
            Self::Outage => "outage",
            Self::Batches => "batches",
            Self::NewSource => "source",
            Self::FadingEffect => "fade",
            Self::Campaign => "campaign",
            Self::LongerCycles => "cycles",
        }
    }

    /// What it is, in a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Season => "a season: wins between × 0.85 in June and × 1.15 in December",
            Self::FrozenFeed => "visits stop coming in for ten days, then come late",
            Self::LateDeals => "40 % of the outcomes are entered two to six weeks late",
            Self::UnitChange => "budgets in thousands, for two weeks",
            Self::Drift => "wins × 0.7",
            Self::Outage => "a week without an export and without a run",
            Self::Batches => "a rep enters wins in batches at the end of the month",
            Self::NewSource => "15 % of new leads come from a source never seen, wins × 0.5",
            Self::FadingEffect => "the job of a contact loses its meaning",
            Self::Campaign => "a campaign doubles the leads for six weeks, with little interest",
            Self::LongerCycles => "sales cycles lengthen by 1.4",
        }
    }

    /// When it begins in two years that have all of them, in days, and how long it lasts.
    const fn usual(self) -> (Day, Option<Day>) {
        match self {
            Self::Season => (Day::MIN, None),
            Self::FrozenFeed => (60, Some(10)),
            Self::LateDeals => (110, Some(60)),
            Self::UnitChange => (200, Some(14)),
            Self::Drift => (260, None),
            Self::Outage => (335, Some(7)),
            Self::Batches => (360, Some(120)),
            Self::NewSource => (420, None),
            Self::FadingEffect => (500, None),
            Self::Campaign => (580, Some(42)),
            Self::LongerCycles => (640, None),
        }
    }
}

impl std::str::FromStr for Event {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|event| event.name() == name)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                format!("there is no event {name:?}; there are {names}")
            })
    }
}

/// An event and its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happening {
    /// What happens.
    pub event: Event,
    /// The first day on which it does.
    pub from: Day,
    /// The first day on which it does no longer; `None`: it lasts.
    pub until: Option<Day>,
}

impl Happening {
    /// Whether it happens on a day.
    pub fn is_on(&self, day: Day) -> bool {
        day >= self.from && self.until.is_none_or(|until| day < until)
    }
}

/// All that happens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan(Vec<Happening>);

impl Plan {
    /// These events over so many nights. One alone begins after a third of them; several are
    /// spread in the order of [`Event::ALL`].
    pub fn new(events: &[Event], first_night: Day, n_nights: Day) -> Self {
        let plan = events.iter().map(|&event| {
            let (usual, length) = event.usual();
            let from = match usual {
                Day::MIN => Day::MIN,
                _ if events.len() == 1 => first_night + n_nights / 3,
                _ => first_night + usual * n_nights / 730,
            };
            Happening {
                event,
                from,
                until: length.map(|length| from + length),
            }
        });
        Self(plan.collect())
    }

    /// What is planned, in order.
    pub fn happenings(&self) -> &[Happening] {
        &self.0
    }

    /// When an event happens, if it does.
    pub fn find(&self, event: Event) -> Option<Happening> {
        self.0.iter().copied().find(|found| found.event == event)
    }

    /// Whether an event happens on a day.
    pub fn is_on(&self, event: Event, day: Day) -> bool {
        self.find(event).is_some_and(|found| found.is_on(day))
    }
}
