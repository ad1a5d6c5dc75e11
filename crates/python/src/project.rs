//! A config with its tables, and the calls over them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use leadscore::{
    CalibrationKind, ContributionsBy, Economy, EvaluateOptions, FeatureOptions, Fitting,
    ListFormat, ListOptions, Outputs, ReadRules, RecalibrateOptions, RollUp, RulesOptions,
    ScoreOptions, check, contributions, evaluate, explain, explain_one, feature_table,
    feature_table_sql, lead_list, model_with_features_sql, read_lead_json, recalibrate,
    rules_history, rules_table, score_leads, train,
};
use leadscore_core::{Timestamp, printable_lines};
use leadscore_simulate::{SimulationOptions, World};
use leadscore_tables::Capacity;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::call::run;
use crate::errors::exception;
use crate::frames::{Table, read_frames};
use crate::model::{Model, dialect_named};
use crate::report::Report;

/// A config and the tables that it speaks of.
#[pyclass(frozen, module = "leadscore._native")]
pub(crate) struct Project {
    project: leadscore::Data,
}

impl Project {
    fn moment(
        &self,
        py: Python<'_>,
        name: &str,
        text: Option<String>,
    ) -> PyResult<Option<Timestamp>> {
        self.project
            .moments(name, text.as_ref())
            .map_err(|error| exception(py, &error))
    }
}

fn read_rules(py: Python<'_>, paths: Vec<PathBuf>) -> PyResult<Vec<ReadRules>> {
    paths
        .iter()
        .map(|path| ReadRules::open(path))
        .collect::<leadscore::Result<_>>()
        .map_err(|error| exception(py, &error))
}

#[pymethods]
impl Project {
    /// A config by its path; queries that it names are asked. For one lead alone, lookups are the
    /// only tables.
    #[staticmethod]
    fn open(
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        path: PathBuf,
        frames: &Bound<'_, PyDict>,
        for_one: bool,
    ) -> PyResult<Self> {
        let frames = read_frames(frames)?;
        let open = if for_one {
            leadscore::Data::open_for_one
        } else {
            leadscore::Data::open_for
        };
        run(py, listener, move |listener| {
            Ok(open(&path, &frames, listener)?.quiet())
        })
        .map(|project| Self { project })
    }

    /// A config by its content as JSON, with the keys that a file has.
    #[staticmethod]
    fn from_json(
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        json: &str,
        frames: &Bound<'_, PyDict>,
        for_one: bool,
    ) -> PyResult<Self> {
        let wrong = |error: String| {
            PyValueError::new_err(format!("the config cannot be written as TOML: {error}"))
        };
        let value: serde_json::Value =
            serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
        let text = toml::to_string(&value).map_err(|error| wrong(error.to_string()))?;
        let frames = read_frames(frames)?;
        let parse = if for_one {
            leadscore::Data::parse_for_one
        } else {
            leadscore::Data::parse
        };
        run(py, listener, move |listener| {
            Ok(parse(text, Path::new("config"), &frames, listener)?.quiet())
        })
        .map(|project| Self { project })
    }

    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    fn train(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        as_of: Option<String>,
        cross_validate: bool,
        learning_curve: bool,
        allow_too_few: bool,
        allow_leaks: bool,
        report: bool,
    ) -> PyResult<(Model, Option<Report>)> {
        let as_of = self.moment(py, "as_of", as_of)?;
        let fitting = Fitting {
            cross_validate,
            learning_curve,
            allow_too_few,
            allow_leaks,
            linfa: false,
        };
        let project = self.project.clone();
        let (model, report) = run(py, listener, move |listener| {
            let project = project.heard_by(listener);
            let training = train(&project, as_of, fitting)?;
            let report = report.then(|| training.report(&project)).transpose()?;
            Ok((training.trained.model, report))
        })?;
        Ok((
            Model::new(model),
            report.map(|report| Report {
                report,
                snapshots: None,
            }),
        ))
    }

