//! Whether a model that was trained on everything becomes the champion: its recipe is compared on
//! later snapshots, and the model itself is checked before it is shipped.

use leadscore::{
    ComparedWith, Data, ErrorKind, Model, RecipeComparison, RecipeOptions, TierChurn, Timestamp,
    TrainOptions, compare_recipe, tier_churn,
};
use leadscore_config::OperationConfig;
use leadscore_core::{Span, counted};
use leadscore_monitoring::{
    CannotTellBecause, Decision, KeepBecause, PromoteBecause, PromotionError, PromotionRule,
    PromotionVerdict, RefitCheck, RefitError, RefitPeriod, Trial, check_refit, decide,
};
use serde_json::{Value, json};
use thiserror::Error;

/// How a challenger is compared.
#[derive(Debug, Clone, Copy)]
pub struct ChallengeOptions {
    /// How long before the last mature moment the compared snapshots begin; default 90 days.
    pub window: Span,
    /// How the recipe is trained; as the challenger was.
    pub train: TrainOptions,
    /// Whether a person accepts that more leads change their tier than the config allows; default
    /// no.
    pub accepts_churn: bool,
    /// Whether monitoring says that the champion's percentages hold; default `None`, which takes
    /// the verdict on the compared snapshots.
    pub champion_holds: Option<bool>,
}

impl Default for ChallengeOptions {
    fn default() -> Self {
        let recipe = RecipeOptions::default();
        Self {
            window: recipe.window,
            train: recipe.train,
            accepts_churn: false,
            champion_holds: None,
        }
    }
}

/// What became of a challenger, and the figures it rests on.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// What it comes to.
    pub verdict: ChallengeVerdict,
    /// The decision by the rule; `None` where there is too little history for one.
    pub decision: Option<Decision>,
    /// The check of the challenger itself, which was trained on everything; `None` where the rule
    /// does not promote it.
    pub refit: Option<RefitCheck>,
    /// The open leads that would change their tier; `None` where none is open.
    pub churn: Option<TierChurn>,
    /// What was compared with what.
    pub compared: Option<Compared>,
}

/// What was compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// What the challenger was compared with.
    pub with: ComparedWith,
    /// The moment as of which its recipe was trained.
    pub cutoff: Timestamp,
    /// The first and the last snapshot; `None` where there are none.
    pub range: Option<(Timestamp, Timestamp)>,
}

/// What a challenge comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeVerdict {
    /// The rule has decided, and what it promotes is sound.
    ByRule(PromotionVerdict),
    /// The rule would promote, and the model that was trained on everything is worse on snapshots
    /// that it has seen: something is wrong with what it was trained on since.
    NotSound,
    /// There is too little history to compare anything.
    TooShort,
}

