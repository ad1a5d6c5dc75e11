//! Whether the tool was right: its alarms, its promotions, and what it shipped, by the truth.

use serde::Serialize;

use crate::life::{Day, Event, FIRST_NIGHT, Happening, date};

use super::record::{Night, Printed, Story};

/// Percentages do not hold where the true mean is further from the predicted one.
pub(super) const WRONG_MEAN: f64 = 0.10;
/// The same in a quarter of the leads, where it is also this far in probability.
const WRONG_QUARTER: f64 = 0.25;
const WRONG_BY: f64 = 0.02;
/// Nights of alarm with fewer nights between them are one alarm.
const ONE_ALARM: Day = 8;
/// An alarm is late where what it is about ended no longer ago.
const LATE: Day = 28;
/// What goes wrong for good is to be found, or right again, within so many nights.
const IN_TIME: Day = 70;
/// What is right for so many nights is right again.
const FOR_GOOD: Day = 28;
/// What follows an event later is not of it.
const OF_EVENT: Day = 150;
/// How much worse a challenger may be that counts as no worse; `[operation] margin`.
const MARGIN: f64 = 0.005;

/// The tool by the truth.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// Nights of alarm, those that belong together as one.
    pub alarms: Vec<Alarm>,
    /// Nights on which a challenger was compared with the champion.
    pub decisions: Vec<Decision>,
    /// What happened, and what the tool printed of it.
    pub events: Vec<Answer>,
    /// Mean true expected log-loss of what was shipped, over that of an oracle that ships the truly
    /// best model so far, on nights with all models; `None` where there is none.
    pub ratio: Option<f64>,
    /// The number of these nights.
    pub n_compared: usize,
}

/// An alarm, from its first night to its last one.
#[derive(Debug, Clone, Serialize)]
pub struct Alarm {
    /// Its first night.
    pub from: Day,
    /// Its last night.
    pub to: Day,
    /// Its first sentence.
    pub sentence: String,
    /// What was wrong in truth, on its first night or before.
    pub truth: String,
    /// Whether it was right.
    pub kind: AlarmKind,
}

/// Whether an alarm was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlarmKind {
    /// Something was wrong.
    Right,
    /// What was wrong had ended, not long ago.
    Late,
    /// Nothing was wrong.
    Wrong,
}

/// A decision about a challenger.
#[derive(Debug, Clone, Serialize)]
pub struct Decision {
    /// On which night.
    pub night: Day,
    /// What was decided.
    pub decision: String,
    /// Why, as it was printed.
    pub because: String,
    /// True expected log-loss of the champion on that night's open leads.
    pub champion: f64,
    /// The same of the challenger.
    pub challenger: f64,
    /// Whether it was right.
    pub kind: PromotionKind,
}

/// Whether a decision was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PromotionKind {
    /// A better model was promoted, or one that was not better by more than the margin was kept out.
    Right,
    /// A model was promoted that is worse, by no more than the margin.
    Within,
    /// A model was promoted that is worse by more than the margin.
    Wrong,
    /// A model was kept out that is better by more than the margin.
    Missed,
}

/// What the tool printed after an event.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// What happened.
    pub event: &'static str,
    /// In words.
    pub what: &'static str,
    /// When it began.
    pub from: String,
    /// The true over the predicted mean at its furthest from 1 in the time that belongs to it.
    pub worst: f64,
    /// Its first new finding: nights after the event, and the sentence.
    pub finding: Option<(Day, String)>,
    /// Its first new alarm.
    pub alarm: Option<(Day, String)>,
    /// Nights from the event to the next promotion.
    pub promoted: Option<Day>,
    /// What a good tool does.
    pub wanted: &'static str,
    /// Whether it did.
    pub is_right: bool,
}

/// Judges a story.
pub fn judge(story: &Story) -> Judged {
    let compared: Vec<(f64, f64)> = story
        .nights
        .iter()
        .filter(|night| night.is_fresh)
        .filter_map(|night| Some((night.shipped.as_ref()?.loss, night.oracle?)))
        .collect();
    let sum = |of: &dyn Fn(&(f64, f64)) -> f64| compared.iter().map(of).sum::<f64>();
    let ratio = sum(&|pair| pair.0) / sum(&|pair| pair.1);
    let alarms = alarms(story);
    Judged {
        decisions: decisions(story),
        events: story
            .happenings
            .iter()
            .map(|happening| answer(story, &alarms, happening))
            .collect(),
        alarms,
        ratio: (!compared.is_empty()).then_some(ratio),
        n_compared: compared.len(),
    }
}

