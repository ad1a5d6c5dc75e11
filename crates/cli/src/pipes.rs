//! Tells Dagster what a run did, where Dagster started it: the messages of Dagster Pipes.
//!
//! Dagster gives a process two environment variables, each of them JSON that is compressed by zlib
//! and written in base64: where the context of the step is, and where messages go. A message is a
//! line of JSON. `run` is one asset, the scores: its materialization has what was decided, its checks
//! are those of the run. A step fails where it gets a check that it does not declare, or does not get
//! one that it declares: `verdict` is reported, or else those that it names, each of them
//! (`extras={"checks": [...]}`). It also fails without a materialization, so that a run that changed
//! nothing has one, with the version of the one before.
//!
//! An alarm is a failed check. It is not a failed process as well: Dagster's client gives up what a
//! process reported if it ends with another code than 0.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::ZlibDecoder;
use serde_json::{Map, Value, json};

/// The two variables by which Dagster is heard and told.
const CONTEXT: &str = "DAGSTER_PIPES_CONTEXT";
const MESSAGES: &str = "DAGSTER_PIPES_MESSAGES";

/// The protocol, which has versions of its own.
const PROTOCOL: &str = "0.1";

/// The check that each run reports.
const VERDICT: &str = "verdict";

/// The most bytes that a variable or a context may have once it is expanded.
const LONGEST: u64 = 16 << 20;

/// A step of Dagster that waits for this process, and has been told that it began.
#[derive(Debug)]
pub(crate) struct Session {
    channel: Channel,
    step: Step,
    is_closed: bool,
}

