//! A world of open leads whose chances are known: leads arrive, are scored with an error, are won
//! or lost week by week, and are replaced as they close.

use std::sync::OnceLock;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// Weeks that a probability of "90 days" covers.
pub(crate) const HORIZON: usize = 13;
/// Weeks before the first row, so that leads of all ages are open.
const WARM_UP: i64 = 80;
/// Standard deviation of the error of a score, in log-odds.
const NOISE: f64 = 0.3;
/// Share of new leads that is won within 13 weeks.
const BASE: f64 = 0.20;
/// Weights of the three features of a lead; their squares add up to 1.
const WEIGHTS: [f64; 3] = [0.8, 0.48, 0.36];
/// Weekly rate at which a lead is lost.
const LOSS: f64 = 0.03;
/// Ages that the model's table of probabilities knows, in weeks.
const N_AGES: usize = 160;
/// Points of the table over log-odds, from −4.5 to 4.5.
const N_ETAS: usize = 91;
const ETA_STEP: f64 = 0.1;
const FIRST_ETA: f64 = -4.5;
/// Weeks of a year.
const YEAR: f64 = 365.25 / 7.0;

/// Whose clock runs slower from the change on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Slower {
    /// Leads that are created from then on.
    New,
    /// All leads, also those that are open.
    All,
}

/// What happens in a world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct World {
    /// Open leads in each week.
    pub(crate) n_open: usize,
    /// Weeks of the reference.
    pub(crate) n_reference: u32,
    /// Weeks that are monitored.
    pub(crate) n_monitored: u32,
    /// Monitored week from which on something is different, from 0.
    pub(crate) change: u32,
    /// Factor of the rate of wins from the change on.
    pub(crate) level: f64,
    /// The source that the factor is for; all where there is none.
    pub(crate) of_source: Option<u32>,
    /// Factor of the time that deals take from the change on, and of which deals.
    pub(crate) slower: Option<(f64, Slower)>,
    /// Amplitude of a yearly wave of the rate of wins.
    pub(crate) season: f64,
    /// Reps, of ten, that enter their wins about every third week.
    pub(crate) batches: usize,
    /// Standard deviation of what all wins of a week have in common, as a share.
    pub(crate) shocks: f64,
    /// Leads of an account, which share a part of their chance and are often won together.
    pub(crate) account_size: usize,
    /// Monitored weeks without a run.
    pub(crate) missing: [Option<u32>; 2],
    /// A monitored week in which no win is entered; they are all entered in the next.
    pub(crate) outage: Option<u32>,
}

impl World {
    /// Nothing happens.
    pub(crate) fn quiet(n_open: usize) -> Self {
        Self {
            n_open,
            n_reference: 52,
            n_monitored: 104,
            change: 52,
            level: 1.0,
            of_source: None,
            slower: None,
            season: 0.0,
            batches: 0,
            shocks: 0.0,
            account_size: 1,
            missing: [None; 2],
            outage: None,
        }
    }

    /// Whether nothing changes.
    pub(crate) fn is_quiet(&self) -> bool {
        self.level == 1.0 && self.slower.is_none()
    }

    /// Whether the two have the same weeks of reference.
    pub(crate) fn has_reference_of(&self, other: &Self) -> bool {
        let before = |world: &Self| Self {
            n_reference: world.n_reference,
            season: world.season,
            batches: world.batches,
            shocks: world.shocks,
            account_size: world.account_size,
            ..Self::quiet(world.n_open)
        };
        before(self) == before(other)
    }
}

/// One row for each lead and week, in order of weeks.
#[derive(Debug, Default, Clone)]
pub(crate) struct Rows {
    pub(crate) lead: Vec<u64>,
    pub(crate) week: Vec<u32>,
    pub(crate) age: Vec<f32>,
    pub(crate) log_odds: Vec<f64>,
    pub(crate) features: Vec<[f32; 3]>,
    pub(crate) tier: Vec<u8>,
    pub(crate) account: Vec<u64>,
    pub(crate) source: Vec<u32>,
    pub(crate) held_back: Vec<bool>,
    /// Won in the week that begins.
    pub(crate) won: Vec<bool>,
    /// Lost in the week that begins.
    pub(crate) lost: Vec<bool>,
    /// Won within 13 weeks.
    pub(crate) won_90: Vec<bool>,
    /// The true chance of a win in the week that begins.
    pub(crate) chance: Vec<f64>,
}

/// Rows of the reference and of the weeks that are monitored.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) reference: Rows,
    pub(crate) monitored: Rows,
}

/// Random numbers of a world, the same on every machine.
pub(crate) struct Draws {
    words: ChaCha8Rng,
    spare: Option<f64>,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            words: ChaCha8Rng::seed_from_u64(seed),
            spare: None,
        }
    }

    /// Above 0 and below 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.words.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        let turn = std::f64::consts::TAU * self.uniform();
        self.spare = Some(radius * turn.sin());
        radius * turn.cos()
    }
}

/// How the rate of wins depends on how far a deal is: it rises until the eighth week.
fn pace(clock: f64) -> f64 {
    let position = (clock + 0.5) / 8.0;
    0.35 + position * (1.0 - position).exp()
}

