//! The conclusion as values: what was asked, what the answer is, and the sentence for people.

use serde::Serialize;

/// The conclusion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// One line.
    pub headline: String,
    /// One paragraph.
    pub summary: String,
    /// What the findings come to, for the color.
    pub mood: Mood,
    /// What it rests on.
    pub findings: Vec<Finding>,
}

/// What all findings come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mood {
    /// Every finding is a yes.
    Good,
    /// The model ranks leads, and not every finding is a yes.
    Mixed,
    /// The model does not rank leads, as far as can be told.
    Bad,
}

impl Mood {
    /// The mood of these findings.
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let ranks = findings
            .iter()
            .any(|finding| finding.about == FindingKind::Ranking && finding.answer == Answer::Yes);
        if findings.iter().all(|finding| finding.answer == Answer::Yes) {
            Self::Good
        } else if ranks {
            Self::Mixed
        } else {
            Self::Bad
        }
    }
}

/// One sentence of the verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub about: FindingKind,
    /// Whether that is as one would wish.
    pub answer: Answer,
    /// The sentence.
    pub text: String,
}

impl Finding {
    pub(crate) fn new(about: FindingKind, answer: Answer, text: String) -> Self {
        Self {
            about,
            answer,
            text,
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Whether leads that win rank above the others.
    Ranking,
    /// Whether predicted rates are the observed ones.
    Calibration,
    /// Whether the model beats the base rate.
    BaseRate,
    /// Whether the ranking is more than the leads' age.
    Age,
    /// The model against another score.
    Comparison,
    /// The richer form of the model against the simpler one.
    Shape,
    /// A column that may know the outcome.
    Leak,
    /// Rows unlike those of training.
    OutsideTraining,
    /// Figures of an earlier fit.
    EarlierFit,
    /// Figures on rows that the model may have seen.
    InSample,
    /// Few wins among the rows.
    FewWins,
    /// Whether the training data suffices.
    TrainingData,
}

/// The answer of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It is as one would wish.
    Yes,
    /// It is not.
    No,
    /// It cannot be told, or needs a look.
    Unsure,
}

impl Answer {
    /// The word in tables: `yes`, `no` or `unsure`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unsure => "unsure",
        }
    }

    /// Yes where an interval lies above `at`, no where it lies below.
    pub(crate) fn of_interval(low: f64, high: f64, at: f64) -> Self {
        if low > at {
            Self::Yes
        } else if high < at {
            Self::No
        } else {
            Self::Unsure
        }
    }

    pub(crate) fn yes_if(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_around_the_point_decides_nothing() {
        for (low, high, expected) in [
            (0.51, 0.6, Answer::Yes),
            (0.4, 0.49, Answer::No),
            (0.4, 0.6, Answer::Unsure),
            // It touches the point.
            (0.5, 0.6, Answer::Unsure),
            (0.4, 0.5, Answer::Unsure),
            (f64::NAN, f64::NAN, Answer::Unsure),
        ] {
            assert_eq!(
                Answer::of_interval(low, high, 0.5),
                expected,
                "{low} to {high}"
            );
        }
    }

    #[test]
    fn a_model_that_ranks_is_not_bad() {
        let mood = |findings: &[(FindingKind, Answer)]| {
            let findings: Vec<Finding> = findings
                .iter()
                .map(|(about, answer)| Finding::new(*about, *answer, String::new()))
                .collect();
            Mood::of(&findings)
        };
        use Answer::{No, Unsure, Yes};
        use FindingKind::{Calibration, Ranking};
        assert_eq!(mood(&[(Ranking, Yes), (Calibration, Yes)]), Mood::Good);
        assert_eq!(mood(&[(Ranking, Yes), (Calibration, No)]), Mood::Mixed);
        assert_eq!(mood(&[(Ranking, Yes), (Calibration, Unsure)]), Mood::Mixed);
        assert_eq!(mood(&[(Ranking, Unsure), (Calibration, Yes)]), Mood::Bad);
        assert_eq!(mood(&[(Ranking, No), (Calibration, Yes)]), Mood::Bad);
    }
}
