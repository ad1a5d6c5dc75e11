//! Leads from birth to close, and at every month's first the probability that an all-knowing
//! observer would give.
//!
//! A lead is won in the end with log-odds `θ` by its traits, and closes, won or lost, at an
//! exponential time of mean 25 days. Until then its events come as Poisson processes whose rates
//! differ between leads that will be won and leads that will be lost. Given the events up to a
//! snapshot, Bayes' rule then gives the log-odds of a win in closed form:
//!
//! ```text
//! log-odds(s) = θ + ∑ₖ [nₖ(s) ln(λₖ¹/λₖ⁰) − (λₖ¹ − λₖ⁰) E(s)],   p₉₀(s) = σ(log-odds(s)) (1 − e^−90μ)
//! ```
//!
//! where `nₖ` counts events of kind `k`, `λₖ¹` and `λₖ⁰` are its rates for won and lost leads, `E`
//! is the time at risk (a day of the weekend counts for less), and `μ` the rate of closing. Closing
//! times do not tell won from lost, so they add nothing.

use leadscore_core::{Span, Timestamp};

use crate::random::Draws;
use crate::world::{
    ACTIVITIES, Activity, BANDS, EventTable, INDUSTRIES, ROLES, SOURCES, Traits, World,
};

/// What to simulate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulationOptions {
    /// Number of leads, 1,000 to 99,999,999.
    pub n_leads: u32,
    /// How leads come to be won.
    pub world: World,
    /// Seed: the same seed gives the same leads.
    pub seed: u64,
}

/// A company.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its id.
    pub account_id: String,
    /// Its industry.
    pub industry: &'static str,
    /// Its band of employees.
    pub employees: &'static str,
    /// Its country.
    pub country: &'static str,
}

/// A lead.
#[derive(Debug, Clone, PartialEq)]
pub struct Lead {
    /// Its id.
    pub lead_id: String,
    /// Its company.
    pub account_id: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Where it came from; sometimes missing.
    pub source: Option<&'static str>,
    /// What the person does.
    pub role: &'static str,
    /// Seats asked for; often missing.
    pub seats: Option<f64>,
    /// Pages seen on the first visit.
    pub first_pages: f64,
    /// Whether the mail address is a free one.
    pub free_mail: bool,
    /// Points by today's rules, as of creation.
    pub manual_score: f64,
}

/// Something that a lead did.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The lead.
    pub lead_id: String,
    /// When it happened.
    pub at: Timestamp,
    /// When it was recorded: sometimes days later.
    pub recorded_at: Timestamp,
    /// What it was.
    pub kind: &'static str,
    /// Pages of a web session; 0 elsewhere.
    pub page_views: f64,
    /// Minutes of a web session; 0 elsewhere.
    pub minutes: f64,
}

/// The deal of a lead.
#[derive(Debug, Clone, PartialEq)]
pub struct Deal {
    /// Its id.
    pub deal_id: String,
    /// The lead.
    pub lead_id: String,
    /// What it is worth, in currency.
    pub amount: f64,
    /// Where it stands: `open`, `closed_won` or `closed_lost`.
    pub stage: &'static str,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
}

/// A change of stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageChange {
    /// The deal.
    pub deal_id: String,
    /// The lead.
    pub lead_id: String,
    /// The stage entered.
    pub stage: &'static str,
    /// When.
    pub entered_at: Timestamp,
}

/// The truth about one lead at one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct TrueProbability {
    /// The lead.
    pub lead_id: String,
    /// The first of a month.
    pub snapshot: Timestamp,
    /// Probability of being won within 90 days, given all that had happened.
    pub probability: f64,
}

/// What the true log-odds of a lead of the linear world are the sum of, at one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct TrueContributions {
    /// The lead.
    pub lead_id: String,
    /// The first of a month.
    pub snapshot: Timestamp,
    /// Traits and kinds of events, with what each adds to the log-odds of being won in the end. An
    /// event counts less what waiting for it counts.
    pub parts: Vec<(&'static str, f64)>,
}