impl Session {
    /// The step that started this process, or `None` where Dagster did not.
    ///
    /// # Errors
    ///
    /// If the variables cannot be read, several assets are in question, or messages cannot be
    /// written: before any work, since a run that Dagster does not hear of would be run again.
    pub(crate) fn open() -> anyhow::Result<Option<Self>> {
        Self::from_variables(|name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<Self>> {
        match (variable(CONTEXT), variable(MESSAGES)) {
            (None, None) => Ok(None),
            (Some(context), Some(messages)) => Self::of(&context, &messages).map(Some),
            (Some(_), None) => Err(only_one(CONTEXT, MESSAGES)),
            (None, Some(_)) => Err(only_one(MESSAGES, CONTEXT)),
        }
    }

    fn of(context: &str, messages: &str) -> anyhow::Result<Self> {
        let channel = Channel::of(&decoded(MESSAGES, messages)?)?;
        let step = Step::of(&context_data(&decoded(CONTEXT, context)?)?)?;
        let mut session = Self {
            channel,
            step,
            is_closed: false,
        };
        session.write(&[message("opened", json!({ "extras": {} }))])?;
        Ok(session)
    }

    /// Reports the JSON object of a run and ends the session. It comes before that object is printed,
    /// which is the last line of stdout also where messages go there.
    ///
    /// # Errors
    ///
    /// If the messages cannot be written.
    pub(crate) fn close(mut self, run: &Value) -> anyhow::Result<()> {
        self.is_closed = true;
        self.write(&messages(run, &self.step))
    }

    fn write(&mut self, messages: &[Value]) -> anyhow::Result<()> {
        let lines: String = messages
            .iter()
            .map(|message| format!("{message}\n"))
            .collect();
        self.channel
            .write(&lines)
            .context("cannot tell Dagster what this run does")
    }
}

impl Drop for Session {
    /// A run that ended by an error has no object; Dagster is told that it ended.
    fn drop(&mut self) {
        if !self.is_closed {
            let ended = exception("the run ended before it had a result; its log says why");
            let _ = self.write(&[message("closed", ended)]);
        }
    }
}

/// The exit code of a step: an answer that is no, which a failed check says, is 0.
pub(crate) fn code_of_step(code: u8) -> u8 {
    if code == 1 { 0 } else { code }
}

/// What a step of Dagster asks for.
#[derive(Debug, Default, PartialEq)]
struct Step {
    /// The key of the asset that the scores are; `None` in an op, which has no assets.
    asset: Option<String>,
    /// The names of the checks that may be reported.
    checks: Vec<String>,
}

impl Step {
    fn of(context: &Value) -> anyhow::Result<Self> {
        let assets = texts(&context["asset_keys"]);
        let extras = &context["extras"];
        let named = extras["asset_key"].as_str().map(str::to_owned);
        let asset = match (named, assets.as_slice()) {
            (Some(named), _) if assets.contains(&named) => Some(named),
            (Some(named), _) => bail!(
                "the step of Dagster has no asset `{named}`, only {}\n  hint: `extras={{\"asset_key\": ...}}` names one of them",
                listed(&assets)
            ),
            (None, []) => None,
            (None, [asset]) => Some(asset.clone()),
            (None, _) => bail!(
                "the step of Dagster has several assets: {}\n  hint: name the one that the scores are by `extras={{\"asset_key\": ...}}`",
                listed(&assets)
            ),
        };
        let checks = if extras["checks"].is_null() {
            vec![VERDICT.to_owned()]
        } else {
            texts(&extras["checks"])
        };
        Ok(Self { asset, checks })
    }
}

/// Where messages go.
#[derive(Debug, PartialEq)]
enum Channel {
    File(PathBuf),
    Stdout,
    Stderr,
}

impl Channel {
    fn of(parameters: &Value) -> anyhow::Result<Self> {
        if let Some(path) = parameters["path"].as_str() {
            return Ok(Self::File(PathBuf::from(path)));
        }
        let stream = [&parameters["stdio"], &parameters["buffered_stdio"]];
        match stream.into_iter().find_map(Value::as_str) {
            Some("stdout") => Ok(Self::Stdout),
            Some("stderr") => Ok(Self::Stderr),
            Some(_) | None => bail!(
                "Dagster asks for messages in a place that this command cannot write: {MESSAGES} has the keys {}\n  hint: use a message reader of Dagster that reads a file, stdout or stderr",
                listed(&keys(parameters))
            ),
        }
    }

    fn write(&self, lines: &str) -> std::io::Result<()> {
        match self {
            Self::File(path) => {
                let mut options = std::fs::OpenOptions::new();
                // One call for all lines, so that none is read in part.
                options
                    .create(true)
                    .append(true)
                    .open(path)?
                    .write_all(lines.as_bytes())
            }
            Self::Stdout => {
                let mut stdout = std::io::stdout().lock();
                stdout.write_all(lines.as_bytes())?;
                stdout.flush()
            }
            Self::Stderr => std::io::stderr().lock().write_all(lines.as_bytes()),
        }
    }
}

/// The messages by which a run ends: what happened, the asset, its checks, the end.
///
/// A run without scores (one that failed, a dry run) has no materialization and no checks.
fn messages(run: &Value, step: &Step) -> Vec<Value> {
    let mut messages: Vec<Value> = records(&run["stages"]).map(log_of_stage).collect();
    let error = &run["error"];
    if let Some(asset) = step.asset.as_deref()
        && error.is_null()
        && has_scored(run)
    {
        messages.push(message(
            "report_asset_materialization",
            json!({ "asset_key": asset, "data_version": run["run"], "metadata": metadata_of_run(run) }),
        ));
        messages.extend(
            checks(run, step)
                .into_iter()
                .map(|check| check.message(asset)),
        );
    }
    let end = match error["message"].as_str() {
        _ if error.is_null() => json!({}),
        Some(text) => exception(&match error["hint"].as_str() {
            Some(hint) => format!("{text}\n  hint: {hint}"),
            None => text.to_owned(),
        }),
        None => exception(&error.to_string()),
    };
    messages.push(message("closed", end));
    messages
}

/// Whether there are scores of these inputs, made by this run or by the one before.
fn has_scored(run: &Value) -> bool {
    records(&run["stages"]).any(|stage| {
        stage["stage"] == "score" && (stage["status"] == "done" || stage["status"] == "kept")
    })
}

fn log_of_stage(stage: &Value) -> Value {
    let mut text = format!("{}: {}", text(&stage["stage"]), text(&stage["status"]));
    if let Some(words) = stage["message"].as_str().filter(|words| !words.is_empty()) {
        text = format!("{text}, {words}");
    }
    message("log", json!({ "message": text, "level": "INFO" }))
}

/// What Dagster shows beside a materialization; the names of keys in Dagster's own style.
fn metadata_of_run(run: &Value) -> Value {
    let mut metadata = Map::new();
    for key in [
        "decision",
        "because",
        "verdict",
        "as_of",
        "champion",
        "challenger",
        "published",
    ] {
        metadata.insert(key.to_owned(), typed(&run[key]));
    }
    // Dagster shows this one in the list of assets.
    metadata.insert("dagster/row_count".to_owned(), typed(&run["n_scored"]));
    metadata.insert("stages".to_owned(), table(&run["stages"], STAGES));
    metadata.insert("checks".to_owned(), table(&run["checks"], CHECKS));
    metadata.retain(|_, value| value["type"] != "null");
    Value::Object(metadata)
}

/// The checks of a step, each once: Dagster takes no second result.
fn checks(run: &Value, step: &Step) -> Vec<Check> {
    let found = |name: &str| -> Vec<&Value> {
        records(&run["checks"])
            .filter(|finding| name_of(text(&finding["name"])) == name)
            .collect()
    };
    let check = |name: &String| {
        let own = (name == VERDICT).then(|| verdict(run)).flatten();
        own.unwrap_or_else(|| Check::of(name, &found(name)))
    };
    step.checks.iter().map(check).collect()
}

/// A check as Dagster has it.
struct Check {
    name: String,
    is_passed: bool,
    severity: &'static str,
    metadata: Map<String, Value>,
}

impl Check {
    /// Findings of one name as one check, which is as bad as the worst of them. Where nothing was
    /// found, it passes and says so: Dagster has no third answer.
    fn of(name: &str, findings: &[&Value]) -> Self {
        let failed: Vec<&Value> = failed(findings.iter().copied()).collect();
        let shown = if failed.is_empty() { findings } else { &failed };
        let mut metadata = words_of(shown);
        match findings {
            [] => {
                let words = json!("this run did not look at it");
                metadata.insert("message".to_owned(), typed(&words));
            }
            [only] => {
                let figures = only["figures"].as_object().into_iter().flatten();
                metadata.extend(figures.map(|(name, value)| (name.clone(), typed(value))));
            }
            several => {
                let figures: Vec<&Value> = several.iter().map(|one| &one["figures"]).collect();
                metadata.insert("figures".to_owned(), typed(&json!(figures)));
            }
        }
        let is_error = failed.iter().any(|finding| finding["severity"] == "ERROR");
        Self {
            name: name.to_owned(),
            is_passed: failed.is_empty(),
            severity: if is_error { "ERROR" } else { "WARN" },
            metadata,
        }
    }

    fn message(self, asset: &str) -> Value {
        message(
            "report_asset_check",
            json!({
                "asset_key": asset,
                "check_name": self.name,
                "passed": self.is_passed,
                "severity": self.severity,
                "metadata": self.metadata,
            }),
        )
    }
}

/// The verdict as a check, which a run without one does not have: `watch` fails as a warning, `alarm`
/// as an error. `cannot tell` passes, since it is no reason to stop what reads the scores.
fn verdict(run: &Value) -> Option<Check> {
    let verdict = run["verdict"].as_str()?;
    let failed: Vec<&Value> = failed(records(&run["checks"])).collect();
    let mut metadata = words_of(&failed);
    metadata.insert("verdict".to_owned(), typed(&run["verdict"]));
    Some(Check {
        name: VERDICT.to_owned(),
        is_passed: !matches!(verdict, "alarm" | "watch"),
        severity: if verdict == "watch" { "WARN" } else { "ERROR" },
        metadata,
    })
}

fn failed<'a>(findings: impl Iterator<Item = &'a Value>) -> impl Iterator<Item = &'a Value> {
    findings.filter(|finding| finding["passed"] == false)
}

