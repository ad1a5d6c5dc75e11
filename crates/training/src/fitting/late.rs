//! Rows whose windows have not ended, as they stand in a fit: once as won, and once as not won.

use leadscore_solver::Target;

use crate::effective_size::Scale;
use crate::error::TrainError;
use crate::input::TrainInput;

/// A row beyond those whose windows had ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Late {
    cluster: u64,
    /// Whether it is won so far.
    is_won: bool,
    /// The share of the wins that come within what is known of its window, above 0 and below 1.
    pub(crate) share: f64,
    /// Beside the weights of the other rows.
    weight: f64,
    /// The chance that it is won in the end, by the latest fit.
    pub(crate) won: f64,
}

impl Late {
    /// What is known of a snapshot; `None` where no win comes so soon.
    pub(crate) fn new(
        cluster: u64,
        days_to_win: f64,
        known: f64,
        delays: &[f64],
        weight: f64,
    ) -> Option<Self> {
        let share = delays.partition_point(|delay| *delay < known) as f64 / delays.len() as f64;
        let is_won = days_to_win < known;
        (known > 0.0 && (share > 0.0 || is_won)).then_some(Self {
            cluster,
            is_won,
            share,
            weight,
            won: f64::from(u8::from(is_won)),
        })
    }

    /// Takes a likelihood of the whole window; how far the chance moved.
    pub(crate) fn take(&mut self, p: f64) -> f64 {
        let won = if self.is_won {
            1.0
        } else {
            p * (1.0 - self.share) / (1.0 - p * self.share)
        };
        (std::mem::replace(&mut self.won, won) - won).abs()
    }

    /// As [`TrainInput::clusters`].
    pub(crate) fn cluster(&self) -> u64 {
        self.cluster
    }

    /// The same, counting for what is known of it at a likelihood.
    pub(crate) fn as_known(self, p: f64) -> Self {
        Self {
            weight: self.weight * self.curvature(p),
            ..self
        }
    }

    /// How much of the curvature of a row whose window had ended it has at a likelihood.
    pub(crate) fn curvature(&self, p: f64) -> f64 {
        self.share * (1.0 - p) / (1.0 - p * self.share)
    }
}

/// Labels and weights of these rows, and late ones behind them: once as won, and once as not won.
pub(crate) fn target_of(
    input: TrainInput<'_>,
    rows: &[usize],
    late: &[Late],
) -> Result<Target, TrainError> {
    target_with(input, rows, late, scale_of(input, rows, late))
}

/// The same where rows' own weights count so much.
pub(crate) fn target_with(
    input: TrainInput<'_>,
    rows: &[usize],
    late: &[Late],
    scale: Scale,
) -> Result<Target, TrainError> {
    let labels: Vec<bool> = rows
        .iter()
        .map(|&row| input.labels[row])
        .chain(late.iter().map(|_| true))
        .chain(late.iter().map(|_| false))
        .collect();
    let own = rows
        .iter()
        .map(|&row| input.weights.map_or(1.0, |weights| scale.of(weights[row])));
    let won = late.iter().map(|late| scale.of(late.weight) * late.won);
    let not_won = late
        .iter()
        .map(|late| scale.of(late.weight) * (1.0 - late.won));
    let weights: Option<Vec<f64>> = (input.weights.is_some() || !late.is_empty())
        .then(|| own.chain(won).chain(not_won).collect());
    Ok(Target::new(&labels, weights.as_deref(), None)?)
}

/// What brings the weights of all rows to their effective size; nothing where they have none.
pub(crate) fn scale_of(input: TrainInput<'_>, rows: &[usize], late: &[Late]) -> Scale {
    let Some(weights) = input.weights else {
        return Scale::ONE;
    };
    Scale::of_all(
        rows.iter()
            .map(|&row| weights[row])
            .chain(late.iter().map(|late| late.weight)),
    )
}