/// Everything about some leads.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chunk {
    /// The leads.
    pub leads: Vec<Lead>,
    /// Mails, forms and webinars.
    pub touches: Vec<Event>,
    /// Visits of the web site.
    pub sessions: Vec<Event>,
    /// What sales did.
    pub sales: Vec<Event>,
    /// Their deals.
    pub deals: Vec<Deal>,
    /// How deals moved.
    pub stages: Vec<StageChange>,
    /// The truth.
    pub truth: Vec<TrueProbability>,
    /// What it is the sum of, where [`Simulator::with_contributions`] asks for it.
    pub contributions: Vec<TrueContributions>,
}

const DAYS: u32 = 730;
const CLOSE_RATE: f64 = 1.0 / 25.0;
const HORIZON_DAYS: f64 = 90.0;
/// A day of the weekend sees this share of a weekday's events.
const WEEKEND: f64 = 0.35;
const MICROS_PER_DAY: f64 = 86_400e6;
const COUNTRIES: [&str; 5] = ["DE", "FR", "GB", "US", "BR"];

const ACCOUNT_DOMAIN: u64 = 1;
const LEAD_DOMAIN: u64 = 2;

/// Makes accounts and leads, any range of them on its own.
#[derive(Debug, Clone, Copy)]
pub struct Simulator {
    options: SimulationOptions,
    start: Timestamp,
    has_contributions: bool,
}

impl Simulator {
    /// A simulator of two years from 2024-01-01.
    pub fn new(options: SimulationOptions) -> Self {
        Self {
            options,
            start: Timestamp::from_ymd(2024, 1, 1).expect("the day exists"),
            has_contributions: false,
        }
    }

    /// The same, and what the truth is the sum of; `None` but for the linear world, where traits do
    /// not act together.
    #[must_use]
    pub fn with_contributions(self) -> Option<Self> {
        (self.options.world == World::Linear).then_some(Self {
            has_contributions: true,
            ..self
        })
    }

    /// The end of the data: nothing is known at or after it.
    pub fn end(&self) -> Timestamp {
        self.start + Span::from_days(DAYS)
    }

    /// Number of accounts: one for three leads.
    pub fn n_accounts(&self) -> u32 {
        self.options.n_leads / 3
    }

    /// Accounts `range`.
    pub fn accounts(&self, range: std::ops::Range<u32>) -> Vec<Account> {
        range
            .map(|index| {
                let (industry, band, country) = self.account(index);
                Account {
                    account_id: format!("A{index:07}"),
                    industry: INDUSTRIES[industry],
                    employees: BANDS[band],
                    country: COUNTRIES[country],
                }
            })
            .collect()
    }

    fn account(&self, index: u32) -> (usize, usize, usize) {
        let mut draws = Draws::new(self.options.seed, ACCOUNT_DOMAIN, u64::from(index));
        (
            draws.pick(&[3.0, 2.0, 1.5, 1.5, 1.0, 2.0]),
            draws.pick(&[3.0, 3.0, 2.0, 1.2, 0.6]),
            draws.pick(&[3.0, 2.0, 2.0, 3.0, 1.0]),
        )
    }

    /// Everything about leads `range`.
    pub fn leads(&self, range: std::ops::Range<u32>) -> Chunk {
        let mut chunk = Chunk::default();
        for index in range {
            self.live(index, &mut chunk);
        }
        chunk
    }