/// What findings say, and what to do about them.
fn words_of(findings: &[&Value]) -> Map<String, Value> {
    let lines = |key: &str| {
        let words: Vec<&str> = findings
            .iter()
            .filter_map(|one| one[key].as_str())
            .collect();
        words.join("\n")
    };
    let words = [
        ("message", lines("message")),
        ("what_to_do", lines("action")),
    ];
    let there = words.into_iter().filter(|(_, words)| !words.is_empty());
    there
        .map(|(key, words)| (key.to_owned(), typed(&json!(words))))
        .collect()
}

/// A name as Dagster allows it: `early read` is `early_read`.
fn name_of(name: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric();
    name.chars()
        .map(|letter| if allowed(letter) { letter } else { '_' })
        .collect()
}

/// A value with the type that Dagster shows it by.
fn typed(value: &Value) -> Value {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "text",
        Value::Array(_) | Value::Object(_) => "json",
    };
    json!({ "raw_value": value, "type": kind })
}

/// The columns of a table in Dagster, with their types.
type Columns = &'static [(&'static str, &'static str)];
const STAGES: Columns = &[
    ("stage", "string"),
    ("status", "string"),
    ("seconds", "float"),
    ("message", "string"),
];
const CHECKS: Columns = &[
    ("name", "string"),
    ("passed", "bool"),
    ("severity", "string"),
    ("message", "string"),
];

