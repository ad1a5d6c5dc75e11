//! Two models on later snapshots that neither has seen, against tables that are read again by hand.
#![allow(missing_docs, reason = "tests")]

use leadscore::{
    CompareOptions, ComparedWith, Config, Data, EvaluateOptions, Inputs, Model, RecipeOptions,
    SimulationOptions, Timestamp, TrainOptions, World, compare_models, compare_recipe, evaluate,
    read_model, tier_churn, train, write_crm,
};
use leadscore_config::OperationConfig;
use leadscore_operate::{ChallengeOptions, ChallengeVerdict, challenge};
use leadscore_tests::{small_crm, succeed};
use tempfile::TempDir;

struct Crm {
    folder: TempDir,
    data: Data,
}

/// A simulated CRM, whose data ends on 31 December 2025.
fn crm(n_leads: u32) -> Crm {
    let folder = tempfile::tempdir().expect("a folder");
    let options = SimulationOptions {
        n_leads,
        world: World::Linear,
        seed: 5,
    };
    write_crm(options, folder.path(), "csv", &Inputs::default().listener).expect("a CRM");
    let data = open(&folder);
    Crm { folder, data }
}

fn open(folder: &TempDir) -> Data {
    let config = Config::read(folder.path().join("leadscore.toml")).expect("a config");
    Data::open(&config, Inputs::default()).expect("tables")
}

fn day(text: &str) -> Timestamp {
    text.parse().expect("a day")
}

fn trained(data: &Data, as_of: &str) -> Model {
    train(&data.as_of(day(as_of)), &TrainOptions::default())
        .expect("a model")
        .into_model()
}

#[test]
fn both_are_compared_on_what_neither_has_seen() {
    let crm = crm(6_000);
    let (older, newer) = (
        trained(&crm.data, "2025-04-01"),
        trained(&crm.data, "2025-07-01"),
    );
    let found = compare_models(&crm.data, &older, &newer, &CompareOptions::default())
        .expect("a comparison");
    // From the later cutoff on, whichever model that is of.
    assert_eq!(found.from, day("2025-07-01"));
    let turned = compare_models(&crm.data, &newer, &older, &CompareOptions::default())
        .expect("a comparison");
    assert_eq!(turned.labels, found.labels);
    assert_eq!(turned.champion.losses, found.challenger.losses);
    let (first, last) = found.range.expect("snapshots");
    assert!(
        first >= day("2025-07-01") && last <= day("2025-10-03"),
        "{first} {last}"
    );
    assert_eq!(found.clusters.len(), found.n_snapshots());
    assert_eq!(found.months.len(), found.n_snapshots());
    assert!(found.n_wins() > 50 && found.month_names.len() >= 3);
    // As `evaluate` measures it.
    let options = EvaluateOptions {
        from: Some(found.from),
        ..EvaluateOptions::default()
    };
    for (model, compared) in [(&older, &found.champion), (&newer, &found.challenger)] {
        let measured = evaluate(&crm.data, model, &options)
            .expect("an evaluation")
            .report
            .measured;
        assert_eq!(Some(&measured.calibration), compared.calibration.as_ref());
        assert!((measured.evaluation.log_loss.value - compared.log_loss()).abs() < 1e-12);
        assert_eq!(compared.model_id, model.card.model_id);
    }
    // The same model is no better and no worse; on its own rows again it is itself.
    let same = compare_models(&crm.data, &newer, &newer, &CompareOptions::default())
        .expect("a comparison");
    assert_eq!(same.champion.losses, same.challenger.losses);
    assert_eq!(
        found.losses_of(&crm.data, &newer).expect("losses"),
        found.challenger.losses
    );
}

#[test]
fn a_model_of_everything_leaves_nothing_to_compare_on() {
    let crm = crm(3_000);
    let older = trained(&crm.data, "2025-04-01");
    let all = train(&crm.data, &TrainOptions::default())
        .expect("a model")
        .into_model();
    let found = compare_models(&crm.data, &older, &all, &CompareOptions::default())
        .expect("an empty comparison");
    assert_eq!((found.n_snapshots(), found.range), (0, None));
    assert_eq!(found.challenger.holds(), None);
    assert!(found.champion.log_loss().is_nan());
    assert!(found.losses_of(&crm.data, &older).expect("none").is_empty());
}

