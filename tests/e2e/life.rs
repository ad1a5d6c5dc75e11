//! The made company: what is true of it holds in what happens, and its exports show nothing that
//! was not entered yet.
#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeMap;

use leadscore_tests::life::{Day, Event, FIRST_NIGHT, Life, LifeOptions, Plan, date};
use leadscore_tests::story::{
    Alarm, AlarmKind, Operator, PromotionKind, StoryOptions, judge, live, page,
};
use leadscore_tests::succeed;

const HORIZON: Day = 90;

fn options(open_leads: u32, n_nights: Day, events: &[Event]) -> LifeOptions {
    LifeOptions {
        open_leads,
        n_nights,
        events: events.to_vec(),
        ..LifeOptions::default()
    }
}

/// Sums over leads that are open on a night: how many, won, expected, and the variance of that.
#[derive(Default)]
struct Sums {
    n: f64,
    won: f64,
    expected: f64,
    variance: f64,
}

impl Sums {
    fn add(&mut self, probability: f64, won: bool) {
        self.n += 1.0;
        self.won += f64::from(u8::from(won));
        self.expected += probability;
        self.variance += probability * (1.0 - probability);
    }

    fn z(&self) -> f64 {
        (self.won - self.expected) / self.variance.sqrt()
    }
}

/// Wins within 90 days beside their true probabilities: over all, and in tenths of probability.
/// Nights are 90 days apart, so that given the leads that are open, each win is a draw of its own.
fn truth_and_wins(events: &[Event], priority_effect: f64) -> (Sums, Vec<Sums>) {
    let mut life = Life::new(LifeOptions {
        priority_effect,
        ..options(1_000, 540, events)
    });
    let mut predicted: Vec<(Day, usize, f64)> = Vec::new();
    let mut night = FIRST_NIGHT;
    while night + HORIZON <= life.last_night() {
        life.live_until(night);
        let ids: Vec<String> = life
            .open()
            .iter()
            .step_by(4)
            .map(|&p| Life::id(p))
            .collect();
        life.prioritize(ids.iter().map(String::as_str));
        for &position in life.open() {
            predicted.push((night, position, life.probability(position, HORIZON)));
        }
        night += HORIZON;
    }
    life.live_until(night);
    let mut all = Sums::default();
    let mut tenths: Vec<Sums> = (0..10).map(|_| Sums::default()).collect();
    for (night, position, probability) in predicted {
        let won = life.was_won(position, night, HORIZON);
        all.add(probability, won);
        #[expect(clippy::cast_possible_truncation, reason = "below 10")]
        #[expect(clippy::cast_sign_loss, reason = "a probability")]
        tenths[(probability * 20.0).min(9.0) as usize].add(probability, won);
    }
    (all, tenths)
}

#[test]
fn what_happens_is_as_likely_as_the_truth_has_it() {
    let alone = Event::ALL.map(|event| vec![event]);
    for events in alone.iter().chain([&vec![], &Event::ALL.to_vec()]) {
        let (all, tenths) = truth_and_wins(events, 1.0);
        let names: Vec<&str> = events.iter().map(|event| event.name()).collect();
        // 13 worlds with 11 sums: four standard errors are passed by chance once in a hundred.
        assert!(
            all.n > 5_000.0 && all.z().abs() < 4.0,
            "{names:?}: {}",
            all.z()
        );
        for (tenth, sums) in tenths.iter().enumerate() {
            assert!(
                sums.variance < 5.0 || sums.z().abs() < 4.0,
                "{names:?}, tenth {tenth}: {} won, {} expected",
                sums.won,
                sums.expected
            );
        }
    }
    let (all, _) = truth_and_wins(&[], 1.5);
    assert!(all.z().abs() < 4.0, "with priority: {}", all.z());
}

/// Every moment of every row lies before its night, and a night's export is the same however far
/// the company has been lived since.
#[test]
fn an_export_shows_nothing_that_was_not_entered_yet() {
    let mut life = Life::new(options(150, 240, &Event::ALL));
    let mut exports = BTreeMap::new();
    for night in FIRST_NIGHT..=life.last_night() {
        life.live_until(night);
        let tables = life.tables(night);
        let limit = date(night);
        for (name, text) in &tables {
            for row in text.lines().skip(1) {
                for cell in row
                    .split(',')
                    .filter(|cell| cell.contains('T') && cell.len() == 19)
                {
                    assert!(cell < limit.as_str(), "{limit}, {name}: {row}");
                }
            }
        }
        exports.insert(night, tables);
    }
    for (night, tables) in &exports {
        assert_eq!(*tables, life.tables(*night), "{}", date(*night));
    }
}

/// Two companies that differ only in what happens from a night on have one export on that night.
#[test]
fn what_is_to_come_leaves_no_trace() {
    let options = options(600, 240, &[]);
    let quiet = Life::new(options.clone());
    for event in Event::ALL {
        let plan = Plan::new(&[event], FIRST_NIGHT, 0);
        let mut life = Life::with_plan(options.clone(), plan);
        let same = life.tables(FIRST_NIGHT) == quiet.tables(FIRST_NIGHT);
        // A season was always there, and units are changed in the export itself.
        let shows = matches!(event, Event::Season | Event::UnitChange);
        assert_eq!(same, !shows, "{}", event.name());
        // And it does change what comes, but for the outage, in which only nothing is exported.
        let later = FIRST_NIGHT + 13;
        life.live_until(later);
        let mut quiet = quiet.clone();
        quiet.live_until(later);
        let same = life.tables(later) == quiet.tables(later);
        assert_eq!(same, event == Event::Outage, "{}", event.name());
    }
}

