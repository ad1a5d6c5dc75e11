//! Two years of monthly retraining in a world that drifts: what is shipped, and its true log-loss.

use leadscore_monitoring::{Looks, RefitPeriod, check_refit};

use crate::cycles::{WorldError, decided};
use crate::world::{Draws, Model, Rows, World};

/// Months that a label takes to be known.
const HORIZON: usize = 3;
/// Months of rows that a model is compared on.
const COMPARED: usize = 3;
/// Months of rows that a model is trained on, at most.
const WINDOW: usize = 12;
/// Months before the first look.
const BEFORE: usize = 18;
const MONTHS: usize = 24;

/// Who decides what is shipped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// The first model for ever.
    Never,
    /// Every month the newest model, whatever it is.
    Always,
    /// By the rule; the model that was compared is shipped.
    Compared,
    /// By the rule; the recipe is fitted again on everything, and that is shipped.
    Refit,
    /// The same; as long as there are no months that the champion has not seen, its recipe is
    /// compared in its place, as old at the time as the champion is now.
    Aged,
    /// The truly better of the champion and the newest model.
    Oracle,
}

pub(crate) const POLICIES: [Policy; 6] = [
    Policy::Never,
    Policy::Always,
    Policy::Compared,
    Policy::Refit,
    Policy::Aged,
    Policy::Oracle,
];

/// What a policy comes to over two years.
#[derive(Clone, Copy, Default)]
pub(crate) struct Shipped {
    /// Mean true log-loss.
    pub(crate) loss: f64,
    pub(crate) promotions: f64,
    /// Promotions after which the true log-loss was higher by more than the margin.
    pub(crate) wrong: f64,
}

/// How a world changes from month to month.
#[derive(Clone, Copy)]
pub(crate) struct Change {
    /// Standard deviation of the monthly step of each weight.
    pub(crate) walk: f64,
    /// Whether for three months in the middle the numbers of new rows come in another unit.
    pub(crate) breaks: bool,
}

struct Champion {
    model: Model,
    /// The first month of which it has seen nothing.
    cutoff: usize,
}

/// Runs all policies in one world.
pub(crate) fn two_years(
    seed: u64,
    (n_rows, rate, change): (usize, f64, Change),
) -> Result<[Shipped; 6], WorldError> {
    let mut draws = Draws::new(seed);
    let mut world = World::new(&mut draws, rate, 5, 0.5);
    let mut worlds = Vec::new();
    let mut months: Vec<Rows> = Vec::new();
    for month in 0..BEFORE + MONTHS {
        let mut rows = world.rows(&mut draws, n_rows, (month as u64) << 32);
        if change.breaks && (BEFORE + 8..BEFORE + 11).contains(&month) {
            for x in &mut rows.numbers {
                x[..3].iter_mut().for_each(|x| *x *= 100.0);
            }
        }
        months.push(rows);
        worlds.push(world.clone());
        for weight in &mut world.weights {
            *weight += change.walk * draws.normal();
        }
    }
    let mut found = [Shipped::default(); 6];
    for (idx, policy) in POLICIES.into_iter().enumerate() {
        found[idx] = run(&worlds, &months, policy)?;
    }
    Ok(found)
}

/// The recipe, of what is known at the beginning of a month.
fn recipe(months: &[Rows], at: usize) -> Result<Option<Champion>, WorldError> {
    let known = at - HORIZON;
    let rows = months[known.saturating_sub(WINDOW)..known]
        .iter()
        .fold(Rows::default(), Rows::and);
    Ok(Model::fitted(&rows)?.map(|model| Champion { model, cutoff: at }))
}

fn run(worlds: &[World], months: &[Rows], policy: Policy) -> Result<Shipped, WorldError> {
    let mut found = Shipped::default();
    let Some(mut champion) = recipe(months, BEFORE)? else {
        return Ok(found);
    };
    for (at, world) in worlds.iter().enumerate().skip(BEFORE) {
        let before = world.true_loss(&champion.model);
        let next = match policy {
            Policy::Never => None,
            Policy::Always => recipe(months, at)?,
            Policy::Oracle => {
                recipe(months, at)?.filter(|newest| world.true_loss(&newest.model) < before)
            }
            Policy::Compared | Policy::Refit | Policy::Aged => {
                by_rule(world, months, &champion, at, policy)?
            }
        };
        if let Some(next) = next {
            let after = world.true_loss(&next.model);
            found.promotions += 1.0;
            found.wrong += f64::from(u8::from(after > 1.005 * before));
            champion = next;
        }
        found.loss += world.true_loss(&champion.model) / MONTHS as f64;
    }
    Ok(found)
}

/// What the rule ships at the beginning of a month, if anything.
fn by_rule(
    world: &World,
    months: &[Rows],
    champion: &Champion,
    at: usize,
    policy: Policy,
) -> Result<Option<Champion>, WorldError> {
    let known = at - HORIZON;
    let cutoff = known - COMPARED;
    let age = at - champion.cutoff;
    let (champion, first) = match policy {
        Policy::Aged if champion.cutoff > cutoff => {
            match recipe(months, cutoff - age.min(cutoff - HORIZON - 1))? {
                Some(aged) => (aged.model, cutoff),
                None => return Ok(None),
            }
        }
        Policy::Never
        | Policy::Always
        | Policy::Compared
        | Policy::Refit
        | Policy::Aged
        | Policy::Oracle => (champion.model.clone(), champion.cutoff.max(cutoff)),
    };
    if first >= known {
        return Ok(None);
    }
    let Some(challenger) = recipe(months, cutoff)? else {
        return Ok(None);
    };
    let later = months[first..known].iter().fold(Rows::default(), Rows::and);
    let pair = (&champion, &challenger.model);
    if !decided(world, &later, pair, age > 6, Looks::One)?.is_promotion() {
        return Ok(None);
    }
    match policy {
        Policy::Refit | Policy::Aged => {
            let refit = recipe(months, at)?;
            Ok(refit.filter(|refit| {
                is_sound(
                    world,
                    &months[first..known],
                    (&challenger.model, &refit.model),
                )
            }))
        }
        Policy::Never | Policy::Always | Policy::Compared | Policy::Oracle => Ok(Some(challenger)),
    }
}

/// Whether a refit is no worse than the model that was compared in any month, which it has seen.
fn is_sound(world: &World, months: &[Rows], (compared, refit): (&Model, &Model)) -> bool {
    let losses: Vec<(Vec<f64>, Vec<f64>)> = months
        .iter()
        .map(|rows| (rows.losses(world, compared), rows.losses(world, refit)))
        .collect();
    let periods: Vec<RefitPeriod<'_>> = months
        .iter()
        .zip(&losses)
        .map(|(rows, (compared, refit))| RefitPeriod {
            name: "a month",
            compared,
            refit,
            clusters: &rows.clusters,
        })
        .collect();
    check_refit(&periods, 0.01).is_ok_and(|found| found.is_sound)
}