/// What is wrong in truth on a night.
pub(super) fn wrong(story: &Story, night: &Night) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_on = |event, day| {
        let mut all = story.happenings.iter();
        all.any(|happening| happening.event == event && happening.is_on(day))
    };
    if is_on(Event::FrozenFeed, night.night - 1) {
        wrong.push("visits are missing".to_owned());
    }
    if is_on(Event::UnitChange, night.night) {
        wrong.push("budgets are in thousands".to_owned());
    }
    if let Some(truth) = night.shipped.as_ref() {
        if (truth.ratio() - 1.0).abs() > WRONG_MEAN {
            wrong.push(format!(
                "the true mean is {:.2} × the predicted one",
                truth.ratio()
            ));
        }
        let is_wrong = |(predicted, truth): &&(f64, f64)| {
            let off = (truth - predicted).abs();
            off > WRONG_BY && off > WRONG_QUARTER * predicted
        };
        if let Some((predicted, truth)) = truth.quarters.iter().find(is_wrong) {
            wrong.push(format!(
                "in a quarter of the leads it is {:.2} ×",
                truth / predicted
            ));
        }
    }
    wrong
}

fn alarms(story: &Story) -> Vec<Alarm> {
    let mut alarms: Vec<Alarm> = Vec::new();
    for (position, night) in story.nights.iter().enumerate() {
        let Some(printed) = night.printed.as_ref().filter(|printed| printed.is_alarm()) else {
            continue;
        };
        if let Some(last) = alarms.last_mut()
            && night.night < last.to + ONE_ALARM
        {
            last.to = night.night;
            continue;
        }
        let before = story.nights[..=position].iter().rev();
        let mut recent = before.take_while(|earlier| earlier.night >= night.night - LATE);
        let found = recent.find_map(|earlier| {
            let wrong = wrong(story, earlier);
            (!wrong.is_empty()).then(|| (earlier.night, wrong.join("; ")))
        });
        let (kind, truth) = match found {
            Some((when, truth)) if when == night.night => (AlarmKind::Right, truth),
            Some((when, truth)) => (AlarmKind::Late, format!("until {}: {truth}", date(when))),
            None => (AlarmKind::Wrong, "nothing is wrong".to_owned()),
        };
        alarms.push(Alarm {
            from: night.night,
            to: night.night,
            sentence: printed.sentence().unwrap_or("(no sentence)").to_owned(),
            truth,
            kind,
        });
    }
    alarms
}

fn decisions(story: &Story) -> Vec<Decision> {
    let mut champion: Option<&str> = None;
    let mut decisions = Vec::new();
    for night in &story.nights {
        let Some(printed) = night.printed.as_ref() else {
            continue;
        };
        let loss = |model: Option<&str>| night.losses.get(model?).copied();
        if let (Some(old), Some(new)) = (loss(champion), loss(printed.candidate())) {
            let worse = new / old - 1.0;
            decisions.push(Decision {
                night: night.night,
                decision: printed.decision.clone(),
                because: printed.because.clone(),
                champion: old,
                challenger: new,
                kind: match printed.decision.as_str() {
                    "promoted" if worse <= 0.0 => PromotionKind::Right,
                    "promoted" if worse <= MARGIN => PromotionKind::Within,
                    "promoted" => PromotionKind::Wrong,
                    _ if worse < -MARGIN => PromotionKind::Missed,
                    _ => PromotionKind::Right,
                },
            });
        }
        champion = printed.champion.as_deref().or(champion);
    }
    decisions
}

