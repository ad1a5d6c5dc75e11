//! How often to retrain: the past replayed, with models fitted at several cadences on what was
//! known at the time.

use std::collections::BTreeMap;

use leadscore_core::{Snapshot, Timestamp, counted};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_inference::score;
use leadscore_metrics::{Clusters, SegmentInput, log_loss_rows, paired_difference, segment_rows};
use leadscore_report::{Backtest, Cadence};

use crate::data::{Data, label_and_compute};
use crate::error::{Context, bail};
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

/// So many days after a moment.
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
        bail!("--backtest retrains as time goes on, and undated data has none");
    }
    let first = snapshots[0].at;
    let fitted: Vec<Fitted> = RHYTHMS
        .iter()
        .map(|rhythm| Fitted::of(rhythm, snapshots))
        .collect();
    let replay = Replay {
        snapshots,
        labels,
        cluster_keys,
        by_rhythm: replayed(data, snapshots, &fitted)?,
    };
    let (months, names) = numbered(snapshots.iter().map(|key| month_of(key.at)));
    let losses = replay.losses()?;
    let cadences = replay.cadences(&fitted, &losses, (&months, &names))?;
    let enough = replay.rarest_enough(&losses);
    let verdict = if enough == 0 {
        format!(
            "Over {} no cadence is better than a model that was fitted once, on {first}, beyond chance: retrain when the percentages move, not by the calendar.",
            counted(names.len(), "month")
        )
    } else {
        let (mean, low, high) = cadences[enough].difference;
        format!(
            "Retraining {} pays: over {} its log-loss is {mean:+.4} ({low:+.4} to {high:+.4}) against never, and no more frequent cadence is better beyond chance.",
            RHYTHMS[enough].name,
            counted(names.len(), "month")
        )
    };
    Ok(Backtest { cadences, verdict })
}

/// Models that a rhythm fits over the time of the snapshots.
struct Fitted {
    /// When the model of each snapshot was fitted.
    of_snapshot: Vec<Timestamp>,
    n_models: usize,
}

impl Fitted {
    /// Those that a rhythm fits, from the first snapshot to the last.
    fn of(rhythm: &Rhythm, snapshots: &[Snapshot]) -> Self {
        let (first, last) = (snapshots[0].at, snapshots[snapshots.len() - 1].at);
        let cuts: Vec<Timestamp> = std::iter::successors(Some(first), |at| (rhythm.next)(*at))
            .take_while(|at| *at <= last)
            .collect();
        let of_snapshot = snapshots
            .iter()
            .map(|key| cuts[cuts.partition_point(|cut| *cut <= key.at) - 1])
            .collect();
        Self {
            of_snapshot,
            n_models: cuts.len(),
        }
    }
}

/// For each rhythm, what its models say of each snapshot.
fn replayed(
    data: &Data,
    snapshots: &[Snapshot],
    fitted: &[Fitted],
) -> crate::Result<Vec<Vec<f64>>> {
    // Each model once, whatever the rhythms that use it, and the snapshots that any of them scores
    // by it.
    let mut rows_of_cut: BTreeMap<Timestamp, Vec<usize>> = BTreeMap::new();
    for models in fitted {
        for (row, cut) in models.of_snapshot.iter().enumerate() {
            rows_of_cut.entry(*cut).or_default().push(row);
        }
    }
    // Attributes are today's values, and are judged by what is known today.
    let today = data.quiet().load(&LoadOptions::default())?;
    let mut predicted: BTreeMap<(Timestamp, usize), f64> = BTreeMap::new();
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
        predicted.extend(
            rows.into_iter()
                .zip(probabilities)
                .map(|(row, p)| ((cut, row), p)),
        );
    }
    let by_rhythm = |models: &Fitted| {
        let cuts = models.of_snapshot.iter().enumerate();
        cuts.map(|(row, cut)| predicted[&(*cut, row)]).collect()
    };
    Ok(fitted.iter().map(by_rhythm).collect())
}

/// Snapshots with what the models of each rhythm say of them.
struct Replay<'a> {
    snapshots: &'a [Snapshot],
    labels: &'a [bool],
    cluster_keys: &'a [u64],
    by_rhythm: Vec<Vec<f64>>,
}

impl Replay<'_> {
    /// For each rhythm, the log-loss of each snapshot.
    fn losses(&self) -> crate::Result<Vec<Vec<f64>>> {
        Ok(self
            .by_rhythm
            .iter()
            .map(|predicted| log_loss_rows(self.labels, predicted))
            .collect::<Result<Vec<_>, _>>()?)
    }

    /// The figures of each rhythm, in all and month by month, against the rarest.
    fn cadences(
        &self,
        fitted: &[Fitted],
        losses: &[Vec<f64>],
        (months, names): (&[u32], &[String]),
    ) -> crate::Result<Vec<Cadence>> {
        let clusters = Clusters::new(self.cluster_keys);
        let all = vec![0; self.snapshots.len()];
        let cadence = |(idx, predicted): (usize, &Vec<f64>)| {
            let scores = [predicted.as_slice()];
            let input = |part_of_row, names| SegmentInput {
                labels: self.labels,
                probabilities: predicted,
                scores: &scores,
                clusters: &clusters,
                part_of_row,
                names,
            };
            let difference = paired_difference(&losses[idx], &losses[0], self.cluster_keys);
            Ok(Cadence {
                name: RHYTHMS[idx].name.to_owned(),
                n_models: fitted[idx].n_models,
                all: segment_rows(input(&all, &[String::from("all")]))?.remove(0),
                log_loss: mean(&losses[idx]),
                difference: (
                    difference.mean,
                    difference.mean - 1.96 * difference.error,
                    difference.mean + 1.96 * difference.error,
                ),
                months: segment_rows(input(months, names))?,
            })
        };
        self.by_rhythm.iter().enumerate().map(cadence).collect()
    }

    /// The rarest rhythm that is not worse than the best beyond chance.
    fn rarest_enough(&self, losses: &[Vec<f64>]) -> usize {
        let best = (0..losses.len())
            .min_by(|&a, &b| mean(&losses[a]).total_cmp(&mean(&losses[b])))
            .expect("there are four");
        (0..losses.len())
            .find(|&idx| {
                let difference = paired_difference(&losses[idx], &losses[best], self.cluster_keys);
                difference.mean - 1.96 * difference.error <= 0.0
            })
            .expect("the best is not worse than itself")
    }
}

/// The mean over all snapshots.
fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / losses.len() as f64
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
