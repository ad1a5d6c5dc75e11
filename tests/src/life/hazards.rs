//! Hazards of a win and of a loss on each day: piecewise constant, so that the chance of a win
//! within any days is a sum that can be written down.

use super::days::{Day, OLDEST, midnight};
use super::person::Person;
use super::plan::{Event, Plan};

/// What drift multiplies the hazard of a win by.
pub const DRIFT: f64 = 0.7;
/// How many times longer sales cycles become.
pub const PACE: f64 = 1.4;

/// Per day, of an average lead at an average age.
const WIN: f64 = 0.0044;
const LOSS: f64 = 0.0048;
/// By age in days: from which on, and what multiplies the hazard.
const WIN_BY_AGE: [(f64, f64); 6] = [
    (0.0, 0.4),
    (7.0, 1.2),
    (30.0, 1.3),
    (60.0, 1.0),
    (120.0, 0.7),
    (240.0, 0.5),
];
const LOSS_BY_AGE: [(f64, f64); 4] = [(0.0, 0.5), (14.0, 1.0), (60.0, 1.3), (120.0, 1.9)];
/// Deals are closed on working days; the mean over a week is 1.
const WORKING_DAY: f64 = 1.32;
const WEEKEND: f64 = 0.2;
const SEASON: f64 = 0.15;

/// What a day does to all leads.
#[derive(Debug, Clone, Copy)]
struct DayFactors {
    win: f64,
    loss: f64,
    has_jobs: bool,
    /// How many days of a sales cycle have passed since the oldest lead came, until this day.
    cycle: f64,
    /// How many of them pass on this day.
    speed: f64,
}

/// The hazards of a lead on a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hazards {
    pub(super) win: f64,
    pub(super) loss: f64,
}

impl Hazards {
    /// Chances of a win and of a loss on the day, of which only one can be.
    pub(super) fn chances(self) -> (f64, f64) {
        let both = self.win + self.loss;
        let closes = -libm::expm1(-both);
        (closes * self.win / both, closes * self.loss / both)
    }
}

/// The hazards of all days that the company has, the future among them.
#[derive(Debug, Clone)]
pub(super) struct Calendar(Vec<DayFactors>);

impl Calendar {
    /// Until the last day on which a chance may be asked for.
    pub(super) fn new(plan: &Plan, last: Day) -> Self {
        let mut cycle = 0.0;
        let days = (OLDEST..=last).map(|day| {
            let speed = if plan.is_on(Event::LongerCycles, day) {
                1.0 / PACE
            } else {
                1.0
            };
            let weekday = if midnight(day).weekday() < 5 {
                WORKING_DAY
            } else {
                WEEKEND
            };
            let drift = if plan.is_on(Event::Drift, day) {
                DRIFT
            } else {
                1.0
            };
            let season = if plan.is_on(Event::Season, day) {
                // Most wins on December 1, which is day 334 of 2023.
                1.0 + SEASON * libm::cos(std::f64::consts::TAU * (day - 334) as f64 / 365.25)
            } else {
                1.0
            };
            let factors = DayFactors {
                win: WIN * weekday * drift * season * speed,
                loss: LOSS * weekday * speed,
                has_jobs: !plan.is_on(Event::FadingEffect, day),
                cycle,
                speed,
            };
            cycle += speed;
            factors
        });
        Self(days.collect())
    }

    /// Of a lead that is open at the beginning of the day; `priority` multiplies its wins.
    pub(super) fn hazards(&self, person: &Person, priority: f64, day: Day) -> Hazards {
        let today = &self.0[index(day)];
        let came = &self.0[index(person.created + 1)];
        // The middle of the day decides which piece of the curve it belongs to.
        let age = today.cycle - came.cycle + today.speed / 2.0;
        let job = if today.has_jobs { person.job_win } else { 1.0 };
        Hazards {
            win: today.win * person.win * job * priority * at_age(&WIN_BY_AGE, age),
            loss: today.loss * person.loss * at_age(&LOSS_BY_AGE, age),
        }
    }

    /// The chance that a lead, open at the beginning of a day, is won on one of the next days.
    ///
    /// ```text
    /// P = ∑ₖ Sₖ wₖ,   Sₖ₊₁ = Sₖ (1 − wₖ − lₖ),   S₀ = 1
    /// ```
    ///
    /// where `wₖ` and `lₖ` are the chances of a win and of a loss on the k-th day, if it is open then.
    pub(super) fn chance_of_win(&self, person: &Person, priority: f64, from: Day, to: Day) -> f64 {
        let mut open = 1.0;
        let mut won = 0.0;
        for day in from..to {
            let (win, loss) = self.hazards(person, priority, day).chances();
            won += open * win;
            open *= 1.0 - win - loss;
        }
        won
    }
}

fn index(day: Day) -> usize {
    usize::try_from(day - OLDEST).expect("no lead is older than the oldest day")
}

fn at_age(curve: &[(f64, f64)], age: f64) -> f64 {
    let past = curve.partition_point(|(from, _)| *from <= age);
    curve[past.saturating_sub(1)].1
}

#[cfg(test)]
mod tests {
    use super::super::person::Market;
    use super::*;

    fn person() -> Person {
        let market = Market {
            has_new_source: false,
            of_campaign: false,
        };
        Person::new(1, 17, 100, market)
    }

    /// Worked by hand: with one hazard `h` and no losses, a lead is won within n days with 1 − e^(−hn).
    #[test]
    fn a_constant_hazard_has_a_closed_form() {
        let calendar = Calendar::new(&Plan::default(), 400);
        let mut person = person();
        person.loss = 0.0;
        person.win = 2.0;
        person.job_win = 1.0;
        // A week at one age: five working days and a weekend.
        let chance = calendar.chance_of_win(&person, 1.0, 135, 142);
        let expected = 1.0 - libm::exp(-WIN * 2.0 * 1.3 * (5.0 * WORKING_DAY + 2.0 * WEEKEND));
        assert!((chance - expected).abs() < 1e-12, "{chance} {expected}");
    }

    #[test]
    fn wins_and_losses_compete() {
        let calendar = Calendar::new(&Plan::default(), 4_000);
        let person = person();
        let short = calendar.chance_of_win(&person, 1.0, 101, 191);
        let long = calendar.chance_of_win(&person, 1.0, 101, 4_000);
        assert!(0.0 < short && short < long && long < 1.0, "{short} {long}");
        let mut never_lost = person.clone();
        never_lost.loss = 0.0;
        assert!(calendar.chance_of_win(&never_lost, 1.0, 101, 4_000) > 0.99);
    }

    /// Longer cycles: as many are won in the end, and fewer within 90 days.
    #[test]
    fn longer_cycles_change_the_pace_and_not_the_level() {
        let plan = Plan::new(&[Event::LongerCycles], 0, 0);
        let (usual, longer) = (
            Calendar::new(&Plan::default(), 6_000),
            Calendar::new(&plan, 6_000),
        );
        let person = person();
        let chance = |calendar: &Calendar, to| calendar.chance_of_win(&person, 1.0, 101, to);
        let ends = chance(&longer, 6_000) / chance(&usual, 6_000);
        assert!((ends - 1.0).abs() < 0.01, "{ends}");
        let within = chance(&longer, 191) / chance(&usual, 191);
        assert!((0.65..0.95).contains(&within), "{within}");
    }
}