    fn score(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        as_of: Option<String>,
        intervals: bool,
    ) -> PyResult<Table> {
        let options = ScoreOptions {
            as_of: self.moment(py, "as_of", as_of)?,
            intervals,
            ..Default::default()
        };
        let (project, model) = (self.project.clone(), Arc::clone(&model.model));
        let (frame, summary) = run(py, listener, move |listener| {
            let scores = score_leads(&project.heard_by(listener), &model, &options)?;
            Ok((scores.frame()?, serde_json::to_string(&scores.summary)?))
        })?;
        Ok(Table {
            frame,
            summary: Some(summary),
        })
    }

    /// Scores all open leads, and writes the best as a list for people.
    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    fn write_list(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        path: PathBuf,
        top: usize,
        columns: Vec<String>,
        owner: Option<String>,
        previous: Option<PathBuf>,
        as_of: Option<String>,
    ) -> PyResult<()> {
        let options = ScoreOptions {
            as_of: self.moment(py, "as_of", as_of)?,
            ..Default::default()
        };
        if top == 0 {
            return Err(PyValueError::new_err(
                "top is 0: expected how many leads the list has, 1 or more",
            ));
        }
        let list = ListOptions {
            top,
            columns,
            owner,
            previous,
        };
        let (project, model) = (self.project.clone(), Arc::clone(&model.model));
        run(py, listener, move |listener| {
            let project = project.heard_by(listener);
            ListFormat::of(&path)?;
            let inputs: Vec<PathBuf> = list.previous.iter().cloned().collect();
            project.refuse_inputs([&path], &inputs)?;
            let earlier = list.check(&project)?;
            let scores = score_leads(&project, &model, &options)?;
            let mut outputs = Outputs::default();
            outputs.list(
                &path,
                &lead_list(&project, &scores, &list, earlier.as_ref())?,
            )?;
            outputs.publish().map(drop)
        })
    }

    /// The explanation of one lead as JSON, and in words.
    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    fn explain(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        lead: String,
        as_of: Option<String>,
        since: Option<String>,
        what_if: Vec<(String, String)>,
    ) -> PyResult<(String, String)> {
        let (as_of, since) = (
            self.moment(py, "as_of", as_of)?,
            self.moment(py, "since", since)?,
        );
        let (project, model) = (self.project.clone(), Arc::clone(&model.model));
        run(py, listener, move |listener| {
            let explanation = explain(
                &project.heard_by(listener),
                &model,
                &lead,
                as_of,
                since,
                &what_if,
            )?;
            Ok((
                serde_json::to_string(&explanation)?,
                printable_lines(&explanation.text()).into_owned(),
            ))
        })
    }

    /// The explanation of a lead that is in no table, as JSON, and in words.
    fn score_one(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        lead: &str,
        as_of: Option<String>,
    ) -> PyResult<(String, String)> {
        let as_of = self.moment(py, "as_of", as_of)?;
        let lead =
            read_lead_json("the lead", lead.as_bytes()).map_err(|error| exception(py, &error))?;
        let (project, model) = (self.project.clone(), Arc::clone(&model.model));
        run(py, listener, move |listener| {
            let explanation = explain_one(&project.heard_by(listener), &model, &lead, as_of)?;
            Ok((
                serde_json::to_string(&explanation)?,
                printable_lines(&explanation.text()).into_owned(),
            ))
        })
    }

