//! Reasons in SQL: the contributions of concepts against leads of the same age, and the sentence of
//! each.

use std::fmt::Write as _;

use leadscore_core::{Concept, Phrase, Shown};
use leadscore_inference::{Addend, Concepts, FEWEST, Model, ONLY};

use crate::dialect::Dialect;
use crate::score::{feature, number};

/// The concepts of a model, and what they are the sum of.
pub(crate) struct Reasons<'a> {
    model: &'a Model,
    dialect: Dialect,
    pub(crate) concepts: Concepts,
    parts: Vec<SqlPart>,
}

/// A part of a concept; its place among all parts, from 1, is that in the array `d`.
struct SqlPart {
    concept: usize,
    log_odds: String,
    addend: Addend,
}

impl<'a> Reasons<'a> {
    pub(crate) fn new(model: &'a Model, dialect: Dialect) -> Self {
        let concepts = model.concepts();
        let of_age = along_age(concepts.of_age());
        let mut parts = Vec::new();
        for (concept, name) in concepts.as_slice().iter().enumerate() {
            let of_term = |idx: usize| {
                let expected = match &model.age_baseline {
                    Some(baseline) if *name != Concept::Age => along_age(&baseline.means[idx]),
                    _ => number(model.terms[idx].average()),
                };
                format!("t[{}] - ({expected})", idx + 1)
            };
            for &addend in concepts.addends(concept) {
                let log_odds = match (addend.term_idx.map(of_term), addend.has_age) {
                    (Some(of_term), true) => format!("{of_term} + ({of_age})"),
                    (Some(of_term), false) => of_term,
                    (None, _) => of_age.clone(),
                };
                parts.push(SqlPart {
                    concept,
                    log_odds,
                    addend,
                });
            }
        }
        Self {
            model,
            dialect,
            concepts,
            parts,
        }
    }

    /// Where the lead's age lies: `age_knot`, from 0, and `age_part`, how far it is towards the
    /// next.
    pub(crate) fn place_of_age(&self) -> String {
        let Some(baseline) = &self.model.age_baseline else {
            return "0 AS age_knot, 0e0 AS age_part".to_owned();
        };
        let (knots, age) = (&baseline.knots, feature(baseline.feature_idx));
        let n = knots.len();
        let (mut knot, mut part) = (
            format!("CASE WHEN {age} IS NULL THEN {n}"),
            format!("CASE WHEN {age} IS NULL THEN 0e0"),
        );
        let _ = write!(knot, " WHEN {age} <= {} THEN 0", number(knots[0]));
        let _ = write!(part, " WHEN {age} <= {} THEN 0e0", number(knots[0]));
        for (before, pair) in knots.windows(2).enumerate() {
            let _ = write!(knot, " WHEN {age} <= {} THEN {before}", number(pair[1]));
            let _ = write!(
                part,
                " WHEN {age} <= {} THEN ({age} - ({})) / ({})",
                number(pair[1]),
                number(pair[0]),
                number(pair[1] - pair[0])
            );
        }
        format!(
            "{knot} ELSE {} END AS age_knot, {part} ELSE 0e0 END AS age_part",
            n - 1
        )
    }

    /// Entries of the array `d`, each after a comma: the contribution of each part to the sum.
    pub(crate) fn parts(&self) -> String {
        self.parts
            .iter()
            .map(|part| format!(",\n    {}", part.log_odds))
            .collect()
    }

    /// Entries of the array `c`, each after a comma: log-odds of each concept.
    pub(crate) fn sums(&self) -> String {
        let sum = |concept: usize| {
            let terms: Vec<String> = self
                .places(concept)
                .map(|place| format!("d[{place}]"))
                .collect();
            format!(",\n    ({}) * stretch", terms.join(" + "))
        };
        (0..self.concepts.as_slice().len()).map(sum).collect()
    }

