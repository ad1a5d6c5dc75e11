//! Whether a model still holds: inputs, forecast, early read, ripe snapshots and arms, put together
//! into one verdict.

mod early;
mod error;
mod inputs;
mod outlook;
mod past;
mod rendering;
mod ripe;
mod weekly;
mod weeks;
mod words;

use std::path::Path;

use leadscore::{
    CONCEPT_PREFIX, Data, ErrorKind, Model, ScoreOptions, Scores, Timestamp, lead_outcomes, score,
};
use leadscore_core::stable_hash;
use leadscore_monitoring::{Column, Contributions, DriftOptions, drift};
use serde::{Deserialize, Serialize};

pub use self::error::MonitorError;
use self::past::{LatestLook, Reference, Since};
use self::weekly::{Week, Weekly};
use crate::finding::{Layer, MonitorFinding, Urgency};
use crate::history::History;

/// What monitoring found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Monitoring {
    /// Rises when a key of the JSON gets another name or meaning.
    pub schema_version: u32,
    /// The config that was looked at.
    pub config: String,
    /// The model.
    pub model_id: String,
    /// As of when.
    pub as_of: String,
    /// What it comes to.
    pub verdict: Urgency,
    /// What was found, most urgent first.
    pub findings: Vec<MonitorFinding>,
    /// The early read by week; empty where there is none.
    pub weeks: Vec<WeekFigures>,
    /// The evidence at which there is an alarm, as a base-10 logarithm; `None` where there is no
    /// early read.
    pub threshold: Option<f64>,
    /// Figures as tables.
    pub tables: Vec<FigureTable>,
}

/// The open leads of one week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeekFigures {
    /// Its Monday.
    pub week: String,
    /// Open leads at its start.
    pub n_open: usize,
    /// Those won within it.
    pub n_won: usize,
    /// Wins that were expected.
    pub expected: f64,
    /// Evidence for a change by its end, as a base-10 logarithm.
    pub evidence: f64,
}

/// Figures as texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FigureTable {
    /// What it shows.
    pub title: String,
    /// What a reader should know.
    pub note: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}

impl Monitoring {
    /// Whether a new model may help: wins or ripe snapshots are not as predicted.
    pub(crate) fn asks_for_training(&self) -> bool {
        self.findings.iter().any(|finding| {
            matches!(finding.layer, Layer::EarlyRead | Layer::Ripe)
                && finding.urgency == Urgency::Alarm
        })
    }

    /// That a table of leads or outcomes stopped, as a sentence.
    pub(crate) fn stopped_table(&self) -> Option<&str> {
        self.findings
            .iter()
            .find(|finding| finding.layer == Layer::Inputs && finding.urgency == Urgency::Alarm)
            .map(|finding| finding.text.as_str())
    }

    /// Whether the percentages hold on snapshots whose window has ended; `None` where nobody can
    /// tell.
    pub(crate) fn holds(&self) -> Option<bool> {
        let ripe = self
            .findings
            .iter()
            .find(|finding| finding.layer == Layer::Ripe)?;
        match ripe.urgency {
            Urgency::Ok => Some(true),
            Urgency::CannotTell => None,
            Urgency::Watch | Urgency::Alarm => Some(false),
        }
    }
}

/// What monitoring looks at beside the tables.
#[derive(Clone, Copy, Default)]
pub struct MonitorInput<'a> {
    /// Scores of this very run; default: made now.
    pub scores: Option<&'a Scores<'a>>,
    /// The history of scores; default: past weeks are scored as of then.
    pub history: Option<&'a History>,
    /// A folder for what is learned once for each model, and for what changes only by the week;
    /// default: everything is learned each time.
    pub cache: Option<&'a Path>,
}

/// Looks at everything that tells whether the model still holds.
///
/// # Errors
///
/// The data is undated, tables or history cannot be read. What is wrong with the leads that are
/// scored is a finding.
pub fn monitor(
    data: &Data,
    model: &Model,
    input: MonitorInput<'_>,
) -> Result<Monitoring, MonitorError> {
    if data.settings().is_flat() {
        return Err(leadscore::Error::request(
            "monitoring needs dates, and undated data has none\n  hint: measure the model on other leads with `leadscore evaluate`",
        )
        .into());
    }
    let mut found = Found::new(data, model);
    match input.scores {
        Some(scores) => found.look(data, model, scores, input)?,
        None => match score(&data.quiet(), model, &ScoreOptions::default()) {
            Ok(scores) => found.look(data, model, &scores, input)?,
            Err(error) if is_about_leads(&error) => {
                found.findings.push(inputs::refused(&error));
                // Where not even leads and outcomes can be read, the moment is not known.
                if let Ok(outcomes) = lead_outcomes(data) {
                    let as_of = outcomes.observation_end.next_midnight();
                    found.monitoring.as_of = as_of.to_string();
                }
            }
            Err(error) => return Err(error.into()),
        },
    }
    Ok(found.finish())
}

/// Whether an error is about what the leads are, and not about files or the model.
fn is_about_leads(error: &leadscore::Error) -> bool {
    matches!(error.kind(), ErrorKind::Data | ErrorKind::Request)
}

/// What was found so far.
struct Found {
    monitoring: Monitoring,
    findings: Vec<MonitorFinding>,
}

/// Leads whose contributions are compared.
const MOST_COMPARED: usize = 20_000;

impl Found {
    fn new(data: &Data, model: &Model) -> Self {
        Self {
            monitoring: Monitoring {
                schema_version: 1,
                config: data.name().to_owned(),
                model_id: model.card.model_id.clone(),
                as_of: String::new(),
                verdict: Urgency::CannotTell,
                findings: Vec::new(),
                weeks: Vec::new(),
                threshold: None,
                tables: Vec::new(),
            },
            findings: Vec::new(),
        }
    }

