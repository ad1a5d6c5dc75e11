//! Snapshots whose windows have not ended, on worlds whose truth is known: what they bring where
//! the level fell of late, what they cost where nothing did, and whether intervals hold.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{number, uniform_from};
use leadscore_core::{
    FeatureMatrix, Snapshot, Span, Timestamp, log_odds_to_probability, stable_hash,
};
use leadscore_inference::score;
use leadscore_training::{
    HalfLife, ModelKind, SolverKind, TrainContext, TrainError, TrainInput, TrainOptions, Trained,
    Unripe, train,
};

const N_ROWS: u32 = 9_000;
const N_DAYS: u32 = 720;
const HORIZON: u32 = 91;

struct World {
    ripe: FeatureMatrix,
    late: FeatureMatrix,
    labels: Vec<bool>,
    days_to_win: Vec<f64>,
    late_days_to_win: Vec<f64>,
    /// True chances of the late snapshots as of today.
    truth: Vec<f64>,
}

/// A lead a snapshot; log-odds of a win within the horizon are a line of `x`, lower by `fall` for
/// those of the last 60 days. A win comes after 1 to 91 days, soon more often than late.
fn world(seed: u64, fall: f64) -> World {
    let mut uniform = uniform_from(seed);
    let mut sides = [
        (Vec::new(), Vec::new(), Vec::new()),
        (Vec::new(), Vec::new(), Vec::new()),
    ];
    let (mut labels, mut truth) = (Vec::new(), Vec::new());
    for lead in 0..N_ROWS {
        let day = lead * N_DAYS / N_ROWS;
        let x = uniform() * 4.0 - 2.0;
        let chance = log_odds_to_probability(-1.0 + x - if day + 60 > N_DAYS { fall } else { 0.0 });
        let is_won = uniform() < chance;
        let won_after = 1.0 + 90.0 * uniform().powi(2);
        let is_late = day + HORIZON > N_DAYS;
        // What happens after the last day is not known.
        let is_known = is_won && f64::from(day) + won_after < f64::from(N_DAYS);
        let side = &mut sides[usize::from(is_late)];
        side.0.push(x);
        side.1.push(Snapshot {
            lead,
            at: Timestamp::from_micros(0) + Span::from_days(day),
        });
        side.2
            .push(if is_known { won_after } else { f64::INFINITY });
        if is_late {
            truth.push(log_odds_to_probability(-1.0 + x - fall));
        } else {
            labels.push(is_won);
        }
    }
    let [
        (x, keys, days_to_win),
        (late_x, late_keys, late_days_to_win),
    ] = sides;
    let matrix = |keys, x| FeatureMatrix::new(keys, vec![number("x", x)]).expect("finite columns");
    World {
        ripe: matrix(keys, x),
        late: matrix(late_keys, late_x),
        labels,
        days_to_win,
        late_days_to_win,
        truth,
    }
}

fn trained(world: &World, is_weekly: bool, options: &TrainOptions) -> Result<Trained, TrainError> {
    let keys = |matrix: &FeatureMatrix| {
        matrix
            .keys()
            .iter()
            .map(|key| stable_hash(&key.lead.to_string()))
            .collect::<Vec<u64>>()
    };
    let (clusters, late_clusters) = (keys(&world.ripe), keys(&world.late));
    let unripe = Unripe {
        matrix: &world.late,
        clusters: &late_clusters,
        days_to_win: &world.late_days_to_win,
        ripe_days_to_win: &world.days_to_win,
        training_cutoff: Timestamp::from_micros(0) + Span::from_days(N_DAYS),
    };
    let input = TrainInput {
        matrix: &world.ripe,
        labels: &world.labels,
        lead_keys: &clusters,
        clusters: &clusters,
        horizon: Some(Span::from_days(HORIZON)),
        weights: None,
        unripe: is_weekly.then_some(unripe),
    };
    let context = TrainContext {
        tool_version: String::new(),
        training_cutoff: Timestamp::MAX,
        write_time: |at| at.to_string(),
        ages: None,
        limitations: Vec::new(),
    };
    train(input, options, &context)
}

/// Kullback-Leibler divergence of the likelihoods of late snapshots from the truth, and the share
/// of the truths within their intervals.
fn off(world: &World, trained: &Trained) -> (f64, f64) {
    let scored = score(&trained.model, &world.late).expect("its own columns");
    let n = world.truth.len() as f64;
    let divergence = |(truth, p): (&f64, &f64)| {
        truth * (truth / p).ln() + (1.0 - truth) * ((1.0 - truth) / (1.0 - p)).ln()
    };
    let covers = |(row, truth): (usize, &f64)| {
        let error = trained
            .model
            .log_odds_error(&world.late, row)
            .expect("a covariance");
        f64::from(u8::from(
            (scored.log_odds[row] - (truth / (1.0 - truth)).ln()).abs() <= 1.96 * error,
        ))
    };
    let covered: f64 = world.truth.iter().enumerate().map(covers).sum();
    (
        world
            .truth
            .iter()
            .zip(&scored.probabilities)
            .map(divergence)
            .sum::<f64>()
            / n,
        covered / n,
    )
}

#[test]
fn a_level_that_fell_of_late_is_learned_and_nothing_is_lost_where_it_did_not() {
    let mean = |fall: f64, is_weekly: bool, half_life: HalfLife| {
        let options = TrainOptions {
            kind: ModelKind::Linear,
            half_life,
            ..Default::default()
        };
        let of_seed = |seed: u64| {
            let world = world(seed, fall);
            off(
                &world,
                &trained(&world, is_weekly, &options).expect("trains"),
            )
        };
        let found: Vec<(f64, f64)> = (1..=120).map(of_seed).collect();
        (
            found.iter().map(|found| found.0).sum::<f64>() / 120.0,
            found.iter().map(|found| found.1).sum::<f64>() / 120.0,
        )
    };
    let quarter = HalfLife::Given(Span::from_days(91));
    let ((fell, _), (fell_unseen, _)) = (
        mean(1.0, true, HalfLife::Never),
        mean(1.0, false, HalfLife::Never),
    );
    assert!(fell < 0.95 * fell_unseen, "{fell} against {fell_unseen}");
    let ((fell, _), (fell_unseen, _)) = (mean(1.0, true, quarter), mean(1.0, false, quarter));
    assert!(
        fell < 0.75 * fell_unseen,
        "with a half-life, {fell} against {fell_unseen}"
    );
    let ((quiet, covered), (quiet_without, _)) = (
        mean(0.0, true, HalfLife::Never),
        mean(0.0, false, HalfLife::Never),
    );
    assert!(
        quiet < quiet_without + 0.0002,
        "{quiet} against {quiet_without}"
    );
    assert!((0.92..=0.98).contains(&covered), "{covered}");
}

#[test]
fn what_is_known_of_later_snapshots_is_said_and_refused_by_linfa() {
    let world = world(3, 0.0);
    let found = trained(&world, true, &TrainOptions::default()).expect("trains");
    assert!(
        found
            .model
            .card
            .fit
            .contains("snapshots whose windows had not ended among them"),
        "{}",
        found.model.card.fit
    );
    assert_eq!(
        found.model.card.n_snapshots,
        world.labels.len(),
        "counts are of those that ended"
    );
    let refused = trained(
        &world,
        true,
        &TrainOptions {
            kind: ModelKind::Linear,
            solver: SolverKind::Linfa,
            ..Default::default()
        },
    );
    assert!(
        refused
            .expect_err("no offsets")
            .to_string()
            .contains("linfa-logistic knows no weights of rows")
    );
}
