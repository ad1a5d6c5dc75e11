//! Whether a challenger may replace the champion: by its log-loss on later rows that neither has
//! seen, and by nothing else.

mod bounds;

use leadscore_metrics::Clusters;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::bounds::bounds;

pub use self::bounds::Looks;

/// Two models on the same later rows, and what else is known of them.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    /// Log-loss of each row by the champion.
    pub champion: &'a [f64],
    /// Log-loss of each row by the challenger.
    pub challenger: &'a [f64],
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// The cluster of each row: rows of one cluster are not independent.
    pub clusters: &'a [u64],
    /// Days since the champion's training cutoff.
    pub champion_age_days: f64,
    /// Whether the champion's percentages hold; `None` where nobody can tell.
    pub champion_holds: Option<bool>,
    /// Whether the challenger's percentages hold; `None` where nobody can tell.
    pub challenger_holds: Option<bool>,
    /// Share of the open leads whose tier would change; `None` where no lead is open, so that
    /// nobody would see a change.
    pub churn: Option<f64>,
}

/// When a challenger is promoted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PromotionRule {
    /// How much worse a challenger may be and still count as no worse, as a share of the
    /// champion's log-loss; default 0.005.
    pub margin: f64,
    /// A champion whose training cutoff is longer ago than this many days is too old; default 180.
    pub max_age_days: f64,
    /// Share of the open leads that may change their tier; default 0.5.
    pub max_churn: f64,
    /// Whether a person has accepted a larger change of tiers; default no.
    pub accepts_churn: bool,
    /// Confidence of each one-sided bound; default 0.975.
    pub level: f64,
    /// Fewest rows won, and fewest not won, from which anything is concluded; default 30. Fewer
    /// have bounds that hold less often than they promise.
    pub fewest_wins: usize,
    /// Fewest clusters of rows; default 50.
    pub fewest_clusters: usize,
    /// Whether the bounds are for one look or for any number of looks at a growing record; default
    /// one.
    pub looks: Looks,
}

impl Default for PromotionRule {
    fn default() -> Self {
        Self {
            margin: 0.005,
            max_age_days: 180.0,
            max_churn: 0.5,
            accepts_churn: false,
            level: 0.975,
            fewest_wins: 30,
            fewest_clusters: 50,
            looks: Looks::One,
        }
    }
}

/// What is decided, and the figures it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What is to be done, and because of what.
    #[serde(flatten)]
    pub verdict: PromotionVerdict,
    /// The comparison on later rows.
    pub evidence: Evidence,
    /// Days since the champion's training cutoff.
    pub champion_age_days: f64,
    /// Whether that is more than the rule allows.
    pub is_too_old: bool,
    /// Share of the open leads whose tier would change.
    pub churn: Option<f64>,
    /// The rule by which it was decided.
    pub rule: PromotionRule,
}

impl Decision {
    /// Whether the challenger becomes the champion.
    pub fn is_promotion(&self) -> bool {
        match self.verdict {
            PromotionVerdict::Promote { .. } => true,
            PromotionVerdict::Keep { .. } | PromotionVerdict::CannotTell { .. } => false,
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum PromotionVerdict {
    /// The challenger replaces the champion.
    Promote {
        /// Why.
        because: PromoteBecause,
    },
    /// The champion stays.
    Keep {
        /// Why.
        because: KeepBecause,
    },
    /// The champion stays, because there is too little to decide by.
    CannotTell {
        /// What is missing.
        because: CannotTellBecause,
    },
}

/// Why a challenger is promoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromoteBecause {
    /// Its log-loss is lower beyond chance.
    Better,
    /// It is no worse, and the champion's percentages do not hold while its own do.
    ChampionDoesNotHold,
    /// It is no worse, and the champion is too old.
    ChampionTooOld,
}

/// Why a champion stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepBecause {
    /// The challenger's log-loss is higher beyond chance.
    Worse,
    /// The challenger may be worse by more than the margin.
    MayBeWorse,
    /// The challenger is no worse, and nothing speaks for a change.
    NoWorseIsNotEnough,
    /// The challenger would replace the champion, and too many leads would change their tier.
    Churn,
}

/// What is missing to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CannotTellBecause {
    /// There are no later rows whose outcome is known.
    NoRows,
    /// Too few of them are won.
    FewWins,
    /// Too few of them are not won.
    FewOthers,
    /// They belong to too few clusters.
    FewClusters,
}

