//! How often to retrain: the past replayed, with models fitted at several cadences on what was
//! known at the time.

use std::collections::BTreeMap;

use crate::error::{Context, bail};
use leadscore_core::{Snapshot, Timestamp};
use leadscore_inference::score;
use leadscore_metrics::{Clusters, SegmentInput, log_loss_rows, paired_difference, segment_rows};
use leadscore_report::{Backtest, Cadence};
use leadscore_tables::{LoadOptions, Tables};

use crate::data::{Data, label_and_compute};
use crate::evaluation::{month_of, numbered};
use crate::train::{TrainOptions, final_leaks, fit};

/// How often a model is fitted, and after how many days or months.
struct Rhythm {
    name: &'static str,
    next: fn(Timestamp) -> Option<Timestamp>,
}

/// Rarest first.
const RHYTHMS: [Rhythm; 4] = [
    Rhythm {
        name: "never",
        next: |_| None,
    },
    Rhythm {
        name: "every quarter",
        next: |at| Some(later(at, 91)),
    },
    Rhythm {
        name: "every month",
        next: |at| Some(later(at, 30)),
    },
    Rhythm {
        name: "every two weeks",
        next: |at| Some(later(at, 14)),
    },
];

fn later(at: Timestamp, days: i64) -> Timestamp {
    Timestamp::from_micros(at.micros() + days * 86_400_000_000)
}

/// Scores these snapshots by models that know what was known when each was fitted; the first is
/// fitted at the first snapshot.
pub(crate) fn backtest(
    data: &Data,
    snapshots: &[Snapshot],
    labels: &[bool],
    cluster_keys: &[u64],
) -> crate::Result<Backtest> {
    if data.config.is_flat() {
        bail!("--backtest retrains as time goes on, and a flat export has no dates");
    }
    let (first, last) = (snapshots[0].at, snapshots[snapshots.len() - 1].at);
    // For each rhythm, when each snapshot's model was fitted.
    let fitted: Vec<(Vec<Timestamp>, usize)> = RHYTHMS
        .iter()
        .map(|rhythm| {
            let cuts: Vec<Timestamp> = std::iter::successors(Some(first), |at| (rhythm.next)(*at))
                .take_while(|at| *at <= last)
                .collect();
            let of_snapshot = snapshots
                .iter()
                .map(|key| cuts[cuts.partition_point(|cut| *cut <= key.at) - 1])
                .collect();
            (of_snapshot, cuts.len())
        })
        .collect();
    // Each model once, whatever the rhythms that use it, and the snapshots that any of them scores
    // by it.
    let mut rows_of_cut: BTreeMap<Timestamp, Vec<usize>> = BTreeMap::new();
    for (cuts, _) in &fitted {
        for (row, cut) in cuts.iter().enumerate() {
            rows_of_cut.entry(*cut).or_default().push(row);
        }
    }
    // Attributes are today's values, and are judged by what is known today.
    let today = data.quiet().load(&LoadOptions::default())?;
    let mut said: BTreeMap<(Timestamp, usize), f64> = BTreeMap::new();
    let n_models = rows_of_cut.len();
    for (number, (cut, mut rows)) in rows_of_cut.into_iter().enumerate() {
        let _stage = data.stage(
            &format!("backtest: model {} of {n_models}, as of {cut}", number + 1),
            1,
        )?;
        rows.sort_unstable();
        rows.dedup();
        let keys: Vec<Snapshot> = rows.iter().map(|&row| snapshots[row]).collect();
        let probabilities = score_as_of(&data.quiet(), &today, cut, &keys)
            .with_context(|| format!("cannot retrain as of {cut}"))?;
        said.extend(
            rows.into_iter()
                .zip(probabilities)
                .map(|(row, p)| ((cut, row), p)),
        );
    }
    let clusters = Clusters::new(cluster_keys);
    let (months, names) = numbered(snapshots.iter().map(|key| month_of(key.at)));
    let all = vec![0; snapshots.len()];
    let by_rhythm: Vec<Vec<f64>> = fitted
        .iter()
        .map(|(cuts, _)| {
            cuts.iter()
                .enumerate()
                .map(|(row, cut)| said[&(*cut, row)])
                .collect()
        })
        .collect();
    let losses = by_rhythm
        .iter()
        .map(|said| log_loss_rows(labels, said))
        .collect::<Result<Vec<_>, _>>()?;
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let cadences = RHYTHMS
        .iter()
        .zip(&by_rhythm)
        .enumerate()
        .map(|(idx, (rhythm, said))| {
            let scores = [said.as_slice()];
            let input = |part_of_row, names| SegmentInput {
                labels,
                probabilities: said,
                scores: &scores,
                clusters: &clusters,
                part_of_row,
                names,
            };
            let difference = paired_difference(&losses[idx], &losses[0], cluster_keys);
            Ok(Cadence {
                name: rhythm.name.to_owned(),
                n_models: fitted[idx].1,
                all: segment_rows(input(&all, &[String::from("all")]))?.remove(0),
                log_loss: mean(&losses[idx]),
                difference: (
                    difference.mean,
                    difference.mean - 1.96 * difference.error,
                    difference.mean + 1.96 * difference.error,
                ),
                months: segment_rows(input(&months, &names))?,
            })
        })
        .collect::<crate::Result<Vec<Cadence>>>()?;
    let best = (0..losses.len())
        .min_by(|&a, &b| mean(&losses[a]).total_cmp(&mean(&losses[b])))
        .expect("there are four");
    // The rarest that is not worse than the best beyond chance.
    let enough = (0..losses.len())
        .find(|&idx| {
            let difference = paired_difference(&losses[idx], &losses[best], cluster_keys);
            difference.mean - 1.96 * difference.error <= 0.0
        })
        .expect("the best is not worse than itself");
    let verdict = if enough == 0 {
        format!(
            "Over {} months no cadence is better than a model that was fitted once, on {first}, beyond chance: retrain when the percentages move, not by the calendar.",
            names.len()
        )
    } else {
        let (mean, low, high) = cadences[enough].difference;
        format!(
            "Retraining {} pays: over {} months its log-loss is {mean:+.4} ({low:+.4} to {high:+.4}) against never, and no more frequent cadence is better beyond chance.",
            RHYTHMS[enough].name,
            names.len()
        )
    };
    Ok(Backtest { cadences, verdict })
}

/// What a model fitted on what was known then says of these snapshots.
fn score_as_of(
    data: &Data,
    today: &Tables,
    cut: Timestamp,
    snapshots: &[Snapshot],
) -> crate::Result<Vec<f64>> {
    let past = data.as_of(cut);
    let tables = past.load(&LoadOptions::default())?;
    let (labelled, _) = label_and_compute(&past, &tables)?;
    let proven = final_leaks(&past, today, labelled.matrix.specs())?;
    let options = TrainOptions::default();
    let trained = fit(&past, &tables, &labelled, proven, &options, None)?;
    let tables = data.load_for(&trained.model)?;
    Ok(score(
        &trained.model,
        &data.features_of(&tables, &trained.model.specs, snapshots)?,
    )?
    .probabilities)
}
