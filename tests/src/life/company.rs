//! The company, lived day by day: who comes, who is won or lost, and what of it is entered.

use std::collections::HashSet;

use super::days::{Day, FIRST_NIGHT, OLDEST};
use super::draws::{Draws, Purpose};
use super::entries::{Closing, Feed, outcome, touches, visits};
use super::hazards::Calendar;
use super::person::{Market, Person};
use super::plan::{Event, Plan};

/// Leads that come a day, for each lead that is open.
const ARRIVALS: f64 = 1.0 / 112.0;
/// Keys of leads of a campaign begin here, so that all other leads have the same keys without it.
const CAMPAIGN_KEYS: u64 = 1 << 32;
/// Most leads of one day, by which keys are told apart.
const MOST_A_DAY: u64 = 1 << 16;

/// The size of a company, what happens to it, and how it acts on scores.
#[derive(Debug, Clone)]
pub struct LifeOptions {
    /// Seed of every random choice; default 1.
    pub seed: u64,
    /// How many leads are open at a time, about; default 3,000.
    pub open_leads: u32,
    /// How many nights are lived after a year of history; default 730.
    pub n_nights: Day,
    /// What happens; default: everything.
    pub events: Vec<Event>,
    /// What multiplies the hazard of a win of a lead while it is prioritized; default 1.
    pub priority_effect: f64,
    /// Share of the leads that are held back, as the config has it; default 0.
    pub holdback: f64,
}

impl Default for LifeOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            open_leads: 3_000,
            n_nights: 730,
            events: Event::ALL.to_vec(),
            priority_effect: 1.0,
            holdback: 0.0,
        }
    }
}

/// A lead as the company has it.
#[derive(Debug, Clone)]
pub(super) struct Lead {
    pub(super) person: Person,
    pub(super) is_prioritized: bool,
    pub(super) closing: Option<Closing>,
}

/// A company, as far as it was lived.
#[derive(Debug, Clone)]
pub struct Life {
    pub(super) options: LifeOptions,
    pub(super) plan: Plan,
    pub(super) calendar: Calendar,
    pub(super) night: Day,
    /// In the order in which they came; the lead at position 7 has the id "L7".
    pub(super) leads: Vec<Lead>,
    /// Positions of the leads that are open tonight.
    pub(super) open: Vec<usize>,
    pub(super) visits: Feed,
    pub(super) touches: Feed,
    pub(super) deals: Feed,
}

impl Life {
    /// A company with its history, on the first night.
    pub fn new(options: LifeOptions) -> Self {
        let plan = Plan::new(&options.events, FIRST_NIGHT, options.n_nights);
        Self::with_plan(options, plan)
    }

    /// A company to which this happens, whatever its options say.
    pub fn with_plan(options: LifeOptions, plan: Plan) -> Self {
        let last = FIRST_NIGHT + options.n_nights + 400;
        let mut life = Self {
            calendar: Calendar::new(&plan, last),
            options,
            plan,
            night: OLDEST,
            leads: Vec::new(),
            open: Vec::new(),
            visits: Feed::default(),
            touches: Feed::default(),
            deals: Feed::default(),
        };
        life.live_until(FIRST_NIGHT);
        life
    }

    /// What happens to it.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The night that was reached.
    pub fn night(&self) -> Day {
        self.night
    }

    /// The last night of the life.
    pub fn last_night(&self) -> Day {
        FIRST_NIGHT + self.options.n_nights
    }

    /// Whether there is no export on a night.
    pub fn is_out(&self, night: Day) -> bool {
        self.plan.is_on(Event::Outage, night)
    }

    /// Lives on to a night; a night that is past changes nothing.
    pub fn live_until(&mut self, night: Day) {
        while self.night < night {
            self.live_a_day();
        }
    }

    /// From now on these leads, by their ids, are prioritized, and no others.
    pub fn prioritize<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) {
        let ids: HashSet<&str> = ids.into_iter().collect();
        for &position in &self.open {
            let id = Self::id(position);
            self.leads[position].is_prioritized = ids.contains(id.as_str());
        }
    }

    /// The id of the lead at a position.
    pub fn id(position: usize) -> String {
        format!("L{position}")
    }

    fn live_a_day(&mut self) {
        let day = self.night;
        self.close_and_act(day);
        self.welcome(day);
        self.night += 1;
    }

    fn close_and_act(&mut self, day: Day) {
        let seed = self.options.seed;
        let open = std::mem::take(&mut self.open);
        for position in open {
            let chances = self.hazards(position, day).chances();
            let lead = &mut self.leads[position];
            let person = &lead.person;
            for visit in visits(&self.plan, seed, position, person, day) {
                self.visits.push(visit);
            }
            for touch in touches(seed, position, person, day) {
                self.touches.push(touch);
            }
            let draw = Draws::new(seed, Purpose::Closing, person.key, day).uniform();
            let (win, loss) = chances;
            if draw >= win + loss {
                self.open.push(position);
                continue;
            }
            let closing = Closing {
                day,
                won: draw < win,
            };
            self.deals
                .push(outcome(&self.plan, seed, position, person, closing));
            lead.closing = Some(closing);
        }
    }

    fn welcome(&mut self, day: Day) {
        let usual = ARRIVALS * f64::from(self.options.open_leads);
        self.welcome_some(day, Purpose::Arrivals, usual);
        if self.plan.is_on(Event::Campaign, day) {
            self.welcome_some(day, Purpose::CampaignArrivals, usual);
        }
    }

    fn welcome_some(&mut self, day: Day, purpose: Purpose, mean: f64) {
        let seed = self.options.seed;
        let of_campaign = matches!(purpose, Purpose::CampaignArrivals);
        let market = Market {
            has_new_source: self.plan.is_on(Event::NewSource, day),
            of_campaign,
        };
        // In parts, since a Poisson draw has a mean that is not large.
        let n: u32 = (0..8)
            .map(|part| Draws::new(seed, purpose, part, day).poisson(mean / 8.0))
            .sum();
        let first = (day - OLDEST).cast_unsigned() * MOST_A_DAY
            + if of_campaign { CAMPAIGN_KEYS } else { 0 };
        for number in 0..u64::from(n).min(MOST_A_DAY - 1) {
            self.open.push(self.leads.len());
            self.leads.push(Lead {
                person: Person::new(seed, first + number, day, market),
                is_prioritized: false,
                closing: None,
            });
        }
    }

    /// The hazards of an open lead on a day, as it is prioritized tonight.
    fn hazards(&self, position: usize, day: Day) -> super::hazards::Hazards {
        let lead = &self.leads[position];
        self.calendar
            .hazards(&lead.person, self.priority(position), day)
    }

    /// What priority multiplies the hazard of a win of this lead by, tonight.
    pub(super) fn priority(&self, position: usize) -> f64 {
        if self.leads[position].is_prioritized {
            self.options.priority_effect
        } else {
            1.0
        }
    }
}
