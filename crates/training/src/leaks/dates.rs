//! Dates that are written at the close: they lie a fixed time from it for nearly all won leads, or on
//! its very day for some.

use std::collections::BTreeMap;

use super::finding::LeakVerdict;

/// What is known of a closed lead that has the date, in days since 1970; whole ones where its times
/// are dates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DatedClosing {
    /// The date of the attribute.
    pub date: f64,
    /// When the lead was won, or lost.
    pub closed: f64,
    /// When it was created.
    pub created: f64,
}

/// Won leads that say anything.
const FEWEST: usize = 20;
/// So many days are one distance: a date that somebody fills in some days after.
const WIDTH: i64 = 8;
/// So many distances, such as contracts of one, two and three years.
const N_DISTANCES: usize = 3;
/// A share of won leads at these distances that no honest date has, and one on the very day.
const MOST: f64 = 0.9;
const SAME_DAY: f64 = 0.5;
/// A share on the very day that is worth a look: contracts may be renewed on their last day.
const SOME_ON_THE_DAY: f64 = 0.1;
/// By so much the close must explain the dates better than the creation does, or than the closes of
/// other leads do.
const BETTER: f64 = 0.3;
/// The same of what is worth a look.
const SOMEWHAT_BETTER: f64 = 0.08;

/// What speaks for a date that is written at the close of leads that were won (or lost, by `what`),
/// in words; `None` where nothing does.
///
/// The share of won leads whose date lies at one of three distances (of eight days each) from their
/// close is compared with the same from their creation, and from the close of another lead. A date
/// that is set at creation, such as the end of a trial, is explained by that as well, and is no
/// leak. Nine in ten at these distances, or half of them on the very day, prove it; one in ten on the
/// day is worth a look.
pub fn written_at_close(wins: &[DatedClosing], what: &str) -> Option<(LeakVerdict, String)> {
    if wins.len() < FEWEST {
        return None;
    }
    let days = |a: f64, b: f64| a.floor() as i64 - b.floor() as i64;
    let from = |moment: &dyn Fn(usize) -> f64| -> Vec<i64> {
        (0..wins.len())
            .map(|lead| days(wins[lead].date, moment(lead)))
            .collect()
    };
    let own = from(&|lead| wins[lead].closed);
    let others = [
        from(&|lead| wins[lead].created),
        // A neighbor in the order of ids may have closed on the same day; one further off hardly.
        from(&|lead| wins[(lead + wins.len() / 2) % wins.len()].closed),
    ];
    let is_better = |share: &dyn Fn(&[i64]) -> f64, by: f64| {
        let found = share(&own);
        others
            .iter()
            .all(|other| found >= share(other) + by)
            .then_some(found)
    };
    let on_the_day = |days: &[i64]| share_of(days, |day| day == 0);
    let words = |share: f64| {
        format!(
            "{:.0} % of the {what} leads have this date on the day of their closing",
            100.0 * share
        )
    };
    if let Some(share) = is_better(&on_the_day, BETTER).filter(|share| *share >= SAME_DAY) {
        return Some((LeakVerdict::Proven, words(share)));
    }
    if let Some(share) = is_better(&at_few_distances, BETTER).filter(|share| *share >= MOST) {
        let found = format!(
            "{:.0} % of the {what} leads have this date a fixed time from their closing, mostly {}",
            100.0 * share,
            distance(commonest(&own))
        );
        return Some((LeakVerdict::Proven, found));
    }
    let share = is_better(&on_the_day, SOMEWHAT_BETTER).filter(|s| *s >= SOME_ON_THE_DAY)?;
    Some((LeakVerdict::Suspicious, words(share)))
}

fn share_of(days: &[i64], is_it: impl Fn(i64) -> bool) -> f64 {
    days.iter().filter(|day| is_it(**day)).count() as f64 / days.len() as f64
}

/// How many leads have each number of days.
fn counts(days: &[i64]) -> BTreeMap<i64, usize> {
    let mut counts = BTreeMap::new();
    days.iter()
        .for_each(|day| *counts.entry(*day).or_default() += 1);
    counts
}

/// The first of the days that hold the most leads.
fn fullest(counts: &BTreeMap<i64, usize>) -> Option<(i64, usize)> {
    let within = |first: i64| counts.range(first..first + WIDTH).map(|(_, n)| n).sum();
    let spans = counts.keys().map(|&first| (first, within(first)));
    spans.max_by_key(|&(first, n): &(i64, usize)| (n, std::cmp::Reverse(first)))
}

