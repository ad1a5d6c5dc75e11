//! What is entered into the CRM, and when: activities and outcomes, with the faults of their feeds.

use leadscore_core::Timestamp;

use super::days::{Day, MICROS_OF_DAY, at_hour, end_of_month, to_the_second};
use super::draws::{Draws, Purpose};
use super::person::Person;
use super::plan::{Event, Plan};

/// A row of a file, and the moment at which the CRM has it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) entered: Timestamp,
    pub(super) row: String,
}

/// Rows that are in order of what they are about, not of when they were entered.
#[derive(Debug, Clone, Default)]
pub(super) struct Feed(Vec<Entry>);

impl Feed {
    pub(super) fn push(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    /// The rows that the CRM has at a moment: entered before it.
    pub(super) fn at(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let known = self.0.iter().filter(move |entry| entry.entered < now);
        known.map(|entry| entry.row.as_str())
    }
}

/// How a lead was closed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Closing {
    pub(super) day: Day,
    pub(super) won: bool,
}

/// Rates of an activity a day: its mean, and how much more of it a lead does with one standard
/// deviation more interest, in logarithms.
const VISITS: (f64, f64) = (0.14, 0.7);
const MAILS: (f64, f64) = (0.05, 0.4);
const CALLS: (f64, f64) = (0.03, 0.3);
/// From which age on leads do half as much.
const TIRED: Day = 60;

const LATE_SHARE: f64 = 0.4;
/// The rep who enters wins in batches.
const BATCH_OWNER: usize = 0;

/// How many activities of a kind a lead has on a day.
fn count(draws: &mut Draws, person: &Person, day: Day, (mean, slope): (f64, f64)) -> u32 {
    let interest = libm::exp(slope * person.interest - slope * slope / 2.0);
    let tired = if day - person.created > TIRED {
        0.5
    } else {
        1.0
    };
    draws.poisson(mean * interest * tired)
}

/// Visits of a lead on a day, as the tracker sends them within the hour, or once it works again.
pub(super) fn visits(plan: &Plan, seed: u64, id: usize, person: &Person, day: Day) -> Vec<Entry> {
    let mut draws = Draws::new(seed, Purpose::Visits, person.key, day);
    let frozen = plan
        .find(Event::FrozenFeed)
        .filter(|frozen| frozen.is_on(day));
    let n = count(&mut draws, person, day, VISITS);
    let visit = |_| {
        let hour = 24.0 * draws.uniform();
        let page = ["home", "pricing", "docs"][draws.pick(&[0.5, 0.2, 0.3])];
        let delay = draws.uniform();
        let entered = match frozen.and_then(|frozen| frozen.until) {
            Some(until) => at_hour(until, 1.0 + delay),
            None => at_hour(day, hour + delay),
        };
        entry(id, at_hour(day, hour), entered, page)
    };
    (0..n).map(visit).collect()
}

/// Mails, which are there at once, and calls, which a rep enters within two days.
pub(super) fn touches(seed: u64, id: usize, person: &Person, day: Day) -> Vec<Entry> {
    let mut draws = Draws::new(seed, Purpose::Mails, person.key, day);
    let n_mails = count(&mut draws, person, day, MAILS);
    let mut touches: Vec<Entry> = (0..n_mails)
        .map(|_| {
            let at = at_hour(day, 24.0 * draws.uniform());
            let kind = ["mail_open", "mail_click"][draws.pick(&[0.8, 0.2])];
            entry(id, at, at, kind)
        })
        .collect();
    let mut draws = Draws::new(seed, Purpose::Calls, person.key, day);
    let n_calls = count(&mut draws, person, day, CALLS);
    touches.extend((0..n_calls).map(|_| {
        let hour = 8.0 + 10.0 * draws.uniform();
        let late = 48.0 * draws.uniform() * draws.uniform();
        entry(id, at_hour(day, hour), at_hour(day, hour + late), "call")
    }));
    touches
}

fn entry(id: usize, at: Timestamp, entered: Timestamp, kind: &str) -> Entry {
    let (at, when) = (to_the_second(at), to_the_second(entered));
    Entry {
        entered,
        row: format!("L{id},{at},{when},{kind}"),
    }
}

/// The row of an outcome: mostly entered on the evening of its day.
pub(super) fn outcome(
    plan: &Plan,
    seed: u64,
    id: usize,
    person: &Person,
    closing: Closing,
) -> Entry {
    let Closing { day, won } = closing;
    let mut draws = Draws::new(seed, Purpose::Entry, person.key, day);
    let hour = 9.0 + 9.0 * draws.uniform();
    let at = at_hour(day, hour);
    let (kind, length) = (draws.uniform(), draws.uniform());
    let (is_late, late) = (draws.uniform() < LATE_SHARE, draws.uniform());
    let days = match kind {
        ..0.70 => 0.25 * length,
        ..0.95 => 1.0 + 2.0 * length,
        _ => 3.0 + 7.0 * length,
    };
    let mut entered = after(at, days);
    if is_late && plan.is_on(Event::LateDeals, day) {
        entered = entered.max(after(at, 14.0 + 28.0 * late));
    }
    if won && person.owner == BATCH_OWNER && plan.is_on(Event::Batches, day) {
        entered = entered.max(at_hour(end_of_month(day), 18.0 + 2.0 * length));
    }
    let result = if won { "won" } else { "lost" };
    let (at, when) = (to_the_second(at), to_the_second(entered));
    Entry {
        entered,
        row: format!("L{id},{at},{when},{result}"),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "weeks in microseconds")]
fn after(at: Timestamp, days: f64) -> Timestamp {
    Timestamp::from_micros(at.micros() + (days * MICROS_OF_DAY as f64) as i64)
}