/// The comparison on later rows: `Δ = challenger − champion`, in mean log-loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Mean log-loss of the champion; NaN without rows.
    pub champion_loss: f64,
    /// Mean log-loss of the challenger.
    pub challenger_loss: f64,
    /// `Δ`: below 0 where the challenger is better.
    pub difference: f64,
    /// Its lower bound at the level of the rule; −∞ where there is none.
    pub low: f64,
    /// Its upper bound at the level of the rule; ∞ where there is none.
    pub high: f64,
    /// The margin in log-loss: the rule's share of the champion's loss.
    pub margin: f64,
    /// Later rows whose outcome is known.
    pub n_rows: usize,
    /// Clusters among them.
    pub n_clusters: usize,
    /// As many clusters of equal weight would know as much: `(∑ s²)² / ∑ s⁴` over the sums `s` of
    /// differences by cluster.
    pub n_effective: f64,
    /// Rows won among them.
    pub n_wins: usize,
}

/// Why nothing can be decided: the input is not what was promised.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PromotionError {
    /// Slices of a trial differ in length.
    #[error(
        "the champion has {n_champion} log-losses, and there are {found} {what}\n  hint: compare both models on the same rows"
    )]
    Length {
        /// What has another length.
        what: &'static str,
        /// Its length.
        found: usize,
        /// Rows of the champion.
        n_champion: usize,
    },
    /// A number is out of its range.
    #[error("{what} is {found}\n  hint: expected {expected}")]
    Number {
        /// What it is.
        what: String,
        /// What was found.
        found: f64,
        /// What was expected.
        expected: &'static str,
    },
}

/// Decides whether the challenger of a trial replaces the champion.
///
/// ```text
/// Δ = mean(challenger − champion),   m = margin · mean(champion)
/// promote if  high(Δ) ≤ m  and  ( high(Δ) < 0  or  the champion is too old
///                                or  its percentages do not hold and the challenger's do )
///         and  churn ≤ max_churn, or a person accepts it
/// ```
///
/// A trial of [`Looks::One`] must be of rows that no earlier decision about this pair has used, or
/// its level is of each look and not of all; see [`Looks`].
///
/// # Errors
///
/// [`PromotionError::Length`]; [`PromotionError::Number`] for a log-loss that is not a finite
/// number of 0 or more, and for shares, ages and levels out of range.
///
/// # Examples
///
/// ```
/// use leadscore_monitoring::{PromotionRule, PromotionVerdict, PromoteBecause, Trial, decide};
///
/// let labels: Vec<bool> = (0..400).map(|row| row % 4 == 0).collect();
/// let loss = |p: f64| move |&won: &bool| if won { -p.ln() } else { -(1.0 - p).ln() };
/// let clusters: Vec<u64> = (0..400).collect();
/// let trial = Trial {
///     champion: &labels.iter().map(loss(0.5)).collect::<Vec<_>>(),
///     challenger: &labels.iter().map(loss(0.25)).collect::<Vec<_>>(),
///     labels: &labels,
///     clusters: &clusters,
///     champion_age_days: 40.0,
///     champion_holds: None,
///     challenger_holds: None,
///     churn: Some(0.1),
/// };
/// let decision = decide(&trial, &PromotionRule::default())?;
/// assert_eq!(decision.verdict, PromotionVerdict::Promote { because: PromoteBecause::Better });
/// # Ok::<(), leadscore_monitoring::PromotionError>(())
/// ```
pub fn decide(trial: &Trial<'_>, rule: &PromotionRule) -> Result<Decision, PromotionError> {
    check_rule(rule)?;
    check_trial(trial)?;
    let evidence = Evidence::of(trial, rule);
    let is_too_old = trial.champion_age_days > rule.max_age_days;
    Ok(Decision {
        verdict: verdict_of(trial, rule, &evidence, is_too_old),
        evidence,
        champion_age_days: trial.champion_age_days,
        is_too_old,
        churn: trial.churn,
        rule: *rule,
    })
}

