//! A shape whose terms have strengths of their own, estimated from the rows.

use leadscore_inference::{Axis, Resolution};
use leadscore_solver::Penalty;

use super::bench::{Bench, Native, certified, roughly};
use super::design_effect::design_effect;
use super::encoded_rows::EncodedRows;
use super::fitted::Fitted;
use super::segments::segment_tables;
use crate::encoding::{Beforehand, Encoding};
use crate::error::TrainError;
use crate::input::TrainInput;
use crate::options::SolverKind;
use crate::shape::{Shape, options_at};
use crate::smoothing::{Estimate, MOST_PASSES, MOST_STRENGTH_ROWS, TIGHTEST, fit_at, whole};
use crate::splits::sample_leads;

/// A shape whose strengths were estimated, with the terms that say something.
#[derive(Clone)]
pub(crate) struct Estimated {
    pub(crate) encoding: Encoding,
    pub(crate) estimate: Estimate,
    /// How many rows say as much as one that is alone would.
    design_effect: f64,
}

impl Estimated {
    /// How many rows say as much as one that is alone would.
    pub(crate) fn design_effect(&self) -> f64 {
        self.design_effect
    }

    /// Lines or coarse curves: what richer shapes begin with.
    pub(crate) fn begin(
        input: TrainInput<'_>,
        rows: &[usize],
        known: &Beforehand,
        shape: Shape,
        design_effect: f64,
    ) -> Result<Self, TrainError> {
        estimate_pieces(
            input,
            rows,
            Encoding::fit(
                input.matrix,
                rows,
                known,
                shape.coarse().encoding_options(rows.len()),
            ),
            None,
            design_effect,
        )
    }

    /// The same curves in finer bins, where they bend: what is straight in coarse ones stays so.
    pub(crate) fn refined(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
        resolution: Resolution,
    ) -> Result<Self, TrainError> {
        let options = options_at(resolution, rows.len());
        if options.max_bins <= options_at(Resolution::Usual, rows.len()).max_bins {
            return Ok(self.clone());
        }
        let (finer, start) = self
            .encoding
            .refined(input.matrix, rows, options, &self.estimate);
        estimate_pieces(input, rows, finer, Some(start), self.design_effect)
    }

    /// Tables over two features that would lower the loss most, at most so many, best first.
    pub(crate) fn pairs(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
        resolution: Resolution,
        n_pairs: usize,
    ) -> Result<Vec<(Axis, Axis)>, TrainError> {
        let rows = sample_leads(input.clusters, rows, MOST_STRENGTH_ROWS);
        let bench = Bench::new(input, &rows, &self.encoding, SolverKind::Native)?;
        bench.pairs(
            &self.encoding,
            options_at(resolution, rows.len()),
            &self.estimate.coefficients,
            n_pairs,
        )
    }

    /// The same with tables beside it, those of a segment among them.
    pub(crate) fn with_tables(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
        pairs: Vec<(Axis, Axis)>,
    ) -> Result<Self, TrainError> {
        if pairs.is_empty() {
            return Ok(self.clone());
        }
        estimate_pieces(
            input,
            rows,
            self.encoding.clone().with_pairs(pairs),
            Some(self.estimate.clone()),
            self.design_effect,
        )
    }

    /// Tables of the segment with each of the features that move scores most.
    pub(crate) fn segment_tables(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
        resolution: Resolution,
        segment: usize,
    ) -> Vec<(Axis, Axis)> {
        segment_tables(
            input,
            rows,
            &self.encoding,
            &self.estimate.coefficients,
            segment,
            options_at(resolution, rows.len()),
        )
    }

    /// Log-odds of rows of the matrix, by a fit on these others or a sample of them; good enough to
    /// compare shapes.
    pub(crate) fn log_odds(
        &self,
        input: TrainInput<'_>,
        fitted_on: &[usize],
        rows: &[usize],
        stiffer: f64,
    ) -> Result<Vec<f64>, TrainError> {
        let encoded = EncodedRows::new(input, &self.encoding, rows, SolverKind::Native)?;
        encoded.log_odds(&self.near(
            input,
            &sample_leads(input.clusters, fitted_on, MOST_STRENGTH_ROWS),
            stiffer,
        )?)
    }