/// Objects as a table; one without rows is no table. Dagster allows no empty cell, so an absent value
/// is an empty text.
fn table(rows: &Value, columns: Columns) -> Value {
    let cell = |row: &Value, name: &str| match &row[name] {
        Value::Null => json!(""),
        value @ (Value::Bool(_) | Value::Number(_) | Value::String(_)) => value.clone(),
        value @ (Value::Array(_) | Value::Object(_)) => json!(value.to_string()),
    };
    let record = |row| -> Map<String, Value> {
        columns
            .iter()
            .map(|(name, _)| ((*name).to_owned(), cell(row, name)))
            .collect()
    };
    let records: Vec<_> = records(rows).map(record).collect();
    if records.is_empty() {
        return typed(&Value::Null);
    }
    let schema = columns
        .iter()
        .map(|(name, kind)| json!({ "name": name, "type": kind }));
    let schema: Vec<_> = schema.collect();
    json!({ "raw_value": { "records": records, "schema": schema }, "type": "table" })
}

fn message(method: &str, parameters: Value) -> Value {
    json!({ "__dagster_pipes_version": PROTOCOL, "method": method, "params": parameters })
}

fn exception(text: &str) -> Value {
    json!({ "exception": { "message": text, "stack": [], "name": null, "cause": null, "context": null } })
}

/// A variable of Dagster, as JSON.
fn decoded(name: &str, variable: &str) -> anyhow::Result<Value> {
    let unreadable = || {
        format!(
            "cannot read the variable {name}\n  hint: Dagster Pipes writes it; unset it where this is no step of Dagster"
        )
    };
    let compressed = BASE64_STANDARD
        .decode(variable.trim())
        .with_context(unreadable)?;
    let mut text = String::new();
    let mut expanded = ZlibDecoder::new(compressed.as_slice()).take(LONGEST);
    expanded
        .read_to_string(&mut text)
        .with_context(unreadable)?;
    serde_json::from_str(&text).with_context(unreadable)
}

/// The context of a step: in a file, or in the variable itself.
fn context_data(parameters: &Value) -> anyhow::Result<Value> {
    let Some(path) = parameters["path"].as_str() else {
        let data = &parameters["data"];
        ensure!(
            data.is_object(),
            "Dagster has the context of its step in a place that this command cannot read: {CONTEXT} has the keys {}\n  hint: use a context injector of Dagster that writes a file or a variable",
            listed(&keys(parameters))
        );
        return Ok(data.clone());
    };
    let unreadable = || format!("cannot read {path}, the context of a step of Dagster");
    let text = std::fs::read_to_string(path).with_context(unreadable)?;
    serde_json::from_str(&text).with_context(unreadable)
}

fn only_one(here: &str, missing: &str) -> anyhow::Error {
    anyhow!(
        "the variable {here} is set, but {missing} is not\n  hint: Dagster Pipes sets both; unset {here} where this is no step of Dagster"
    )
}

fn records(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<String> {
    records(value)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn keys(value: &Value) -> Vec<String> {
    value
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .cloned()
        .collect()
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() {
        "none".to_owned()
    } else {
        quoted.join(", ")
    }
}

#[cfg(test)]
mod tests;
