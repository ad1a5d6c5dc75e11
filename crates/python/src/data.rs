//! A config with its tables, and the calls over them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use leadscore::front_end::counted;
use leadscore::{
    CalibrationKind, Capacity, Config, ContributionsBy, Economy, EvaluateOptions, ExplainOptions,
    Explanation, FeatureOptions, Frame, Inputs, ListFormat, ListOptions, OpenTables, OutTable,
    Outputs, ReadRules, RecalibrateOptions, RollUp, RulesOptions, ScoreOptions, SimulationOptions,
    Timestamp, TrainOptions, World, check, contributions, evaluate, explain, explain_one,
    export_points, feature_table, feature_table_sql, lead_list, model_with_features_sql,
    read_lead_json, recalibrate, rules_history, rules_table, score, train,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::Call;
use crate::call::{compute, run, run_as, same_process};
use crate::frames::{Table, read_frames};
use crate::model::{Model, dialect_named};
use crate::points::Points;
use crate::report::{Report, words};

/// A config and the tables that it speaks of.
#[pyclass(frozen, module = "leadscore._native")]
pub(crate) struct Data {
    pub(crate) data: leadscore::Data,
    /// The leads, where they are a frame.
    leads: Option<Frame>,
}

impl Data {
    /// Opens the tables of a config; for one lead alone, lookups are the only ones.
    fn open_by(
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        frames: &Bound<'_, PyDict>,
        for_one: bool,
        config: impl FnOnce() -> leadscore::Result<Config> + Send + 'static,
    ) -> PyResult<Self> {
        let frames = read_frames(frames)?;
        let leads = frames.get("leads").cloned();
        let tables = if for_one {
            OpenTables::Lookups
        } else {
            OpenTables::All
        };
        let data = run(py, listener, move |listener| {
            let inputs = Inputs {
                frames,
                listener,
                tables,
            };
            Ok(leadscore::Data::open(&config()?, inputs)?.quiet())
        })?;
        Ok(Self { data, leads })
    }

    /// Runs a call over the tables; see [`run`].
    fn run<T: Send + 'static>(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        work: impl FnOnce(&leadscore::Data) -> leadscore::Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let data = self.data.clone();
        run(py, listener, move |listener| work(&data.heard_by(listener)))
    }

    /// The same of a call over the tables with a model.
    pub(crate) fn run_with<T: Send + 'static>(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        work: impl FnOnce(&leadscore::Data, &leadscore::Model) -> leadscore::Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let model = Arc::clone(&model.model);
        self.run(py, listener, move |data| work(data, &model))
    }

    fn moment(
        &self,
        py: Python<'_>,
        name: &str,
        text: Option<String>,
    ) -> PyResult<Option<Timestamp>> {
        compute(py, || self.data.moments(name, text.as_ref()))
    }

    /// A table about leads, its ids in the type that the frame of the leads has them in.
    fn with_ids(&self, frame: Frame) -> Frame {
        let Some(leads) = &self.leads else {
            return frame;
        };
        let of_leads = &self.data.settings().leads;
        std::iter::once(&of_leads.id)
            .chain(&of_leads.account)
            .fold(frame, |frame, column| frame.with_ids_of(column, leads))
    }

    fn table(&self, py: Python<'_>, table: OutTable) -> PyResult<Table> {
        compute(py, || table.into_frame()).map(|frame| Table::of(self.with_ids(frame)))
    }
}

/// An explanation as JSON, and in words.
fn told(explanation: &Explanation) -> leadscore::Result<(String, String)> {
    Ok((
        serde_json::to_string(explanation)?,
        words(&explanation.text()),
    ))
}

fn read_rules(py: Python<'_>, paths: Vec<PathBuf>) -> PyResult<Vec<ReadRules>> {
    compute(py, || {
        paths
            .iter()
            .map(|path| ReadRules::open(path))
            .collect::<leadscore::Result<_>>()
    })
}

