//! A first `leadscore.toml` from the files themselves, every guess said beside it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::config::{Config, FileConfig, Location};
use crate::error::TablesError;
use crate::scan::Table;

/// The files to profile; paths are written as given.
#[derive(Debug, Clone, Default)]
pub struct ProfileInput {
    /// The leads.
    pub leads: PathBuf,
    /// Outcomes, where they stand in a file of their own.
    pub outcomes: Option<PathBuf>,
    /// Event tables.
    pub activities: Vec<PathBuf>,
}

/// Looks at the files and writes the text of a config, with every guess as a comment.
///
/// # Errors
///
/// [`TablesError`] where a file cannot be read, or where no column can be the id, the time or the outcome.
pub fn profile(input: &ProfileInput, folder: &Path) -> Result<String, TablesError> {
    let mut text = String::from("# Written by `leadscore init`. Every line with a `guess:` wants a look; `leadscore schema` knows every key.\n\n");
    let leads = Sheet::read("leads", &input.leads, folder)?;
    let id = leads.id().ok_or_else(|| leads.lacks("no column has a different value in every row", "give each lead an id"))?;
    let _ = writeln!(text, "[leads]\npath = {}", quoted(&input.leads.to_string_lossy()));
    let _ = writeln!(text, "id = {}{}", quoted(&id), leads.guess(&format!("{} different values in {} rows", leads.n_rows, leads.n_rows)));
    let created = leads.pick_time(&["creat", "first_contact", "signup", "registered", "date", "time"]);
    let flag = leads.flag();
    if let Some(created) = created.as_ref().filter(|_| input.outcomes.is_some()) {
        let _ = writeln!(text, "created_at = {}{}", quoted(created), leads.guess("the column of times whose name says creation most"));
    }
    if let Some(score) = leads.columns.iter().find(|column| column.to_lowercase().contains("score") && leads.is_numeric(column)) {
        let _ = writeln!(text, "manual_score = {}{}", quoted(score), leads.guess("a number called a score; remove it if it is not today's points"));
    }
    text.push_str(&leads.settings());
    for (idx, path) in input.activities.iter().enumerate() {
        let sheet = Sheet::read("activities", path, folder)?;
        let name = path
            .file_stem()
            .map_or_else(|| format!("activity_{idx}"), |stem| stem.to_string_lossy().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect());
        let lead =
            sheet.matching(&id, &leads).ok_or_else(|| sheet.lacks("no column holds ids of the leads", "check that both files come from the same export"))?;
        let at = sheet
            .pick_time(&["at", "time", "date", "ts"])
            .ok_or_else(|| sheet.lacks("no column holds times", "name the format in the config by hand, with `time_format`"))?;
        let _ = writeln!(
            text,
            "\n[activities.{name}]\npath = {}\nlead = {}{}\nat = {}{}",
            quoted(&path.to_string_lossy()),
            quoted(&lead),
            sheet.guess("holds ids of the leads"),
            quoted(&at),
            sheet.guess("a column of times")
        );
        let rest: Vec<&String> = sheet.columns.iter().filter(|column| **column != lead && **column != at && !sheet.is_time(column)).collect();
        let kinds: Vec<String> = rest.iter().filter(|column| sheet.is_kind(column)).map(|column| quoted(column)).collect();
        let values: Vec<String> =
            rest.iter().filter(|column| sheet.is_numeric(column) && !column.to_lowercase().ends_with("id")).map(|column| quoted(column)).collect();
        if !kinds.is_empty() {
            let _ = writeln!(text, "kind = [{}]{}", kinds.join(", "), sheet.guess("texts with few different values"));
        }
        if !values.is_empty() {
            let _ = writeln!(text, "values = [{}]{}", values.join(", "), sheet.guess("numbers"));
        }
        text.push_str(&sheet.settings());
    }
    text.push_str("\n[outcomes]\n");
    if let Some(path) = &input.outcomes {
        let sheet = Sheet::read("outcomes", path, folder)?;
        let lead =
            sheet.matching(&id, &leads).ok_or_else(|| sheet.lacks("no column holds ids of the leads", "check that both files come from the same export"))?;
        let closed = sheet
            .pick_time(&["close", "won", "lost", "date", "at"])
            .ok_or_else(|| sheet.lacks("no column holds times", "name the column of the closing time in the config by hand"))?;
        if created.is_none() {
            return Err(leads.lacks("no column holds the time of creation", "name it in the config by hand as `created_at`, with its `time_format`"));
        }
        let _ = writeln!(
            text,
            "path = {}\nlead = {}{}\nclosed_at = {}{}",
            quoted(&path.to_string_lossy()),
            quoted(&lead),
            sheet.guess("holds ids of the leads"),
            quoted(&closed),
            sheet.guess("a column of times")
        );
        if let Some((column, won, lost)) = sheet.result() {
            let list = |values: &[String]| values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", ");
            let _ = writeln!(
                text,
                "result = {}\nwon = [{}]\nlost = [{}]{}",
                quoted(&column),
                list(&won),
                list(&lost),
                sheet.guess("values that speak of winning or losing")
            );
        } else {
            text.push_str("# guess: no column says won or lost, so every row is a win; else name it as `result`, with `won` and `lost`\n");
        }
        text.push_str(&sheet.settings());
        text.push_str("\n[snapshots]\nhorizon = \"90d\"\nevery = \"month\"\n");
    } else {
        let (column, won) = flag.ok_or_else(|| {
            leads.lacks("no column says which leads were won", "pass --outcomes, or name the column in the config by hand as `flag` of [outcomes]")
        })?;
        let _ = writeln!(text, "flag = {}{}\nwon = [{}]", quoted(&column), leads.guess("two values, and a name that speaks of an outcome"), quoted(&won));
        text.push_str("\n[snapshots]\n# order_by = \"…\"   # a column that stands for time, if there is one: newer leads are then the test\n");
    }
    Config::parse(&text).map_err(|error| TablesError::Content {
        table: "init".to_owned(),
        found: error.to_string(),
        help: "write the config by hand".to_owned(),
    })?;
    Ok(text)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The first rows of a file as texts; profiles look at no more.
