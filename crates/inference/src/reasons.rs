//! Reasons: what speaks for a win and against it, one concept a reason, against the average lead of
//! the same age.

use std::ops::Range;

use leadscore_core::{Concept, FeatureMatrix, FeatureSource, FeatureSpec, Phrase, Wording};

use crate::age_baseline::{AgeBaseline, AgePlace};
use crate::axis::readable;
use crate::model::Model;
use crate::term::Term;

/// One concept's contribution, in log-odds.
///
/// With the baseline, the reasons of a lead add up to its log-odds. Age holds what leads of the
/// same age have in common; every other concept is measured against them.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// What it speaks of.
    pub concept: Concept,
    /// Contribution in log-odds: above 0 speaks for a win.
    pub log_odds: f64,
    /// What is most telling in it, in words.
    pub text: String,
    /// What it is the sum of.
    pub parts: Vec<Part>,
}

impl Reason {
    /// The sentence with its sign.
    pub fn signed(&self) -> String {
        signed(&self.text, self.log_odds)
    }
}

/// The sentence of a reason with its sign.
pub fn signed(text: &str, log_odds: f64) -> String {
    format!("{text} ({log_odds:+.2})")
}

/// What a reason is the sum of: a term, or what leads of one age have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addend {
    /// The term; `None` for what leads of one age have in common, where no term is of the age
    /// alone.
    pub term_idx: Option<usize>,
    /// The column of the feature matrix.
    pub feature_idx: usize,
    /// The second column, where two weigh together.
    pub second_feature_idx: Option<usize>,
    /// Whether what leads of one age have in common is part of it.
    pub has_age: bool,
}

/// An addend of a reason and what it comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Of what.
    pub addend: Addend,
    /// Contribution in log-odds.
    pub log_odds: f64,
}

/// Said before a count that is too small.
pub const ONLY: &str = "only ";
/// From here on a count is some, and not none.
pub const FEWEST: f64 = 0.5;

/// The concepts of a model, and what the average lead of each age gets of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Concepts {
    concepts: Vec<Concept>,
    /// For each concept its terms, in order.
    terms: Vec<Vec<usize>>,
    /// For each concept what its reasons are the sum of.
    addends: Vec<Vec<Addend>>,
    /// Log-odds that a concept's terms are measured against, concept by concept; a value for each
    /// knot of age.
    expected: Vec<f64>,
    /// For each knot of age, what its leads have in common beside their age itself.
    of_age: Vec<f64>,
    /// For each feature how it is said, so that no two concepts read alike.
    phrases: Vec<Phrase>,
}

impl Concepts {
    /// The concepts, in the order of their first terms.
    pub fn as_slice(&self) -> &[Concept] {
        &self.concepts
    }

    /// The terms of a concept.
    pub fn terms(&self, concept: usize) -> &[usize] {
        &self.terms[concept]
    }

    /// What a concept's reasons are the sum of.
    pub fn addends(&self, concept: usize) -> &[Addend] {
        &self.addends[concept]
    }

    /// How a feature is said beside the others that the model reads.
    pub fn phrase(&self, feature_idx: usize) -> &Phrase {
        &self.phrases[feature_idx]
    }

    /// What leads of one age have in common beside their age itself, which is part of the reason of
    /// age: for each knot of age, and where it is missing; one value where age is no baseline.
    pub fn of_age(&self) -> &[f64] {
        &self.of_age
    }

    /// What a concept's terms are measured against, for each knot of age, and where it is missing:
    /// the sum over concepts is the same everywhere.
    pub fn expected(&self, concept: usize) -> &[f64] {
        let n_values = self.of_age.len();
        &self.expected[concept * n_values..(concept + 1) * n_values]
    }
}

impl Term {
    fn concept(&self, specs: &[FeatureSpec]) -> Concept {
        let first = specs[self.feature_idx()].concept();
        self.second_feature_idx()
            .map_or(first.clone(), |second| first.both(specs[second].concept()))
    }
}

