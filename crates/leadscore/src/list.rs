//! The list that sales opens: the best of the scored leads, with columns of the leads table,
//! reasons in words, and what changed.

use std::path::{Path, PathBuf};

use leadscore_core::{agree, count, counted};
use leadscore_inference::Reason;
use leadscore_io::{EarlierScores, OutColumn, OutTable, check_lead_columns, lead_texts};
use leadscore_report::{LeadList, ListedLead};

use crate::data::{Data, now};
use crate::error::{Context, bail};
use crate::outputs::Outputs;
use crate::score::Scores;

/// What a list shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ListOptions {
    /// The list has so many leads, the best ones; all where there are fewer.
    pub top: usize,
    /// Columns of the leads table that stand beside the id.
    pub columns: Vec<String>,
    /// The column of the leads table with the lead's owner: a workbook has a sheet for each.
    pub owner: Option<String>,
    /// An earlier score file: the list says what changed.
    pub previous: Option<PathBuf>,
}

/// Leads of a list, if nothing else is asked for.
pub const DEFAULT_TOP: usize = 100;

impl Default for ListOptions {
    fn default() -> Self {
        Self {
            top: DEFAULT_TOP,
            columns: Vec::new(),
            owner: None,
            previous: None,
        }
    }
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFormat {
    /// A workbook.
    Xlsx,
    /// A page.
    Html,
    /// Rows of texts.
    Csv,
}

/// Rows of a sheet beside its header.
const MOST_ROWS: usize = (1 << 20) - 1;
/// Owners that have sheets of their own, at most: more are no owners, but the wrong column.
const MOST_OWNERS: usize = 200;
/// Reasons weaker than this, in log-odds, are not worth a line.
const WEAKEST: f64 = 0.005;

impl ListFormat {
    /// What the ending of a name asks for.
    ///
    /// # Errors
    ///
    /// It asks for something else.
    pub fn of(path: &Path) -> crate::Result<Self> {
        match path
            .extension()
            .map(|ending| ending.to_string_lossy().to_lowercase())
            .as_deref()
        {
            Some("xlsx") => {
                leadscore_report::check_workbooks()?;
                Ok(Self::Xlsx)
            }
            Some("html" | "htm") => Ok(Self::Html),
            Some("csv") => Ok(Self::Csv),
            _ => bail!(
                "{}: no list is written in this format\n  hint: let the name end in .xlsx, .html or .csv",
                path.display()
            ),
        }
    }
}

impl ListOptions {
    /// The columns of the leads table that the list shows, the owner's among them; not the id,
    /// which it has anyway.
    fn shown_columns(&self, id_column: &str) -> Vec<String> {
        let mut columns: Vec<String> = self
            .columns
            .iter()
            .filter(|column| *column != id_column)
            .cloned()
            .collect();
        if let Some(owner) = self
            .owner
            .as_ref()
            .filter(|owner| !columns.contains(owner) && *owner != id_column)
        {
            columns.push(owner.clone());
        }
        columns
    }

