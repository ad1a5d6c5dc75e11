//! What no example can say: ranking ignores monotone rescaling, row order never matters, ties are
//! never broken.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use leadscore_metrics::{
    Ranking, average_precision, brier_loss, calibration_table, log_loss, roc_auc,
};
use proptest::prelude::*;

/// Labels of both classes with probabilities of few different values, so that there are ties.
fn rows() -> impl Strategy<Value = Vec<(bool, f64)>> {
    prop::collection::vec(
        (
            any::<bool>(),
            (0..=20_u8).prop_map(|step| f64::from(step) / 20.0),
        ),
        2..80,
    )
    .prop_map(|mut rows| {
        rows[0].0 = true;
        rows[1].0 = false;
        rows
    })
}

fn split(rows: &[(bool, f64)]) -> (Vec<bool>, Vec<f64>) {
    rows.iter().copied().unzip()
}

/// The definition of the AUC, pair by pair.
fn auc_by_pairs(labels: &[bool], scores: &[f64]) -> f64 {
    let (mut wins, mut pairs) = (0.0, 0.0);
    for won in (0..labels.len()).filter(|&row| labels[row]) {
        for lost in (0..labels.len()).filter(|&row| !labels[row]) {
            pairs += 1.0;
            wins += if scores[won] > scores[lost] {
                1.0
            } else if scores[won] == scores[lost] {
                0.5
            } else {
                0.0
            };
        }
    }
    wins / pairs
}

proptest! {
    #[test]
    fn the_auc_is_what_it_is_defined_to_be(rows in rows()) {
        let (labels, scores) = split(&rows);
        prop_assert!((roc_auc(&labels, &scores).unwrap() - auc_by_pairs(&labels, &scores)).abs() < 1e-12);
    }

    #[test]
    fn ranking_ignores_monotone_rescaling(rows in rows()) {
        let (labels, scores) = split(&rows);
        let rescaled: Vec<f64> = scores.iter().map(|score| (3.0 * score).exp() - 40.0).collect();
        prop_assert_eq!(roc_auc(&labels, &scores), roc_auc(&labels, &rescaled));
        prop_assert_eq!(average_precision(&labels, &scores), average_precision(&labels, &rescaled));
        let reversed: Vec<f64> = scores.iter().map(|score| -score).collect();
        prop_assert!((roc_auc(&labels, &scores).unwrap() + roc_auc(&labels, &reversed).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn row_order_never_matters(rows in rows(), turn in 0..80_usize) {
        let (labels, scores) = split(&rows);
        let mut turned = rows.clone();
        turned.rotate_left(turn % rows.len());
        let (turned_labels, turned_scores) = split(&turned);
        prop_assert_eq!(roc_auc(&labels, &scores), roc_auc(&turned_labels, &turned_scores));
        prop_assert_eq!(calibration_table(&labels, &scores, 10).unwrap(), calibration_table(&turned_labels, &turned_scores, 10).unwrap());
        // Sums in another order.
        prop_assert!((log_loss(&labels, &scores).unwrap() - log_loss(&turned_labels, &turned_scores).unwrap()).abs() < 1e-9);
        prop_assert!((brier_loss(&labels, &scores).unwrap() - brier_loss(&turned_labels, &turned_scores).unwrap()).abs() < 1e-12);
    }

    #[test]
    fn gains_rise_from_nothing_to_everything(rows in rows()) {
        let (labels, scores) = split(&rows);
        let ranking = Ranking::new(&scores).unwrap();
        let gains = ranking.gains(&labels, 100);
        prop_assert_eq!(gains.len(), 101);
        prop_assert!(gains.windows(2).all(|pair| pair[0].share_of_wins <= pair[1].share_of_wins + 1e-12));
        prop_assert!((gains[100].share_of_wins - 1.0).abs() < 1e-12);
        prop_assert!((leadscore_metrics::called_share(&ranking, &vec![0; labels.len()], &[0.25 * labels.len() as f64]).iter().zip(&labels).filter(|(_, label)| **label).map(|(share, _)| share).sum::<f64>() / labels.iter().filter(|label| **label).count() as f64 - gains[25].share_of_wins).abs() < 1e-12);
        let lift: f64 = ranking.deciles(&labels).iter().map(|row| row.lift).sum();
        prop_assert!((lift - 10.0).abs() < 1e-9);
    }

    #[test]
    fn calibration_bins_hold_every_row_once(rows in rows()) {
        let (labels, scores) = split(&rows);
        let bins = calibration_table(&labels, &scores, 10).unwrap();
        prop_assert_eq!(bins.iter().map(|bin| bin.n_rows).sum::<usize>(), labels.len());
        prop_assert_eq!(bins.iter().map(|bin| bin.n_wins).sum::<usize>(), labels.iter().filter(|label| **label).count());
    }
}