fn answer(story: &Story, alarms: &[Alarm], happening: &Happening) -> Answer {
    let from = happening.from.max(FIRST_NIGHT);
    let of_event: Vec<&Night> = story
        .nights
        .iter()
        .filter(|night| (from..from + OF_EVENT).contains(&night.night))
        .collect();
    let ratios = of_event.iter().filter_map(|night| night.shipped.as_ref());
    let worst = ratios
        .map(super::record::Truth::ratio)
        .max_by(|one, other| (one - 1.0).abs().total_cmp(&(other - 1.0).abs()));
    let known: Vec<String> = story
        .nights
        .iter()
        .filter(|night| (from - 14..from).contains(&night.night))
        .filter_map(|night| night.printed.as_ref())
        .flat_map(|printed| printed.findings.iter().map(|found| kind(&found.message)))
        .collect();
    let new_sentence = |printed: &Printed| {
        let mut findings = printed.findings.iter();
        let finding = findings.find(|found| !known.contains(&kind(&found.message)));
        let sentence = finding.map(|found| found.message.clone());
        printed.error.clone().or(sentence)
    };
    let finding = of_event
        .iter()
        .find_map(|night| Some((night.night - from, new_sentence(night.printed.as_ref()?)?)));
    let alarm = alarms
        .iter()
        .find(|alarm| (from..from + OF_EVENT).contains(&alarm.from))
        .map(|alarm| (alarm.from - from, alarm.sentence.clone()));
    let is_promotion = |night: &&&Night| {
        let printed = night.printed.as_ref();
        printed.is_some_and(|printed| printed.decision == "promoted")
    };
    let promoted = of_event.iter().find(is_promotion);
    let mut answer = Answer {
        event: happening.event.name(),
        what: happening.event.words(),
        from: date(from),
        worst: worst.unwrap_or(1.0),
        finding,
        alarm,
        promoted: promoted.map(|night| night.night - from),
        wanted: "",
        is_right: false,
    };
    (answer.wanted, answer.is_right) = wanted(story, happening.event, &of_event, &answer, alarms);
    answer
}

/// A sentence without its figures: the same finding on another night.
fn kind(sentence: &str) -> String {
    sentence.chars().filter(|char| !char.is_numeric()).collect()
}

/// What a good tool does after an event, and whether this one did.
fn wanted(
    story: &Story,
    event: Event,
    of_event: &[&Night],
    answer: &Answer,
    alarms: &[Alarm],
) -> (&'static str, bool) {
    let within = |found: &Option<(Day, String)>, nights| {
        found.as_ref().is_some_and(|(after, _)| *after <= nights)
    };
    let cried_wolf = alarms.iter().any(|alarm| {
        alarm.kind == AlarmKind::Wrong && of_event.iter().any(|night| night.night == alarm.from)
    });
    match event {
        Event::FrozenFeed => ("a finding within 5 nights", within(&answer.finding, 5)),
        Event::UnitChange => ("an alarm, or no scores, at once", within(&answer.alarm, 1)),
        Event::NewSource => (
            "a finding within 4 weeks, no wrong alarm",
            within(&answer.finding, 28) && !cried_wolf,
        ),
        Event::LateDeals | Event::Outage | Event::Batches => ("no wrong alarm", !cried_wolf),
        Event::Season
        | Event::Drift
        | Event::FadingEffect
        | Event::Campaign
        | Event::LongerCycles => (
            "where percentages are wrong: an alarm, or right again, within 10 weeks; no wrong alarm",
            !cried_wolf && is_found_in_time(story, of_event, alarms),
        ),
    }
}

