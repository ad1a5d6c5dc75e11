//! The early read on input that is not what it should be, and on whatever wins there are.

use leadscore_monitoring::{
    CannotTell, EarlyError, EarlyOptions, EarlyRead, EarlyVerdict, LeadWeeks, Segmentation, Side,
    early_read,
};
use proptest::prelude::*;

/// Fewer futures, and no delays but one.
fn options() -> EarlyOptions {
    EarlyOptions {
        n_futures: 1_000,
        ratios: vec![0.7],
        ..EarlyOptions::default()
    }
}

/// 30 weeks of 40 leads, of which every 13th row is won.
fn plain(first_week: u32, n_weeks: u32) -> LeadWeeks {
    let mut rows = LeadWeeks {
        segmentations: vec![Segmentation {
            name: "source".to_owned(),
            levels: vec!["web".to_owned()],
            codes: Vec::new(),
        }],
        ..LeadWeeks::default()
    };
    for week in first_week..first_week + n_weeks {
        for lead in 0..40_u32 {
            let number = rows.week.len();
            rows.week.push(week);
            rows.log_odds.push(f64::from(lead % 9) * 0.3 - 2.0);
            rows.tier.push((lead % 4) as u8);
            rows.age_weeks.push((lead % 17) as f32);
            rows.cluster.push(u64::from(lead + 40 * (week / 8)));
            rows.held_back.push(lead % 20 == 0);
            rows.won.push(number % 13 == 5);
            rows.lost.push(number % 13 == 7);
            rows.segmentations[0].codes.push(0);
        }
    }
    rows
}

#[test]
fn wrong_columns_are_named() {
    #[track_caller]
    fn check(change: impl Fn(&mut LeadWeeks, &mut LeadWeeks), expected: &str) {
        let (mut past, mut now) = (plain(10, 30), plain(40, 4));
        change(&mut past, &mut now);
        let error = early_read(&past, &now, &options()).expect_err("it is wrong");
        assert_eq!(error.to_string().lines().next(), Some(expected));
    }
    check(
        |past, _| past.won.truncate(7),
        "the column won has 7 rows: expected 1200, as many as `week`",
    );
    check(
        |_, now| now.lost.truncate(7),
        "the column lost has 7 rows: expected 160, as many as `week`",
    );
    check(
        |_, now| now.segmentations[0].codes.truncate(7),
        "the column source has 7 rows: expected 160, as many as `week`",
    );
    check(
        |past, _| past.log_odds[3] = f64::NAN,
        "the log-odds of row 3 is NaN: expected a finite number",
    );
    check(
        |_, now| now.log_odds[3] = f64::INFINITY,
        "the log-odds of row 3 is inf: expected a finite number",
    );
    check(
        |past, _| past.age_weeks[5] = -1.0,
        "the age of row 5 is -1: expected 0 weeks or more",
    );
    check(
        |past, _| past.tier[6] = 200,
        "the tier of row 6 is 200: expected 0 to 15",
    );
    check(
        |past, _| past.segmentations[0].codes[2] = 1,
        "the segment source of row 2 has code 1: expected one below 1",
    );
    check(
        |_, now| now.segmentations.clear(),
        "the segment source is not one of the reference",
    );
    check(
        |_, now| now.segmentations[0].name = "country".to_owned(),
        "the segment source is not one of the reference",
    );
    check(
        |_, now| now.week[9] = 39,
        "week 39 is monitored, and the reference ends with week 39: a week cannot be in both",
    );
}

#[test]
fn wrong_options_are_named() {
    #[track_caller]
    fn check(change: impl Fn(&mut EarlyOptions), expected: &str) {
        let mut options = options();
        change(&mut options);
        let error = early_read(&plain(10, 30), &plain(40, 4), &options).expect_err("it is wrong");
        assert_eq!(error.to_string(), expected);
    }
    check(
        |options| options.false_alarm = 0.0,
        "`false_alarm` is 0: expected a number between 0 and 1",
    );
    check(
        |options| options.watch = f64::NAN,
        "`watch` is NaN: expected a number between 0 and 1",
    );
    check(
        |options| options.watch = 0.01,
        "`watch` is 0.01: expected at least `false_alarm`",
    );
    check(
        |options| options.falls = vec![0.7, 1.2],
        "`falls` is 1.2: expected odds ratios from 0.05 to below 1",
    );
    check(
        |options| options.looks = 0,
        "`looks` is 0: expected 1 or more",
    );
    check(
        |options| options.n_futures = 10,
        "`n_futures` is 10: expected 100 or more",
    );
}