    /// Coefficients near the optimum over the rows that strengths were estimated on.
    fn near(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
        stiffer: f64,
    ) -> Result<Vec<f64>, TrainError> {
        let is_directed = self.encoding.has_directions();
        if stiffer == 1.0 && !is_directed {
            return Ok(self.estimate.coefficients.clone());
        }
        let Native { design, target, .. } = Native::new(input, rows, &self.encoding, 1.0)?;
        if is_directed {
            return roughly(&design, &target, &self.penalties(stiffer).0, None);
        }
        let (pieces, fixed) = self.encoding.pieces();
        let at = Estimate {
            strengths: self.strengths(stiffer),
            coefficients: self.estimate.coefficients.clone(),
        };
        fit_at(&design, &target, &pieces, &fixed, &at)
    }

    fn strengths(&self, stiffer: f64) -> Vec<f64> {
        self.estimate
            .strengths
            .iter()
            .map(|strength| (strength * stiffer).min(TIGHTEST))
            .collect()
    }

    /// The penalty, and the part of it that says where coefficients may lie.
    fn penalties(&self, stiffer: f64) -> (Penalty, Penalty) {
        let (pieces, fixed) = self.encoding.pieces();
        let strengths = self.strengths(stiffer);
        (
            whole(&pieces, &strengths, &fixed),
            whole(&pieces, &strengths, &Penalty::none()),
        )
    }

    /// The optimum over these rows, with its certificate.
    pub(super) fn finish(
        self,
        input: TrainInput<'_>,
        rows: &[usize],
        stiffer: f64,
    ) -> Result<Fitted, TrainError> {
        let Native { design, target, .. } = Native::new(input, rows, &self.encoding, 1.0)?;
        let start = self.near(
            input,
            &sample_leads(input.clusters, rows, MOST_STRENGTH_ROWS),
            stiffer,
        )?;
        let (penalties, strengths) = (self.penalties(stiffer), self.strengths(stiffer));
        Ok(Fitted {
            strengths,
            ..certified(design, &target, self.encoding, penalties, Some(&start))?
        })
    }
}

/// Estimates the strengths of a shape on these rows: first in coarse bins and without tables, then
/// with those that what is left over asks for.
pub(super) fn estimate_shape(
    input: TrainInput<'_>,
    rows: &[usize],
    known: &Beforehand,
    shape: Shape,
) -> Result<Estimated, TrainError> {
    let (n_pairs, segment) = shape.tables();
    let resolution = shape.resolution();
    let found = Estimated::begin(
        input,
        rows,
        known,
        shape,
        design_effect(input, rows, known)?,
    )?
    .refined(input, rows, resolution)?;
    let mut pairs = if n_pairs > 0 {
        found.pairs(input, rows, resolution, n_pairs)?
    } else {
        Vec::new()
    };
    pairs.extend(
        segment
            .into_iter()
            .flat_map(|segment| found.segment_tables(input, rows, resolution, segment)),
    );
    found.with_tables(input, rows, pairs)
}

/// Passes in which pieces come and go, before rows are encoded anew with those that are in: a pass
/// costs by the square of columns.
const SCREENING_PASSES: usize = 5;

/// The pieces of an encoding that say something, and their strengths.
///
/// Where rows of a cluster are alike, each counts for less: strengths are those of a likelihood to
/// the power of one over the design effect, and then as many times as large, for all rows.
fn estimate_pieces(
    input: TrainInput<'_>,
    rows: &[usize],
    encoding: Encoding,
    start: Option<Estimate>,
    design_effect: f64,
) -> Result<Estimated, TrainError> {
    let rows = sample_leads(input.clusters, rows, MOST_STRENGTH_ROWS);
    let step = |encoding: Encoding, start: Option<Estimate>, n_passes: usize| {
        let found = Native::new(input, &rows, &encoding, 1.0 / design_effect)?
            .estimate(&encoding, start, n_passes)?;
        Ok::<_, TrainError>(encoding.keeping(&found.strengths, &found.coefficients, input.matrix))
    };
    let start = start.map(|start| start.scaled(1.0 / design_effect));
    let (encoding, screened) = step(encoding, start, SCREENING_PASSES)?;
    let (encoding, estimate) = step(encoding, Some(screened), MOST_PASSES)?;
    Ok(Estimated {
        encoding,
        estimate: estimate.scaled(design_effect),
        design_effect,
    })
}
