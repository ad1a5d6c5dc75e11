//! Which grade or threshold points reach, and how many leads reach each.

use leadscore_rules::{Grade, PointsScore};

use super::bench::{Bench, Scheme};

/// Open leads, and for each file how many of them reach each threshold.
#[derive(Default)]
pub(super) struct Reached {
    pub(super) n_open: usize,
    pub(super) of_thresholds: Vec<Vec<usize>>,
}

impl Reached {
    /// Those of these points.
    pub(super) fn of(bench: &Bench<'_>, scores: &[Vec<PointsScore>]) -> Self {
        let count = |(scheme, scores): (&Scheme, &Vec<PointsScore>)| {
            let reach = |threshold: Grade| {
                scores
                    .iter()
                    .filter(|score| {
                        score.points >= threshold.from && score.disqualified_by.is_none()
                    })
                    .count()
            };
            scheme
                .rules
                .file()
                .thresholds()
                .into_iter()
                .map(reach)
                .collect()
        };
        Self {
            n_open: scores.first().map_or(0, Vec::len),
            of_thresholds: bench.schemes.iter().zip(scores).map(count).collect(),
        }
    }

    /// Adds those of other leads.
    pub(super) fn add(&mut self, other: Self) {
        self.n_open += other.n_open;
        if self.of_thresholds.is_empty() {
            self.of_thresholds = other.of_thresholds;
            return;
        }
        for (own, other) in self
            .of_thresholds
            .iter_mut()
            .flatten()
            .zip(other.of_thresholds.into_iter().flatten())
        {
            *own += other;
        }
    }
}

/// The first of these, highest first, that the points reach.
pub(super) fn reached(grades: &[Grade], points: f64) -> Option<String> {
    grades
        .iter()
        .find(|grade| points >= grade.from)
        .map(|grade| grade.name.clone())
}