/// Why a challenge cannot be decided.
#[derive(Debug, Error)]
pub enum ChallengeError {
    /// Tables, training or scoring.
    #[error(transparent)]
    Library(#[from] leadscore::Error),
    /// The rule.
    #[error(transparent)]
    Promotion(#[from] PromotionError),
    /// The check of the model that is shipped.
    #[error(transparent)]
    Refit(#[from] RefitError),
}

impl ChallengeError {
    /// What kind of thing went wrong, for programs.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Library(error) => error.kind(),
            Self::Promotion(_) | Self::Refit(_) => ErrorKind::Data,
        }
    }
}

/// Worse by this share on a month that it has seen, and a model is not shipped.
const REFIT_TOLERANCE: f64 = 0.01;

/// Decides whether `challenger`, which was trained on everything that `data` knows, replaces the
/// champion.
///
/// # Errors
///
/// [`ChallengeError`].
pub fn challenge(
    data: &Data,
    champion: &Model,
    challenger: &Model,
    operation: &OperationConfig,
    options: &ChallengeOptions,
) -> Result<Challenge, ChallengeError> {
    let recipe = RecipeOptions {
        window: options.window,
        train: options.train,
    };
    let churn = tier_churn(data, champion, challenger)?;
    let Some(found) = compare_recipe(data, champion, &recipe)? else {
        return Ok(Challenge {
            verdict: ChallengeVerdict::TooShort,
            decision: None,
            refit: None,
            churn,
            compared: None,
        });
    };
    let comparison = &found.comparison;
    let decision = decide(
        &Trial {
            champion: &comparison.champion.losses,
            challenger: &comparison.challenger.losses,
            labels: &comparison.labels,
            clusters: &comparison.clusters,
            champion_age_days: found.champion_age_days,
            champion_holds: options.champion_holds.or(comparison.champion.holds()),
            challenger_holds: comparison.challenger.holds(),
            churn: churn.map(|churn| churn.share()),
        },
        &rule_of(operation, options),
    )?;
    let refit = if decision.is_promotion() {
        Some(checked(data, challenger, &found)?)
    } else {
        None
    };
    let verdict = match &refit {
        Some(refit) if !refit.is_sound => ChallengeVerdict::NotSound,
        Some(_) | None => ChallengeVerdict::ByRule(decision.verdict),
    };
    Ok(Challenge {
        verdict,
        decision: Some(decision),
        refit,
        churn,
        compared: Some(Compared {
            with: found.with,
            cutoff: found.cutoff,
            range: comparison.range,
        }),
    })
}

/// The rule that the config asks for.
fn rule_of(operation: &OperationConfig, options: &ChallengeOptions) -> PromotionRule {
    PromotionRule {
        margin: operation.margin,
        max_age_days: operation.max_age.days(),
        max_churn: operation.max_churn,
        accepts_churn: options.accepts_churn,
        ..PromotionRule::default()
    }
}

/// Checks the model that would be shipped, month by month of the comparison.
fn checked(
    data: &Data,
    challenger: &Model,
    found: &RecipeComparison,
) -> Result<RefitCheck, ChallengeError> {
    let comparison = &found.comparison;
    let losses = comparison.losses_of(&data.quiet(), challenger)?;
    // Snapshots are in order of time, so that a month is a run of them.
    let mut months = Vec::new();
    let mut first = 0;
    for month in comparison.months.chunk_by(|a, b| a == b) {
        let rows = first..first + month.len();
        first = rows.end;
        months.push(RefitPeriod {
            name: &comparison.month_names[month[0] as usize],
            compared: &comparison.challenger.losses[rows.clone()],
            refit: &losses[rows.clone()],
            clusters: &comparison.clusters[rows],
        });
    }
    Ok(check_refit(&months, REFIT_TOLERANCE)?)
}

impl Challenge {
    /// Whether the challenger becomes the champion.
    pub fn is_promotion(&self) -> bool {
        match self.verdict {
            ChallengeVerdict::ByRule(PromotionVerdict::Promote { .. }) => true,
            ChallengeVerdict::ByRule(
                PromotionVerdict::Keep { .. } | PromotionVerdict::CannotTell { .. },
            )
            | ChallengeVerdict::NotSound
            | ChallengeVerdict::TooShort => false,
        }
    }

    /// Whether anything could be decided.
    pub fn is_decided(&self) -> bool {
        match self.verdict {
            ChallengeVerdict::ByRule(
                PromotionVerdict::Promote { .. } | PromotionVerdict::Keep { .. },
            )
            | ChallengeVerdict::NotSound => true,
            ChallengeVerdict::ByRule(PromotionVerdict::CannotTell { .. })
            | ChallengeVerdict::TooShort => false,
        }
    }

    /// Why, as a sentence without a full stop.
    pub fn because(&self) -> String {
        let decision = self.decision.as_ref();
        match (self.verdict, decision) {
            (ChallengeVerdict::ByRule(verdict), Some(decision)) => words(verdict, decision),
            (ChallengeVerdict::NotSound, _) => {
                let month = self.refit.iter().flat_map(|refit| &refit.periods);
                let bad: Vec<&str> = month
                    .filter(|month| !month.holds)
                    .map(|month| month.name.as_str())
                    .collect();
                format!(
                    "trained on everything, the challenger is worse in {} than its recipe was before it had seen it: something is wrong with newer data",
                    bad.join(", ")
                )
            }
            (ChallengeVerdict::TooShort | ChallengeVerdict::ByRule(_), _) => {
                "there is too little history to compare models on snapshots that neither has seen"
                    .to_owned()
            }
        }
    }