impl Model {
    /// The concepts of the model's terms, and what each is measured against.
    pub fn concepts(&self) -> Concepts {
        let mut concepts: Vec<Concept> = Vec::new();
        let mut terms: Vec<Vec<usize>> = Vec::new();
        for (term_idx, term) in self.terms.iter().enumerate() {
            let concept = term.concept(&self.specs);
            match concepts.iter().position(|known| *known == concept) {
                Some(known) => terms[known].push(term_idx),
                None => {
                    concepts.push(concept);
                    terms.push(vec![term_idx]);
                }
            }
        }
        let n_values = self.age_baseline.as_ref().map_or(1, AgeBaseline::n_values);
        if self.age_baseline.is_some() && !concepts.contains(&Concept::Age) {
            concepts.push(Concept::Age);
            terms.push(Vec::new());
        }
        let is_age = |concept: usize| concepts[concept] == Concept::Age;
        let moved =
            |knot: usize, term: usize| self.expected_of(term)[knot] - self.terms[term].average();
        let others = || {
            terms
                .iter()
                .enumerate()
                .filter(|(concept, _)| !is_age(*concept))
                .flat_map(|(_, own)| own)
        };
        let of_age: Vec<f64> = (0..n_values)
            .map(|knot| others().map(|&term| moved(knot, term)).sum())
            .collect();
        let expected_of = |(concept, own): (usize, &Vec<usize>)| {
            let expected = |knot: usize| match is_age(concept) {
                true => {
                    own.iter()
                        .map(|&term| self.terms[term].average())
                        .sum::<f64>()
                        - of_age[knot]
                }
                false => own.iter().map(|&term| self.expected_of(term)[knot]).sum(),
            };
            (0..n_values).map(expected).collect::<Vec<f64>>()
        };
        let expected = terms.iter().enumerate().flat_map(expected_of).collect();
        let addends: Vec<Vec<Addend>> = concepts
            .iter()
            .zip(&terms)
            .map(|(concept, own)| self.addends(concept, own))
            .collect();
        let told = addends.iter().flatten().flat_map(|addend| {
            std::iter::once(addend.feature_idx).chain(addend.second_feature_idx)
        });
        let wording = Wording::of(told.map(|feature_idx| &self.specs[feature_idx]));
        let phrases = self
            .specs
            .iter()
            .map(|spec| spec.phrase_among(&wording))
            .collect();
        Concepts {
            concepts,
            terms,
            addends,
            expected,
            of_age,
            phrases,
        }
    }

    fn addends(&self, concept: &Concept, terms: &[usize]) -> Vec<Addend> {
        let of_term = |&idx: &usize| {
            let term = &self.terms[idx];
            Addend {
                term_idx: Some(idx),
                feature_idx: term.feature_idx(),
                second_feature_idx: term.second_feature_idx(),
                has_age: false,
            }
        };
        let mut addends: Vec<Addend> = terms.iter().map(of_term).collect();
        if let Some(AgeBaseline { feature_idx, .. }) = self
            .age_baseline
            .as_ref()
            .filter(|_| *concept == Concept::Age)
        {
            match addends.iter_mut().find(|addend| {
                addend.feature_idx == *feature_idx && addend.second_feature_idx.is_none()
            }) {
                Some(addend) => addend.has_age = true,
                None => addends.push(Addend {
                    term_idx: None,
                    feature_idx: *feature_idx,
                    second_feature_idx: None,
                    has_age: true,
                }),
            }
        }
        addends
    }

    /// What a term gives on average to leads at each knot of age, and where it is missing.
    fn expected_of(&self, term: usize) -> &[f64] {
        match &self.age_baseline {
            Some(baseline) => &baseline.means[term],
            None => std::slice::from_ref(self.terms[term].average_ref()),
        }
    }

    /// What a term of a concept is measured against in leads of this age: terms of the age itself
    /// against all leads.
    fn expected_at(&self, concept: &Concept, term: usize, age: AgePlace) -> f64 {
        if *concept == Concept::Age {
            self.terms[term].average()
        } else {
            age.of(self.expected_of(term))
        }
    }

    pub(crate) fn age_place(&self, matrix: &FeatureMatrix, row: usize) -> AgePlace {
        self.age_baseline
            .as_ref()
            .map_or(AgePlace::default(), |baseline| {
                baseline.place(matrix.column(baseline.feature_idx)[row])
            })
    }

    /// All reasons of one row, strongest first; with the baseline they add up to its log-odds.
    pub fn reasons(&self, concepts: &Concepts, matrix: &FeatureMatrix, row: usize) -> Vec<Reason> {
        let stretch = self.stretch_of(matrix, row);
        let reason = |concept: usize| {
            let parts = self.parts(concepts, concept, stretch, matrix, row);
            let log_odds = parts.iter().map(|part| part.log_odds).sum::<f64>();
            self.reason(concepts, concept, log_odds, parts, matrix, row)
        };
        let mut reasons: Vec<Reason> = (0..concepts.concepts.len()).map(reason).collect();
        reasons.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        reasons
    }