    fn places(&self, concept: usize) -> impl Iterator<Item = usize> + '_ {
        self.parts
            .iter()
            .enumerate()
            .filter(move |(_, part)| part.concept == concept)
            .map(|(position, _)| position + 1)
    }

    /// Of the parts of a concept those that a person knows as they are.
    fn plain_places(&self, concept: usize) -> Vec<usize> {
        self.places(concept)
            .filter(|place| self.model.is_plain(&self.parts[place - 1].addend))
            .collect()
    }

    /// A part of a concept in its direction.
    fn toward(concept: usize, place: usize) -> String {
        format!(
            "(CASE WHEN c[{}] < 0 THEN -d[{place}] ELSE d[{place}] END)",
            concept + 1
        )
    }

    /// For each concept what is most in its direction, `p` of parts that a person knows, `a` of
    /// all.
    pub(crate) fn along(&self) -> String {
        let most = |concept: usize, places: Vec<usize>| {
            let each: String = places
                .into_iter()
                .map(|place| format!(", {}", Self::toward(concept, place)))
                .collect();
            // Farther than any weight goes.
            format!(",\n    GREATEST(-1e9, -1e9{each})")
        };
        let n = self.concepts.as_slice().len();
        let plain: String = (0..n)
            .map(|concept| most(concept, self.plain_places(concept)))
            .collect();
        let all: String = (0..n)
            .map(|concept| most(concept, self.places(concept).collect()))
            .collect();
        format!("ARRAY(0e0{plain}) AS p, ARRAY(0e0{all}) AS a")
    }

    /// Entries of the array `m`, each after a comma: the place of the part that a concept's
    /// sentence is of.
    pub(crate) fn telling(&self) -> String {
        let of_concept = |concept: usize| {
            let places: Vec<usize> = self.places(concept).collect();
            let age = places
                .iter()
                .find(|place| self.model.says_age(&self.parts[**place - 1].addend));
            if let Some(only) = age.or(places.first().filter(|_| places.len() == 1)) {
                return format!(",\n    {only}");
            }
            let first_of = |places: &[usize], most: &str| {
                let each: String = places
                    .iter()
                    .map(|place| {
                        format!(
                            " WHEN {} = {most}[{}] THEN {place}",
                            Self::toward(concept, *place),
                            concept + 1
                        )
                    })
                    .collect();
                format!("CASE{each} ELSE {} END", places[0])
            };
            let all = first_of(&places, "a");
            let plain = self.plain_places(concept);
            if plain.is_empty() {
                return format!(",\n    {all}");
            }
            format!(
                ",\n    CASE WHEN p[{}] > 0 THEN {} ELSE {all} END",
                concept + 1,
                first_of(&plain, "p")
            )
        };
        (0..self.concepts.as_slice().len())
            .map(of_concept)
            .collect()
    }

    /// The sentence of the part at this place, an expression; NULL for 0.
    pub(crate) fn text(&self, place: &str) -> String {
        let mut text = format!(
            "CASE {place} WHEN 0 THEN CAST(NULL AS {})",
            self.dialect.text_type()
        );
        for (position, part) in self.parts.iter().enumerate() {
            let said = |idx: usize| phrase(self.dialect, self.concepts.phrase(idx), &feature(idx));
            let first = said(part.addend.feature_idx);
            let sentence = match part.addend.second_feature_idx {
                Some(second) => concat(&[first, self.dialect.text(", with "), said(second)]),
                None => match self.model.more_is_better_than(&part.addend) {
                    Some((term_idx, of_none)) => {
                        let is_few = format!(
                            "c[{}] < 0 AND {} >= {} AND t[{}] > {}",
                            part.concept + 1,
                            feature(part.addend.feature_idx),
                            number(FEWEST),
                            term_idx + 1,
                            number(of_none)
                        );
                        concat(&[
                            format!(
                                "CASE WHEN {is_few} THEN {} ELSE '' END",
                                self.dialect.text(ONLY)
                            ),
                            first,
                        ])
                    }
                    None => first,
                },
            };
            let _ = write!(text, "\n      WHEN {} THEN {sentence}", position + 1);
        }
        text + " END"
    }
}

