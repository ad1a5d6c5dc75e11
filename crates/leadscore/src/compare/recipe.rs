//! The usual way out where a challenger has been trained on everything, so that no later snapshot
//! is left: its recipe is trained as of an earlier moment, and compared on what came after.

use leadscore_core::{Span, Timestamp};
use leadscore_dataset::LoadOptions;
use leadscore_inference::Model;

use super::{CompareOptions, ModelComparison, compare_models, cutoff_of, refuse_undated};
use crate::data::Data;
use crate::error::Context;
use crate::train::{TrainOptions, train};

/// How a recipe is compared with the champion.
#[derive(Debug, Clone, Copy)]
pub struct RecipeOptions {
    /// How long before the last mature moment the compared snapshots begin; default 90 days. A
    /// longer time has more wins to decide by, and a model that is older.
    pub window: Span,
    /// How the recipe is trained.
    pub train: TrainOptions,
}

impl Default for RecipeOptions {
    fn default() -> Self {
        Self {
            window: Span::from_days(90),
            train: TrainOptions::default(),
        }
    }
}

/// A recipe against the champion, on snapshots that neither has seen.
#[derive(Debug)]
pub struct RecipeComparison {
    /// Both on the same later snapshots.
    pub comparison: ModelComparison,
    /// The recipe as of the cutoff: what is compared, and not what is shipped.
    pub challenger: Model,
    /// The moment as of which the challenger was trained, and from which snapshots are compared.
    pub cutoff: Timestamp,
    /// What the challenger was compared with.
    pub with: ComparedWith,
    /// Days from the champion's training cutoff to the end of the data.
    pub champion_age_days: f64,
}

/// What a challenger was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparedWith {
    /// The champion itself, which has seen none of the snapshots.
    Champion,
    /// The recipe as of so much earlier a moment that it was, at the cutoff, as old as the champion
    /// is now: the champion itself has seen the snapshots, or was trained too near to them.
    RecipeAtItsAge {
        /// The moment as of which it was trained.
        as_of: Timestamp,
    },
}

/// Compares the recipe of this config with the champion, on the snapshots of the latest window
/// whose outcomes are known.
///
/// ```text
/// now ─ horizon ─ window = cutoff          now ─ horizon              now
///   challenger knows ┤   compared snapshots   ┤   not mature yet       ┤
/// ```
///
/// The challenger is the recipe as of the cutoff. Where the champion's own training cutoff is not
/// after it, the champion itself is compared. Otherwise it has seen some of these snapshots, and in
/// its place stands the recipe as of `cutoff − age`, where `age` is the champion's age now: the
/// question is then whether a model of the champion's age should be trained again.
///
/// What is shipped after a promotion is neither, but the recipe trained on everything: by
/// simulation it gains more by half a year of newer data than the margin guards against
/// (`docs/promotion-worlds.md`). Check it by [`ModelComparison::losses_of`] before.
///
/// `None` where there is too little history to train as of the earlier moments.
///
/// # Errors
///
/// As [`compare_models`] and [`train`].
pub fn compare_recipe(
    data: &Data,
    champion: &Model,
    options: &RecipeOptions,
) -> crate::Result<Option<RecipeComparison>> {
    refuse_undated(data)?;
    data.same_question(champion)?;
    let tables = data.quiet().load(&LoadOptions::default())?;
    let horizon = data.config.snapshots.horizon;
    let cutoff = tables.mature_until() - horizon - options.window;
    let age = Span::from_micros(
        tables
            .observation_end
            .micros()
            .saturating_sub(cutoff_of(champion).micros()),
    );
    drop(tables);
    let Some(challenger) = trained_as_of(data, cutoff, options)? else {
        return Ok(None);
    };
    let (with, aged) = if cutoff_of(champion) <= cutoff {
        (ComparedWith::Champion, None)
    } else {
        let as_of = cutoff - age;
        let Some(aged) = trained_as_of(data, as_of, options)? else {
            return Ok(None);
        };
        (ComparedWith::RecipeAtItsAge { as_of }, Some(aged))
    };
    let range = CompareOptions {
        from: Some(cutoff),
        to: None,
    };
    Ok(Some(RecipeComparison {
        comparison: compare_models(data, aged.as_ref().unwrap_or(champion), &challenger, &range)?,
        challenger,
        cutoff,
        with,
        champion_age_days: age.days(),
    }))
}

/// The recipe as of a moment; `None` where there was too little to learn from.
fn trained_as_of(
    data: &Data,
    as_of: Timestamp,
    options: &RecipeOptions,
) -> crate::Result<Option<Model>> {
    let _stage = data.stage(&format!("training the recipe as of {as_of}"), 1)?;
    let past = data.as_of(as_of).quiet();
    let tables = past.load(&LoadOptions::default())?;
    let (labelled, _) =
        leadscore_features::labelled_snapshots(&tables, &past.config.snapshots, past.known_before)?;
    if labelled.snapshots.is_empty() {
        return Ok(None);
    }
    drop((tables, labelled));
    match train(&past, &options.train) {
        Ok(training) => Ok(Some(training.into_model())),
        Err(error) if error.is_too_little() => Ok(None),
        Err(error) => Err(error)
            .with_context(|| format!("cannot train as of {as_of}, to compare on what came later")),
    }
}