    /// The strongest reasons of a row in words, as [`crate::score_with_reasons`] found them; `row`
    /// is that of the matrix.
    pub fn reasons_of(
        &self,
        concepts: &Concepts,
        matrix: &FeatureMatrix,
        row: usize,
        found: impl Iterator<Item = (usize, f64)>,
    ) -> Vec<Reason> {
        let stretch = self.stretch_of(matrix, row);
        let reason = |(concept, log_odds)| {
            self.reason(
                concepts,
                concept,
                log_odds,
                self.parts(concepts, concept, stretch, matrix, row),
                matrix,
                row,
            )
        };
        found.map(reason).collect()
    }

    fn reason(
        &self,
        concepts: &Concepts,
        concept: usize,
        log_odds: f64,
        parts: Vec<Part>,
        matrix: &FeatureMatrix,
        row: usize,
    ) -> Reason {
        let text = self.sentence(concepts, log_odds, &parts, matrix, row);
        Reason {
            concept: concepts.concepts[concept].clone(),
            log_odds,
            text,
            parts,
        }
    }

    fn stretch_of(&self, matrix: &FeatureMatrix, row: usize) -> f64 {
        if self.calibration.is_some() {
            self.stretch(self.sum_with(matrix, row, None))
        } else {
            1.0
        }
    }

    /// What a concept's contribution is the sum of.
    fn parts(
        &self,
        concepts: &Concepts,
        concept: usize,
        stretch: f64,
        matrix: &FeatureMatrix,
        row: usize,
    ) -> Vec<Part> {
        let age = self.age_place(matrix, row);
        let part = |&addend: &Addend| {
            let of_term = |idx: usize| {
                stretch
                    * (self.terms[idx].log_odds(matrix, row)
                        - self.expected_at(&concepts.concepts[concept], idx, age))
            };
            let of_age = addend.has_age.then(|| stretch * age.of(&concepts.of_age));
            Part {
                addend,
                log_odds: together(addend.term_idx.map(of_term), of_age),
            }
        };
        concepts.addends[concept].iter().map(part).collect()
    }

    /// What is most telling in a reason: of the parts that a person knows as they are, the one that
    /// goes most in its direction; where none does, of all parts.
    fn sentence(
        &self,
        concepts: &Concepts,
        log_odds: f64,
        parts: &[Part],
        matrix: &FeatureMatrix,
        row: usize,
    ) -> String {
        let along = |part: &Part| {
            if log_odds < 0.0 {
                -part.log_odds
            } else {
                part.log_odds
            }
        };
        let strongest = |is_asked: &dyn Fn(&Part) -> bool| {
            let mut most: Option<&Part> = None;
            for part in parts.iter().filter(|part| is_asked(part)) {
                if most.is_none_or(|most| along(part) > along(most)) {
                    most = Some(part);
                }
            }
            most
        };
        let age = strongest(&|part| self.says_age(&part.addend));
        let plain = age.or_else(|| {
            strongest(&|part| self.is_plain(&part.addend)).filter(|part| along(part) > 0.0)
        });
        let Some(part) = plain.or_else(|| strongest(&|_| true)) else {
            return String::new();
        };
        let text = part_text(concepts, &part.addend, matrix, row);
        let is_few = log_odds < 0.0
            && self
                .more_is_better_than(&part.addend)
                .is_some_and(|(term_idx, of_none)| {
                    matrix.column(part.addend.feature_idx)[row] >= FEWEST
                        && self.terms[term_idx].log_odds(matrix, row) > of_none
                });
        if is_few {
            format!("{ONLY}{text}")
        } else {
            text
        }
    }

    /// Of a part that counts what a lead did, its term and the log-odds of none: where some are
    /// worth more, a reason against is of too few.
    pub fn more_is_better_than(&self, addend: &Addend) -> Option<(usize, f64)> {
        let term_idx = addend.term_idx.filter(|_| {
            addend.second_feature_idx.is_none() && self.specs[addend.feature_idx].is_count()
        })?;
        match &self.terms[term_idx] {
            Term::Linear(term) => Some((term_idx, term.log_odds(0.0))),
            Term::Bins(term) => Some((term_idx, term.log_odds(0.0))),
            Term::Levels(_) | Term::Pair(_) => None,
        }
    }

    /// Whether a part says for how long the lead has been open, which is what a reason of age says.
    pub fn says_age(&self, addend: &Addend) -> bool {
        addend.second_feature_idx.is_none()
            && self.specs[addend.feature_idx].source == FeatureSource::AgeDays
    }

    /// Whether a person knows the numbers of a part as they are.
    pub fn is_plain(&self, addend: &Addend) -> bool {
        self.specs[addend.feature_idx].is_plain()
            && addend
                .second_feature_idx
                .is_none_or(|second| self.specs[second].is_plain())
    }
}