    /// Fails where the list could not be made, before the work whose result it would show; gives
    /// the earlier scores.
    ///
    /// # Errors
    ///
    /// The leads lack a column; or the earlier scores cannot be read.
    pub fn check(&self, data: &Data) -> crate::Result<Option<EarlierScores>> {
        let id_column = &data.config.leads.id;
        if self.owner.as_ref() == Some(id_column) {
            bail!(
                "the owner of a lead is in no column of its own: `{id_column}` is the id\n  hint: name the column of [leads] with the person who calls the lead"
            );
        }
        if self
            .columns
            .iter()
            .chain(&self.owner)
            .any(|name| name.trim().is_empty())
        {
            bail!(
                "a column of the list has no name\n  hint: name columns of [leads], or leave it out"
            );
        }
        let check = |columns: &[String]| {
            check_lead_columns(&data.config, &data.folder, columns, Some(now()))
        };
        if let Err(error) = check(&self.shown_columns(id_column)) {
            // Whose fault it is, is worth a second look at the table.
            let at_owner = self.owner.as_ref().filter(|_| check(&self.columns).is_ok());
            let error = crate::Error::from(error);
            return Err(match at_owner {
                Some(owner) => error.context(format!(
                    "no list by owner `{}` (--owner)",
                    leadscore_core::printable(owner)
                )),
                None => error,
            });
        }
        let read = |path: &PathBuf| {
            // A table of the config would be told of by its `path` there.
            std::fs::metadata(path).with_context(|| {
                format!(
                    "cannot compare with {}\n  hint: name a file that `score` has written",
                    path.display()
                )
            })?;
            EarlierScores::read(path, id_column)
                .with_context(|| format!("cannot compare with {}", path.display()))
        };
        self.previous.as_ref().map(read).transpose()
    }
}

/// The best of the scored leads.
///
/// # Errors
///
/// The leads table cannot be read, or the columns make too many sheets.
pub fn lead_list(
    data: &Data,
    scores: &Scores<'_>,
    options: &ListOptions,
    earlier: Option<&EarlierScores>,
) -> crate::Result<LeadList> {
    let id_column = data.config.leads.id.clone();
    let columns = options.shown_columns(&id_column);
    // A held-back lead that is shown, however plainly marked, is one that somebody calls.
    let rows = scores.prioritized(options.top);
    let n_leads = rows.len();
    let ids: Vec<&str> = rows.iter().map(|&row| scores.lead(row)).collect();
    let texts = if columns.is_empty() {
        vec![Vec::new(); n_leads]
    } else {
        let _stage = data.stage("reading columns of the list", 1)?;
        lead_texts(&data.config, &data.folder, &columns, &ids, Some(now()))?
    };
    let lead = |(place, cells): (usize, Vec<Option<String>>)| {
        let row = rows[place];
        let reasons = scores.all_reasons(row);
        let strongest = |is_for: bool, n: usize| {
            reasons
                .iter()
                .filter(move |reason| {
                    (reason.log_odds > 0.0) == is_for && reason.log_odds.abs() >= WEAKEST
                })
                .take(n)
        };
        ListedLead {
            rank: place + 1,
            id: ids[place].to_owned(),
            cells,
            likelihood: to_tenth(scores.scored.probabilities[row]),
            tier: scores.tiers[row].name(),
            reasons_for: strongest(true, 2).map(Reason::signed).collect(),
            reason_against: strongest(false, 1).map(Reason::signed).next(),
            guard: scores.guard(row).map(str::to_owned),
            earlier: earlier
                .and_then(|earlier| earlier.of(ids[place]))
                .map(|likelihood| to_tenth(likelihood / 100.0)),
        }
    };
    let list = LeadList {
        owner: options
            .owner
            .as_ref()
            .and_then(|owner| columns.iter().position(|column| column == owner)),
        id_column,
        columns,
        about: about(scores, n_leads, earlier),
        has_earlier: earlier.is_some(),
        leads: texts.into_iter().enumerate().map(lead).collect(),
    };
    if let Some(owner) = options
        .owner
        .as_ref()
        .filter(|_| list.n_owners() > MOST_OWNERS)
    {
        bail!(
            "`{owner}` names {} of {}, and a list has sheets for {MOST_OWNERS} at most\n  hint: name the column of [leads] with the person who calls the lead, or pass a smaller --top",
            counted(list.n_owners(), "owner"),
            counted(n_leads, "lead")
        );
    }
    Ok(list)
}

/// A share as it is shown: a cell of a workbook shows all digits that it has to whoever clicks on
/// it.
fn to_tenth(share: f64) -> f64 {
    (1000.0 * share).round() / 1000.0
}

/// What the list is of.
fn about(scores: &Scores<'_>, n_leads: usize, earlier: Option<&EarlierScores>) -> Vec<String> {
    let summary = &scores.summary;
    let at = summary
        .as_of
        .as_ref()
        .map_or(String::new(), |as_of| format!(" at {as_of}"));
    let mut about = vec![format!(
        "The best {} of {}{at}, by model {}.",
        count(n_leads),
        counted(summary.n_scored, "open lead"),
        summary.model_id
    )];
    about.extend(summary.tier_sentences());
    if let Some(hold_back) = summary.hold_back {
        about.push(format!(
            "{} of the open leads {} held back, whatever their likelihood, and in no list: what becomes of them shows what the list is worth.",
            count(hold_back.n_leads),
            agree(hold_back.n_leads, "is", "are")
        ));
    }
    about.push("Reasons compare the lead with the average one of the same age: a number above 0 raises the likelihood, in log-odds.".to_owned());
    if let Some(earlier) = earlier {
        let of = earlier
            .as_of
            .as_ref()
            .map_or(String::new(), |as_of| format!(" of {as_of}"));
        let by = match &earlier.model_id {
            Some(model_id) if *model_id != summary.model_id => {
                format!(" by another model, {model_id}: part of a change may be the model's")
            }
            _ => String::new(),
        };
        about.push(format!(
            "Changes are since the scores{of}{by}. A new lead had no likelihood then."
        ));
    }
    about
}

impl Outputs {
    /// Adds a list, in the format that the ending names.
    ///
    /// # Errors
    ///
    /// The list has more rows than a sheet, or the file cannot be written.
    pub fn list(&mut self, path: &Path, list: &LeadList) -> crate::Result<()> {
        match ListFormat::of(path)? {
            ListFormat::Xlsx if list.leads.len() > MOST_ROWS => {
                bail!(
                    "{}: a sheet has {} rows at most, and the list has {}\n  hint: pass a smaller --top",
                    path.display(),
                    count(MOST_ROWS),
                    count(list.leads.len())
                )
            }
            ListFormat::Xlsx => self.bytes(path, &list.workbook()?),
            ListFormat::Html => self.text(path, &list.html()?),
            ListFormat::Csv => self.csv_for_people(path, &table_of(list)),
        }
    }
}

fn table_of(list: &LeadList) -> OutTable {
    let rows = list.rows();
    let mut table = OutTable::default();
    for (idx, name) in list.header().iter().enumerate() {
        table.push(
            name,
            OutColumn::Text(rows.iter().map(|row| row[idx].clone()).collect()),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_format(path: &str, expected: Option<ListFormat>) {
        assert_eq!(ListFormat::of(Path::new(path)).ok(), expected, "{path}");
    }

    #[test]
    fn formats_by_the_end_of_the_name() {
        check_format("best.csv", Some(ListFormat::Csv));
        check_format("best.of.HTML", Some(ListFormat::Html));
        check_format("best.htm", Some(ListFormat::Html));
        check_format("csv", None);
        check_format(".csv", None);
        check_format("best.csv.gz", None);
        check_format("", None);
    }

    #[test]
    fn the_owner_is_shown_once_and_the_id_by_itself() {
        let shown = |columns: &[&str], owner: Option<&str>| {
            let options = ListOptions {
                columns: columns.iter().map(|name| (*name).to_owned()).collect(),
                owner: owner.map(str::to_owned),
                ..ListOptions::default()
            };
            options.shown_columns("id")
        };
        assert_eq!(shown(&["name", "id", "phone"], None), ["name", "phone"]);
        assert_eq!(shown(&["name"], Some("rep")), ["name", "rep"]);
        assert_eq!(shown(&["rep", "name"], Some("rep")), ["rep", "name"]);
        assert!(shown(&[], Some("id")).is_empty());
    }
}
