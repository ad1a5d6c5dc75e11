//! Who comes: the attributes of a lead, what they do to its chances, and an interest that nobody
//! sees.

use super::days::Day;
use super::draws::{Draws, Purpose};

pub(super) const SOURCES: [&str; 7] = [
    "organic",
    "paid",
    "referral",
    "event",
    "outbound",
    "partner",
    "marketplace",
];
const SOURCE_SHARES: [f64; 6] = [0.25, 0.25, 0.12, 0.13, 0.15, 0.10];
/// In log hazard; the last one is the new source.
const SOURCE_WEIGHTS: [f64; 7] = [0.1, -0.4, 0.8, 0.3, -0.7, 0.5, -0.7];
const PAID: usize = 1;
const MARKETPLACE: usize = 6;
/// How many of the new leads come from the new source.
const MARKETPLACE_SHARE: f64 = 0.15;

pub(super) const JOBS: [&str; 5] = ["executive", "director", "manager", "staff", "student"];
const JOB_SHARES: [f64; 5] = [0.10, 0.20, 0.30, 0.30, 0.10];
const JOB_WEIGHTS: [f64; 5] = [0.9, 0.6, 0.1, -0.5, -1.3];

pub(super) const OWNERS: [&str; 5] = ["ann", "bob", "cem", "dee", "eve"];
const OWNER_SHARES: [f64; 5] = [0.25, 0.20, 0.20, 0.20, 0.15];

const SIZE_WEIGHT: f64 = 0.35;
const BUDGET_WEIGHT: f64 = 0.35;
const BUDGET_MISSING: f64 = 0.15;
const INTEREST_WEIGHT: f64 = 0.6;
const INTEREST_LOSS: f64 = -0.25;
/// How much less interest the leads of a campaign have, in standard deviations.
const CAMPAIGN_INTEREST: f64 = -1.0;

/// A lead as it is, whatever the CRM has of it.
#[derive(Debug, Clone)]
pub struct Person {
    pub(super) key: u64,
    pub(super) created: Day,
    pub(super) created_hour: f64,
    pub(super) employees: f64,
    pub(super) source: usize,
    pub(super) job: usize,
    pub(super) budget: Option<f64>,
    pub(super) owner: usize,
    pub(super) interest: f64,
    /// What multiplies the hazard of a win, without the job; 1 on average.
    pub(super) win: f64,
    /// What its job multiplies the hazard of a win by; 1 on average.
    pub(super) job_win: f64,
    /// What multiplies the hazard of a loss.
    pub(super) loss: f64,
}

/// What of the company decides who comes on a day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Market {
    pub(super) has_new_source: bool,
    pub(super) of_campaign: bool,
}

impl Person {
    pub(super) fn new(seed: u64, key: u64, created: Day, market: Market) -> Self {
        let mut draws = Draws::new(seed, Purpose::Person, key, 0);
        let created_hour = 24.0 * draws.uniform();
        let mut source = draws.pick(&SOURCE_SHARES);
        if draws.uniform() < MARKETPLACE_SHARE && market.has_new_source {
            source = MARKETPLACE;
        }
        let job = draws.pick(&JOB_SHARES);
        let owner = draws.pick(&OWNER_SHARES);
        let size = draws.normal();
        let wealth = draws.normal();
        let has_budget = draws.uniform() >= BUDGET_MISSING;
        let mut interest = draws.normal();
        if market.of_campaign {
            source = PAID;
            interest += CAMPAIGN_INTEREST;
        }
        let budget = 100.0 * (200.0 * libm::exp(0.9 * wealth)).round().max(1.0);
        let wealth_win = if has_budget {
            lognormal(BUDGET_WEIGHT, wealth)
        } else {
            1.0
        };
        Self {
            key,
            created,
            created_hour,
            employees: libm::exp(4.0 + 1.4 * size).round().max(1.0),
            source,
            job,
            budget: has_budget.then_some(budget),
            owner,
            interest,
            win: factor(&SOURCE_SHARES, &SOURCE_WEIGHTS, source)
                * lognormal(SIZE_WEIGHT, size)
                * wealth_win
                * lognormal(INTEREST_WEIGHT, interest),
            job_win: factor(&JOB_SHARES, &JOB_WEIGHTS, job),
            loss: lognormal(INTEREST_LOSS, interest),
        }
    }
}

/// A factor with mean 1 over a standard normal variable.
fn lognormal(weight: f64, value: f64) -> f64 {
    libm::exp(weight * value - weight * weight / 2.0)
}

/// A factor with mean 1 over the levels that have shares.
fn factor(shares: &[f64], weights: &[f64], level: usize) -> f64 {
    let mean: f64 = shares
        .iter()
        .zip(weights)
        .map(|(share, weight)| share * libm::exp(*weight))
        .sum();
    libm::exp(weights[level]) / mean
}