fn verdict_of(
    trial: &Trial<'_>,
    rule: &PromotionRule,
    evidence: &Evidence,
    is_too_old: bool,
) -> PromotionVerdict {
    if let Some(because) = missing(evidence, rule) {
        return PromotionVerdict::CannotTell { because };
    }
    let keep = |because| PromotionVerdict::Keep { because };
    if evidence.high > evidence.margin {
        return keep(if evidence.low > 0.0 {
            KeepBecause::Worse
        } else {
            KeepBecause::MayBeWorse
        });
    }
    let because = if evidence.high < 0.0 {
        PromoteBecause::Better
    } else if trial.champion_holds == Some(false) && trial.challenger_holds == Some(true) {
        PromoteBecause::ChampionDoesNotHold
    } else if is_too_old {
        PromoteBecause::ChampionTooOld
    } else {
        return keep(KeepBecause::NoWorseIsNotEnough);
    };
    match trial.churn {
        Some(churn) if churn > rule.max_churn && !rule.accepts_churn => keep(KeepBecause::Churn),
        Some(_) | None => PromotionVerdict::Promote { because },
    }
}

/// What there is too little of.
fn missing(evidence: &Evidence, rule: &PromotionRule) -> Option<CannotTellBecause> {
    if evidence.n_rows == 0 {
        Some(CannotTellBecause::NoRows)
    } else if evidence.n_wins < rule.fewest_wins {
        Some(CannotTellBecause::FewWins)
    } else if evidence.n_rows - evidence.n_wins < rule.fewest_wins {
        Some(CannotTellBecause::FewOthers)
    } else if evidence.n_clusters < rule.fewest_clusters {
        Some(CannotTellBecause::FewClusters)
    } else {
        None
    }
}

impl Evidence {
    fn of(trial: &Trial<'_>, rule: &PromotionRule) -> Self {
        let n_rows = trial.labels.len();
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / n_rows as f64;
        let differences: Vec<f64> = trial
            .challenger
            .iter()
            .zip(trial.champion)
            .map(|(challenger, champion)| challenger - champion)
            .collect();
        let clusters = Clusters::new(trial.clusters);
        let bounds = bounds(&differences, &clusters, rule.level, rule.looks);
        let champion_loss = mean(trial.champion);
        Self {
            champion_loss,
            challenger_loss: mean(trial.challenger),
            difference: bounds.mean,
            low: bounds.low,
            high: bounds.high,
            margin: rule.margin * champion_loss,
            n_rows,
            n_clusters: clusters.len(),
            n_effective: bounds.n_effective,
            n_wins: trial.labels.iter().filter(|label| **label).count(),
        }
    }
}

fn check_trial(trial: &Trial<'_>) -> Result<(), PromotionError> {
    let n_champion = trial.champion.len();
    for (what, found) in [
        ("log-losses of the challenger", trial.challenger.len()),
        ("labels", trial.labels.len()),
        ("clusters", trial.clusters.len()),
    ] {
        if found != n_champion {
            return Err(PromotionError::Length {
                what,
                found,
                n_champion,
            });
        }
    }
    for (name, losses) in [
        ("champion", trial.champion),
        ("challenger", trial.challenger),
    ] {
        if let Some(row) = losses
            .iter()
            .position(|loss| !(0.0..f64::INFINITY).contains(loss))
        {
            return Err(PromotionError::Number {
                what: format!("the log-loss of the {name} in row {row}"),
                found: losses[row],
                expected: "a finite number of 0 or more",
            });
        }
    }
    number(
        "the age of the champion in days",
        trial.champion_age_days,
        0.0..f64::INFINITY,
        "a finite number of 0 or more",
    )?;
    trial.churn.map_or(Ok(()), |churn| {
        number(
            "the share of leads that change their tier",
            churn,
            0.0..1.0 + f64::EPSILON,
            "a share from 0 to 1",
        )
    })
}

fn check_rule(rule: &PromotionRule) -> Result<(), PromotionError> {
    let share = 0.0..1.0 + f64::EPSILON;
    number(
        "`margin`",
        rule.margin,
        share.clone(),
        "a share from 0 to 1",
    )?;
    number("`max_churn`", rule.max_churn, share, "a share from 0 to 1")?;
    // An infinite age is a champion that is never too old.
    if rule.max_age_days.is_nan() || rule.max_age_days < 0.0 {
        return Err(PromotionError::Number {
            what: "`max_age_days`".to_owned(),
            found: rule.max_age_days,
            expected: "0 or more",
        });
    }
    number("`level`", rule.level, 0.6..1.0, "at least 0.6 and below 1")
}

fn number(
    what: &str,
    found: f64,
    range: std::ops::Range<f64>,
    expected: &'static str,
) -> Result<(), PromotionError> {
    if range.contains(&found) {
        return Ok(());
    }
    Err(PromotionError::Number {
        what: what.to_owned(),
        found,
        expected,
    })
}

#[cfg(test)]
mod tests;