    /// One lead from birth to close.
    fn live(&self, index: u32, chunk: &mut Chunk) {
        let world = self.options.world;
        let mut draws = Draws::new(self.options.seed, LEAD_DOMAIN, u64::from(index));
        let account = (draws.uniform() * f64::from(self.n_accounts())) as u32;
        let (industry, band, _) = self.account(account);
        let born = self.birth(&mut draws);
        let traits = Traits {
            source: draws.pick(&[3.0, 3.0, 1.2, 1.0, 2.0, 0.8]),
            role: draws.pick(&[0.8, 1.2, 2.5, 3.0, 1.0]),
            band,
            industry,
            seats: f64::from(draws.poisson(8.0)),
            first_pages: f64::from(draws.poisson(5.0)),
            free_mail: draws.happens(0.3),
            when: born / f64::from(DAYS),
        };
        let theta = world.log_odds(&traits);
        let is_won = draws.happens(log_odds_to_probability_portable(theta));
        let lifetime = draws.exponential(CLOSE_RATE);
        let created = self.moment(born);
        let closed = self.moment(born + lifetime);
        let lead_id = format!("L{index:08}");
        let mut events = events_of_life(
            world,
            is_won,
            born,
            lifetime,
            self.weekday_of_start(),
            &mut draws,
        );
        events.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.push_truth(&lead_id, &traits, born, created, closed, &events, chunk);
        self.push_deal(index, &lead_id, is_won, closed, &events, &mut draws, chunk);
        let noise = draws.poisson(6.0);
        chunk.leads.push(Lead {
            lead_id: lead_id.clone(),
            account_id: format!("A{account:07}"),
            created_at: created,
            source: (!draws.happens(0.03)).then_some(SOURCES[traits.source]),
            role: ROLES[traits.role],
            seats: (!draws.happens(0.2)).then_some(traits.seats),
            first_pages: traits.first_pages,
            free_mail: traits.free_mail,
            manual_score: manual_points(&traits) + f64::from(noise),
        });
        if is_won && closed < self.end() {
            // A customer reads the welcome mails: what a careless feature takes for interest.
            for _ in 0..4 {
                events.push((born + lifetime + draws.exponential(0.2), 0));
            }
        }
        for (at, activity) in events {
            self.push_event(&lead_id, at, activity, &mut draws, chunk);
        }
    }

    /// Day of creation from the start, with fraction: more on weekdays, more in spring and autumn,
    /// more each year.
    fn birth(&self, draws: &mut Draws) -> f64 {
        loop {
            let day = draws.uniform() * f64::from(DAYS);
            let season = 1.0 + 0.25 * libm::sin(day / 365.25 * 4.0 * std::f64::consts::PI);
            let growth = 0.7 + 0.3 * day / f64::from(DAYS);
            let weekday = if self.is_weekend(day) { 0.4 } else { 1.0 };
            if draws.happens(season * growth * weekday / 1.25) {
                return day;
            }
        }
    }

    /// 2024-01-01 was a Monday.
    #[expect(clippy::unused_self, reason = "belongs to the simulated calendar")]
    fn weekday_of_start(&self) -> u32 {
        0
    }

    fn is_weekend(&self, day: f64) -> bool {
        is_weekend(day, self.weekday_of_start())
    }

    fn moment(&self, day: f64) -> Timestamp {
        // Whole seconds, as a CRM keeps them.
        Timestamp::from_micros(
            self.start.micros() + ((day * MICROS_PER_DAY / 1e6).floor() as i64) * 1_000_000,
        )
    }

