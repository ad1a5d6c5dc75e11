//! One smoothing parameter a term, estimated by Laplace approximate REML; terms that say nothing
//! beside the others are left out.
//!
//! With `S_j` the penalty of a piece at strength one, `H` the penalized Hessian at the optimum `β`,
//! and `tr` the trace, a round sets (the generalized Fellner-Schall update)
//!
//! ```text
//! λⱼ ← (rank Sⱼ − λⱼ tr(H⁻¹ Sⱼ)) / (βᵀ Sⱼ β)
//! ```
//!
//! Pieces share no coefficients, so that their penalties add up block by block. Rounds run on the
//! quadratic that touches the log-loss; it is made anew, in one pass over the rows, where its
//! optimum lies elsewhere.
//!
//! A piece is out where the REML has its maximum at an infinite `λⱼ`. With `b` and `C` what data
//! says of its coefficients, the others at their best beside it (`½ βᵀ C β − bᵀ β`), that is where
//!
//! ```text
//! bᵀ Sⱼ⁻ b < tr(C Sⱼ⁻)
//! ```
//!
//! the score test of a variance of zero. Pieces that can only bend what others hold straight begin
//! outside, and enter where the score is a standard deviation above that, so that no round need
//! solve for all of them.
//!
//! Wood and Fasiolo (2017), Biometrics 73(4), equation 6; Wood (2011), JRSS B 73(1); Lin (1997),
//! Biometrika 84(2), for the score.

use leadscore_solver::{Design, Expansion, Factor, InverseRoot, Penalty, Target, expand};
use ndarray::Array2;

use crate::error::TrainError;

/// A part of the penalty with a smoothing parameter of its own.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// The coefficients that it holds; all 0 where it is out.
    pub(crate) coefficients: Vec<usize>,
    /// At strength one.
    pub(crate) penalty: Penalty,
    /// Rank of its matrix.
    pub(crate) rank: f64,
    /// Whether it begins outside.
    pub(crate) is_late: bool,
}

impl Piece {
    /// A ridge over these coefficients.
    pub(crate) fn ridge(coefficients: std::ops::Range<usize>) -> Self {
        Self {
            penalty: Penalty::none().ridge(coefficients.clone(), 1.0),
            rank: coefficients.len() as f64,
            coefficients: coefficients.collect(),
            is_late: false,
        }
    }
}

/// Strengths of pieces, and the coefficients that go with them.
#[derive(Debug, Clone)]
pub(crate) struct Estimate {
    /// Of each piece; infinite where it is out.
    pub(crate) strengths: Vec<f64>,
    /// As they were where the rounds ended: good enough to predict with.
    pub(crate) coefficients: Vec<f64>,
}

impl Estimate {
    /// The same with all strengths this many times as large, as far as they go.
    pub(crate) fn scaled(mut self, factor: f64) -> Self {
        self.strengths
            .iter_mut()
            .filter(|strength| **strength < TIGHTEST)
            .for_each(|strength| *strength = (*strength * factor).min(TIGHTEST));
        self
    }
}

/// Held less, or more, than this is the same as not at all, or flat.
const LOOSEST: f64 = 1e-3;
pub(crate) const TIGHTEST: f64 = 1e6;
/// Where every search begins: as much as ten rows.
const FIRST: f64 = 10.0;
/// Rows that strengths are estimated on at most: more would hardly move them.
pub(crate) const MOST_STRENGTH_ROWS: usize = 50_000;
/// Passes over the rows at most; half a dozen are usual.
pub(crate) const MOST_PASSES: usize = 25;
/// Rounds on one quadratic at most.
const MOST_ROUNDS: usize = 8;
/// The same on the first quadratic of a search without a start.
const FIRST_ROUNDS: usize = 2;
/// No piece's effective degrees of freedom move by more than this in the last round.
const SETTLED: f64 = 0.1;
/// Steps that are halved in a row, before the quadratic is made anew all the same.
const MOST_HALVED: usize = 12;
/// Log-loss over all rows that a coefficient may cost at most by going out.
const MOST_LOST: f64 = 2.0;
/// A piece of fewer may be out.
const FEW_DEGREES: f64 = 0.7;
/// Half of the squared Newton decrement, in log-loss over all rows, at which coefficients are good
/// enough.
const NEAR: f64 = 0.01;
/// Standard deviations of the score that a piece needs to enter: of those that say nothing, one in
/// ten comes in, to go out again.
const ENTRY: f64 = 1.0;
/// Half of the squared Newton decrement, as a share of the log-loss, above which strengths wait for
/// a nearer quadratic.
const FAR: f64 = 0.02;
/// How often a piece may enter.
const MOST_ENTRIES: u8 = 2;