/// What a part says of a row, in words.
fn part_text(concepts: &Concepts, addend: &Addend, matrix: &FeatureMatrix, row: usize) -> String {
    let first = said(
        concepts.phrase(addend.feature_idx),
        matrix,
        row,
        addend.feature_idx,
    );
    match addend.second_feature_idx {
        Some(second) => format!(
            "{first}, with {}",
            said(concepts.phrase(second), matrix, row, second)
        ),
        None => first,
    }
}

impl Model {
    /// What a part is, and its exact value: for those who want to check.
    pub fn part_value(&self, addend: &Addend, matrix: &FeatureMatrix, row: usize) -> String {
        let value = |feature_idx: usize| {
            let value = if matrix.is_category(feature_idx) {
                matrix
                    .level(row, feature_idx)
                    .unwrap_or("missing")
                    .to_owned()
            } else {
                let value = matrix.values()[[row, feature_idx]];
                if value.is_nan() {
                    "none".to_owned()
                } else {
                    readable(value)
                }
            };
            format!("{}: {value}", self.specs[feature_idx].describe())
        };
        addend
            .second_feature_idx
            .map_or(value(addend.feature_idx), |second| {
                format!("{}, with {}", value(addend.feature_idx), value(second))
            })
    }

    /// All contributions of all rows, in columns.
    pub fn contributions(&self, matrix: &FeatureMatrix) -> Contributions {
        self.contributions_of(&self.concepts(), matrix, 0..matrix.n_rows())
    }

    /// All contributions of some rows, in columns; `concepts` are the model's own.
    pub fn contributions_of(
        &self,
        concepts: &Concepts,
        matrix: &FeatureMatrix,
        rows: Range<usize>,
    ) -> Contributions {
        let n_rows = rows.len();
        let stretches: Vec<f64> = rows
            .clone()
            .map(|row| self.stretch_of(matrix, row))
            .collect();
        let ages: Vec<AgePlace> = rows
            .clone()
            .map(|row| self.age_place(matrix, row))
            .collect();
        let mut found = Contributions {
            concepts: Vec::new(),
            features: Vec::new(),
        };
        for (concept, addends) in concepts.concepts.iter().zip(&concepts.addends) {
            let column = |addend: &Addend| {
                let of_term = addend
                    .term_idx
                    .map(|idx| (idx, self.terms[idx].log_odds_of_rows(matrix, rows.clone())));
                let value = |row: usize| {
                    let (age, stretch) = (ages[row], stretches[row]);
                    let of_term = of_term.as_ref().map(|(idx, log_odds)| {
                        stretch * (log_odds[row] - self.expected_at(concept, *idx, age))
                    });
                    together(
                        of_term,
                        addend.has_age.then(|| stretch * age.of(&concepts.of_age)),
                    )
                };
                FeatureColumn {
                    first: addend.feature_idx,
                    second: addend.second_feature_idx,
                    values: (0..n_rows).map(value).collect(),
                }
            };
            let columns: Vec<FeatureColumn> = addends.iter().map(column).collect();
            let mut sums = vec![0.0; n_rows];
            columns.iter().for_each(|column| {
                sums.iter_mut()
                    .zip(&column.values)
                    .for_each(|(sum, value)| *sum += value);
            });
            found.concepts.push((concept.clone(), sums));
            found.features.extend(columns);
        }
        found
    }
}

/// Contributions of all rows: lead by concept, and lead by feature. Either adds up, with the
/// baseline, to the log-odds.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// Each concept with its log-odds in every row.
    pub concepts: Vec<(Concept, Vec<f64>)>,
    /// Each feature, or table over two, with its log-odds in every row.
    pub features: Vec<FeatureColumn>,
}

/// A feature's contributions.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureColumn {
    /// The column of the feature matrix.
    pub first: usize,
    /// The second one, where two weigh together.
    pub second: Option<usize>,
    /// Log-odds of every row.
    pub values: Vec<f64>,
}

/// What a term gives, and what leads of one age have in common; either may be nothing.
fn together(of_term: Option<f64>, of_age: Option<f64>) -> f64 {
    match (of_term, of_age) {
        (Some(of_term), Some(of_age)) => of_term + of_age,
        (of_term, of_age) => of_term.or(of_age).unwrap_or(0.0),
    }
}

fn said(phrase: &Phrase, matrix: &FeatureMatrix, row: usize, feature_idx: usize) -> String {
    match phrase {
        Phrase::Level { .. } => phrase.of_level(matrix.level(row, feature_idx)),
        Phrase::Number { .. } => phrase.of_number(matrix.values()[[row, feature_idx]]),
    }
}