    #[expect(clippy::too_many_arguments, reason = "one life has this many parts")]
    fn push_truth(
        &self,
        lead_id: &str,
        traits: &Traits,
        born: f64,
        created: Timestamp,
        closed: Timestamp,
        events: &[(f64, usize)],
        chunk: &mut Chunk,
    ) {
        let world = self.options.world;
        let within_horizon = 1.0 - libm::exp(-CLOSE_RATE * HORIZON_DAYS);
        let mut snapshot = created.month_start_at_or_after();
        while snapshot <= closed && snapshot <= self.end() {
            let day = snapshot.days_since(self.start);
            let exposure = weekday_time(born, day, self.weekday_of_start());
            let mut log_odds = world.log_odds(traits);
            let mut parts = if self.has_contributions {
                World::linear_parts(traits).to_vec()
            } else {
                Vec::new()
            };
            for (number, activity) in ACTIVITIES.iter().enumerate() {
                let (won, lost) = world.rates(activity);
                let count = events
                    .iter()
                    .filter(|(at, kind)| *kind == number && self.moment(*at) < snapshot)
                    .count();
                let of_activity = count as f64 * libm::log(won / lost) - (won - lost) * exposure;
                log_odds += of_activity;
                if self.has_contributions {
                    parts.push((activity.kind, of_activity));
                }
            }
            if self.has_contributions {
                chunk.contributions.push(TrueContributions {
                    lead_id: lead_id.to_owned(),
                    snapshot,
                    parts,
                });
            }
            chunk.truth.push(TrueProbability {
                lead_id: lead_id.to_owned(),
                snapshot,
                probability: log_odds_to_probability_portable(log_odds) * within_horizon,
            });
            snapshot = snapshot.next_month();
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one life has this many parts")]
    fn push_deal(
        &self,
        index: u32,
        lead_id: &str,
        is_won: bool,
        closed: Timestamp,
        events: &[(f64, usize)],
        draws: &mut Draws,
        chunk: &mut Chunk,
    ) {
        let deal_id = format!("D{index:08}");
        let is_closed = closed < self.end();
        let stage = match (is_closed, is_won) {
            (false, _) => "open",
            (true, true) => "closed_won",
            (true, false) => "closed_lost",
        };
        let mut enter = |stage: &'static str, entered_at: Timestamp| {
            if entered_at < self.end() {
                chunk.stages.push(StageChange {
                    deal_id: deal_id.clone(),
                    lead_id: lead_id.to_owned(),
                    stage,
                    entered_at,
                });
            }
        };
        for (kind, stage) in [("meeting", "qualified"), ("proposal", "proposal")] {
            if let Some((at, _)) = events
                .iter()
                .find(|(_, activity)| ACTIVITIES[*activity].kind == kind)
            {
                enter(stage, self.moment(*at));
            }
        }
        if is_closed {
            enter(stage, closed);
        }
        let amount = (500.0 * libm::exp(draws.exponential(1.5))).round();
        chunk.deals.push(Deal {
            deal_id,
            lead_id: lead_id.to_owned(),
            amount,
            stage,
            closed_at: is_closed.then_some(closed),
        });
    }

    fn push_event(
        &self,
        lead_id: &str,
        day: f64,
        activity: usize,
        draws: &mut Draws,
        chunk: &mut Chunk,
    ) {
        let at = self.moment(day);
        let delay = if draws.happens(0.05) {
            draws.exponential(0.3)
        } else {
            0.0
        };
        let recorded_at = self.moment(day + delay);
        // What is recorded after the end is not in the export.
        if recorded_at >= self.end() {
            return;
        }
        let Activity { table, kind, .. } = ACTIVITIES[activity];
        let is_session = table == EventTable::Sessions;
        let page_views = if is_session {
            f64::from(1 + draws.poisson(3.0))
        } else {
            0.0
        };
        let minutes = if is_session {
            (draws.exponential(0.25) * 10.0).round() / 10.0
        } else {
            0.0
        };
        let event = Event {
            lead_id: lead_id.to_owned(),
            at,
            recorded_at,
            kind,
            page_views,
            minutes,
        };
        match table {
            EventTable::Touches => chunk.touches.push(event),
            EventTable::Sessions => chunk.sessions.push(event),
            EventTable::Sales => chunk.sales.push(event),
        }
    }
}

/// Day and kind of every event from birth to close.
fn events_of_life(
    world: World,
    is_won: bool,
    born: f64,
    lifetime: f64,
    weekday_of_start: u32,
    draws: &mut Draws,
) -> Vec<(f64, usize)> {
    let mut events = Vec::new();
    for (number, activity) in ACTIVITIES.iter().enumerate() {
        let (won, lost) = world.rates(activity);
        let rate = if is_won { won } else { lost };
        let mut day = born + draws.exponential(rate);
        while day < born + lifetime {
            // Thinning: on a weekend only some of them happen.
            if !is_weekend(day, weekday_of_start) || draws.happens(WEEKEND) {
                events.push((day, number));
            }
            day += draws.exponential(rate);
        }
    }
    events
}

fn is_weekend(day: f64, weekday_of_start: u32) -> bool {
    (day.floor() as u32 + weekday_of_start) % 7 >= 5
}

/// Days from `from` to `to`, those of a weekend counted in part.
fn weekday_time(from: f64, to: f64, weekday_of_start: u32) -> f64 {
    let mut total = 0.0;
    let mut at = from;
    while at < to {
        let next = (at.floor() + 1.0).min(to);
        total += (next - at)
            * if is_weekend(at, weekday_of_start) {
                WEEKEND
            } else {
                1.0
            };
        at = next;
    }
    total
}

/// The logistic function by libm, so that every machine draws the same leads.
fn log_odds_to_probability_portable(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}

/// Points that a sales team might give: right about roles, blind to sources, too fond of large
/// companies.
fn manual_points(traits: &Traits) -> f64 {
    let role = [30.0, 25.0, 15.0, 10.0, 0.0][traits.role];
    let band = [0.0, 5.0, 15.0, 25.0, 30.0][traits.band];
    let pages = (2.0 * traits.first_pages).min(20.0);
    role + band + pages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simulator(world: World) -> Simulator {
        Simulator::new(SimulationOptions {
            n_leads: 20_000,
            world,
            seed: 3,
        })
    }

    #[test]
    fn chunks_do_not_depend_on_each_other() {
        let simulator = simulator(World::Linear);
        let whole = simulator.leads(0..200);
        let (first, second) = (simulator.leads(0..90), simulator.leads(90..200));
        assert_eq!(whole.leads[..90], first.leads);
        assert_eq!(whole.truth[first.truth.len()..], second.truth);
    }

    #[track_caller]
    fn check_truth(world: World) {
        let simulator = simulator(world);
        let chunk = simulator.leads(0..20_000);
        let horizon = Span::from_days(90);
        let wins: std::collections::HashMap<&str, Timestamp> = chunk
            .deals
            .iter()
            .filter(|deal| deal.stage == "closed_won")
            .map(|deal| (deal.lead_id.as_str(), deal.closed_at.expect("closed")))
            .collect();
        let mature: Vec<&TrueProbability> = chunk
            .truth
            .iter()
            .filter(|row| row.snapshot + horizon <= simulator.end())
            .collect();
        // Three bins by the truth: in each, what happened must be what was said, within four
        // standard errors.
        for (low, high) in [(0.0, 0.1), (0.1, 0.4), (0.4, 1.0)] {
            let rows: Vec<&&TrueProbability> = mature
                .iter()
                .filter(|row| (low..high).contains(&row.probability))
                .collect();
            let said: f64 = rows.iter().map(|row| row.probability).sum();
            let variance: f64 = rows
                .iter()
                .map(|row| row.probability * (1.0 - row.probability))
                .sum();
            let won = rows
                .iter()
                .filter(|row| {
                    wins.get(row.lead_id.as_str())
                        .is_some_and(|&at| row.snapshot <= at && at < row.snapshot + horizon)
                })
                .count() as f64;
            assert!(
                (won - said).abs() <= 4.0 * variance.sqrt() + 1.0,
                "{world:?} {low}: {won} won, {said:.1} said, {} rows",
                rows.len()
            );
        }
    }

    #[test]
    fn the_truth_is_what_happens() {
        for world in [
            World::Linear,
            World::Curved,
            World::Interactions,
            World::Drift,
            World::Noise,
        ] {
            check_truth(world);
        }
    }
}
