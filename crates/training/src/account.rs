//! The account that a model gives of its training: its card, and what it was trained within.

use leadscore_core::{FeatureMatrix, Span, count, counted, hex};
use leadscore_inference::{
    Card, DataVerdict, FeatureScope, JudgedAttribute, LeadSample, LearningCurve, Limitation, Scope,
    Sufficiency, WithAndWithout,
};
use sha2::{Digest, Sha256};

use crate::fitting::{Fitted, certificate_of};
use crate::input::TrainInput;
use crate::leaks::{LeakFinding, LeakVerdict};
use crate::measuring::{Holdout, metrics};
use crate::options::{TrainContext, TrainOptions};
use crate::penalty_rule::PenaltyRule;
use crate::population::{Totals, whole};
use crate::selection::Choice;
use crate::shape::Shape;

/// Everything that a training found out beside the weights.
pub(crate) struct Account<'a> {
    pub(crate) input: TrainInput<'a>,
    pub(crate) options: &'a TrainOptions,
    pub(crate) context: &'a TrainContext,
    pub(crate) leaks: &'a [LeakFinding],
    pub(crate) sufficiency: Sufficiency,
    pub(crate) penalties: PenaltyRule,
    pub(crate) choice: Choice,
    pub(crate) holdout: &'a Holdout,
    /// What held-out rows say of fits that were denied an attribute.
    pub(crate) without: Vec<(String, WithAndWithout)>,
    pub(crate) learning: Option<LearningCurve>,
    /// Leads at hand.
    pub(crate) n_leads: u64,
    /// What all rows hold, wherever they are.
    pub(crate) totals: Totals,
}

impl Account<'_> {
    /// What a person wants to know; the model's id is not known yet.
    pub(crate) fn card(self, fitted: &Fitted) -> Card {
        let limitations = self.limitations();
        let Self {
            input,
            context,
            choice,
            holdout,
            totals,
            ..
        } = self;
        let measured: Vec<bool> = holdout.rows.iter().map(|&row| input.labels[row]).collect();
        Card {
            model_id: String::new(),
            tool_version: context.tool_version.clone(),
            horizon: input.horizon,
            snapshots_from: (context.write_time)(totals.first),
            snapshots_to: (context.write_time)(totals.last),
            training_cutoff_micros: context.training_cutoff.micros(),
            training_cutoff: (context.write_time)(context.training_cutoff),
            ages: context
                .ages
                .as_ref()
                .map(|ages| ages.iter().map(Span::to_string).collect()),
            n_snapshots: whole(totals.all().n_rows),
            n_leads: whole(totals.n_leads),
            n_wins: whole(totals.all().n_wins),
            sufficiency: self.sufficiency,
            penalty: choice.smoothing.ridge(),
            penalty_choice: format!(
                "{}{}",
                choice.description,
                self.penalties.describe(choice.shape, choice.smoothing)
            ),
            fit: fitted.ending.clone(),
            kind: choice.shape.kind().to_owned(),
            certificate: certificate_of(fitted),
            challenges: choice.challenges,
            learning: self.learning,
            evaluation: holdout.description.clone(),
            metrics: metrics(&measured, &holdout.probabilities),
            data_fingerprint: fingerprint(input.matrix, input.labels, &totals),
            limitations,
        }
    }

    /// What anyone who uses the model should know.
    fn limitations(&self) -> Vec<Limitation> {
        let Self {
            options,
            sufficiency,
            totals,
            n_leads,
            ..
        } = self;
        let given = self.context.limitations.iter().cloned();
        let mut limitations: Vec<Limitation> = given.map(Limitation::Other).collect();
        if totals.n_leads != *n_leads {
            limitations.push(Limitation::Other(format!(
                "the weights are of all {}; features, bins, levels, penalties, tier edges, intervals and what is measured here are of a sample of {}",
                counted(totals.n_leads, "lead"),
                count(*n_leads)
            )));
        }
        if sufficiency.verdict != DataVerdict::Enough {
            limitations.push(Limitation::Data {
                verdict: sufficiency.verdict,
                reason: sufficiency.reason.clone(),
            });
        }
        for finding in self.leaks {
            let what = match (finding.verdict, options.allow_leaks) {
                (LeakVerdict::Clean, _) => continue,
                (LeakVerdict::Proven, false) => "knows the outcome and was left out",
                (LeakVerdict::Proven, true) => "knows the outcome and was used all the same",
                (LeakVerdict::Suspicious, _) => "may know the outcome and was used",
            };
            limitations.push(Limitation::Other(format!(
                "attribute `{}` {what}: {}",
                finding.feature, finding.evidence
            )));
        }
        if self.choice.shape == Shape::BaseRate {
            limitations.push(Limitation::NoSignal);
        }
        if options.negative_sampling_rate < 1.0 {
            limitations.push(Limitation::Other(format!(
                "the tables hold {} of the leads not won: likelihoods are corrected for it, and everything measured here is of the tables, before that",
                options.negative_sampling_rate
            )));
        }
        limitations
    }

    /// What later leads are compared with.
    pub(crate) fn scope(&self) -> Scope {
        let judged = self
            .leaks
            .iter()
            .filter(|finding| finding.verdict != LeakVerdict::Clean);
        Scope {
            every: None,
            silent: None,
            negative_sampling_rate: self.options.negative_sampling_rate,
            clusters: "leads".to_owned(),
            ages: None,
            features: FeatureScope::of_columns(self.input.matrix),
            leads: LeadSample::of(self.input.lead_keys),
            judged: judged
                .map(|finding| judged_attribute(finding, self.options.allow_leaks, &self.without))
                .collect(),
        }
    }
}

/// What the model file keeps of a finding.
fn judged_attribute(
    finding: &LeakFinding,
    allow_leaks: bool,
    without: &[(String, WithAndWithout)],
) -> JudgedAttribute {
    let is_proven = finding.verdict == LeakVerdict::Proven;
    JudgedAttribute {
        feature: finding.feature.clone(),
        is_proven,
        is_used: !is_proven || allow_leaks,
        evidence: finding.evidence.clone(),
        without: without
            .iter()
            .find(|(feature, _)| *feature == finding.feature)
            .map(|(_, figures)| *figures),
    }
}

/// SHA-256 of what was learned from.
fn fingerprint(matrix: &FeatureMatrix, labels: &[bool], totals: &Totals) -> String {
    let mut hasher = Sha256::new();
    for spec in matrix.specs() {
        hasher.update(spec.name.as_bytes());
        hasher.update([0]);
    }
    for (idx, column) in matrix.values().columns().into_iter().enumerate() {
        matrix
            .levels(idx)
            .iter()
            .for_each(|level| hasher.update(level.as_bytes()));
        column
            .iter()
            .for_each(|value| hasher.update(value.to_bits().to_le_bytes()));
    }
    labels
        .iter()
        .for_each(|&label| hasher.update([u8::from(label)]));
    // Of rows that are elsewhere, what was counted there.
    totals.counts.iter().skip(1).for_each(|count| {
        hasher.update([count.n_rows.to_le_bytes(), count.n_wins.to_le_bytes()].concat());
    });
    hex(&hasher.finalize())
}
