//! What sales did with the scores: which leads were called, by tier and by arm, of those that were
//! open four weeks before; and who is above the line without a call.

use std::collections::HashMap;

use leadscore::{Data, Model, SalesWord, ScoreOptions, Scores, Timestamp, score};
use leadscore_core::{ContactPriority, Span, agree, count, counted};
use serde::Serialize;

use super::{FigureTable, MonitorError};
use crate::finding::{Layer, MonitorFinding, Urgency};

/// The time that is looked at, in days.
const PERIOD_DAYS: u32 = 28;
/// A word that is older than this is of another time, as on the manager's page; in days.
const FRESH_DAYS: u32 = 14;
/// Held-back leads below which nothing is told of how often they are called.
const FEWEST: usize = 30;

/// What was said of a lead within the period; a lead may have several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Said {
    called: bool,
    not_now: bool,
    wrong: bool,
    /// Whether anything at all was said, `won` and `lost` among it.
    any: bool,
}

/// A lead that was open when the period began.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Member {
    tier: ContactPriority,
    is_held_back: bool,
    said: Said,
}

/// How many leads, and of how many of them what was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Counts {
    leads: usize,
    called: usize,
    not_now: usize,
    wrong: usize,
    nothing: usize,
}

impl Counts {
    fn of<'m>(members: impl Iterator<Item = &'m Member>) -> Self {
        let mut counts = Self::default();
        for Member { said, .. } in members {
            counts.leads += 1;
            counts.called += usize::from(said.called);
            counts.not_now += usize::from(said.not_now);
            counts.wrong += usize::from(said.wrong);
            counts.nothing += usize::from(!said.any);
        }
        counts
    }

    fn share_called(self) -> f64 {
        self.called as f64 / self.leads as f64
    }
}

/// What sales did; nothing where no word was ever said.
pub(super) fn words(
    data: &Data,
    model: &Model,
    now: &Scores<'_>,
) -> Result<(Vec<MonitorFinding>, Option<FigureTable>), MonitorError> {
    let Some(as_of) = now.as_of() else {
        return Ok((Vec::new(), None));
    };
    let known = data.sales_words();
    if known.is_empty() {
        return Ok((Vec::new(), None));
    }
    let from = as_of - Span::from_days(PERIOD_DAYS);
    let mut findings = Vec::new();
    let mut table = None;
    // Where nobody was open then, or the tables begin later, there is nothing to count.
    match score(&data.as_of(from).quiet(), model, &ScoreOptions::default()) {
        Ok(then) => {
            let said = said_within(&known, from, as_of);
            let members: Vec<Member> = (0..then.n_open())
                .map(|row| Member {
                    tier: then.tiers[row],
                    is_held_back: then.is_held_back(row).unwrap_or(false),
                    said: said.get(then.lead(row)).copied().unwrap_or_default(),
                })
                .collect();
            let (found, figures) = by_tier(&members);
            findings.push(found);
            findings.extend(by_arm(&members));
            table = Some(figures);
        }
        Err(error) if super::is_about_leads(&error) => findings.push(MonitorFinding::new(
            Layer::Sales,
            Urgency::CannotTell,
            format!(
                "no lead was open {PERIOD_DAYS} days ago, so that nothing is told of who was called"
            ),
        )),
        Err(error) => return Err(error.into()),
    }
    findings.extend(above_the_line(data, &known, now, as_of));
    Ok((findings, table))
}

/// What was said of each lead from a moment on, and before another.
fn said_within<'w>(
    words: &[&'w SalesWord],
    from: Timestamp,
    until: Timestamp,
) -> HashMap<&'w str, Said> {
    let mut said: HashMap<&str, Said> = HashMap::new();
    for word in words
        .iter()
        .filter(|word| from <= word.at && word.at < until)
    {
        let of = said.entry(&word.lead).or_default();
        of.any = true;
        match word.said.as_str() {
            "called" => of.called = true,
            "not_now" => of.not_now = true,
            "wrong" => of.wrong = true,
            // Won, lost, and what later versions may know.
            _ => {}
        }
    }
    said
}

