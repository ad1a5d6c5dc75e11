//! Choosing on folds: the strengths with the lowest loss, and the simplest shape that later data
//! cannot tell from the best.

mod challenge;
mod trial;

mod on_folds;

mod aged;
mod by_reml;

use leadscore_core::{Span, counted};
use leadscore_inference::{Alternative, Challenge};
use leadscore_metrics::paired_difference;

use self::aged::{Aged, estimated_lines, given_half_life};
use self::by_reml::ladder_by_reml;
use self::challenge::{TWO_ERRORS, challenge, is_lower};
use self::on_folds::{PAIR_STRENGTHS, ladder_on_folds};
use self::trial::{AS_ESTIMATED, Candidate, Trial};
use crate::effective_size::effective_size;
use crate::encoding::{Beforehand, Smoothing, Strengths};
use crate::error::TrainError;
use crate::fitting::segment_of;
use crate::input::TrainInput;
use crate::loss::mean;
use crate::options::TrainOptions;
use crate::recency::weighted;
use crate::shape::Shape;
use crate::splits::{SplitKind, validation_folds};

/// What was chosen, and why.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) shape: Shape,
    pub(crate) smoothing: Smoothing,
    /// In what time rows lose half of their weight.
    pub(crate) half_life: Option<Span>,
    pub(crate) description: String,
    /// Each step up the ladder.
    pub(crate) challenges: Vec<Challenge>,
    /// Every shape that was tried, simplest first, with its strengths.
    pub(crate) tried: Vec<(Shape, Smoothing)>,
}

/// Chooses on these rows.
pub(crate) fn choose(
    input: TrainInput<'_>,
    rows: &[usize],
    known: &Beforehand,
    options: &TrainOptions,
) -> Result<Choice, TrainError> {
    let segment = options
        .segment
        .as_ref()
        .map(|column| segment_of(input, column))
        .transpose()?;
    let (kind, folds) = validation_folds(
        input.matrix.keys(),
        input.clusters,
        input.labels,
        rows,
        input.horizon,
    );
    if folds.is_empty() {
        return Ok(unmeasured(options));
    }
    let has_time = input.matrix.keys().first().map(|key| key.at)
        != input.matrix.keys().last().map(|key| key.at);
    let clusters: Vec<u64> = folds
        .iter()
        .flat_map(|fold| fold.validation.iter().map(|&row| input.clusters[row]))
        .collect();
    let trial = Trial {
        input,
        folds: &folds,
        known,
        clusters: &clusters,
        segment,
        is_blind_to_time: kind == SplitKind::GroupedByLead && has_time,
        options,
    };
    let mut aged = Aged::of(trial, kind)?;
    let weights = weighted(input, aged.half_life);
    let effective = weights
        .as_ref()
        .map(|weights| effective_size(rows.iter().map(|&row| weights[row])));
    let trial = Trial {
        input: TrainInput {
            weights: weights.as_deref().or(input.weights),
            ..input
        },
        ..trial
    };
    let ladder = if options.reml == Some(true) {
        let lines = aged
            .lines
            .take()
            .map_or_else(|| estimated_lines(trial), Ok)?;
        ladder_by_reml(trial, &lines)?
    } else {
        ladder_on_folds(trial)?
    };
    let as_many = effective.map_or(String::new(), |size| {
        format!(" that count as much as {size:.0} of one age")
    });
    Ok(choose_from(
        &ladder,
        aged,
        trial,
        &format!(
            "over {} {}; {}{as_many}",
            folds.len(),
            kind.describe(),
            counted(rows.len(), "row")
        ),
    ))
}

/// Straight lines, where no fold can tell anything.
fn unmeasured(options: &TrainOptions) -> Choice {
    let ridge = options
        .penalties
        .get(options.penalties.len() / 2)
        .copied()
        .unwrap_or(1.0);
    let smoothing = if options.reml == Some(true) {
        Smoothing::Reml {
            stiffer: AS_ESTIMATED,
        }
    } else {
        Smoothing::Given(Strengths {
            steps: 16.0,
            smooth: 100.0,
            pair: PAIR_STRENGTHS[0],
            l1_ratio: options.l1_ratio,
            ..Strengths::ridge(ridge)
        })
    };
    Choice {
        shape: Shape::Linear,
        smoothing,
        half_life: given_half_life(options),
        description: format!(
            "{ridge}: no fold has both classes, so the middle one was taken, and linear terms"
        ),
        challenges: Vec::new(),
        tried: vec![(Shape::Linear, smoothing)],
    }
}

/// The simplest that later data cannot tell from the best.
fn choose_from(ladder: &[Candidate], aged: Aged, trial: Trial<'_>, measured_on: &str) -> Choice {
    let Trial {
        clusters, options, ..
    } = trial;
    // As the rule of Breiman et al. (1984), section 3.4.3, but with the standard error of the
    // difference on the same rows, by lead, and with two of them: what ships is what the interval
    // in the report says. Between strengths of one shape such a rule cost log-loss on later data
    // wherever it was tried.
    let mut chosen = 0;
    let Aged {
        half_life,
        mut challenges,
        lines: _,
    } = aged;
    // Up the ladder, a step at a time: a richer candidate has to be better than what stands by more
    // than chance.
    for step in 1..ladder.len() {
        let difference = paired_difference(&ladder[step].losses, &ladder[chosen].losses, clusters);
        // Who wants a model from too little data gets one that is better by anything like a
        // standard error.
        let is_forced = ladder[chosen].shape == Shape::BaseRate && options.allow_too_few;
        let margin = if is_forced { 1.0 } else { TWO_ERRORS };
        let is_better = is_lower(&difference, margin);
        let against = (ladder[step].shape, ladder[chosen].shape);
        let shipped = if is_better { step } else { chosen };
        challenges.push(challenge(
            (against.0.named(), against.1.named()),
            &difference,
            is_better,
            margin,
            clusters,
        ));
        chosen = shipped;
    }
    let best = &ladder[chosen];
    let mut description = format!(
        "{} (log-loss {:.4}): nothing that was tried is better by two standard errors, {measured_on}",
        best.shape.named(),
        mean(&best.losses),
    );
    let tried = ladder
        .iter()
        .map(|candidate| (candidate.shape, candidate.smoothing))
        .collect();
    if let Some(half_life) = half_life {
        description.push_str(&format!("; {}", Alternative::HalfLife(half_life)));
    }
    Choice {
        shape: best.shape,
        smoothing: best.smoothing,
        half_life,
        description,
        challenges,
        tried,
    }
}