#[test]
fn what_says_nothing_says_why() {
    #[track_caller]
    fn check(change: impl Fn(&mut LeadWeeks, &mut LeadWeeks), expected: CannotTell) {
        let (mut past, mut now) = (plain(10, 30), plain(40, 4));
        change(&mut past, &mut now);
        let read = early_read(&past, &now, &options()).expect("the columns are right");
        assert_eq!(read.verdict, EarlyVerdict::CannotTell(expected));
        let text = serde_json::to_string(&read).expect("it has finite numbers only");
        assert_eq!(
            serde_json::from_str::<EarlyRead>(&text).expect("it was written"),
            read
        );
    }
    check(
        |past, _| past.won.iter_mut().for_each(|won| *won = false),
        CannotTell::NoWinYet,
    );
    check(
        |past, _| past.won.iter_mut().for_each(|won| *won = true),
        CannotTell::OnlyWins,
    );
    check(
        |past, _| past.won[19..].iter_mut().for_each(|won| *won = false),
        CannotTell::TooFewReferenceWins {
            found: 2,
            needed: 20,
        },
    );
    let few = |found| CannotTell::TooFewReferenceWeeks { found, needed: 26 };
    check(|past, _| *past = plain(10, 1), few(1));
    check(|past, _| *past = plain(10, 25), few(25));
    check(|past, _| *past = LeadWeeks::default(), few(0));
    check(|_, now| *now = LeadWeeks::default(), CannotTell::NoWeeks);
}