struct Sheet {
    label: String,
    path: PathBuf,
    columns: Vec<String>,
    cells: Vec<Vec<Option<String>>>,
    n_rows: usize,
    time_format: Option<&'static str>,
    decimal_comma: bool,
}

impl Sheet {
    fn read(label: &str, path: &Path, folder: &Path) -> Result<Self, TablesError> {
        let location = Location::One(path.to_string_lossy().into_owned());
        let file =
            FileConfig { location: &location, null_values: None, time_format: None, time_zone: None, delimiter: None, decimal_comma: false, encoding: None };
        let table = Table::open(label, folder, file)?;
        let columns = table.columns().to_vec();
        let raw = table.read(&columns.iter().map(String::as_str).collect::<Vec<_>>())?;
        let mut cells = Vec::new();
        for column in &columns {
            let mut values = Vec::with_capacity(raw.n_rows);
            let time = raw.is_time(column).then(|| raw.times(column)).transpose()?;
            match time {
                Some(times) => values.extend(times.iter().map(|time| time.map(|stamp| stamp.start.to_string()))),
                None => raw.for_each_text(column, |_, text| {
                    values.push(text.map(str::to_owned));
                    Ok(())
                })?,
            }
            cells.push(values);
        }
        let mut sheet = Self { label: label.to_owned(), path: path.to_owned(), columns, cells, n_rows: raw.n_rows, time_format: None, decimal_comma: false };
        sheet.time_format = sheet.slash_format();
        let has = |test: fn(&str) -> bool| sheet.cells.iter().flatten().flatten().any(|cell| test(cell));
        let comma_number = |cell: &str| cell.contains(',') && cell.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.' || c == '-') && cell.len() > 2;
        sheet.decimal_comma = has(comma_number) && !has(|cell: &str| cell.contains('.') && !cell.contains(',') && cell.parse::<f64>().is_ok());
        Ok(sheet)
    }

    fn lacks(&self, found: &str, help: &str) -> TablesError {
        TablesError::Content { table: format!("{} ({})", self.label, self.path.display()), found: found.to_owned(), help: help.to_owned() }
    }

    #[expect(clippy::unused_self, reason = "reads as the sheet's own remark")]
    fn guess(&self, why: &str) -> String {
        format!("   # guess: {why}")
    }

    fn settings(&self) -> String {
        let mut text = String::new();
        if let Some(format) = self.time_format {
            let _ = writeln!(text, "time_format = {}{}", quoted(format), self.guess("values above 12 show which part is the day"));
        }
        if self.decimal_comma {
            let _ = writeln!(text, "decimal_comma = true{}", self.guess("numbers are written with a comma"));
        }
        text
    }