    /// Contributions of all open leads, and the mean size of each.
    fn contributions(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        as_of: Option<String>,
        by: &str,
    ) -> PyResult<(Table, Table)> {
        let as_of = self.moment(py, "as_of", as_of)?;
        let by = match by {
            "concept" => ContributionsBy::Concept,
            "feature" => ContributionsBy::Feature,
            other => {
                return Err(PyValueError::new_err(format!(
                    "by: expected \"concept\" or \"feature\", found {other:?}"
                )));
            }
        };
        let (project, model) = (self.project.clone(), Arc::clone(&model.model));
        let found = run(py, listener, move |listener| {
            contributions(&project.heard_by(listener), &model, as_of, by)
        })?;
        Ok((
            Table::new(py, found.leads)?,
            Table::new(py, found.importance)?,
        ))
    }

    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    fn evaluate(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        start: Option<String>,
        end: Option<String>,
        allow_in_sample: bool,
        other_leads: bool,
        rules: Vec<PathBuf>,
        against: Vec<(PathBuf, Py<Model>)>,
        threshold: Option<f64>,
        capacity: Option<&str>,
        cost: Option<f64>,
        value: Option<f64>,
        backtest: bool,
    ) -> PyResult<Report> {
        let capacity = capacity
            .map(Capacity::parse)
            .transpose()
            .map_err(PyValueError::new_err)?;
        let options = EvaluateOptions {
            from: self.moment(py, "start", start)?,
            to: self.moment(py, "end", end)?,
            allow_in_sample,
            other_leads,
            rules: read_rules(py, rules)?,
            against: against
                .into_iter()
                .map(|(name, model)| (name, model.get().model.as_ref().clone()))
                .collect(),
            threshold,
            economy: Economy {
                capacity,
                cost,
                value,
            },
            backtest,
        };
        let (project, model) = (self.project.clone(), Arc::clone(&model.model));
        let evaluation = run(py, listener, move |listener| {
            evaluate(&project.heard_by(listener), &model, &options)
        })?;
        Ok(Report {
            report: evaluation.report,
            snapshots: Some(evaluation.snapshots),
        })
    }

    fn features(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        as_of: Option<String>,
        model: Option<&Model>,
    ) -> PyResult<Table> {
        let as_of = self.moment(py, "as_of", as_of)?;
        let (project, model) = (
            self.project.clone(),
            model.map(|model| Arc::clone(&model.model)),
        );
        let table = run(py, listener, move |listener| {
            feature_table(
                &project.heard_by(listener),
                &FeatureOptions {
                    as_of,
                    model: model.as_deref(),
                    ..Default::default()
                },
            )
        })?;
        Table::new(py, table)
    }

    /// The matrix as one statement over tables of a database.
    fn features_sql(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        dialect: &str,
        places: BTreeMap<String, String>,
        as_of: Option<String>,
        model: Option<&Model>,
    ) -> PyResult<String> {
        let (dialect, as_of) = (dialect_named(dialect)?, self.moment(py, "as_of", as_of)?);
        let (project, model) = (
            self.project.clone(),
            model.map(|model| Arc::clone(&model.model)),
        );
        run(py, listener, move |listener| {
            feature_table_sql(
                &project.heard_by(listener),
                &FeatureOptions {
                    as_of,
                    model: model.as_deref(),
                    ..Default::default()
                },
                dialect,
                &places,
            )
        })
    }

    /// A model with its features as one statement over tables of a database.
    fn score_sql(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        dialect: &str,
        places: BTreeMap<String, String>,
        as_of: Option<String>,
    ) -> PyResult<String> {
        let (dialect, as_of) = (dialect_named(dialect)?, self.moment(py, "as_of", as_of)?);
        let (project, model) = (self.project.clone(), Arc::clone(&model.model));
        run(py, listener, move |listener| {
            model_with_features_sql(&project.heard_by(listener), &model, dialect, &places, as_of)
        })
    }

    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    fn rules(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        paths: Vec<PathBuf>,
        as_of: Option<String>,
        history: bool,
        crossings: bool,
        roll_up: Option<&str>,
    ) -> PyResult<Table> {
        let roll_up = match roll_up {
            None => None,
            Some("max") => Some(RollUp::Max),
            Some("sum") => Some(RollUp::Sum),
            Some("mean") => Some(RollUp::Mean),
            Some(other) => {
                return Err(PyValueError::new_err(format!(
                    "roll_up is `{other}`, expected max, sum or mean"
                )));
            }
        };
        let options = RulesOptions {
            as_of: self.moment(py, "as_of", as_of)?,
            crossings,
            roll_up,
        };
        let files = read_rules(py, paths)?;
        let project = self.project.clone();
        let table = run(py, listener, move |listener| {
            let project = project.heard_by(listener);
            if history {
                rules_history(&project, &files, options.as_of)
            } else {
                rules_table(&project, &files, options)
            }
        })?;
        Table::new(py, table)
    }