/// What has a value at each knot of age, at the lead's.
fn along_age(values: &[f64]) -> String {
    let list =
        |values: &mut dyn Iterator<Item = f64>| values.map(number).collect::<Vec<_>>().join(", ");
    // The last two are beyond the oldest knot, and of a missing age.
    let n_steps = values.len().saturating_sub(2);
    let steps = values
        .windows(2)
        .enumerate()
        .map(|(knot, pair)| {
            if knot < n_steps {
                pair[1] - pair[0]
            } else {
                0.0
            }
        })
        .chain([0.0]);
    if let [only] = values {
        return number(*only);
    }
    let at = |values: String| format!("ELEMENT_AT(ARRAY({values}), age_knot + 1)");
    format!(
        "{} + age_part * {}",
        at(list(&mut values.iter().copied())),
        at(list(&mut { steps }))
    )
}

fn concat(texts: &[String]) -> String {
    format!("CONCAT({})", texts.join(", "))
}

fn phrase(dialect: Dialect, phrase: &Phrase, value: &str) -> String {
    match phrase {
        Phrase::Level {
            missing,
            before,
            after,
        } => {
            let said = concat(&[dialect.text(before), value.to_owned(), dialect.text(after)]);
            format!(
                "CASE WHEN {value} IS NULL THEN {} ELSE {said} END",
                dialect.text(missing)
            )
        }
        Phrase::Number { missing, cases } => {
            let mut text = format!("CASE WHEN {value} IS NULL THEN {}", dialect.text(missing));
            for case in cases {
                let said = match case.shown {
                    Some(how) => concat(&[
                        dialect.text(&case.before),
                        shown(dialect, how, value),
                        dialect.text(&case.after),
                    ]),
                    None => dialect.text(&case.before),
                };
                let _ = match case.below.is_finite() {
                    true => write!(text, " WHEN {value} < {} THEN {said}", number(case.below)),
                    false => write!(text, " ELSE {said}"),
                };
            }
            text + " END"
        }
    }
}

fn shown(dialect: Dialect, shown: Shown, value: &str) -> String {
    match shown {
        Shown::Whole => digits(dialect, &format!("ABS({value})"), 0),
        Shown::Percent => digits(dialect, &format!("ABS(1e2 * {value})"), 0),
        Shown::SilentDays(half_life) => {
            let days = format!(
                "{} * -LN({value}) / {} - 5e-1",
                number(half_life),
                number(std::f64::consts::LN_2)
            );
            digits(dialect, &format!("GREATEST({days}, 0e0)"), 0)
        }
        Shown::Decimal => {
            let size = format!("ABS({value})");
            let [none, one, two, four] = [0, 1, 2, 4].map(|places| digits(dialect, &size, places));
            format!(
                "CONCAT(CASE WHEN {value} < 0 THEN '-' ELSE '' END, CASE WHEN {size} = FLOOR({size}) OR {size} >= 1e2 THEN {none} WHEN {size} >= 1e0 THEN {one} WHEN {size} >= 1e-2 THEN {two} ELSE {four} END)"
            )
        }
    }
}

/// A number above 0 in decimal places, halves rounded up.
fn digits(dialect: Dialect, value: &str, places: u32) -> String {
    let text = dialect.text_type();
    let whole = |value: &str| format!("CAST(CAST({value} AS BIGINT) AS {text})");
    let scale = number(10_f64.powi(places.cast_signed()));
    let scaled = format!("FLOOR({value} * {scale} + 5e-1)");
    let said = if places == 0 {
        whole(&format!("FLOOR({value} + 5e-1)"))
    } else {
        let units = format!("FLOOR({scaled} / {scale})");
        // A one before them keeps their zeros.
        let rest = whole(&format!("{scale} + {scaled} - {scale} * {units}"));
        format!("CONCAT({}, '.', SUBSTRING({rest}, 2))", whole(&units))
    };
    format!("CASE WHEN {value} >= 1e15 THEN CAST({value} AS {text}) ELSE {said} END")
}