#[test]
fn a_recipe_is_compared_by_its_past() {
    let crm = crm(6_000);
    let old = trained(&crm.data, "2025-04-01");
    let found = compare_recipe(&crm.data, &old, &RecipeOptions::default())
        .expect("a comparison")
        .expect("enough history");
    // The champion has not seen any of these snapshots.
    assert_eq!(found.with, ComparedWith::Champion);
    assert_eq!(found.comparison.champion.model_id, old.card.model_id);
    assert_eq!(
        found.comparison.challenger.model_id,
        found.challenger.card.model_id
    );
    assert!(found.comparison.range.expect("snapshots").0 >= found.cutoff);
    assert!(
        (260.0..290.0).contains(&found.champion_age_days),
        "{}",
        found.champion_age_days
    );
    assert!(found.comparison.n_wins() > 50);
    // A champion of two months ago has seen them: its recipe stands for it, two months older.
    let new = trained(&crm.data, "2025-11-01");
    let found = compare_recipe(&crm.data, &new, &RecipeOptions::default())
        .expect("a comparison")
        .expect("enough history");
    let ComparedWith::RecipeAtItsAge { as_of } = found.with else {
        panic!("the champion has seen these snapshots: {:?}", found.with);
    };
    assert!((found.cutoff.days_since(as_of) - found.champion_age_days).abs() < 1e-6);
    assert!((55.0..65.0).contains(&found.champion_age_days));
    assert_ne!(found.comparison.champion.model_id, new.card.model_id);
    // A model is not its own challenger: of no age, both are one.
    let all = train(&crm.data, &TrainOptions::default())
        .expect("a model")
        .into_model();
    let found = compare_recipe(&crm.data, &all, &RecipeOptions::default())
        .expect("a comparison")
        .expect("enough history");
    assert_eq!(found.champion_age_days, 0.0);
    assert_eq!(
        found.comparison.champion.losses,
        found.comparison.challenger.losses
    );
}

#[test]
fn nothing_after_the_moment_of_the_view_is_seen() {
    let crm = crm(6_000);
    let old = trained(&crm.data, "2024-12-01");
    let then = crm.data.as_of(day("2025-07-01"));
    let found = compare_recipe(&then, &old, &RecipeOptions::default())
        .expect("a comparison")
        .expect("enough history");
    // Windows of 90 days have ended by the moment of the view.
    assert!(found.comparison.range.expect("snapshots").1 <= day("2025-04-03"));
    assert!(found.cutoff <= day("2025-01-02"));
    assert!(
        (205.0..216.0).contains(&found.champion_age_days),
        "{}",
        found.champion_age_days
    );
}

#[test]
fn churn_counts_the_leads_that_both_score() {
    let crm = crm(3_000);
    let (older, newer) = (
        trained(&crm.data, "2025-02-01"),
        trained(&crm.data, "2025-09-01"),
    );
    let none = tier_churn(&crm.data, &newer, &newer)
        .expect("open leads")
        .expect("some");
    assert_eq!(
        (none.n_changed, none.share(), none.mean_change),
        (0, 0.0, 0.0)
    );
    let found = tier_churn(&crm.data, &older, &newer)
        .expect("open leads")
        .expect("some");
    let back = tier_churn(&crm.data, &newer, &older)
        .expect("open leads")
        .expect("some");
    assert!(
        found.n_changed > 0 && found.n_changed < found.n_leads,
        "{found:?}"
    );
    assert_eq!(found.n_changed, back.n_changed);
    let all: usize = found.moves.iter().flatten().sum();
    let kept: usize = (0..4).map(|tier| found.moves[tier][tier]).sum();
    assert_eq!((all, all - kept), (found.n_leads, found.n_changed));
    assert!((0..4).all(|i| (0..4).all(|j| found.moves[i][j] == back.moves[j][i])));
}

#[test]
fn without_open_leads_nobody_sees_a_change() {
    let folder = small_crm();
    let data = open(&folder);
    succeed(folder.path(), &["train", "-o", "model"]);
    let model = read_model(&folder.path().join("model")).expect("a model");
    let before = data.as_of(day("2020-01-01"));
    assert_eq!(tier_churn(&before, &model, &model).expect("no leads"), None);
}

#[track_caller]
fn refused(result: leadscore::Result<impl Sized>, expected: &str) {
    let text = leadscore::error_text(&result.err().expect("it is refused"), false);
    assert!(text.contains(expected), "{text}");
}

