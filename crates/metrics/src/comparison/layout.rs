//! What a comparison sums over rows, and which column of the sums each named sum is in.

use crate::evaluation::ScoreColumns;
use crate::ranking::Ranking;

/// What is summed for each score, beside its wins and other rows by bin.
#[derive(Debug, Clone, Copy)]
pub(super) enum ScoreSum {
    /// Rows called.
    Called,
    /// Of these, won.
    WonOfCalled,
    /// Different leads among the won.
    Customers,
    /// Log-loss.
    LogLoss,
    /// Brier loss.
    BrierLoss,
}

impl ScoreSum {
    const COUNT: usize = Self::BrierLoss as usize + 1;
}

/// The parts of the rows by which of two scores calls them.
#[derive(Debug, Clone, Copy)]
pub(super) enum SwapPart {
    /// Only the first one.
    OnlyFirst,
    /// Only the other one.
    OnlyOther,
    /// Both.
    Both,
    /// Neither.
    Neither,
}

impl SwapPart {
    /// Every part.
    pub(super) const ALL: [Self; 4] = [Self::OnlyFirst, Self::OnlyOther, Self::Both, Self::Neither];
}

/// What is summed for each part of the rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum PartSum {
    /// Rows.
    Rows,
    /// Of these, won.
    Wins,
}

impl PartSum {
    const COUNT: usize = Self::Wins as usize + 1;
}

/// The columns of the sums: bins of each score, then its other sums, then the parts of each
/// paired comparison, then the rows.
pub(super) struct Layout {
    bins: Vec<ScoreColumns>,
}

impl Layout {
    /// The columns for these scores, the first of which meets each other one.
    pub(super) fn new(rankings: &[Ranking]) -> Self {
        let mut bins: Vec<ScoreColumns> = Vec::new();
        for ranking in rankings {
            bins.push(ScoreColumns::new(
                ranking,
                bins.last().map_or(0, ScoreColumns::end),
            ));
        }
        Self { bins }
    }

    /// Number of columns.
    pub(super) fn n_columns(&self) -> usize {
        self.rows() + 1
    }

    /// Number of scores.
    pub(super) fn n_scores(&self) -> usize {
        self.bins.len()
    }

    /// The columns of a score's bins.
    pub(super) fn bins_of(&self, score: usize) -> &ScoreColumns {
        &self.bins[score]
    }

    /// The column of a score's sum.
    pub(super) fn of_score(&self, score: usize, sum: ScoreSum) -> usize {
        self.first_of_scores() + ScoreSum::COUNT * score + sum as usize
    }

    /// The column of a part's sum in the comparison of the first score with another one.
    pub(super) fn of_part(&self, other: usize, part: SwapPart, sum: PartSum) -> usize {
        let parts_before = SwapPart::ALL.len() * (other - 1) + part as usize;
        self.first_of_pairs() + PartSum::COUNT * parts_before + sum as usize
    }

    /// The column that counts rows.
    pub(super) fn rows(&self) -> usize {
        self.first_of_pairs() + PartSum::COUNT * SwapPart::ALL.len() * (self.n_scores() - 1)
    }

    fn first_of_scores(&self) -> usize {
        self.bins.last().map_or(0, ScoreColumns::end)
    }

    fn first_of_pairs(&self) -> usize {
        self.first_of_scores() + ScoreSum::COUNT * self.n_scores()
    }
}
