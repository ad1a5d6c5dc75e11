//! What a comparison computes of its sums, by name: the bootstrap takes and returns one flat list.

use super::layout::{Layout, PartSum, ScoreSum, SwapPart};

/// What is computed for each score.
#[derive(Debug, Clone, Copy)]
pub(super) enum ScoreFigure {
    /// Average precision of the bins.
    AveragePrecision,
    /// Share of all wins in the best quarter of the bins' rows.
    Capture,
    /// AUC of the bins.
    Auc,
    /// Share won of the called.
    Precision,
    /// Customers found with the calls.
    Customers,
    /// Mean log-loss.
    LogLoss,
    /// Mean Brier loss.
    BrierLoss,
}

impl ScoreFigure {
    const COUNT: usize = Self::BrierLoss as usize + 1;
}

/// What is computed for each comparison of the first score with another one.
#[derive(Debug, Clone, Copy)]
pub(super) enum PairedFigure {
    /// Difference of AUCs of the bins.
    Auc,
    /// Difference of captures.
    Capture,
    /// Difference of precisions.
    Precision,
    /// Difference of customers.
    Customers,
    /// Difference of log-losses.
    LogLoss,
    /// Share won of the rows that only the first one calls.
    RateOfOnlyFirst,
    /// Share won of the rows that only the other one calls.
    RateOfOnlyOther,
    /// Share won of the rows that both call.
    RateOfBoth,
    /// Share won of the rows that neither calls.
    RateOfNeither,
    /// Difference of the shares won of the rows that only one of the two calls.
    RateDifference,
}

impl PairedFigure {
    const COUNT: usize = Self::RateDifference as usize + 1;

    /// The figures that are the first score's less the other's.
    const DIFFERENCES: [(Self, ScoreFigure); 5] = [
        (Self::Auc, ScoreFigure::Auc),
        (Self::Capture, ScoreFigure::Capture),
        (Self::Precision, ScoreFigure::Precision),
        (Self::Customers, ScoreFigure::Customers),
        (Self::LogLoss, ScoreFigure::LogLoss),
    ];

    /// The share won of a part of the rows.
    pub(super) fn rate_of(part: SwapPart) -> Self {
        match part {
            SwapPart::OnlyFirst => Self::RateOfOnlyFirst,
            SwapPart::OnlyOther => Self::RateOfOnlyOther,
            SwapPart::Both => Self::RateOfBoth,
            SwapPart::Neither => Self::RateOfNeither,
        }
    }
}

/// One number, or one estimate, for each figure of each score and of each paired comparison.
pub(super) struct Figures<T> {
    n_scores: usize,
    all: Vec<Option<T>>,
}

impl<T: Copy> Figures<T> {
    /// Figures from the list of all, in the order of [`Figures::into_list`].
    pub(super) fn from_list(n_scores: usize, all: Vec<Option<T>>) -> Self {
        Self { n_scores, all }
    }

    /// All figures, those of the scores first.
    pub(super) fn into_list(self) -> Vec<Option<T>> {
        self.all
    }

    /// A figure of a score.
    pub(super) fn of_score(&self, score: usize, figure: ScoreFigure) -> Option<T> {
        self.all[Self::place_of_score(score, figure)]
    }

    /// A figure of the comparison of the first score with another one.
    pub(super) fn of_pair(&self, other: usize, figure: PairedFigure) -> Option<T> {
        self.all[self.place_of_pair(other, figure)]
    }

    fn none(n_scores: usize) -> Self {
        let n_figures = ScoreFigure::COUNT * n_scores + PairedFigure::COUNT * (n_scores - 1);
        Self::from_list(n_scores, vec![None; n_figures])
    }

    fn place_of_score(score: usize, figure: ScoreFigure) -> usize {
        ScoreFigure::COUNT * score + figure as usize
    }

    fn place_of_pair(&self, other: usize, figure: PairedFigure) -> usize {
        let first_of_pairs = ScoreFigure::COUNT * self.n_scores;
        first_of_pairs + PairedFigure::COUNT * (other - 1) + figure as usize
    }
}

impl Figures<f64> {
    /// Every figure of these sums.
    pub(super) fn of_sums(layout: &Layout, sums: &[f64]) -> Self {
        let mut figures = Self::none(layout.n_scores());
        for score in 0..layout.n_scores() {
            figures.add_score(score, layout, sums);
        }
        for other in 1..layout.n_scores() {
            figures.add_pair(other, layout, sums);
        }
        figures
    }

    /// Computes the figures of a score.
    fn add_score(&mut self, score: usize, layout: &Layout, sums: &[f64]) {
        let bins = layout.bins_of(score);
        let sum = |of: ScoreSum| sums[layout.of_score(score, of)];
        let n_rows = sums[layout.rows()];
        let mut set = |figure, value| self.all[Self::place_of_score(score, figure)] = value;
        set(ScoreFigure::AveragePrecision, bins.average_precision(sums));
        set(ScoreFigure::Capture, bins.capture(sums));
        set(ScoreFigure::Auc, bins.roc_auc(sums));
        set(
            ScoreFigure::Precision,
            Some(sum(ScoreSum::WonOfCalled) / sum(ScoreSum::Called)),
        );
        set(ScoreFigure::Customers, Some(sum(ScoreSum::Customers)));
        set(ScoreFigure::LogLoss, Some(sum(ScoreSum::LogLoss) / n_rows));
        set(
            ScoreFigure::BrierLoss,
            Some(sum(ScoreSum::BrierLoss) / n_rows),
        );
    }

    /// Computes the figures of a paired comparison, whose scores' figures are there.
    fn add_pair(&mut self, other: usize, layout: &Layout, sums: &[f64]) {
        for (difference, of) in PairedFigure::DIFFERENCES {
            let pair = self.of_score(0, of).zip(self.of_score(other, of));
            self.set_of_pair(other, difference, pair.map(|(first, other)| first - other));
        }
        for part in SwapPart::ALL {
            let n_rows = sums[layout.of_part(other, part, PartSum::Rows)];
            let n_wins = sums[layout.of_part(other, part, PartSum::Wins)];
            let rate = (n_rows > 0.0).then(|| n_wins / n_rows);
            self.set_of_pair(other, PairedFigure::rate_of(part), rate);
        }
        let of_first = self.of_pair(other, PairedFigure::RateOfOnlyFirst);
        let of_other = self.of_pair(other, PairedFigure::RateOfOnlyOther);
        let difference = of_first.zip(of_other).map(|(first, other)| first - other);
        self.set_of_pair(other, PairedFigure::RateDifference, difference);
    }

    fn set_of_pair(&mut self, other: usize, figure: PairedFigure, value: Option<f64>) {
        let place = self.place_of_pair(other, figure);
        self.all[place] = value;
    }
}