#[test]
fn verdicts_are_words_in_json() {
    #[track_caller]
    fn check(verdict: EarlyVerdict, expected: &str) {
        let text = serde_json::to_string(&verdict).expect("it has words only");
        assert_eq!(text, expected);
    }
    check(EarlyVerdict::Ok, r#"{"verdict":"ok"}"#);
    check(
        EarlyVerdict::Alarm { side: Side::Fall },
        r#"{"verdict":"alarm","side":"fall"}"#,
    );
    check(
        EarlyVerdict::CannotTell(CannotTell::NoWinYet),
        r#"{"verdict":"cannot_tell","because":"no_win_yet"}"#,
    );
}

/// Rows that are all of one kind are read: one cluster, one age, one score, one tier.
#[test]
fn rows_without_variety_are_read() {
    let flat = |rows: &mut LeadWeeks| {
        rows.cluster.iter_mut().for_each(|cluster| *cluster = 7);
        rows.age_weeks.iter_mut().for_each(|age| *age = 3.0);
        rows.log_odds
            .iter_mut()
            .for_each(|log_odds| *log_odds = -1.0);
        rows.tier.iter_mut().for_each(|tier| *tier = 2);
    };
    let (mut past, mut now) = (plain(10, 30), plain(40, 4));
    flat(&mut past);
    flat(&mut now);
    let read = early_read(&past, &now, &options()).expect("the columns are right");
    let summary = read.reference.expect("it was learned");
    assert!(summary.level_error > 0.05 && summary.level_error < 0.3);
    assert_eq!(read.first_alarm, None);
}

/// Numbers at the ends of what they can be, in the reference and after it.
#[test]
fn extreme_numbers_are_read() {
    let extreme = |rows: &mut LeadWeeks| {
        for row in (0..rows.len()).step_by(11) {
            rows.log_odds[row] = if row % 2 == 0 { 1e308 } else { -1e308 };
            rows.age_weeks[row] = f32::MAX;
            rows.cluster[row] = u64::MAX;
            rows.tier[row] = 15;
        }
    };
    let (mut past, mut now) = (plain(0, 30), plain(40, 4));
    past.week[0] = 0;
    let last = now.week.len() - 1;
    now.week[last] = u32::MAX;
    extreme(&mut past);
    extreme(&mut now);
    let read = early_read(&past, &now, &options()).expect("the columns are right");
    assert_eq!(read.weeks.len(), 5);
    assert!(
        read.weeks
            .iter()
            .all(|week| week.expected > 0.0 && week.expected < 40.0)
    );
    // A reference from the first week there is to the last one.
    let end = past.week.len() - 1;
    past.week[end] = u32::MAX;
    let read = early_read(&past, &LeadWeeks::default(), &options()).expect("the columns are right");
    assert_eq!(read.verdict, EarlyVerdict::CannotTell(CannotTell::NoWeeks));
}

/// One win, early or late, where the options allow it.
#[test]
fn one_win_is_read() {
    for row in [3, 1_190] {
        let (mut past, now) = (plain(10, 30), plain(40, 4));
        past.won.iter_mut().for_each(|won| *won = false);
        past.won[row] = true;
        let allowed = EarlyOptions {
            min_reference_wins: 1,
            ..options()
        };
        let read = early_read(&past, &now, &allowed).expect("the columns are right");
        let level = read.level.expect("there are weeks");
        assert!(level.expected > 0.0 && level.high > level.low);
    }
}

/// A tier, an age and a score that the reference did not have.
#[test]
fn what_the_reference_did_not_have_is_read() {
    let (past, mut now) = (plain(10, 30), plain(40, 4));
    now.tier.iter_mut().step_by(5).for_each(|tier| *tier = 9);
    now.age_weeks.iter_mut().for_each(|age| *age = 1e9);
    now.log_odds
        .iter_mut()
        .step_by(3)
        .for_each(|log_odds| *log_odds = 700.0);
    now.segmentations[0].levels.push("fair".to_owned());
    now.segmentations[0]
        .codes
        .iter_mut()
        .step_by(2)
        .for_each(|code| *code = 1);
    let read = early_read(&past, &now, &options()).expect("the columns are right");
    assert!(read.weeks.iter().all(|week| week.expected.is_finite()));
    let text = serde_json::to_string(&read).expect("it has finite numbers only");
    assert!(!text.contains("null,\"low\"") && !text.contains("NaN"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever wins are, verdicts have finite figures whose intervals hold them.
    #[test]
    fn any_wins_are_read(
        wins in proptest::collection::vec(any::<bool>(), 400),
        share in 0.0..1.0_f64,
        n_weeks in 1..40_u32,
        gap in 0..500_u32,
    ) {
        let (past, mut now) = (plain(10, 30), plain(40 + gap, n_weeks));
        for (row, won) in now.won.iter_mut().enumerate() {
            *won = wins[row % wins.len()] && ((row * 7919) % 1_000) as f64 / 1_000.0 < share;
        }
        let quick = EarlyOptions { n_futures: 200, ..options() };
        let read = early_read(&past, &now, &quick)?;
        prop_assert_eq!(read.weeks.len(), n_weeks as usize);
        for week in &read.weeks {
            prop_assert!(week.evidence.is_finite() && week.evidence >= 0.0);
            prop_assert!(week.expected > 0.0 && week.expected < 40.0);
        }
        let level = read.level.expect("there are weeks");
        prop_assert!(level.low <= level.ratio && level.ratio <= level.high);
        if let Some(change) = read.change {
            prop_assert!(change.low <= change.ratio && change.ratio <= change.high);
            prop_assert!(change.weeks[0] <= change.week && change.week <= change.weeks[1]);
        }
        for part in &read.parts {
            prop_assert!(part.e_value.is_finite() && part.low <= part.ratio);
            prop_assert!(part.ratio <= part.high);
        }
    }
}

/// The error of the solver is not lost.
#[test]
fn errors_have_their_cause() {
    let error = EarlyError::from(leadscore_solver::SolverError::NoRows);
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("there is no row to fit on"));
}