#[test]
fn wrong_requests_are_refused() {
    let crm = crm(3_000);
    let (older, newer) = (
        trained(&crm.data, "2025-04-01"),
        trained(&crm.data, "2025-07-01"),
    );
    let from = |from: &str, to: Option<&str>| CompareOptions {
        from: Some(day(from)),
        to: to.map(day),
    };
    refused(
        compare_models(&crm.data, &older, &newer, &from("2025-06-01", None)),
        "one of the models was trained on what was known at 2025-07-01",
    );
    refused(
        compare_models(
            &crm.data,
            &older,
            &newer,
            &from("2025-09-01", Some("2025-08-01")),
        ),
        "which is none",
    );
    // Another horizon is another question.
    let config = crm.folder.path().join("leadscore.toml");
    let text = std::fs::read_to_string(&config).expect("a config");
    std::fs::write(
        &config,
        text.replace("horizon = \"90d\"", "horizon = \"30d\""),
    )
    .expect("a disk");
    let other = open(&crm.folder);
    refused(
        compare_models(&other, &older, &newer, &CompareOptions::default()),
        "the model predicts wins within 90d",
    );
    refused(
        compare_recipe(&other, &older, &RecipeOptions::default()),
        "the model predicts wins within 90d",
    );
    // Before the first leads there is nothing to train on, and soon after them too little.
    for early in ["2024-06-01", "2024-07-15"] {
        let early = crm.data.as_of(day(early));
        let found = compare_recipe(&early, &older, &RecipeOptions::default());
        assert!(found.expect("no error").is_none());
    }
}

#[test]
fn a_challenge_is_decided_with_its_reason() {
    let crm = crm(3_000);
    let data = &crm.data;
    let all = train(data, &TrainOptions::default())
        .expect("a model")
        .into_model();
    let operation = OperationConfig::default();
    let options = ChallengeOptions::default();
    // The simulated world does not drift: a champion of some months ago is as good.
    let old = trained(data, "2025-02-01");
    let found = challenge(data, &old, &all, &operation, &options).expect("a decision");
    let decision = found.decision.expect("enough history");
    assert!(
        decision.is_too_old && decision.evidence.n_wins > 30,
        "{decision:?}"
    );
    assert_eq!(found.is_promotion(), decision.is_promotion());
    assert_eq!(found.refit.is_some(), decision.is_promotion());
    assert!(
        found.because().contains("later snapshots"),
        "{}",
        found.because()
    );
    let evidence = found.evidence();
    assert_eq!(evidence["compared"]["with"], "champion");
    assert!(
        evidence["decision"]["evidence"]["difference"].is_f64(),
        "{evidence}"
    );
    // With a margin that everything is within, an old champion is replaced, unless leads would
    // change their tiers.
    let wide = OperationConfig {
        margin: 0.5,
        max_churn: 1.0,
        ..OperationConfig::default()
    };
    let found = challenge(data, &old, &all, &wide, &options).expect("a decision");
    assert!(found.is_promotion(), "{}", found.because());
    assert!(found.refit.as_ref().expect("it is checked").is_sound);
    let no_churn = OperationConfig {
        max_churn: 0.0,
        ..wide.clone()
    };
    let found = challenge(data, &old, &all, &no_churn, &options).expect("a decision");
    assert!(!found.is_promotion());
    assert!(
        found.because().contains("would change their tier"),
        "{}",
        found.because()
    );
    let accepted = ChallengeOptions {
        accepts_churn: true,
        ..options
    };
    assert!(
        challenge(data, &old, &all, &no_churn, &accepted)
            .expect("a decision")
            .is_promotion()
    );
    // A model of today is no better than itself.
    let found = challenge(data, &all, &all, &wide, &options).expect("a decision");
    assert!(
        found.because().contains("no worse, and not better"),
        "{}",
        found.because()
    );
    // In the first months there is nothing to compare on.
    let early = data.as_of(day("2024-07-15"));
    let found = challenge(&early, &all, &all, &operation, &options).expect("a decision");
    assert_eq!(found.verdict, ChallengeVerdict::TooShort);
    assert!(!found.is_promotion() && found.because().contains("too little history"));
}

#[test]
fn a_challenger_of_broken_data_is_not_shipped() {
    let crm = crm(3_000);
    let old = trained(&crm.data, "2025-02-01");
    let all = train(&crm.data, &TrainOptions::default())
        .expect("a model")
        .into_model();
    // What a model would be like in whose newer data many losses are missing.
    let mut broken = all.clone();
    broken.intercept += 2.0;
    let wide = OperationConfig {
        margin: 0.5,
        max_churn: 1.0,
        ..OperationConfig::default()
    };
    let found = challenge(
        &crm.data,
        &old,
        &broken,
        &wide,
        &ChallengeOptions::default(),
    )
    .expect("a decision");
    assert_eq!(found.verdict, ChallengeVerdict::NotSound);
    assert!(
        found
            .because()
            .contains("something is wrong with newer data")
    );
}