/// What the model knows: the log-odds of a win within 13 weeks, by log-odds and age of the lead.
struct Table {
    /// Factor of all rates of wins, which gives the base.
    rate: f64,
    /// `(N_AGES, N_ETAS)`, rows contiguous.
    log_odds: Vec<f64>,
}

impl Table {
    fn get() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| {
            let (mut low, mut high) = (1e-4, 1.0);
            for _ in 0..40 {
                let rate = f64::sqrt(low * high);
                if Self::with_rate(rate).1 < BASE {
                    low = rate;
                } else {
                    high = rate;
                }
            }
            Self::with_rate(f64::sqrt(low * high)).0
        })
    }

    /// The table, and the mean probability of new leads.
    fn with_rate(rate: f64) -> (Self, f64) {
        let mut log_odds = vec![0.0; N_AGES * N_ETAS];
        let (mut sum, mut total) = (0.0, 0.0);
        for column in 0..N_ETAS {
            let eta = FIRST_ETA + ETA_STEP * column as f64;
            let wins: Vec<f64> = (0..N_AGES + HORIZON)
                .map(|age| rate * eta.exp() * pace(age as f64))
                .collect();
            for age in 0..N_AGES {
                let (mut probability, mut open) = (0.0, 1.0);
                for hazard in &wins[age..age + HORIZON] {
                    let won = 1.0 - (-hazard).exp();
                    probability += open * won;
                    open *= (1.0 - won) * (-LOSS).exp();
                }
                log_odds[age * N_ETAS + column] = (probability / (1.0 - probability)).ln();
                if age == 0 {
                    let weight = (-eta * eta / 2.0).exp();
                    sum += weight * probability;
                    total += weight;
                }
            }
        }
        (Self { rate, log_odds }, sum / total)
    }

    fn log_odds(&self, eta: f64, age: usize) -> f64 {
        let position = ((eta - FIRST_ETA) / ETA_STEP).clamp(0.0, (N_ETAS - 1) as f64 - 1e-9);
        let column = position.floor();
        let at = age.min(N_AGES - 1) * N_ETAS + column as usize;
        let share = position - column;
        (1.0 - share) * self.log_odds[at] + share * self.log_odds[at + 1]
    }
}

/// A lead that is open.
struct Lead {
    id: u64,
    features: [f32; 3],
    eta: f64,
    /// What an account has beside its features.
    hidden: f64,
    noise: f64,
    created: i64,
    /// How far the deal is, in weeks of the reference.
    clock: f64,
    source: u32,
    rep: u32,
    /// A win that the rep has not entered yet.
    is_waiting: bool,
}

impl World {
    /// The rows of this world.
    pub(crate) fn make(&self, seed: u64) -> Made {
        let table = Table::get();
        let mut draws = Draws::new(seed);
        let mut n_leads = 0;
        let mut accounts: Vec<f64> = vec![0.0; self.n_open.div_ceil(self.account_size)];
        for account in &mut accounts {
            *account = self.hidden(&mut draws);
        }
        let mut open: Vec<Lead> = (0..self.n_open)
            .map(|slot| {
                self.new_lead(
                    &mut draws,
                    &mut n_leads,
                    -WARM_UP,
                    accounts[slot / self.account_size],
                )
            })
            .collect();
        let mut won_in: Vec<i64> = Vec::new();
        let mut all = Rows::default();
        let end = i64::from(self.n_reference + self.n_monitored);
        // After the last row, outcomes of the leads that are open then.
        for week in -WARM_UP..end + HORIZON as i64 {
            let enters: [bool; 10] =
                std::array::from_fn(|rep| rep >= self.batches || draws.uniform() < 1.0 / 3.0);
            let shock = if self.shocks > 0.0 {
                (self.shocks * draws.normal()).exp()
            } else {
                1.0
            };
            let is_outage = self
                .outage
                .is_some_and(|outage| week == i64::from(self.n_reference + outage));
            let mut together: Option<(usize, bool)> = None;
            for (slot, lead) in open.iter_mut().enumerate() {
                let account = slot / self.account_size;
                let (chance, speed) = self.chance(lead, week, table.rate * shock);
                // Often, one win of an account brings the next.
                let brings =
                    together.is_some_and(|(of, won)| of == account && won) && draws.uniform() < 0.3;
                let draw = draws.uniform();
                let wins = lead.is_waiting || brings || draw < chance;
                let is_entered = wins && enters[lead.rep as usize] && !is_outage;
                let is_lost =
                    !wins && (draw - chance) / (1.0 - chance) < 1.0 - (-LOSS * speed).exp();
                if self.account_size > 1 {
                    together = Some((account, wins));
                }
                lead.is_waiting = wins && !is_entered;
                if (0..end).contains(&week) {
                    self.write(&mut all, lead, week, account, chance, is_entered, table);
                    all.lost.push(is_lost);
                }
                lead.clock += speed;
                if is_entered {
                    let id = usize::try_from(lead.id).expect("ids are small");
                    won_in.resize(won_in.len().max(id + 1), i64::MAX);
                    won_in[id] = week;
                }
                if is_entered || is_lost {
                    if draws.uniform() < 0.2 {
                        accounts[account] = self.hidden(&mut draws);
                    }
                    *lead = self.new_lead(&mut draws, &mut n_leads, week + 1, accounts[account]);
                }
            }
        }
        for row in 0..all.week.len() {
            let id = usize::try_from(all.lead[row]).expect("ids are small");
            let win = won_in.get(id).copied().unwrap_or(i64::MAX);
            all.won_90
                .push(win.saturating_sub(i64::from(all.week[row])) < HORIZON as i64);
        }
        self.split(&all)
    }