/// The share of leads at the fullest distances.
fn at_few_distances(days: &[i64]) -> f64 {
    let mut counts = counts(days);
    let mut n_found = 0;
    for _ in 0..N_DISTANCES {
        let Some((first, n)) = fullest(&counts) else {
            break;
        };
        n_found += n;
        counts.retain(|day, _| !(first..first + WIDTH).contains(day));
    }
    n_found as f64 / days.len() as f64
}

/// The number of days that most leads have.
fn commonest(days: &[i64]) -> i64 {
    let counts = counts(days).into_iter();
    let most = counts.max_by_key(|&(day, n)| (n, std::cmp::Reverse(day)));
    most.map_or(0, |(day, _)| day)
}

fn distance(days: i64) -> String {
    let plural = if days.abs() == 1 { "" } else { "s" };
    match days {
        0 => "on its day".to_owned(),
        1.. => format!("{days} day{plural} after it"),
        _ => format!("{} day{plural} before it", -days),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wins whose date is `date(lead, won, created)`; each closes some time after its creation.
    fn wins(n: usize, date: impl Fn(f64, f64, f64) -> f64) -> Vec<DatedClosing> {
        (0..n)
            .map(|lead| {
                let created = 15_000.0 + (lead * lead * 37 % 397) as f64;
                let won = created + 5.0 + (lead * lead * 59 % 199) as f64;
                DatedClosing {
                    date: date(lead as f64, won, created),
                    closed: won,
                    created,
                }
            })
            .collect()
    }

    #[track_caller]
    fn check(wins: &[DatedClosing], expected: Option<&str>) {
        let found = written_at_close(wins, "won").filter(|found| found.0 == LeakVerdict::Proven);
        assert_eq!(found.map(|found| found.1).as_deref(), expected);
    }

    #[test]
    fn a_closing_in_disguise_is_found() {
        check(
            &wins(40, |_, won, _| won + 0.5),
            Some("100 % of the won leads have this date on the day of their closing"),
        );
        check(
            &wins(
                40,
                |lead, won, _| if lead % 4.0 < 3.0 { won } else { 15_000.0 },
            ),
            Some("75 % of the won leads have this date on the day of their closing"),
        );
        check(
            &wins(40, |lead, won, _| won + 1.0 + lead % 5.0),
            Some(
                "100 % of the won leads have this date a fixed time from their closing, mostly 1 day after it",
            ),
        );
        check(
            &wins(60, |lead, won, _| {
                won + [365.0, 365.0, 730.0, 1095.0][lead as usize % 4]
            }),
            Some(
                "100 % of the won leads have this date a fixed time from their closing, mostly 365 days after it",
            ),
        );
    }

    #[test]
    fn some_on_the_day_are_worth_a_look() {
        let some = |every: usize| {
            let dates = move |lead: f64, won: f64, _: f64| {
                if (lead as usize).is_multiple_of(every) {
                    won
                } else {
                    15_000.0 + lead * 41.0 % 900.0
                }
            };
            written_at_close(&wins(300, dates), "lost")
        };
        for every in [3, 5, 8] {
            let (verdict, words) = some(every).expect("is found");
            assert_eq!(verdict, LeakVerdict::Suspicious);
            assert!(words.contains("of the lost leads"), "{words}");
        }
        assert_eq!(some(25), None);
    }

    #[test]
    fn what_is_known_before_is_none() {
        // The end of a trial, on which many buy.
        check(&wins(40, |_, _, created| created + 14.0), None);
        // Ends of contracts that bring wins in the months before them.
        check(&wins(200, |lead, won, _| won + lead * 41.0 % 90.0), None);
        check(
            &wins(200, |lead, _, _| 15_000.0 + lead * 41.0 % 900.0),
            None,
        );
        // All at once, of a campaign.
        check(
            &wins(200, |_, _, _| 15_300.0)
                .into_iter()
                .map(|win| DatedClosing {
                    closed: 15_300.0,
                    ..win
                })
                .collect::<Vec<_>>(),
            None,
        );
        check(&wins(FEWEST - 1, |_, won, _| won), None);
    }
}