    /// All layers, by these scores.
    fn look(
        &mut self,
        data: &Data,
        model: &Model,
        scores: &Scores<'_>,
        input: MonitorInput<'_>,
    ) -> Result<(), MonitorError> {
        let as_of = scores.as_of().unwrap_or_default();
        self.monitoring.as_of = as_of.to_string();
        self.findings.extend(inputs::outside(scores));
        self.findings.extend(inputs::late_tables(scores));
        let (words, table) = words::words(data, model, scores)?;
        self.findings.extend(words);
        self.monitoring.tables.extend(table);
        let reference = Reference::of(data, model, input.cache)?;
        self.drift(scores, &reference)?;
        let week = Week::of(data, model, scores, input.cache);
        if let Some(known) = week.kept() {
            self.take(known);
            return Ok(());
        }
        let mut weekly = Self::new(data, model);
        weekly.look_at_weeks(data, model, (scores, as_of), &reference, input.history)?;
        let weekly = Weekly {
            monday: week.monday.clone(),
            config: week.config,
            n_closed: week.n_closed,
            as_of: as_of.to_string(),
            findings: weekly.findings,
            weeks: weekly.monitoring.weeks,
            threshold: weekly.monitoring.threshold,
            tables: weekly.monitoring.tables,
        };
        week.keep(&weekly)?;
        self.take(weekly);
        Ok(())
    }

    /// What changes by the week: wins, past forecasts, windows that have ended, arms.
    fn look_at_weeks(
        &mut self,
        data: &Data,
        model: &Model,
        (scores, as_of): (&Scores<'_>, Timestamp),
        reference: &Reference,
        history: Option<&History>,
    ) -> Result<(), MonitorError> {
        let outcomes = lead_outcomes(data)?;
        let leads: Vec<String> = (0..scores.n_open())
            .map(|row| scores.lead(row).to_owned())
            .collect();
        let latest = LatestLook {
            as_of,
            leads: &leads,
            log_odds: &scores.scored.log_odds,
        };
        let since = Since::of(data, model, history, Some(latest), &outcomes)?;
        self.early(model, reference, &since)?;
        let horizon = data.settings().snapshots.horizon.to_string();
        let (finding, table) = outlook::outlook(
            &scores.scored.probabilities,
            &scores.tiers,
            &since.vintages,
            &horizon,
        )?;
        self.findings.push(finding);
        self.monitoring.tables.extend(table);
        self.findings.push(ripe::ripe(data, model)?);
        self.findings.extend(outlook::arms(&since.vintages)?);
        Ok(())
    }

    /// Adds what was found this week.
    fn take(&mut self, weekly: Weekly) {
        let is_of_now = weekly.as_of == self.monitoring.as_of;
        self.findings
            .extend(weekly.findings.into_iter().map(|mut finding| {
                if !is_of_now {
                    finding.text = format!("{} (as of {})", finding.text, weekly.as_of);
                }
                finding
            }));
        self.monitoring.weeks = weekly.weeks;
        self.monitoring.threshold = weekly.threshold;
        self.monitoring.tables.extend(weekly.tables);
    }

    fn drift(&mut self, scores: &Scores<'_>, reference: &Reference) -> Result<(), MonitorError> {
        if reference.clusters.is_empty() {
            return Ok(());
        }
        let (rows, current) = scores.some_contributions(MOST_COMPARED);
        // Open leads of one account may be alike; the tolerance is wider than what that changes.
        let clusters: Vec<u64> = rows
            .iter()
            .map(|&row| stable_hash(scores.lead(row)))
            .collect();
        let found = drift(
            &Contributions {
                columns: &as_columns(&reference.contributions),
                clusters: &reference.clusters,
            },
            &Contributions {
                columns: &as_columns(&current),
                clusters: &clusters,
            },
            &DriftOptions::default(),
        )?;
        let (finding, table) = inputs::drifted(&found);
        self.findings.push(finding);
        self.monitoring.tables.push(table);
        Ok(())
    }

    fn early(
        &mut self,
        model: &Model,
        reference: &Reference,
        since: &Since,
    ) -> Result<(), MonitorError> {
        let early = match &reference.early {
            Ok(early) => early,
            Err(reason) => {
                self.findings.push(early::without(*reason));
                return Ok(());
            }
        };
        let read = early.read(&early::columns(&since.rows, model.tier_edges))?;
        self.findings.push(early::finding(&read, since.n_weeks));
        self.monitoring.weeks = early::weeks(&read);
        self.monitoring.threshold = early::threshold(&read);
        self.monitoring.tables.extend(early::parts_table(&read));
        Ok(())
    }

    /// The verdict: the most urgent finding; where nothing is urgent, whether anything could be
    /// told about wins.
    fn finish(self) -> Monitoring {
        let Self {
            mut monitoring,
            mut findings,
        } = self;
        let most = findings.iter().map(|finding| finding.urgency).max();
        let tells_wins = findings.iter().any(|finding| {
            matches!(finding.layer, Layer::EarlyRead | Layer::Ripe)
                && finding.urgency != Urgency::CannotTell
        });
        monitoring.verdict = match most {
            Some(Urgency::Ok) if !tells_wins => Urgency::CannotTell,
            Some(most) => most,
            None => Urgency::CannotTell,
        };
        findings.sort_by_key(|finding| (std::cmp::Reverse(finding.urgency), finding.layer));
        monitoring.findings = findings;
        monitoring
    }
}

fn as_columns(columns: &[(String, Vec<f64>)]) -> Vec<Column<'_>> {
    columns
        .iter()
        .map(|(name, values)| Column {
            name: name.strip_prefix(CONCEPT_PREFIX).unwrap_or(name),
            values,
        })
        .collect()
}