    fn hidden(&self, draws: &mut Draws) -> f64 {
        if self.account_size > 1 {
            0.5 * draws.normal()
        } else {
            0.0
        }
    }

    fn new_lead(&self, draws: &mut Draws, n_leads: &mut u64, created: i64, hidden: f64) -> Lead {
        let features: [f32; 3] = std::array::from_fn(|_| draws.normal() as f32);
        let eta = features
            .iter()
            .zip(WEIGHTS)
            .map(|(feature, weight)| f64::from(*feature) * weight)
            .sum();
        let id = *n_leads;
        *n_leads += 1;
        let place = draws.uniform();
        Lead {
            id,
            features,
            eta,
            hidden,
            noise: NOISE * draws.normal(),
            created,
            clock: 0.0,
            source: (draws.uniform() * 5.0) as u32,
            rep: (place * 10.0) as u32,
            is_waiting: false,
        }
    }

    /// The chance that a lead is won in this week, and how fast its deal goes.
    fn chance(&self, lead: &Lead, week: i64, rate: f64) -> (f64, f64) {
        let change = i64::from(self.n_reference + self.change);
        let is_changed = week >= change;
        let speed = match self.slower {
            Some((factor, Slower::All)) if is_changed => 1.0 / factor,
            Some((factor, Slower::New)) if lead.created >= change => 1.0 / factor,
            Some(_) | None => 1.0,
        };
        let level = if is_changed && self.of_source.is_none_or(|source| source == lead.source) {
            self.level
        } else {
            1.0
        };
        let season = if self.season == 0.0 {
            1.0
        } else {
            1.0 + self.season * (std::f64::consts::TAU * week as f64 / YEAR).sin()
        };
        let hazard =
            rate * (lead.eta + lead.hidden).exp() * pace(lead.clock) * speed * level * season;
        (1.0 - (-hazard).exp(), speed)
    }

    #[expect(clippy::too_many_arguments, reason = "what one row is made of")]
    fn write(
        &self,
        rows: &mut Rows,
        lead: &Lead,
        week: i64,
        account: usize,
        chance: f64,
        is_won: bool,
        table: &Table,
    ) {
        let age =
            usize::try_from(week - lead.created).expect("a lead is open after it was created");
        let log_odds = table.log_odds(lead.eta, age) + lead.noise;
        rows.lead.push(lead.id);
        rows.week
            .push(u32::try_from(week).expect("rows begin at 0"));
        rows.age.push(age as f32);
        rows.log_odds.push(log_odds);
        rows.features.push(lead.features);
        // 40 %, 20 % and 10 %.
        let edges = [-0.405, -1.386, -2.197];
        rows.tier
            .push(edges.iter().filter(|edge| log_odds < **edge).count() as u8);
        rows.account.push(if self.account_size > 1 {
            account as u64
        } else {
            lead.id
        });
        rows.source.push(lead.source);
        rows.held_back.push(lead.id.is_multiple_of(20));
        rows.won.push(is_won);
        rows.chance.push(chance);
    }

    fn split(&self, all: &Rows) -> Made {
        let pick = |keep: &dyn Fn(u32) -> bool| {
            let rows: Vec<usize> = (0..all.week.len())
                .filter(|&row| keep(all.week[row]))
                .collect();
            Rows {
                lead: rows.iter().map(|&row| all.lead[row]).collect(),
                week: rows.iter().map(|&row| all.week[row]).collect(),
                age: rows.iter().map(|&row| all.age[row]).collect(),
                log_odds: rows.iter().map(|&row| all.log_odds[row]).collect(),
                features: rows.iter().map(|&row| all.features[row]).collect(),
                tier: rows.iter().map(|&row| all.tier[row]).collect(),
                account: rows.iter().map(|&row| all.account[row]).collect(),
                source: rows.iter().map(|&row| all.source[row]).collect(),
                held_back: rows.iter().map(|&row| all.held_back[row]).collect(),
                won: rows.iter().map(|&row| all.won[row]).collect(),
                lost: rows.iter().map(|&row| all.lost[row]).collect(),
                won_90: rows.iter().map(|&row| all.won_90[row]).collect(),
                chance: rows.iter().map(|&row| all.chance[row]).collect(),
            }
        };
        let first = self.n_reference;
        Made {
            reference: pick(&|week| week < first),
            monitored: pick(&|week| week >= first && !self.missing.contains(&Some(week - first))),
        }
    }
}