/// The strengths of these pieces, beside a `fixed` part of the penalty, and the coefficients that
/// go with them.
///
/// Directions are no part of it: strengths are those of weights that may go either way.
///
/// # Errors
///
/// [`TrainError::Solver`] where no optimum was found.
pub(crate) fn estimate(
    design: &Design,
    target: &Target,
    pieces: &[Piece],
    fixed: &Penalty,
    start: Option<&Estimate>,
    n_passes: usize,
) -> Result<Estimate, TrainError> {
    descend(
        Search::new(design.n_coefficients(), pieces, fixed, start),
        design,
        target,
        start,
        n_passes,
    )
}

/// The coefficients that go with these strengths, near enough to predict with; directions are no
/// part of it.
///
/// # Errors
///
/// [`TrainError::Solver`] where no optimum was found.
pub(crate) fn fit_at(
    design: &Design,
    target: &Target,
    pieces: &[Piece],
    fixed: &Penalty,
    at: &Estimate,
) -> Result<Vec<f64>, TrainError> {
    let search = Search {
        is_given: true,
        ..Search::new(design.n_coefficients(), pieces, fixed, Some(at))
    };
    Ok(descend(search, design, target, Some(at), MOST_PASSES)?.coefficients)
}

/// From quadratic to quadratic.
fn descend(
    mut search: Search<'_>,
    design: &Design,
    target: &Target,
    start: Option<&Estimate>,
    n_passes: usize,
) -> Result<Estimate, TrainError> {
    let mut coefficients = match start {
        Some(start) => start.coefficients.clone(),
        None => std::iter::once(target.log_odds_of_rate())
            .chain(std::iter::repeat(0.0))
            .take(design.n_coefficients())
            .collect(),
    };
    let mut before: Option<(Vec<f64>, f64)> = None;
    let (mut n_halved, mut slack) = (0, 0.0);
    for pass in 0..n_passes {
        let expansion = expand(design, target, &coefficients)?;
        if let Some((best, loss)) = &before
            && n_halved < MOST_HALVED
            && search.objective(&coefficients, expansion.loss())
                > search.objective(best, *loss) + 1e-6 * loss + slack
        {
            coefficients
                .iter_mut()
                .zip(best)
                .for_each(|(value, best)| *value = 0.5 * (*value + best));
            n_halved += 1;
            continue;
        }
        n_halved = 0;
        // Far from the optimum a quadratic is not worth many.
        let is_first = pass == 0 && start.is_none();
        let is_still = search.settle(
            &expansion,
            &coefficients,
            if is_first { FIRST_ROUNDS } else { MOST_ROUNDS },
            is_first,
        )?;
        let found = search.coefficients.clone();
        let decrement = search.decrement(&coefficients);
        // What went out was not 0 there, and no penalty speaks of it any more.
        slack = MOST_LOST * search.n_lost(&coefficients) as f64;
        before = Some((
            std::mem::replace(&mut coefficients, found),
            expansion.loss(),
        ));
        if is_still && decrement < NEAR {
            break;
        }
    }
    let strengths = search
        .states
        .iter()
        .map(|state| {
            if state.is_in {
                state.strength
            } else {
                f64::INFINITY
            }
        })
        .collect();
    Ok(Estimate {
        strengths,
        coefficients,
    })
}

/// All pieces at their strengths, and the fixed part; those that are out are held as tightly as can
/// be.
pub(crate) fn whole(pieces: &[Piece], strengths: &[f64], fixed: &Penalty) -> Penalty {
    pieces
        .iter()
        .zip(strengths)
        .fold(fixed.clone(), |penalty, (piece, &strength)| {
            penalty.and(piece.penalty.scaled(strength.min(TIGHTEST)))
        })
}

