//! The learning curve: what fewer leads would have given, and so what more would give.

use leadscore_core::{count, counted, stable_hash};
use leadscore_inference::{Alternative, LearningCurve, LearningPoint};

use crate::encoding::Beforehand;
use crate::error::TrainError;
use crate::fitting::fit_shape;
use crate::input::TrainInput;
use crate::loss::{loss, mean};
use crate::options::SolverKind;
use crate::selection::Choice;
use crate::splits::Fold;

/// Shares of the training leads, and how many draws of each.
const SHARES: [(f64, u32); 4] = [(0.125, 3), (0.25, 3), (0.5, 3), (1.0, 1)];
/// Wins that a fit needs to be a point.
const MIN_WINS: usize = 20;
/// Wins beyond which nothing is foretold: this many times those at hand.
const FARTHEST: f64 = 100.0;

/// Fits every shape that was tried on shares of the leads of a fold, and measures all on its
/// validation rows.
pub(crate) fn learning_curve(
    input: TrainInput<'_>,
    fold: &Fold,
    known: &Beforehand,
    choice: &Choice,
    solver: SolverKind,
) -> Result<LearningCurve, TrainError> {
    let mut points = Vec::new();
    for (share, draws) in SHARES {
        let samples: Vec<Vec<usize>> = (0..draws)
            .map(|draw| sample(input, &fold.train, share, draw))
            .collect();
        let wins = |rows: &[usize]| rows.iter().filter(|&&row| input.labels[row]).count();
        let samples: Vec<Vec<usize>> = samples
            .into_iter()
            .filter(|rows| wins(rows).min(rows.len() - wins(rows)) >= MIN_WINS)
            .collect();
        if samples.is_empty() {
            continue;
        }
        let n_wins =
            samples.iter().map(|rows| wins(rows)).sum::<usize>() as f64 / samples.len() as f64;
        for &(shape, smoothing) in &choice.tried {
            let mut losses = Vec::with_capacity(samples.len());
            for rows in &samples {
                let log_odds = fit_shape(input, rows, known, shape, smoothing, solver)?
                    .log_odds(input, &fold.validation)?;
                let of_rows: Vec<f64> = fold
                    .validation
                    .iter()
                    .zip(log_odds)
                    .map(|(&row, log_odds)| loss(input.labels[row], log_odds))
                    .collect();
                losses.push(mean(&of_rows));
            }
            points.push(LearningPoint {
                shape: shape.named(),
                n_wins,
                log_loss: mean(&losses),
            });
        }
    }
    let verdict = verdict(
        &points,
        &choice.shape.named(),
        &choice
            .tried
            .iter()
            .map(|(shape, _)| shape.named())
            .collect::<Vec<_>>(),
    );
    Ok(LearningCurve { points, verdict })
}

/// About this share of the leads of some rows, all rows of a lead or none; other leads in each
/// draw.
fn sample(input: TrainInput<'_>, rows: &[usize], share: f64, draw: u32) -> Vec<usize> {
    let is_in = |row: usize| {
        (stable_hash(&format!("{draw} {}", input.clusters[row])) >> 11) as f64
            / (1_u64 << 53) as f64
            <= share
    };
    rows.iter().copied().filter(|&row| is_in(row)).collect()
}

/// `a + b / wins` through a shape's points; `None` with fewer than two.
///
/// The excess loss of a fit with `k` parameters on `n` rows is about `k / 2n` (Akaike), and wins
/// grow with rows.
fn line(points: &[LearningPoint], shape: &Alternative) -> Option<(f64, f64)> {
    let own: Vec<(f64, f64)> = points
        .iter()
        .filter(|point| point.shape == *shape)
        .map(|point| (1.0 / point.n_wins, point.log_loss))
        .collect();
    let n = own.len() as f64;
    let (x, y) = (
        own.iter().map(|point| point.0).sum::<f64>() / n,
        own.iter().map(|point| point.1).sum::<f64>() / n,
    );
    let (sxx, sxy) = own.iter().fold((0.0, 0.0), |(sxx, sxy), point| {
        (
            sxx + (point.0 - x).powi(2),
            sxy + (point.0 - x) * (point.1 - y),
        )
    });
    (own.len() >= 2).then(|| (y - sxy / sxx * x, sxy / sxx))
}

/// What more wins would change, in words.
fn verdict(points: &[LearningPoint], shipped: &Alternative, tried: &[Alternative]) -> Vec<String> {
    let most = points.iter().map(|point| point.n_wins).fold(0.0, f64::max);
    let Some((limit, slope)) = line(points, shipped) else {
        return vec![format!(
            "too few wins for a learning curve: at least {} are needed in the training part",
            2 * MIN_WINS
        )];
    };
    let mut said = Vec::new();
    let gain = slope / most / 2.0;
    said.push(if gain > 0.0005 {
        format!(
            "twice the wins ({}) would lower the log-loss of {shipped} by about {gain:.4}, and any number by {:.4}",
            count((2.0 * most).round() as u64),
            slope / most
        )
    } else {
        format!("more wins would hardly lower the log-loss of {shipped}: by less than 0.0005 for twice as many (near {limit:.4} for any number)")
    });
    // Richer shapes stand behind the one that ships.
    let richer = tried.iter().skip_while(|shape| *shape != shipped).skip(1);
    for shape in richer {
        let Some((other_limit, other_slope)) = line(points, shape) else {
            continue;
        };
        let wins = (other_slope - slope) / (limit - other_limit);
        said.push(if other_limit >= limit {
            format!("{shape}: no number of wins is known to improve them")
        } else if wins <= most {
            format!("{shape}: already as good on this measure, but not better by more than chance on the folds")
        } else if wins <= FARTHEST * most {
            format!("{shape} would be better from about {} on, {:.1} times those at hand", counted(wins.round() as u64, "win"), wins / most)
        } else {
            format!("{shape} would need more than {FARTHEST:.0} times the wins at hand")
        });
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(shape: &Alternative, loss: impl Fn(f64) -> f64) -> Vec<LearningPoint> {
        [100.0, 200.0, 400.0, 800.0]
            .into_iter()
            .map(|n_wins| LearningPoint {
                shape: shape.clone(),
                n_wins,
                log_loss: loss(n_wins),
            })
            .collect()
    }

    #[test]
    fn the_crossing_is_where_the_lines_meet() {
        let [lines, curves] = ["lines", "curves"].map(|words| Alternative::Other(words.to_owned()));
        let mut all = points(&lines, |wins| 0.4 + 2.0 / wins);
        all.extend(points(&curves, |wins| 0.39 + 22.0 / wins));
        let (limit, slope) = line(&all, &lines).expect("four points");
        assert!((limit - 0.4).abs() < 1e-12 && (slope - 2.0).abs() < 1e-9);
        let said = verdict(&all, &lines, &[lines.clone(), curves]);
        assert_eq!(
            said,
            [
                "twice the wins (1,600) would lower the log-loss of lines by about 0.0013, and any number by 0.0025",
                "curves would be better from about 2,000 wins on, 2.5 times those at hand"
            ]
        );
    }
}