/// An outcome that is entered late is closed in truth and open in the CRM.
#[test]
fn late_entries_come_in_the_end() {
    let mut life = Life::new(options(300, 200, &[Event::LateDeals, Event::FrozenFeed]));
    let rows = |life: &Life, night| life.tables(night).map(|(_, text)| text.lines().count() - 1);
    let late = life.plan().find(Event::LateDeals).expect("planned");
    let frozen = life.plan().find(Event::FrozenFeed).expect("planned");
    life.live_until(life.last_night());
    let before = rows(&life, frozen.from + 1);
    let during = rows(&life, frozen.from + 9);
    let after = rows(&life, frozen.from + 12);
    assert!(during[1] - before[1] < 5, "{before:?} {during:?}");
    assert!(
        after[1] > during[1] + 50 && during[2] > before[2] + 50,
        "{during:?} {after:?}"
    );
    let closed = |life: &Life, night: Day| {
        let limit = date(night);
        let deals = &life.tables(life.last_night() - 1)[3].1;
        let by = |row: &&str| row.split(',').nth(1).is_some_and(|at| at < limit.as_str());
        deals.lines().skip(1).filter(by).count()
    };
    let missing = |night| closed(&life, night) - rows(&life, night)[3];
    let (usual, many) = (missing(late.from - 1), missing(late.from + 40));
    assert!(many > 3 * usual.max(5), "{usual} {many}");
}

#[test]
fn one_seed_is_one_life() {
    let make = |seed| {
        let mut life = Life::new(LifeOptions {
            seed,
            ..options(50, 60, &Event::ALL)
        });
        life.live_until(FIRST_NIGHT + 60);
        life.tables(FIRST_NIGHT + 60)
    };
    assert_eq!(make(1), make(1));
    assert_ne!(make(1), make(2));
}

/// A model of the history is calibrated against the true probabilities of the nights to come, ranks
/// nearly as they do, and loses more than they do.
#[test]
fn a_model_of_the_history_fits_the_truth() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let story = live(
        &StoryOptions {
            life: options(1_500, 35, &[]),
            operator: Operator::Script,
            every: 7,
            ..StoryOptions::new(folder.path().join("company"))
        },
        |_| (),
    )
    .expect("the disk has room");
    assert_eq!(story.nights.len(), 5);
    for night in &story.nights {
        let printed = night.printed.as_ref().expect("a run");
        assert_eq!(printed.exit, 0, "{:?}", printed.error);
        assert!(night.is_fresh, "{}", night.date);
        let truth = night.shipped.as_ref().expect("scores");
        assert!((truth.ratio() - 1.0).abs() < 0.12, "{truth:?}");
        assert!(
            truth.n > 1_200 && (0.7..0.8).contains(&truth.auc),
            "{truth:?}"
        );
        let excess = truth.loss / truth.floor - 1.0;
        assert!((0.0..0.08).contains(&excess), "{truth:?}");
        assert_eq!(night.oracle, Some(truth.loss), "one model is the best one");
    }
    let judged = judge(&story);
    assert_eq!((judged.ratio, judged.alarms.len()), (Some(1.0), 0));
    let page = page(&story, &judged);
    assert!(page.contains("2024-01-29") && page.ends_with("</html>\n"));
}

/// Three months with a fall of wins, one run a week: every run publishes, says what is true, promotes
/// nothing that is worse, and leaves a registry and a history that can be believed.
#[test]
fn a_run_keeps_its_promises_in_a_company_whose_wins_fall() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().join("company");
    let story = live(
        &StoryOptions {
            life: options(600, 91, &[Event::Drift]),
            every: 7,
            oracle_every: 28,
            ..StoryOptions::new(folder.clone())
        },
        |_| (),
    )
    .expect("the disk has room");
    assert_eq!(story.nights.len(), 13);
    for night in &story.nights {
        let printed = night.printed.as_ref().expect("a run");
        assert!(!printed.is_failure(), "{}: {printed:?}", night.date);
        assert_eq!(
            printed.exit == 1,
            printed.is_alarm(),
            "{}: {printed:?}",
            night.date
        );
        assert!(night.is_fresh, "{}: nothing was published", night.date);
        assert_eq!(printed.decision == "first", night.night == FIRST_NIGHT);
    }
    let judged = judge(&story);
    let is_wrong = |alarm: &&Alarm| alarm.kind == AlarmKind::Wrong;
    assert_eq!(
        judged.alarms.iter().filter(is_wrong).count(),
        0,
        "{:?}",
        judged.alarms
    );
    for decision in &judged.decisions {
        assert_ne!(decision.kind, PromotionKind::Wrong, "{decision:?}");
    }
    // Once it was trained again and compared, as the config asks for after 30 days.
    assert!(!judged.decisions.is_empty());
    let ratio = judged.ratio.expect("compared");
    assert!((1.0..1.01).contains(&ratio), "{ratio}");
    // The champion of the last night is the model of every published row.
    let last = story.nights.last().expect("nights").printed.as_ref();
    let champion = last
        .and_then(|printed| printed.champion.clone())
        .expect("a champion");
    let published = std::fs::read_to_string(folder.join("published.csv")).expect("published");
    assert!(published.lines().skip(1).all(|row| row.contains(&champion)));
    succeed(&folder, &["models", "verify"]);
    let days = std::fs::read_dir(folder.join("scores")).expect("a history");
    let days = days.filter_map(Result::ok).map(|entry| entry.file_name());
    let days = days.filter(|name| name.to_string_lossy().starts_with("as_of="));
    assert_eq!(days.count(), story.nights.len());
}