    /// Findings as JSON and in words, and whether anything is wrong.
    fn check(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
    ) -> PyResult<(String, String, bool)> {
        let project = self.project.clone();
        run(py, listener, move |listener| {
            let findings = check(&project.heard_by(listener))?;
            Ok((
                serde_json::to_string(&findings)?,
                printable_lines(&findings.text()).into_owned(),
                findings.is_wrong,
            ))
        })
    }

    fn recalibrate(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        as_of: Option<String>,
        since: Option<String>,
        kind: Option<String>,
    ) -> PyResult<Model> {
        let (as_of, since) = (
            self.moment(py, "as_of", as_of)?,
            self.moment(py, "since", since)?,
        );
        let (project, model) = (self.project.clone(), Arc::clone(&model.model));
        let expected = |kind: String| {
            CalibrationKind::parse(&kind).ok_or_else(|| {
                PyValueError::new_err(format!(
                    "there is no kind `{kind}`: expected shift, line, beta or isotonic"
                ))
            })
        };
        let options = RecalibrateOptions {
            as_of,
            from: since,
            kind: kind.map(expected).transpose()?,
        };
        run(py, listener, move |listener| {
            recalibrate(&project.heard_by(listener), model.as_ref().clone(), options)
        })
        .map(Model::new)
    }
}

/// The families of features, as a Markdown table.
#[pyfunction]
pub(crate) fn families() -> String {
    leadscore::reference_of_families()
}

fn simulation(n_leads: u32, world: &str, seed: u64) -> PyResult<SimulationOptions> {
    let world = match world {
        "linear" => World::Linear,
        "curved" => World::Curved,
        "interactions" => World::Interactions,
        "drift" => World::Drift,
        "noise" => World::Noise,
        _ => {
            return Err(PyValueError::new_err(format!(
                "there is no world `{world}`: expected linear, curved, interactions, drift or noise"
            )));
        }
    };
    if !(1_000..=10_000_000).contains(&n_leads) {
        return Err(PyValueError::new_err(format!(
            "{n_leads} leads: expected 1,000 to 10,000,000"
        )));
    }
    Ok(SimulationOptions {
        n_leads,
        world,
        seed,
    })
}

/// The tables of a made-up CRM by name.
#[pyfunction]
pub(crate) fn simulated_tables(
    py: Python<'_>,
    n_leads: u32,
    world: &str,
    seed: u64,
) -> PyResult<Vec<(&'static str, Table)>> {
    let options = simulation(n_leads, world, seed)?;
    let tables = py.detach(|| leadscore::simulated_tables(options));
    tables
        .into_iter()
        .map(|(name, table)| Ok((name, Table::new(py, table)?)))
        .collect()
}

/// The config of a made-up CRM as JSON; its tables stand in memory, so it names no paths.
#[pyfunction]
pub(crate) fn simulated_config(n_leads: u32, world: &str, seed: u64) -> PyResult<String> {
    let wrong = |error: String| PyValueError::new_err(error);
    let text = leadscore::simulated_config(simulation(n_leads, world, seed)?, "parquet");
    let mut config: toml::Table =
        toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    for (_, table) in config.iter_mut() {
        drop_paths(table);
    }
    serde_json::to_string(&config).map_err(|error| wrong(error.to_string()))
}

fn drop_paths(value: &mut toml::Value) {
    if let toml::Value::Table(table) = value {
        table.remove("path");
        table.iter_mut().for_each(|(_, value)| drop_paths(value));
    }
}

/// Writes a made-up CRM; returns the number of activities.
#[pyfunction]
pub(crate) fn write_crm(
    py: Python<'_>,
    listener: &Bound<'_, PyAny>,
    n_leads: u32,
    world: &str,
    seed: u64,
    folder: PathBuf,
    format: &str,
) -> PyResult<usize> {
    let options = simulation(n_leads, world, seed)?;
    let ending = match format {
        "parquet" | "csv" => format.to_owned(),
        _ => {
            return Err(PyValueError::new_err(format!(
                "tables are not simulated as `{format}`: expected parquet or csv"
            )));
        }
    };
    run(py, listener, move |listener| {
        leadscore::write_crm(options, &folder, &ending, &listener)
    })
}