#[pymethods]
impl Data {
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
        Self::open_by(py, listener, frames, for_one, move || Config::read(&path))
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
        Self::open_by(py, listener, frames, for_one, move || {
            Config::parse(text, "config")
        })
    }

    /// The same tables as they were known before a moment.
    fn as_of(&self, py: Python<'_>, moment: String) -> PyResult<Self> {
        let data = compute(py, || self.data.as_of_text("as_of", Some(&moment)))?;
        let leads = self.leads.clone();
        Ok(Self { data, leads })
    }

    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    fn train(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        cross_validate: bool,
        learning_curve: bool,
        allow_too_few: bool,
        allow_leaks: bool,
        report: bool,
    ) -> PyResult<(Model, Option<Report>)> {
        let options = TrainOptions {
            cross_validate,
            learning_curve,
            allow_too_few,
            allow_leaks,
            linfa: false,
        };
        let (model, report) = self.run(py, listener, move |data| {
            let training = train(data, &options)?;
            let report = report.then(|| training.report(data)).transpose()?;
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
        intervals: bool,
    ) -> PyResult<Table> {
        let options = ScoreOptions {
            intervals,
            ..Default::default()
        };
        let (frame, summary) = self.run_with(py, listener, model, move |data, model| {
            let scores = score(data, model, &options)?;
            Ok((scores.frame()?, serde_json::to_string(&scores.summary)?))
        })?;
        Ok(Table {
            frame: self.with_ids(frame),
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
    ) -> PyResult<()> {
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
        self.run_with(py, listener, model, move |data, model| {
            ListFormat::of(&path)?;
            let inputs: Vec<PathBuf> = list.previous.iter().cloned().collect();
            data.refuse_inputs([&path], &inputs)?;
            let earlier = list.check(data)?;
            let scores = score(data, model, &ScoreOptions::default())?;
            let mut outputs = Outputs::default();
            outputs.list(&path, &lead_list(data, &scores, &list, earlier.as_ref())?)?;
            outputs.publish().map(drop)
        })
    }

    /// The explanation of one lead as JSON, and in words.
    fn explain(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        lead: String,
        since: Option<String>,
        what_if: Vec<(String, String)>,
    ) -> PyResult<(String, String)> {
        let since = self.moment(py, "since", since)?;
        let options = ExplainOptions { since, what_if };
        self.run_with(py, listener, model, move |data, model| {
            told(&explain(data, model, &lead, &options)?)
        })
    }

    /// The explanation of a lead that is in no table, as JSON, and in words.
    fn score_one(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        lead: &str,
    ) -> PyResult<(String, String)> {
        let lead = compute(py, || read_lead_json("the lead", lead.as_bytes()))?;
        self.run_with(py, listener, model, move |data, model| {
            told(&explain_one(data, model, &lead)?)
        })
    }

    /// Contributions of all open leads, and the mean size of each.
    fn contributions(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        by: &str,
    ) -> PyResult<(Table, Table)> {
        let by = match by {
            "concept" => ContributionsBy::Concept,
            "feature" => ContributionsBy::Feature,
            other => {
                return Err(PyValueError::new_err(format!(
                    "by: expected \"concept\" or \"feature\", found {other:?}"
                )));
            }
        };
        let found = self.run_with(py, listener, model, move |data, model| {
            contributions(data, model, by)
        })?;
        Ok((
            self.table(py, found.leads)?,
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
        let evaluation = self.run_with(py, listener, model, move |data, model| {
            evaluate(data, model, &options)
        })?;
        let snapshots = compute(py, || evaluation.snapshots.into_frame())?;
        Ok(Report {
            report: evaluation.report,
            snapshots: Some(self.with_ids(snapshots)),
        })
    }

    fn features(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: Option<&Model>,
    ) -> PyResult<Table> {
        let model = model.map(|model| Arc::clone(&model.model));
        let table = self.run(py, listener, move |data| {
            let options = FeatureOptions {
                model: model.as_deref(),
                ..Default::default()
            };
            feature_table(data, &options)
        })?;
        self.table(py, table)
    }

    /// The matrix as one statement over tables of a database.
    fn features_sql(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        dialect: &str,
        places: BTreeMap<String, String>,
        model: Option<&Model>,
    ) -> PyResult<String> {
        let dialect = dialect_named(dialect)?;
        let model = model.map(|model| Arc::clone(&model.model));
        self.run(py, listener, move |data| {
            let options = FeatureOptions {
                model: model.as_deref(),
                ..Default::default()
            };
            feature_table_sql(data, &options, dialect, &places)
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
    ) -> PyResult<String> {
        let dialect = dialect_named(dialect)?;
        self.run_with(py, listener, model, move |data, model| {
            model_with_features_sql(data, model, dialect, &places)
        })
    }

    fn rules(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        paths: Vec<PathBuf>,
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
        let options = RulesOptions { crossings, roll_up };
        let files = read_rules(py, paths)?;
        let table = self.run(py, listener, move |data| {
            if history {
                rules_history(data, &files)
            } else {
                rules_table(data, &files, options)
            }
        })?;
        self.table(py, table)
    }

    /// A model as points, with what that costs.
    fn export_points(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        n_rules: usize,
    ) -> PyResult<Points> {
        self.run_with(py, listener, model, move |data, model| {
            export_points(data, model, n_rules)
        })
        .map(|points| Points { points })
    }

    /// Findings as JSON and in words, and whether anything is wrong.
    fn check(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
    ) -> PyResult<(String, String, bool)> {
        self.run(py, listener, move |data| {
            let findings = check(data)?;
            Ok((
                serde_json::to_string(&findings)?,
                words(&findings.text()),
                findings.is_wrong,
            ))
        })
    }

    fn recalibrate(
        &self,
        py: Python<'_>,
        listener: &Bound<'_, PyAny>,
        model: &Model,
        since: Option<String>,
        kind: Option<String>,
    ) -> PyResult<Model> {
        let since = self.moment(py, "since", since)?;
        let (data, model) = (self.data.clone(), Arc::clone(&model.model));
        let expected = |kind: String| {
            CalibrationKind::parse(&kind).ok_or_else(|| {
                PyValueError::new_err(format!(
                    "there is no kind `{kind}`: expected shift, line, beta or isotonic"
                ))
            })
        };
        let options = RecalibrateOptions {
            from: since,
            kind: kind.map(expected).transpose()?,
        };
        run_as(py, Call::Recalibrate, listener, move |listener| {
            recalibrate(&data.heard_by(listener), model.as_ref().clone(), options)
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
            "{}: expected 1,000 to 10,000,000",
            counted(n_leads, "lead")
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
    same_process()?;
    let tables = py.detach(|| leadscore::simulated_tables(options));
    tables
        .into_iter()
        .map(|(name, table)| Ok((name, Table::new(py, table)?)))
        .collect()
}

/// The config of a made-up CRM as JSON; its tables are in memory, so it names no paths.
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