/// Of which leads of each tier what was said.
fn by_tier(members: &[Member]) -> (MonitorFinding, FigureTable) {
    let prioritized = || members.iter().filter(|member| !member.is_held_back);
    let of_tier =
        |tier: ContactPriority| Counts::of(prioritized().filter(move |member| member.tier == tier));
    let tiers = ContactPriority::QUARTILES.map(|tier| (tier, of_tier(tier)));
    let parts: Vec<String> = tiers
        .iter()
        .filter(|(_, counts)| counts.leads > 0)
        .map(|(tier, counts)| {
            format!(
                "{} of {} in {}",
                count(counts.called),
                count(counts.leads),
                tier.name()
            )
        })
        .collect();
    let all = Counts::of(prioritized());
    let text = format!(
        "of {} that {} open {PERIOD_DAYS} days ago and prioritized, sales called {}: {}; “not now” was said of {}, “wrong” of {}",
        counted(all.leads, "lead"),
        agree(all.leads, "was", "were"),
        count(all.called),
        parts.join(", "),
        count(all.not_now),
        count(all.wrong),
    );
    let figures: serde_json::Map<String, serde_json::Value> = tiers
        .iter()
        .map(|(tier, counts)| (tier.name().to_owned(), serde_json::json!(counts)))
        .collect();
    let held_back = Counts::of(members.iter().filter(|member| member.is_held_back));
    let mut rows: Vec<(String, Counts)> = tiers
        .iter()
        .map(|(tier, counts)| (tier.name().to_owned(), *counts))
        .collect();
    if held_back.leads > 0 {
        rows.push(("held back, all tiers".to_owned(), held_back));
    }
    let finding = MonitorFinding::new(Layer::Sales, Urgency::Ok, text)
        .with(serde_json::json!({ "days": PERIOD_DAYS, "tiers": figures }));
    (finding, table(rows))
}