/// What not knowing the strengths adds to the covariance of the coefficients.
///
/// With `ρ = ln λ` of a piece, the optimum moves by `∂β/∂ρ = −λ H⁻¹ S β`, and the REML knows `ρ` up
/// to a variance of the inverse of its expected information, `½ tr[(I − λ H⁻¹ S)²]` over the piece;
/// pieces count as independent.
///
/// Kass and Steffey (1989), JASA 84(407); Wood, Pya and Säfken (2016), JASA 111(516), section 4.
pub(crate) fn add_uncertainty(
    pieces: &[Piece],
    strengths: &[f64],
    inverse: &Array2<f64>,
    coefficients: &[f64],
    covariance: &mut Array2<f64>,
) {
    for (piece, &strength) in pieces
        .iter()
        .zip(strengths)
        .filter(|(_, strength)| **strength < TIGHTEST)
    {
        let matrix = piece.penalty.block(&piece.coefficients) * strength;
        let own: ndarray::Array1<f64> = piece
            .coefficients
            .iter()
            .map(|&idx| coefficients[idx])
            .collect();
        let columns = inverse.select(ndarray::Axis(1), &piece.coefficients);
        let moves = columns.dot(&matrix.dot(&own));
        let kept = Array2::eye(own.len())
            - columns
                .select(ndarray::Axis(0), &piece.coefficients)
                .dot(&matrix);
        // What the penalty does not see has no part in it.
        let kept_twice: f64 = (&kept * &kept.t()).sum();
        let information = 0.5 * (kept_twice - (own.len() as f64 - piece.rank)).max(0.0);
        let variance = 1.0 / (information + LEAST_INFORMATION);
        for (mut row, a) in covariance.rows_mut().into_iter().zip(&moves) {
            row.scaled_add(variance * a, &moves);
        }
    }
}

/// A logarithm of a strength has a standard deviation of 3 at most, whatever the data says.
const LEAST_INFORMATION: f64 = 1.0 / 9.0;

/// A piece as the search goes.
struct State {
    /// Its matrix at strength one, `(coefficients, coefficients)`.
    matrix: Array2<f64>,
    /// The pseudo-inverse of that, made where it is asked for.
    inverse: Option<Array2<f64>>,
    strength: f64,
    degrees: f64,
    is_in: bool,
    n_entries: u8,
}

struct Search<'a> {
    pieces: &'a [Piece],
    fixed: &'a Penalty,
    /// Whether strengths stay as they are.
    is_given: bool,
    /// Coefficients that no piece holds.
    free: Vec<usize>,
    states: Vec<State>,
    /// Where the latest quadratic has its optimum.
    coefficients: Vec<f64>,
    /// The coefficients in use and the penalized Hessian over them.
    used: Vec<usize>,
    hessian: Array2<f64>,
}

impl<'a> Search<'a> {
    fn new(
        n_coefficients: usize,
        pieces: &'a [Piece],
        fixed: &'a Penalty,
        start: Option<&Estimate>,
    ) -> Self {
        let mut is_free = vec![true; n_coefficients];
        pieces
            .iter()
            .flat_map(|piece| &piece.coefficients)
            .for_each(|&idx| is_free[idx] = false);
        let states = pieces.iter().enumerate().map(|(idx, piece)| {
            let known = start.and_then(|start| start.strengths.get(idx).copied());
            State {
                matrix: piece.penalty.block(&piece.coefficients),
                inverse: None,
                strength: known
                    .filter(|strength| strength.is_finite())
                    .unwrap_or(FIRST),
                degrees: f64::INFINITY,
                is_in: known.map_or(!piece.is_late, f64::is_finite),
                n_entries: 0,
            }
        });
        let free = (0..n_coefficients).filter(|&idx| is_free[idx]).collect();
        Self {
            pieces,
            fixed,
            is_given: false,
            free,
            states: states.collect(),
            coefficients: Vec::new(),
            used: Vec::new(),
            hessian: Array2::zeros((0, 0)),
        }
    }

    /// Log-loss and penalty at the strengths as they are.
    fn objective(&self, coefficients: &[f64], loss: f64) -> f64 {
        let held = self
            .pieces
            .iter()
            .zip(&self.states)
            .filter(|(_, state)| state.is_in);
        loss + self.fixed.value(coefficients)
            + held
                .map(|(piece, state)| {
                    0.5 * state.strength
                        * quadratic(&state.matrix, &piece.coefficients, coefficients)
                })
                .sum::<f64>()
    }

    /// How far below these coefficients the optimum of the latest quadratic lies.
    fn decrement(&self, from: &[f64]) -> f64 {
        let step: ndarray::Array1<f64> = self
            .used
            .iter()
            .map(|&idx| self.coefficients[idx] - from[idx])
            .collect();
        0.5 * step.dot(&self.hessian.dot(&step))
    }

    /// Rounds on one quadratic, until strengths stay; whether they did in the first, and no piece
    /// came or went.
    fn settle(
        &mut self,
        expansion: &Expansion,
        at: &[f64],
        n_rounds: usize,
        is_first: bool,
    ) -> Result<bool, TrainError> {
        if self.is_given {
            self.solve(expansion, at)?;
            return Ok(true);
        }
        let mut has_entered = is_first;
        for round in 0..n_rounds {
            let factor = self.solve(expansion, at)?;
            // A quadratic that touches far away says nothing of strengths: loose ones would lead
            // still farther.
            if round == 0 && self.decrement(at) > FAR * expansion.loss() {
                return Ok(false);
            }
            let root = factor.inverse_root();
            let (most_moved, has_left) = self.update(&root);
            let is_still = most_moved < SETTLED && !has_left;
            if !has_entered && (is_still || round == n_rounds / 2) {
                has_entered = true;
                if self.enter(expansion, at, &root) {
                    continue;
                }
            }
            if is_still {
                return Ok(round == 0);
            }
        }
        self.solve(expansion, at)?;
        Ok(false)
    }

