//! Parts of models as formats 1 to 3 held them: lines without ends, curves without doubt, scopes
//! without leads.

use leadscore_core::FeatureSpec;
use serde::{Deserialize, Serialize};

use crate::calibration::CalibrationCurve;
use crate::card::Card;
use crate::covariance::Covariance;
use crate::model::{CellCount, Model};
use crate::scope::{FeatureScope, LeadSample, Scope, Spread};
use crate::term::{BinsTerm, LevelsTerm, LinearTerm, PairTerm, Term};

/// A model of format 2, and that of format 3 but for what stands beside it there.
#[derive(Deserialize)]
pub(crate) struct ModelTwo {
    card: Card,
    specs: Vec<FeatureSpec>,
    intercept: f64,
    terms: Vec<TermTwo>,
    tier_edges: [f64; 3],
    counts: Vec<Vec<CellCount>>,
    covariance: Option<Covariance>,
    calibration: Option<CurveTwo>,
}

/// A term of formats 1 to 3.
#[derive(Serialize, Deserialize)]
pub(crate) enum TermTwo {
    Linear(LinearTwo),
    Levels(LevelsTerm),
    Bins(BinsTerm),
    Pair(PairTerm),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct LinearTwo {
    feature_idx: usize,
    mean: f64,
    scale: f64,
    weight: f64,
    missing: f64,
    average: f64,
}

#[derive(Deserialize)]
struct CurveTwo {
    knots: Vec<(f64, f64)>,
}

/// What format 3 knew of its training.
#[derive(Deserialize)]
pub(crate) struct ScopeThree {
    every: Option<String>,
    negative_sampling_rate: f64,
    clusters: String,
    ages: Option<SpreadThree>,
    features: Vec<FeatureThree>,
}

#[derive(Deserialize)]
struct SpreadThree {
    low: f64,
    median: f64,
    high: f64,
}

#[derive(Deserialize)]
struct FeatureThree {
    spread: Option<SpreadThree>,
    filled: f64,
    novel: f64,
}

impl From<TermTwo> for Term {
    fn from(term: TermTwo) -> Self {
        match term {
            TermTwo::Linear(LinearTwo {
                feature_idx,
                mean,
                scale,
                weight,
                missing,
                average,
            }) => Self::Linear(LinearTerm {
                feature_idx,
                mean,
                scale,
                weight,
                missing,
                average,
                range: LinearTerm::UNBOUNDED,
            }),
            TermTwo::Levels(term) => Self::Levels(term),
            TermTwo::Bins(term) => Self::Bins(term),
            TermTwo::Pair(term) => Self::Pair(term),
        }
    }
}

impl From<&Term> for TermTwo {
    fn from(term: &Term) -> Self {
        match term.clone() {
            Term::Linear(LinearTerm {
                feature_idx,
                mean,
                scale,
                weight,
                missing,
                average,
                ..
            }) => Self::Linear(LinearTwo {
                feature_idx,
                mean,
                scale,
                weight,
                missing,
                average,
            }),
            Term::Levels(term) => Self::Levels(term),
            Term::Bins(term) => Self::Bins(term),
            Term::Pair(term) => Self::Pair(term),
        }
    }
}

impl From<ModelTwo> for Model {
    fn from(two: ModelTwo) -> Self {
        let ModelTwo {
            card,
            specs,
            intercept,
            terms,
            tier_edges,
            counts,
            covariance,
            calibration,
        } = two;
        Self {
            card,
            specs,
            intercept,
            terms: terms.into_iter().map(Term::from).collect(),
            tier_edges,
            counts,
            covariance,
            calibration: calibration.map(|curve| CalibrationCurve {
                knots: curve.knots,
                replicates: Vec::new(),
            }),
            data: None,
            scope: None,
            age_baseline: None,
            degrees: Vec::new(),
        }
    }
}

impl From<ScopeThree> for Scope {
    fn from(three: ScopeThree) -> Self {
        let ScopeThree {
            every,
            negative_sampling_rate,
            clusters,
            ages,
            features,
        } = three;
        let spread = |spread: Option<SpreadThree>| {
            spread.map(|SpreadThree { low, median, high }| Spread {
                low,
                median,
                deviation: 0.0,
                high,
            })
        };
        let features = features
            .into_iter()
            .map(|feature| FeatureScope {
                spread: spread(feature.spread),
                filled: feature.filled,
                novel: feature.novel,
            })
            .collect();
        Self {
            every,
            silent: None,
            negative_sampling_rate,
            clusters,
            ages: spread(ages),
            features,
            leads: LeadSample::default(),
            judged: Vec::new(),
        }
    }
}
