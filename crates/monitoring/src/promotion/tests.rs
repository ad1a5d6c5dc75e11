//! The rule, case by case, on trials whose differences are set.

use super::*;

/// Rows of which every fourth is won, whose challenger has `difference` more log-loss on average,
/// give or take `spread`.
fn decided(
    n: usize,
    (difference, spread): (f64, f64),
    change: impl FnOnce(&mut Trial<'_>, &mut PromotionRule),
) -> Decision {
    let labels: Vec<bool> = (0..n).map(|row| row % 4 == 0).collect();
    let champion = vec![0.5; n];
    let challenger: Vec<f64> = (0..n)
        .map(|row| 0.5 + difference + if row % 2 == 0 { spread } else { -spread })
        .collect();
    let clusters: Vec<u64> = (0..n as u64).collect();
    let mut trial = Trial {
        champion: &champion,
        challenger: &challenger,
        labels: &labels,
        clusters: &clusters,
        champion_age_days: 30.0,
        champion_holds: None,
        challenger_holds: None,
        churn: Some(0.1),
    };
    let mut rule = PromotionRule::default();
    change(&mut trial, &mut rule);
    decide(&trial, &rule).expect("a trial")
}

#[track_caller]
fn check(decision: Decision, expected: PromotionVerdict) {
    assert_eq!(decision.verdict, expected, "{decision:?}");
}

const fn promote(because: PromoteBecause) -> PromotionVerdict {
    PromotionVerdict::Promote { because }
}

const fn keep(because: KeepBecause) -> PromotionVerdict {
    PromotionVerdict::Keep { because }
}

const fn cannot_tell(because: CannotTellBecause) -> PromotionVerdict {
    PromotionVerdict::CannotTell { because }
}

#[test]
fn better_beyond_chance_is_promoted() {
    check(
        decided(1_000, (-0.02, 0.1), |_, _| ()),
        promote(PromoteBecause::Better),
    );
    check(
        decided(1_000, (-0.002, 0.1), |_, _| ()),
        keep(KeepBecause::MayBeWorse),
    );
    check(
        decided(1_000, (0.02, 0.1), |_, _| ()),
        keep(KeepBecause::Worse),
    );
}

#[test]
fn no_worse_needs_a_reason() {
    // The margin is 0.0025; the bounds are ±0.0012 around.
    let no_worse = (0.001, 0.02);
    check(
        decided(1_000, no_worse, |_, _| ()),
        keep(KeepBecause::NoWorseIsNotEnough),
    );
    check(
        decided(1_000, no_worse, |trial, _| trial.champion_age_days = 181.0),
        promote(PromoteBecause::ChampionTooOld),
    );
    check(
        decided(1_000, no_worse, |trial, _| trial.champion_age_days = 180.0),
        keep(KeepBecause::NoWorseIsNotEnough),
    );
    for (champion, challenger, expected) in [
        (
            Some(false),
            Some(true),
            promote(PromoteBecause::ChampionDoesNotHold),
        ),
        (Some(false), None, keep(KeepBecause::NoWorseIsNotEnough)),
        (
            Some(false),
            Some(false),
            keep(KeepBecause::NoWorseIsNotEnough),
        ),
        (None, Some(true), keep(KeepBecause::NoWorseIsNotEnough)),
        (
            Some(true),
            Some(true),
            keep(KeepBecause::NoWorseIsNotEnough),
        ),
    ] {
        let decision = decided(1_000, no_worse, |trial, _| {
            trial.champion_holds = champion;
            trial.challenger_holds = challenger;
        });
        check(decision, expected);
    }
    // No reason makes up for a challenger that may be worse.
    let decision = decided(1_000, (0.002, 0.1), |trial, _| {
        trial.champion_age_days = 1e6;
        trial.champion_holds = Some(false);
        trial.challenger_holds = Some(true);
    });
    check(decision, keep(KeepBecause::MayBeWorse));
}

#[test]
fn churn_is_for_a_person() {
    let better = (-0.02, 0.1);
    check(
        decided(1_000, better, |trial, _| trial.churn = Some(0.51)),
        keep(KeepBecause::Churn),
    );
    check(
        decided(1_000, better, |trial, rule| {
            trial.churn = Some(1.0);
            rule.accepts_churn = true;
        }),
        promote(PromoteBecause::Better),
    );
    check(
        decided(1_000, better, |trial, _| trial.churn = Some(0.5)),
        promote(PromoteBecause::Better),
    );
    check(
        decided(1_000, better, |trial, _| trial.churn = None),
        promote(PromoteBecause::Better),
    );
    // What is worse is kept because of that, whatever the churn.
    check(
        decided(1_000, (0.02, 0.1), |trial, _| trial.churn = Some(0.9)),
        keep(KeepBecause::Worse),
    );
}

#[test]
fn little_cannot_tell() {
    let better = (-0.1, 0.01);
    check(
        decided(0, better, |_, _| ()),
        cannot_tell(CannotTellBecause::NoRows),
    );
    check(
        decided(116, better, |_, _| ()),
        cannot_tell(CannotTellBecause::FewWins),
    );
    check(
        decided(117, better, |_, _| ()),
        promote(PromoteBecause::Better),
    );
    check(
        decided(200, better, |trial, _| trial.labels = &[true; 200]),
        cannot_tell(CannotTellBecause::FewOthers),
    );
    check(
        decided(200, better, |trial, _| trial.clusters = &[7; 200]),
        cannot_tell(CannotTellBecause::FewClusters),
    );
}

#[test]
fn a_copy_of_the_champion_is_no_worse_and_not_better() {
    check(
        decided(1_000, (0.0, 0.0), |_, _| ()),
        keep(KeepBecause::NoWorseIsNotEnough),
    );
    // One that differs in a single row is known from a single row.
    let mut challenger = vec![0.5; 1_000];
    challenger[4] = 0.1;
    let decision = decided(1_000, (0.0, 0.0), |trial, _| {
        trial.challenger = challenger.leak();
        assert_eq!(trial.champion.len(), 1_000);
    });
    check(decision, keep(KeepBecause::NoWorseIsNotEnough));
    assert!(decision.evidence.n_effective < 1.5, "{decision:?}");
}

#[test]
fn clusters_count_once() {
    let alone = decided(1_000, (-0.005, 0.1), |_, _| ());
    let pairs: Vec<u64> = (0..1_000).map(|row| row / 4).collect();
    // Rows that cancel within their cluster are surer than rows that do not.
    let together = decided(1_000, (-0.005, 0.1), |trial, _| {
        trial.clusters = pairs.leak();
    });
    assert!(together.evidence.high < alone.evidence.high);
    let apart: Vec<u64> = (0..1_000).map(|row| row / 40 * 2 + row % 2).collect();
    let alike = decided(1_000, (-0.005, 0.1), |trial, _| {
        trial.clusters = apart.leak();
    });
    assert!(alike.evidence.high > 3.0 * alone.evidence.high);
}

#[test]
fn wrong_input_is_refused_where_it_is() {
    let losses = [0.5, f64::NAN];
    let trial = Trial {
        champion: &losses,
        challenger: &[0.5, 0.5],
        labels: &[true, false],
        clusters: &[1, 2],
        champion_age_days: 1.0,
        champion_holds: None,
        challenger_holds: None,
        churn: None,
    };
    let message = |trial: &Trial<'_>, rule: &PromotionRule| {
        decide(trial, rule).expect_err("wrong input").to_string()
    };
    let rule = PromotionRule::default();
    assert_eq!(
        message(&trial, &rule),
        "the log-loss of the champion in row 1 is NaN\n  hint: expected a finite number of 0 or more"
    );
    let short = Trial {
        champion: &[0.5, 0.5],
        labels: &[true],
        ..trial
    };
    assert_eq!(
        message(&short, &rule),
        "the champion has 2 log-losses, and there are 1 labels\n  hint: compare both models on the same rows"
    );
    let fine = Trial {
        champion: &[0.5, 0.5],
        ..trial
    };
    for wrong in [
        PromotionRule {
            margin: -0.1,
            ..rule
        },
        PromotionRule {
            margin: f64::NAN,
            ..rule
        },
        PromotionRule { level: 1.0, ..rule },
        PromotionRule {
            max_churn: 1.5,
            ..rule
        },
        PromotionRule {
            max_age_days: f64::NAN,
            ..rule
        },
    ] {
        assert!(decide(&fine, &wrong).is_err(), "{wrong:?}");
    }
    assert!(
        decide(
            &Trial {
                churn: Some(1.1),
                ..fine
            },
            &rule
        )
        .is_err()
    );
    assert!(
        decide(
            &Trial {
                champion_age_days: -1.0,
                ..fine
            },
            &rule
        )
        .is_err()
    );
}