/// Whether what went wrong for good was found, or was right again for good, in time.
fn is_found_in_time(story: &Story, of_event: &[&Night], alarms: &[Alarm]) -> bool {
    let is_wrong = |night: &Night| !wrong(story, night).is_empty();
    let Some(first) = of_event.iter().position(|night| is_wrong(night)) else {
        return true;
    };
    let from = of_event[first].night;
    let in_time = |night: Day| night <= from + IN_TIME;
    let is_alarmed = alarms
        .iter()
        .any(|alarm| alarm.to >= from && in_time(alarm.from));
    // The first night from which on nothing is wrong for long, or of which too little is known.
    let right_again = of_event[first..].iter().find(|night| {
        let next = of_event
            .iter()
            .filter(|later| (night.night..night.night + FOR_GOOD).contains(&later.night));
        !next.into_iter().any(|later| is_wrong(later))
    });
    let last = of_event.last().map_or(from, |night| night.night);
    is_alarmed || right_again.map_or(in_time(last), |night| in_time(night.night))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::story::{Check, Operator, Truth};

    fn night(number: Day, verdict: &str, ratio: f64) -> Night {
        let finding = Check {
            name: "early read".to_owned(),
            severity: "ERROR".to_owned(),
            message: "wins are 0.7 times the predicted ones".to_owned(),
        };
        Night {
            night: FIRST_NIGHT + number,
            date: date(FIRST_NIGHT + number),
            printed: Some(Printed {
                decision: "not due".to_owned(),
                verdict: Some(verdict.to_owned()),
                champion: Some("a".to_owned()),
                findings: if verdict == "ok" {
                    vec![]
                } else {
                    vec![finding]
                },
                ..Printed::default()
            }),
            shipped: Some(Truth {
                n: 1,
                loss: 0.36,
                floor: 0.35,
                predicted: 0.1,
                true_mean: 0.1 * ratio,
                auc: 0.7,
                quarters: [(0.1, 0.1 * ratio); 4],
            }),
            is_fresh: true,
            losses: BTreeMap::new(),
            oracle: None,
        }
    }

    fn story(nights: Vec<Night>, happenings: Vec<Happening>) -> Story {
        Story {
            seed: 1,
            open_leads: 1,
            operator: Operator::Run,
            happenings,
            nights,
        }
    }

    #[test]
    fn an_alarm_is_right_late_or_wrong() {
        let kinds = |ratio: &dyn Fn(Day) -> f64, verdict: &dyn Fn(Day) -> &'static str| {
            let nights = (0..100).map(|number| night(number, verdict(number), ratio(number)));
            let alarms = judge(&story(nights.collect(), vec![])).alarms;
            let kinds = alarms
                .iter()
                .map(|alarm| (alarm.from - FIRST_NIGHT, alarm.kind));
            kinds.collect::<Vec<_>>()
        };
        let from = |first| move |number| if number >= first { "alarm" } else { "ok" };
        let right = &|_| 1.05;
        assert_eq!(kinds(right, &|_| "watch"), []);
        assert_eq!(kinds(right, &from(50)), [(50, AlarmKind::Wrong)]);
        let low = &|number| if number < 40 { 1.0 } else { 0.8 };
        assert_eq!(kinds(low, &from(50)), [(50, AlarmKind::Right)]);
        let past = &|number| if number < 40 { 0.8 } else { 1.0 };
        assert_eq!(kinds(past, &from(60)), [(60, AlarmKind::Late)]);
        assert_eq!(kinds(past, &from(80)), [(80, AlarmKind::Wrong)]);
        // Two alarms, of which each has nights without one.
        let twice = |number| {
            if [10, 15, 60, 62].contains(&number) {
                "alarm"
            } else {
                "ok"
            }
        };
        let two = [(10, AlarmKind::Wrong), (60, AlarmKind::Wrong)];
        assert_eq!(kinds(right, &twice), two);
    }

    #[test]
    fn a_decision_is_judged_by_both_true_losses() {
        let kind = |decision: &str, challenger: f64| {
            let mut nights = vec![night(0, "ok", 1.0), night(1, "ok", 1.0)];
            nights[1].losses = [("a".to_owned(), 0.4), ("b".to_owned(), challenger)].into();
            if let Some(printed) = &mut nights[1].printed {
                decision.clone_into(&mut printed.decision);
                printed.champion = Some("b".to_owned());
                printed.challenger = Some("b".to_owned());
            }
            let decisions = judge(&story(nights, vec![])).decisions;
            decisions
                .iter()
                .map(|judged| judged.kind)
                .collect::<Vec<_>>()
        };
        assert_eq!(kind("promoted", 0.399), [PromotionKind::Right]);
        assert_eq!(kind("promoted", 0.401), [PromotionKind::Within]);
        assert_eq!(kind("promoted", 0.41), [PromotionKind::Wrong]);
        assert_eq!(kind("kept", 0.41), [PromotionKind::Right]);
        assert_eq!(kind("kept", 0.399), [PromotionKind::Right]);
        assert_eq!(kind("cannot tell", 0.39), [PromotionKind::Missed]);
    }

    #[test]
    fn an_event_is_answered_in_time_or_not() {
        let drift = Happening {
            event: Event::Drift,
            from: FIRST_NIGHT + 20,
            until: None,
        };
        let is_right = |alarm_at: Day, right_from: Day| {
            let nights = (0..200).map(|number| {
                let verdict = if number >= alarm_at { "alarm" } else { "ok" };
                let is_wrong = (20..right_from).contains(&number);
                night(number, verdict, if is_wrong { 0.7 } else { 1.0 })
            });
            let judged = judge(&story(nights.collect(), vec![drift]));
            judged.events[0].is_right
        };
        assert!(is_right(60, 190), "found in 40 nights");
        assert!(!is_right(120, 190), "found in 100 nights");
        assert!(is_right(300, 80), "right again in 60 nights");
        assert!(!is_right(300, 130), "right again in 110 nights");
        assert!(!is_right(150, 30), "an alarm for nothing");
    }

    #[test]
    fn shipped_beside_the_best_model() {
        let mut nights = vec![
            night(0, "ok", 1.0),
            night(7, "ok", 1.0),
            night(8, "ok", 1.0),
        ];
        nights[0].oracle = Some(0.18);
        nights[1].oracle = Some(0.18);
        let judged = judge(&story(nights, vec![]));
        assert_eq!(judged.n_compared, 2);
        assert_eq!(judged.ratio, Some(2.0));
    }
}