    /// Coefficients that were in use there and are out now.
    fn n_lost(&self, at: &[f64]) -> usize {
        let kept = self.used.iter().filter(|&&idx| at[idx] != 0.0).count();
        at.iter().filter(|value| **value != 0.0).count() - kept
    }

    /// Takes the optimum of the quadratic at these strengths; the factor of its penalized Hessian.
    fn solve(&mut self, expansion: &Expansion, at: &[f64]) -> Result<Factor, TrainError> {
        self.used.clone_from(&self.free);
        let mut places = Vec::new();
        for (piece, state) in self
            .pieces
            .iter()
            .zip(&self.states)
            .filter(|(_, state)| state.is_in)
        {
            places.push((self.used.len(), state));
            self.used.extend(&piece.coefficients);
        }
        let mut hessian = expansion.hessian(&self.used, &self.used);
        let values: ndarray::Array1<f64> = self.used.iter().map(|&idx| at[idx]).collect();
        // What went out since the pass is 0 from now on, and was not where the quadratic touches.
        let mut is_used = vec![false; at.len()];
        self.used.iter().for_each(|&idx| is_used[idx] = true);
        let gone: Vec<usize> = (0..at.len())
            .filter(|&idx| at[idx] != 0.0 && !is_used[idx])
            .collect();
        let mut right = hessian.dot(&values);
        if !gone.is_empty() {
            let values: ndarray::Array1<f64> = gone.iter().map(|&idx| at[idx]).collect();
            right += &expansion.hessian(&self.used, &gone).dot(&values);
        }
        right
            .iter_mut()
            .zip(&self.used)
            .for_each(|(value, &idx)| *value -= expansion.gradient()[idx]);
        hessian += &self.fixed.block(&self.used);
        for (first, state) in places {
            let n = state.matrix.nrows();
            let mut block = hessian.slice_mut(ndarray::s![first..first + n, first..first + n]);
            block.scaled_add(state.strength, &state.matrix);
        }
        let factor = Factor::new(hessian.clone())?;
        let found = factor.solve(right.as_slice().expect("a vector is contiguous"));
        self.coefficients = vec![0.0; at.len()];
        self.used
            .iter()
            .zip(found)
            .for_each(|(&idx, value)| self.coefficients[idx] = value);
        self.hessian = hessian;
        Ok(factor)
    }

    /// One update of every strength; how far degrees of freedom moved at most, and whether a piece
    /// went out.
    fn update(&mut self, root: &InverseRoot) -> (f64, bool) {
        let mut first = self.free.len();
        let (mut most_moved, mut has_left) = (0.0_f64, false);
        for (piece, state) in self
            .pieces
            .iter()
            .zip(&mut self.states)
            .filter(|(_, state)| state.is_in)
        {
            let n = piece.coefficients.len();
            let own: Vec<usize> = (first..first + n).collect();
            first += n;
            let variance = root.block(&own);
            let used = (piece.rank - state.strength * (&variance * &state.matrix).sum()).max(1e-6);
            let spent =
                quadratic(&state.matrix, &piece.coefficients, &self.coefficients).max(1e-12);
            if used < FEW_DEGREES && says_nothing(piece, state, &variance, &self.coefficients) {
                state.is_in = false;
                state.degrees = 0.0;
                has_left = true;
                continue;
            }
            most_moved = most_moved.max((used - state.degrees).abs());
            state.degrees = used;
            state.strength = (used / spent).clamp(LOOSEST, TIGHTEST);
        }
        (most_moved, has_left)
    }

