//! Everything that the figures of scores and paired comparisons are read from.

use crate::bootstrap::{BootstrapOptions, ClusterSums, Estimate};
use crate::capacity::{called_share, customers};
use crate::delong::{RocAucs, roc_aucs};
use crate::error::MetricError;
use crate::proper::{brier_of_row, log_loss_of_row};
use crate::ranking::Ranking;

use super::figures::{Figures, PairedFigure, ScoreFigure};
use super::input::ComparisonInput;
use super::layout::{Layout, PartSum, ScoreSum, SwapPart};

/// Scores that are ranked, and their sums with what chance does to them.
pub(super) struct Measured<'a> {
    /// What is compared.
    pub(super) input: ComparisonInput<'a>,
    /// The rows as each score ranks them.
    pub(super) rankings: Vec<Ranking>,
    /// Areas under the ROC curves.
    pub(super) aucs: RocAucs,
    layout: Layout,
    totals: Vec<f64>,
    estimates: Figures<Estimate>,
}

impl<'a> Measured<'a> {
    /// Ranks the rows, sums by cluster and resamples the sums.
    ///
    /// # Errors
    ///
    /// [`MetricError`] where a score is not finite or there is only one label.
    pub(super) fn new(
        input: ComparisonInput<'a>,
        options: BootstrapOptions,
    ) -> Result<Self, MetricError> {
        let rankings = input
            .scores
            .iter()
            .map(|score| Ranking::new(score.values))
            .collect::<Result<Vec<_>, _>>()?;
        let aucs = roc_aucs(input.labels, &rankings, input.clusters)?;
        let layout = Layout::new(&rankings);
        let sums = cluster_sums(&input, &Reached::new(&input, &rankings), &layout);
        let estimates = sums.intervals(options, |sums| Figures::of_sums(&layout, sums).into_list());
        Ok(Self {
            totals: sums.totals(),
            estimates: Figures::from_list(layout.n_scores(), estimates),
            input,
            rankings,
            aucs,
            layout,
        })
    }

    /// A sum of a score over all rows.
    pub(super) fn score_sum(&self, score: usize, sum: ScoreSum) -> f64 {
        self.totals[self.layout.of_score(score, sum)]
    }

    /// A sum over a part of the rows in the comparison of the first score with another one.
    pub(super) fn part_sum(&self, other: usize, part: SwapPart, sum: PartSum) -> f64 {
        self.totals[self.layout.of_part(other, part, sum)]
    }

    /// A figure of a score, which both labels and at least one row define.
    pub(super) fn score_figure(&self, score: usize, figure: ScoreFigure) -> Estimate {
        self.estimates
            .of_score(score, figure)
            .expect("there are rows, of both labels")
    }

    /// A figure of a paired comparison, which both labels and at least one row define.
    pub(super) fn paired_figure(&self, other: usize, figure: PairedFigure) -> Estimate {
        self.estimates
            .of_pair(other, figure)
            .expect("there are rows, of both labels")
    }

    /// The share won of a part of the rows; `None` where it has no rows.
    pub(super) fn win_rate(&self, other: usize, part: SwapPart) -> Option<Estimate> {
        self.estimates.of_pair(other, PairedFigure::rate_of(part))
    }

    /// Difference of the shares won of the rows that only one of the two calls; `None` where one of
    /// them calls none of its own.
    pub(super) fn rate_difference(&self, other: usize) -> Option<Estimate> {
        self.estimates.of_pair(other, PairedFigure::RateDifference)
    }

    /// A number of all months a month; `None` where rows have no dates.
    pub(super) fn a_month(&self, estimate: Estimate) -> Option<Estimate> {
        self.input.calls.months.map(|months| Estimate {
            value: estimate.value / months,
            low: estimate.low / months,
            high: estimate.high / months,
        })
    }
}

/// Whom the calls reach by each score.
struct Reached {
    /// The chance that each row is called, score by score.
    called: Vec<Vec<f64>>,
    /// The chance that its lead becomes a customer, which counts once a lead.
    customers: Vec<Vec<f64>>,
}

impl Reached {
    fn new(input: &ComparisonInput<'_>, rankings: &[Ranking]) -> Self {
        let calls = input.calls;
        let called: Vec<Vec<f64>> = rankings
            .iter()
            .map(|ranking| called_share(ranking, calls.period_of_row, calls.of_period))
            .collect();
        let customers = called
            .iter()
            .map(|called| customers(input.labels, input.leads, called))
            .collect();
        Self { called, customers }
    }
}

/// The sums of every column by cluster.
fn cluster_sums(input: &ComparisonInput<'_>, reached: &Reached, layout: &Layout) -> ClusterSums {
    ClusterSums::new(
        input.clusters,
        layout.n_columns(),
        |row, add| {
            for score in 0..layout.n_scores() {
                add_to_score(input, reached, layout, score, row, add);
            }
            for other in 1..layout.n_scores() {
                add_to_parts(input, reached, layout, other, row, add);
            }
            add(layout.rows(), 1.0);
        },
        |_, _| (),
    )
}

/// Adds a row to the sums of a score.
fn add_to_score(
    input: &ComparisonInput<'_>,
    reached: &Reached,
    layout: &Layout,
    score: usize,
    row: usize,
    add: &mut dyn FnMut(usize, f64),
) {
    let (label, probability) = (input.labels[row], input.scores[score].probabilities[row]);
    let (called, customers) = (reached.called[score][row], reached.customers[score][row]);
    add(layout.bins_of(score).of_row(row, label), 1.0);
    let mut add = |sum: ScoreSum, value: f64| add(layout.of_score(score, sum), value);
    if called > 0.0 {
        add(ScoreSum::Called, called);
        add(ScoreSum::WonOfCalled, called * f64::from(u8::from(label)));
    }
    if customers > 0.0 {
        add(ScoreSum::Customers, customers);
    }
    add(ScoreSum::LogLoss, log_loss_of_row(label, probability));
    add(ScoreSum::BrierLoss, brier_of_row(label, probability));
}

/// Adds a row to the parts of a paired comparison: where a score calls it with some chance only, it is partly
/// in several of them.
fn add_to_parts(
    input: &ComparisonInput<'_>,
    reached: &Reached,
    layout: &Layout,
    other: usize,
    row: usize,
    add: &mut dyn FnMut(usize, f64),
) {
    let won = f64::from(u8::from(input.labels[row]));
    let (by_first, by_other) = (reached.called[0][row], reached.called[other][row]);
    for part in SwapPart::ALL {
        let share = match part {
            SwapPart::OnlyFirst => by_first * (1.0 - by_other),
            SwapPart::OnlyOther => (1.0 - by_first) * by_other,
            SwapPart::Both => by_first * by_other,
            SwapPart::Neither => (1.0 - by_first) * (1.0 - by_other),
        };
        if share > 0.0 {
            add(layout.of_part(other, part, PartSum::Rows), share);
            add(layout.of_part(other, part, PartSum::Wins), share * won);
        }
    }
}