    /// Every figure that it rests on.
    pub fn evidence(&self) -> Value {
        let compared = self.compared.map(|compared| {
            let (with, as_of) = match compared.with {
                ComparedWith::Champion => ("champion", None),
                ComparedWith::RecipeAtItsAge { as_of } => ("recipe at its age", Some(as_of)),
            };
            json!({
                "with": with,
                "with_as_of": as_of.map(|at| at.to_string()),
                "cutoff": compared.cutoff.to_string(),
                "from": compared.range.map(|(first, _)| first.to_string()),
                "to": compared.range.map(|(_, last)| last.to_string()),
            })
        });
        json!({
            "decision": self.decision,
            "compared": compared,
            "refit": self.refit,
            "changed_tiers": self.churn.map(|churn| json!({
                "n_leads": churn.n_leads,
                "n_changed": churn.n_changed,
                "mean_likelihood_before": churn.mean_before,
                "mean_likelihood_after": churn.mean_after,
            })),
        })
    }
}

/// A verdict as a sentence.
fn words(verdict: PromotionVerdict, decision: &Decision) -> String {
    let evidence = &decision.evidence;
    let gain = |difference: f64| 100.0 * -difference / evidence.champion_loss;
    let figures = format!(
        "its log-loss on {} with {} is {:.4} against {:.4} ({:+.1} %, 95 % interval {:+.1} to {:+.1} %)",
        counted(evidence.n_rows, "later snapshot"),
        counted(evidence.n_wins, "win"),
        evidence.challenger_loss,
        evidence.champion_loss,
        -gain(evidence.difference),
        -gain(evidence.low),
        -gain(evidence.high),
    );
    match verdict {
        PromotionVerdict::Promote { because } => match because {
            PromoteBecause::Better => format!("the challenger is better: {figures}"),
            PromoteBecause::ChampionDoesNotHold => format!(
                "the champion's percentages do not hold, the challenger's do, and it is no worse: {figures}"
            ),
            PromoteBecause::ChampionTooOld => format!(
                "the champion knows nothing of the last {:.0} days, and the challenger is no worse: {figures}",
                decision.champion_age_days
            ),
        },
        PromotionVerdict::Keep { because } => match because {
            KeepBecause::Worse => format!("the challenger is worse: {figures}"),
            KeepBecause::MayBeWorse => {
                format!("the challenger is not proven to be no worse: {figures}")
            }
            KeepBecause::NoWorseIsNotEnough => {
                format!("the challenger is no worse, and not better beyond chance: {figures}")
            }
            KeepBecause::Churn => format!(
                "with the challenger {:.0} % of the open leads would change their tier, more than `max_churn` of {:.0} %; {figures}",
                100.0 * decision.churn.unwrap_or_default(),
                100.0 * decision.rule.max_churn
            ),
        },
        PromotionVerdict::CannotTell { because } => match because {
            CannotTellBecause::NoRows => {
                "there is no later snapshot whose outcome is known".to_owned()
            }
            CannotTellBecause::FewWins => format!(
                "the later snapshots have {}, and it takes {} to decide",
                counted(evidence.n_wins, "win"),
                decision.rule.fewest_wins
            ),
            CannotTellBecause::FewOthers => format!(
                "the later snapshots have {} that were not won, and it takes {} to decide",
                evidence.n_rows - evidence.n_wins,
                decision.rule.fewest_wins
            ),
            CannotTellBecause::FewClusters => format!(
                "the later snapshots are of {} leads or accounts, and it takes {} to decide",
                evidence.n_clusters, decision.rule.fewest_clusters
            ),
        },
    }
}
