//! Retraining cycles without drift, and challengers at the edge of the margin.

use leadscore_monitoring::{
    Decision, Looks, PromotionError, PromotionRule, PromotionVerdict, Trial, decide,
};
use leadscore_solver::SolverError;
use thiserror::Error as ThisError;

use crate::world::{Draws, Error, Model, Rows, World};

/// What may go wrong in a world, and never should.
#[derive(Debug, ThisError)]
pub(crate) enum WorldError {
    #[error(transparent)]
    Promotion(#[from] PromotionError),
    #[error(transparent)]
    Solver(#[from] SolverError),
    #[error("the table cannot be written")]
    Write(#[from] std::io::Error),
}

/// The decision about two models on some rows.
pub(crate) fn decided(
    world: &World,
    rows: &Rows,
    (champion, challenger): (&Model, &Model),
    is_too_old: bool,
    looks: Looks,
) -> Result<Decision, WorldError> {
    let trial = Trial {
        champion: &rows.losses(world, champion),
        challenger: &rows.losses(world, challenger),
        labels: &rows.labels,
        clusters: &rows.clusters,
        champion_age_days: if is_too_old { 1_000.0 } else { 30.0 },
        champion_holds: None,
        challenger_holds: None,
        churn: None,
    };
    Ok(decide(
        &trial,
        &PromotionRule {
            looks,
            ..PromotionRule::default()
        },
    )?)
}

/// Counts over cycles.
#[derive(Default, Clone, Copy)]
pub(crate) struct Cycles {
    pub(crate) n: usize,
    pub(crate) cannot_tell: usize,
    pub(crate) promoted: usize,
    /// Promoted and truly better.
    pub(crate) better: usize,
    /// Promoted and truly worse by more than the margin.
    pub(crate) worse_beyond_margin: usize,
    /// Truly worse by more than the margin, promoted or not.
    pub(crate) could_be_wrong: usize,
    /// Promoted among those that are worse by one to three margins.
    pub(crate) near: usize,
    pub(crate) near_promoted: usize,
}

impl Cycles {
    fn add(&mut self, decision: &Decision, relative: f64) {
        let margin = decision.rule.margin;
        self.n += 1;
        self.could_be_wrong += usize::from(relative > margin);
        let is_near = relative > margin && relative < 3.0 * margin;
        self.near += usize::from(is_near);
        match decision.verdict {
            PromotionVerdict::CannotTell { .. } => self.cannot_tell += 1,
            PromotionVerdict::Keep { .. } => {}
            PromotionVerdict::Promote { .. } => {
                self.promoted += 1;
                self.better += usize::from(relative < 0.0);
                self.worse_beyond_margin += usize::from(relative > margin);
                self.near_promoted += usize::from(is_near);
            }
        }
    }
}

/// Cycles in worlds of all sizes, whose champion and challenger are fitted on windows that share
/// rows: decided by a champion that is young, and by one that is too old.
pub(crate) fn without_drift(n_cycles: u64, seed: u64) -> Result<[Cycles; 2], WorldError> {
    let mut found = [Cycles::default(); 2];
    for cycle in 0..n_cycles {
        let mut draws = Draws::new(seed ^ cycle);
        let rate = draws.between(0.02, 0.4);
        let (largest, together) = (draws.up_to(10), draws.uniform());
        let world = World::new(&mut draws, rate, largest, together);
        let n_first = draws.between(300.0, 20_000.0) as usize;
        let n_shared = (n_first as f64 * draws.uniform()) as usize;
        let n_second = draws.between(100.0, 20_000.0) as usize;
        let shared = world.rows(&mut draws, n_shared.max(1), 0);
        let first = world
            .rows(&mut draws, n_first - n_shared + 1, 1 << 32)
            .and(&shared);
        let second = world.rows(&mut draws, n_second, 2 << 32).and(&shared);
        let n_later = draws.between(300.0, 30_000.0) as usize;
        let later = world.rows(&mut draws, n_later, 3 << 32);
        let (Some(champion), Some(challenger)) = (Model::fitted(&first)?, Model::fitted(&second)?)
        else {
            continue;
        };
        let relative = world.true_loss(&challenger) / world.true_loss(&champion) - 1.0;
        for (idx, is_too_old) in [false, true].into_iter().enumerate() {
            let pair = (&champion, &challenger);
            let decision = decided(&world, &later, pair, is_too_old, Looks::One)?;
            found[idx].add(&decision, relative);
        }
    }
    Ok(found)
}

/// How a challenger is worse than the champion by exactly the margin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// The champion is the truth, and the challenger has an error of a kind.
    Of(Error),
    /// Both have noise of their own.
    Both,
}

/// Of so many looks at a challenger that is worse by exactly the margin, with a champion that is
/// too old: how many could tell, and how many promoted it.
pub(crate) fn at_the_edge(
    (n_looks, seed): (u64, u64),
    (n_later, rate, edge): (usize, f64, Edge),
) -> Result<(usize, usize), WorldError> {
    let margin = PromotionRule::default().margin;
    let (mut told, mut promoted) = (0, 0);
    let mut draws = Draws::new(seed);
    let world = World::new(&mut draws, rate, 5, 0.5);
    let (champion, challenger) = match edge {
        Edge::Of(error) => (
            Model::Wrong(error, 0.0),
            Model::worse_by(&world, error, margin),
        ),
        Edge::Both => (
            Model::worse_by(&world, Error::Noise, 0.02),
            Model::worse_by(&world, Error::OtherNoise, 1.02 * (1.0 + margin) - 1.0),
        ),
    };
    for _ in 0..n_looks {
        let rows = world.rows(&mut draws, n_later, 0);
        let decision = decided(&world, &rows, (&champion, &challenger), true, Looks::One)?;
        told += usize::from(!matches!(
            decision.verdict,
            PromotionVerdict::CannotTell { .. }
        ));
        promoted += usize::from(decision.is_promotion());
    }
    Ok((told, promoted))
}

/// Twelve looks at one pair, a month of rows each.
pub(crate) struct Year {
    /// Share of the pairs that were promoted within 1, 3, 6 and 12 looks.
    pub(crate) within: [f64; 4],
    /// Median number of looks to a promotion; `None` where fewer than half were promoted.
    pub(crate) median: Option<usize>,
}

/// Looks every month at champions that lose `gain` more than their challengers, each look at the
/// rows of its own month, or at all rows so far.
pub(crate) fn year(
    (n_pairs, seed): (u64, u64),
    (n_rows, rate, gain): (usize, f64, f64),
    (is_too_old, looks): (bool, Looks),
) -> Result<Year, WorldError> {
    let mut at = Vec::new();
    for pair in 0..n_pairs {
        let mut draws = Draws::new(seed ^ (pair << 20));
        let world = World::new(&mut draws, rate, 5, 0.5);
        let base = 0.02;
        let challenger = Model::worse_by(&world, Error::OtherNoise, base);
        // A gain of `gain` is a share of the champion's loss; a negative one is a loss.
        let share = (1.0 + base) / (1.0 - gain) - 1.0;
        let champion = Model::worse_by(&world, Error::Noise, share);
        let mut all = Rows::default();
        let mut first = None;
        for look in 1..=12_u64 {
            let month = world.rows(&mut draws, n_rows, look << 32);
            all = match looks {
                Looks::One => month,
                Looks::Any => all.and(&month),
            };
            let pair = (&champion, &challenger);
            if decided(&world, &all, pair, is_too_old, looks)?.is_promotion() {
                first = Some(look as usize);
                break;
            }
        }
        at.push(first.unwrap_or(usize::MAX));
    }
    at.sort_unstable();
    let share =
        |within: usize| at.iter().filter(|look| **look <= within).count() as f64 / at.len() as f64;
    Ok(Year {
        within: [1, 3, 6, 12].map(share),
        median: Some(at[at.len() / 2]).filter(|look| *look <= 12),
    })
}