    /// Lets in the pieces that would say something; whether there are any.
    fn enter(&mut self, expansion: &Expansion, at: &[f64], root: &InverseRoot) -> bool {
        let step: Vec<f64> = self
            .coefficients
            .iter()
            .zip(at)
            .map(|(new, old)| new - old)
            .collect();
        let moved: Vec<usize> = (0..at.len()).filter(|&idx| step[idx] != 0.0).collect();
        let step: ndarray::Array1<f64> = moved.iter().map(|&idx| step[idx]).collect();
        let mut has_entered = false;
        for (piece, state) in self
            .pieces
            .iter()
            .zip(&mut self.states)
            .filter(|(_, state)| !state.is_in && state.n_entries < MOST_ENTRIES)
        {
            let own = &piece.coefficients;
            let pull = expansion.hessian(own, &moved).dot(&step);
            let says: Vec<f64> = own
                .iter()
                .zip(&pull)
                .map(|(&idx, pull)| -(expansion.gradient()[idx] + pull))
                .collect();
            let information = expansion.hessian(own, own) + self.fixed.block(own)
                - root.between(&expansion.hessian(&self.used, own));
            if score(piece, state, &says, &information) > ENTRY * spread(state, &information) {
                state.is_in = true;
                state.n_entries += 1;
                state.degrees = f64::INFINITY;
                state.strength = FIRST;
                has_entered = true;
            }
        }
        has_entered
    }
}

/// `βᵀ M β` over these coefficients.
fn quadratic(matrix: &Array2<f64>, coefficients: &[usize], values: &[f64]) -> f64 {
    let own: ndarray::Array1<f64> = coefficients.iter().map(|&idx| values[idx]).collect();
    own.dot(&matrix.dot(&own))
}

/// Whether a piece in use would better be out: what data says of it follows from where it is held
/// and how far it varies there.
fn says_nothing(
    piece: &Piece,
    state: &mut State,
    variance: &Array2<f64>,
    coefficients: &[f64],
) -> bool {
    let Ok(factor) = Factor::new(variance.clone()) else {
        return false;
    };
    let own: Vec<f64> = piece
        .coefficients
        .iter()
        .map(|&idx| coefficients[idx])
        .collect();
    let says = factor.solve(&own);
    let information = factor.inverse() - &state.matrix * state.strength;
    score(piece, state, &says, &information) < 0.0
}

/// Twice the slope of the REML along the piece's variance, where that is zero.
fn score(piece: &Piece, state: &mut State, says: &[f64], information: &Array2<f64>) -> f64 {
    let inverse = state
        .inverse
        .get_or_insert_with(|| pseudo_inverse(&state.matrix, piece.rank));
    let says = ndarray::ArrayView1::from(says);
    says.dot(&inverse.dot(&says)) - (information * &*inverse).sum()
}

/// The standard deviation of the score where the variance is zero, once its inverse was asked for.
fn spread(state: &State, information: &Array2<f64>) -> f64 {
    let Some(inverse) = &state.inverse else {
        return 0.0;
    };
    let product = information.dot(inverse);
    (2.0 * (&product * &product.t()).sum()).max(0.0).sqrt()
}

/// Of a matrix that is definite, or whose null space is the constants alone.
fn pseudo_inverse(matrix: &Array2<f64>, rank: f64) -> Array2<f64> {
    let n = matrix.nrows() as f64;
    let constant = if rank < n { 1.0 / n } else { 0.0 };
    let whole = matrix + constant;
    Factor::new(whole).map_or_else(
        |_| Array2::eye(matrix.nrows()),
        |factor| factor.inverse() - constant,
    )
}

#[cfg(test)]
mod tests {
    use leadscore_solver::{Column, Precision};

    use super::*;

    /// Labels of a world with forty levels whose effects have a known spread, and a second category
    /// that says nothing.
    #[test]
    fn a_category_that_says_nothing_is_flat_and_one_that_does_is_not() {
        let n_rows = 20_000;
        let mut state = 9_u64;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let effects: Vec<f64> = (0..40)
            .map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0)
            .collect();
        let (mut telling, mut silent, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..n_rows {
            let level = (uniform() * 40.0) as usize;
            telling.push(level as u32);
            silent.push((uniform() * 40.0) as u32);
            labels.push(uniform() < 1.0 / (1.0 + (-effects[level] + 0.5).exp()));
        }
        let design = Design::new(
            n_rows,
            &[Column::codes(40, &telling), Column::codes(40, &silent)],
            Precision::F64,
        )
        .expect("rows");
        let target = Target::new(&labels, None, None).expect("both");
        let pieces = [Piece::ridge(1..41), Piece::ridge(41..81)];
        let Estimate {
            strengths,
            coefficients,
        } = estimate(
            &design,
            &target,
            &pieces,
            &Penalty::none(),
            None,
            MOST_PASSES,
        )
        .expect("an optimum");
        // Effects of unit variance: a strength of one.
        assert!((0.5..2.0).contains(&strengths[0]), "{strengths:?}");
        assert!(strengths[1] > 100.0, "{strengths:?}");
        let farthest = coefficients[41..]
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs()));
        assert!(farthest < 0.1, "{farthest}");
    }
}