fn table(rows: Vec<(String, Counts)>) -> FigureTable {
    FigureTable {
        title: "What sales said of the leads".to_owned(),
        note: format!(
            "Leads that were open {PERIOD_DAYS} days ago, by their tier then, and what was said of them since. A lead of which several things were said counts in each."
        ),
        head: [
            "tier",
            "leads",
            "called",
            "not now",
            "wrong",
            "nothing said",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows
            .into_iter()
            .map(|(name, counts)| {
                let numbers = [
                    counts.leads,
                    counts.called,
                    counts.not_now,
                    counts.wrong,
                    counts.nothing,
                ];
                std::iter::once(name).chain(numbers.map(count)).collect()
            })
            .collect(),
    }
}

/// How often each arm was called, and what a comparison of their wins can mean; `None` where nobody
/// is held back.
///
/// ```text
/// z = (p₁ − p₂) / √(p (1 − p) (1/n₁ + 1/n₂))
/// ```
///
/// where `p₁` and `p₂` are the shares that were called, and `p` that of both arms together; beyond
/// two, chance alone makes the difference in fewer than 1 of 20.
fn by_arm(members: &[Member]) -> Option<MonitorFinding> {
    let of = |arm: bool| Counts::of(members.iter().filter(|member| member.is_held_back == arm));
    let (others, held) = (of(false), of(true));
    if held.leads == 0 || others.leads == 0 {
        return None;
    }
    let shares = format!(
        "sales called {} of {} ({:.0} %) and {} of {} that {} prioritized ({:.0} %)",
        count(held.called),
        counted(held.leads, "held-back lead"),
        100.0 * held.share_called(),
        count(others.called),
        count(others.leads),
        agree(others.leads, "is", "are"),
        100.0 * others.share_called(),
    );
    let figures =
        serde_json::json!({ "days": PERIOD_DAYS, "prioritized": others, "held_back": held });
    let finding = |urgency, meaning: &str| {
        MonitorFinding::new(Layer::Sales, urgency, format!("{shares}: {meaning}"))
            .with(figures.clone())
    };
    if held.called + others.called == 0 {
        return Some(finding(
            Urgency::Watch,
            "nobody was called, or nobody says so, and a difference of wins between the arms is not of calls",
        ));
    }
    if held.leads < FEWEST {
        return Some(finding(
            Urgency::CannotTell,
            "too few are held back to tell whether both arms are called alike",
        ));
    }
    let (n, m) = (others.leads as f64, held.leads as f64);
    let pooled = (others.called + held.called) as f64 / (n + m);
    let spread = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    let gap = others.share_called() - held.share_called();
    Some(if gap.abs() <= 2.0 * spread {
        finding(
            Urgency::Ok,
            "as often, within chance, so that a difference of wins is of who is called when, and not of how many are",
        )
    } else if held.called == 0 {
        finding(
            Urgency::Watch,
            "held-back leads are left alone, so that a difference of wins is what calling brings, and not what calling by score brings",
        )
        .advise("work on held-back leads in the order in which they came")
    } else if gap > 0.0 {
        finding(
            Urgency::Watch,
            "held-back leads are called more rarely, so that a part of a difference of wins is of fewer calls, and not of the scores",
        )
        .advise("give held-back leads the share of calls that they are of the open leads")
    } else {
        finding(
            Urgency::Watch,
            "held-back leads are called more often, so that a difference of wins is less than what calling by score brings",
        )
        .advise("work on held-back leads as if there were no scores, and not first")
    })
}

/// Leads above the line of one day of which nobody said a word of late; `None` without a capacity.
fn above_the_line(
    data: &Data,
    words: &[&SalesWord],
    now: &Scores<'_>,
    as_of: Timestamp,
) -> Option<MonitorFinding> {
    let capacity = data.settings().report.capacity.as_ref()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of calls is neither negative nor that large"
    )]
    let line = ((capacity.calls / capacity.days.unwrap_or(1.0)).round() as usize).max(1);
    let recent = said_within(words, as_of - Span::from_days(FRESH_DAYS), as_of);
    let above: Vec<&str> = (0..now.n_open())
        .filter(|&row| !now.is_held_back(row).unwrap_or(false))
        .take(line)
        .map(|row| now.lead(row))
        .collect();
    let n_left = above
        .iter()
        .filter(|lead| !recent.contains_key(**lead))
        .count();
    let urgency = if 2 * n_left > above.len() {
        Urgency::Watch
    } else {
        Urgency::Ok
    };
    let text = format!(
        "nobody said a word within {FRESH_DAYS} days of {} of the {} above the line",
        count(n_left),
        counted(above.len(), "lead")
    );
    Some(
        MonitorFinding::new(Layer::Sales, urgency, text)
            .with(serde_json::json!({ "days": FRESH_DAYS, "above": above.len(), "left": n_left })),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ContactPriority::{High, Low, VeryHigh};

    fn member(tier: ContactPriority, is_held_back: bool, called: bool) -> Member {
        Member {
            tier,
            is_held_back,
            said: Said {
                called,
                any: called,
                ..Said::default()
            },
        }
    }

    /// So many leads of an arm, the first ones of them called.
    fn arm(is_held_back: bool, n: usize, n_called: usize) -> impl Iterator<Item = Member> {
        (0..n).map(move |lead| member(Low, is_held_back, lead < n_called))
    }

    #[track_caller]
    fn check(others: (usize, usize), held: (usize, usize), urgency: Urgency, text: &str) {
        let members: Vec<Member> = arm(false, others.0, others.1)
            .chain(arm(true, held.0, held.1))
            .collect();
        let found = by_arm(&members).expect("both arms have leads");
        assert_eq!(found.urgency, urgency, "{}", found.text);
        assert!(found.text.contains(text), "{}", found.text);
    }

    #[test]
    fn the_arms_are_compared_by_who_was_called() {
        // √(0.3 · 0.7 · (1/900 + 1/100)) is 0.048: twice that are 9.7 points.
        check(
            (900, 270),
            (100, 30),
            Urgency::Ok,
            "as often, within chance",
        );
        check((900, 279), (100, 22), Urgency::Ok, "31 %");
        check((900, 288), (100, 12), Urgency::Watch, "more rarely");
        check((900, 252), (100, 48), Urgency::Watch, "more often");
        check((900, 270), (100, 0), Urgency::Watch, "left alone");
        check((900, 0), (100, 0), Urgency::Watch, "nobody was called");
        check((900, 270), (29, 0), Urgency::CannotTell, "too few");
        check((1, 1), (30, 30), Urgency::Ok, "30 of 30 held-back leads");
        assert_eq!(by_arm(&[member(High, false, true)]), None);
    }

    #[test]
    fn words_of_the_period_count_once_for_each_lead() {
        let word = |lead: &str, day: u32, said: &str| SalesWord {
            lead: lead.to_owned(),
            at: Timestamp::from_micros(0) + Span::from_days(day),
            recorded: Timestamp::from_micros(0) + Span::from_days(day),
            said: said.to_owned(),
        };
        let words = [
            word("L1", 9, "called"),
            word("L1", 10, "called"),
            word("L1", 11, "wrong"),
            word("L2", 20, "called"),
            word("L3", 10, "lost"),
            word("L4", 19, "not_now"),
        ];
        let words: Vec<&SalesWord> = words.iter().collect();
        let day = |day| Timestamp::from_micros(0) + Span::from_days(day);
        let said = said_within(&words, day(10), day(20));
        let mut leads: Vec<&str> = said.keys().copied().collect();
        leads.sort_unstable();
        assert_eq!(leads, ["L1", "L3", "L4"]);
        assert!(said["L1"].called && said["L1"].wrong && !said["L1"].not_now);
        assert!(said["L3"].any && !said["L3"].called);
        assert!(said["L4"].not_now);
    }

    #[test]
    fn tiers_are_told_without_the_held_back_leads() {
        let members = [
            member(VeryHigh, false, true),
            member(VeryHigh, false, false),
            member(VeryHigh, true, true),
            member(Low, false, false),
        ];
        let (found, table) = by_tier(&members);
        assert_eq!(
            found.text,
            "of 3 leads that were open 28 days ago and prioritized, sales called 1: 1 of 2 in Very high, 0 of 1 in Low; “not now” was said of 0, “wrong” of 0"
        );
        assert_eq!(table.rows[0], ["Very high", "2", "1", "0", "0", "1"]);
        assert_eq!(
            table.rows[4],
            ["held back, all tiers", "1", "1", "0", "0", "0"]
        );
    }
}