    fn values(&self, column: &str) -> impl Iterator<Item = &str> {
        let idx = self.columns.iter().position(|name| name == column);
        idx.into_iter().flat_map(|idx| self.cells[idx].iter().flatten().map(String::as_str))
    }

    fn is_numeric(&self, column: &str) -> bool {
        let mut any = false;
        self.values(column).all(|text| {
            any = true;
            text.parse::<f64>().is_ok()
        }) && any
    }

    /// Day first or month first, where a column of slashed dates has a value above 12 that shows it.
    fn slash_format(&self) -> Option<&'static str> {
        for column in &self.columns {
            let parts: Vec<(u32, u32)> = self.values(column).take(100_000).map_while(slash_date).collect();
            if parts.is_empty() || parts.len() < self.values(column).take(100_000).count() {
                continue;
            }
            if parts.iter().any(|(first, _)| *first > 12) {
                return Some("%d/%m/%Y");
            }
            if parts.iter().any(|(_, second)| *second > 12) {
                return Some("%m/%d/%Y");
            }
        }
        None
    }

    fn is_time(&self, column: &str) -> bool {
        let mut any = false;
        self.values(column).all(|text| {
            any = true;
            leadscore_core::Timestamp::parse_iso(text).is_some() || (self.time_format.is_some() && slash_date(text).is_some())
        }) && any
    }

    fn id(&self) -> Option<String> {
        let unique = |column: &&String| {
            let values: Vec<&str> = self.values(column).collect();
            values.len() == self.n_rows && !self.is_time(column) && values.iter().collect::<HashSet<_>>().len() == self.n_rows
        };
        let mut candidates: Vec<&String> = self.columns.iter().filter(unique).collect();
        candidates.sort_by_key(|column| !column.to_lowercase().contains("id"));
        candidates.first().map(|column| (*column).clone())
    }

    fn pick_time(&self, hints: &[&str]) -> Option<String> {
        let times: Vec<&String> = self.columns.iter().filter(|column| self.is_time(column)).collect();
        hints.iter().find_map(|hint| times.iter().find(|column| column.to_lowercase().contains(hint))).or(times.first()).map(|column| (*column).clone())
    }

    /// The column whose values are mostly ids of the leads.
    fn matching(&self, id: &str, leads: &Self) -> Option<String> {
        let ids: HashSet<&str> = leads.values(id).collect();
        let share = |column: &String| {
            let (mut found, mut all) = (0_usize, 0_usize);
            for value in self.values(column).take(10_000) {
                all += 1;
                found += usize::from(ids.contains(value));
            }
            if all == 0 { 0.0 } else { found as f64 / all as f64 }
        };
        self.columns
            .iter()
            .map(|column| (share(column), column))
            .filter(|(share, _)| *share > 0.5)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, column)| column.clone())
    }

    fn is_kind(&self, column: &str) -> bool {
        let distinct: HashSet<&str> = self.values(column).take(100_000).collect();
        !self.is_numeric(column) && (2..=50).contains(&distinct.len())
    }

    fn flag(&self) -> Option<(String, String)> {
        let named =
            |column: &&String| ["convert", "won", "win", "outcome", "customer", "closed", "status"].iter().any(|hint| column.to_lowercase().contains(hint));
        self.columns.iter().filter(named).find_map(|column| {
            let distinct: HashSet<&str> = self.values(column).collect();
            let won = ["1", "true", "True", "TRUE", "yes", "Yes", "won", "Won", "converted", "Converted"].into_iter().find(|value| distinct.contains(value))?;
            (distinct.len() == 2).then(|| (column.clone(), won.to_owned()))
        })
    }

    fn result(&self) -> Option<(String, Vec<String>, Vec<String>)> {
        self.columns.iter().find_map(|column| {
            let distinct: std::collections::BTreeSet<&str> = self.values(column).collect();
            if distinct.len() > 50 {
                return None;
            }
            let says = |hint: &str| distinct.iter().filter(|value| value.to_lowercase().contains(hint)).map(|value| (*value).to_owned()).collect::<Vec<_>>();
            let (won, lost) = (says("won"), says("lost"));
            (!won.is_empty()).then(|| (column.clone(), won, lost))
        })
    }
}

fn slash_date(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('/');
    let (first, second, year) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
    (year.len() == 4 && year.parse::<u32>().is_ok() && parts.next().is_none()).then_some((first, second))
}
