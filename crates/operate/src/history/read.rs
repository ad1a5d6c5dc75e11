//! What was predicted at some moments, as typed columns: leads by number, so that moments can be
//! compared without texts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use leadscore_core::{ContactPriority, Timestamp, log_odds_to_probability};
use leadscore_io::{ColumnFile, Frame, in_order};

use super::error::HistoryError;
use super::place::Place;

/// Moments of a history, and the leads that they are of.
#[derive(Debug, Clone, Default)]
pub struct ReadHistory {
    /// The moments, earliest first.
    pub moments: Vec<ScoredMoment>,
    ids: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// What was predicted at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredMoment {
    /// The moment.
    pub moment: Timestamp,
    /// The model that predicted it.
    pub model_id: String,
    /// The open leads, by their number in [`ReadHistory`], in the order of the file.
    pub leads: Vec<u32>,
    /// Log-odds of each open lead.
    pub log_odds: Vec<f64>,
    /// The tier of each open lead.
    pub tiers: Vec<ContactPriority>,
    /// Whether each open lead was held back; `None` where nobody was.
    pub held_back: Option<Vec<bool>>,
    /// Open leads with something unlike training; `None` where the model did not know what training
    /// saw.
    pub n_guarded: Option<usize>,
    /// Leads that had been won before, by their number.
    pub won: Vec<u32>,
    /// Earlier scores of the same moment, which do not count any more.
    pub n_replaced: usize,
}

impl ScoredMoment {
    /// The probability of each open lead, 0 to 1.
    pub fn probabilities(&self) -> Vec<f64> {
        self.log_odds
            .iter()
            .map(|&log_odds| log_odds_to_probability(log_odds))
            .collect()
    }
}

impl ReadHistory {
    /// The id of a lead.
    ///
    /// # Panics
    ///
    /// Where no lead has this number.
    pub fn id(&self, lead: u32) -> &str {
        &self.ids[lead as usize]
    }

    /// The number of a lead; `None` where no moment has it.
    pub fn number(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// How many leads there are at all moments together: their numbers are below it.
    pub fn n_leads(&self) -> usize {
        self.ids.len()
    }

    fn number_of(&mut self, id: &str) -> u32 {
        if let Some(&number) = self.numbers.get(id) {
            return number;
        }
        let number = u32::try_from(self.ids.len()).expect("fewer leads than 2³²");
        self.ids.push(id.to_owned());
        self.numbers.insert(id.to_owned(), number);
        number
    }
}

/// Reads the scores of these moments.
pub(super) fn read(places: &[Place], id_column: &str) -> Result<ReadHistory, HistoryError> {
    let files: Vec<(usize, &Path)> = places
        .iter()
        .enumerate()
        .flat_map(|(idx, place)| place.files.iter().map(move |path| (idx, path.as_path())))
        .collect();
    let mut history = ReadHistory::default();
    // The moment that has a lead already, by the lead's number, from 1.
    let mut seen: Vec<usize> = Vec::new();
    in_order(
        files.len(),
        std::thread::available_parallelism().map_or(1, usize::from),
        |piece| {
            let (idx, path) = files[piece];
            let columns = Columns::read(path, id_column, places[idx].moment)?;
            Ok((idx, path, columns))
        },
        |(idx, path, columns): (usize, &Path, Option<(Columns, Frame)>)| {
            let is_last = places[idx].files.last().is_some_and(|last| last == path);
            if let Some((columns, ids)) = columns {
                if history.moments.len() == idx {
                    history.moments.push(columns.empty(&places[idx]));
                }
                columns.add_to(&mut history, idx, (&ids, id_column), &mut seen)?;
            }
            // Engines write files without a row beside others.
            if is_last && history.moments.len() == idx {
                return Err(content(path, id_column, "there is no row".to_owned()));
            }
            Ok(())
        },
    )?;
    Ok(history)
}

/// The columns of a file that every reader of a history needs.
pub(super) struct Columns {
    path: PathBuf,
    /// NaN for won leads.
    pub(super) log_odds: Vec<f64>,
    /// By row; won leads among them.
    pub(super) tiers: Vec<ContactPriority>,
    pub(super) held_back: Option<Vec<bool>>,
    n_guarded: Option<usize>,
    pub(super) model_id: String,
}

impl Columns {
    /// The columns of a file; `None` where it has no row.
    fn read(
        path: &Path,
        id_column: &str,
        moment: Timestamp,
    ) -> Result<Option<(Self, Frame)>, HistoryError> {
        let file = open(path, id_column)?;
        let mut wanted = vec!["as_of", "contact_priority", "log_odds", "model_id"];
        let optional = ["held_back", "guard"];
        wanted.extend(optional.iter().copied().filter(|name| file.has(name)));
        let frame = file.read(&wanted)?;
        if frame.n_rows() == 0 {
            return Ok(None);
        }
        let columns = Self::of_frame(path, &frame, moment)?;
        Ok(Some((columns, file.read(&[id_column])?)))
    }

    /// Some rows of a file, at least one.
    pub(super) fn of_frame(
        path: &Path,
        frame: &Frame,
        moment: Timestamp,
    ) -> Result<Self, HistoryError> {
        check_moment(path, frame, moment)?;
        let tiers = tiers(path, frame)?;
        let log_odds = frame
            .numbers("log_odds")
            .ok_or_else(|| content(path, "log_odds", "it has no numbers".to_owned()))?;
        let unscored = tiers.iter().zip(&log_odds).position(|(tier, log_odds)| {
            *tier != ContactPriority::ClosedWon && !log_odds.is_finite()
        });
        if let Some(row) = unscored {
            let found = format!("row {} is of an open lead without a score", row + 1);
            return Err(content(path, "log_odds", found));
        }
        Ok(Self {
            path: path.to_owned(),
            log_odds,
            held_back: held_back(path, frame)?,
            n_guarded: n_guarded(frame),
            model_id: only_model(path, frame)?,
            tiers,
        })
    }

    /// The moment of the file without a lead.
    fn empty(&self, place: &Place) -> ScoredMoment {
        ScoredMoment {
            moment: place.moment,
            model_id: self.model_id.clone(),
            leads: Vec::new(),
            log_odds: Vec::new(),
            tiers: Vec::new(),
            held_back: self.held_back.as_ref().map(|_| Vec::new()),
            n_guarded: self.n_guarded.map(|_| 0),
            won: Vec::new(),
            n_replaced: place.n_replaced,
        }
    }

    /// Adds the leads of the file to its moment.
    fn add_to(
        self,
        history: &mut ReadHistory,
        idx: usize,
        (ids, id_column): (&Frame, &str),
        seen: &mut Vec<usize>,
    ) -> Result<(), HistoryError> {
        let path = &self.path;
        let mut moment = std::mem::replace(&mut history.moments[idx], self.empty_of_none());
        if moment.held_back.is_some() != self.held_back.is_some() {
            let found = "some files of the moment have it, and some have not".to_owned();
            return Err(content(path, "held_back", found));
        }
        if moment.model_id != self.model_id {
            let found = format!(
                "it has scores of model {}, and other files of the moment those of {}",
                self.model_id, moment.model_id
            );
            return Err(content(path, "model_id", found));
        }
        let mut wrong = None;
        let mut numbers = Vec::with_capacity(self.tiers.len());
        let is_text = for_each_id(ids, id_column, |row, id| {
            let number = id.map(|id| history.number_of(id));
            seen.resize(history.n_leads(), 0);
            match number {
                None => wrong = wrong.or(Some((row, "has no id"))),
                Some(number)
                    if std::mem::replace(&mut seen[number as usize], idx + 1) == idx + 1 =>
                {
                    wrong = wrong.or(Some((row, "is of a lead that the moment has already")));
                }
                Some(number) => numbers.push(number),
            }
        });
        if !is_text {
            return Err(content(path, id_column, "it has no ids".to_owned()));
        }
        if let Some((row, what)) = wrong {
            return Err(content(path, id_column, format!("row {} {what}", row + 1)));
        }
        for (row, (&lead, &tier)) in numbers.iter().zip(&self.tiers).enumerate() {
            if tier == ContactPriority::ClosedWon {
                moment.won.push(lead);
                continue;
            }
            moment.leads.push(lead);
            moment.log_odds.push(self.log_odds[row]);
            moment.tiers.push(tier);
            if let (Some(all), Some(own)) = (&mut moment.held_back, &self.held_back) {
                all.push(own[row]);
            }
        }
        if let (Some(all), Some(own)) = (&mut moment.n_guarded, self.n_guarded) {
            *all += own;
        }
        history.moments[idx] = moment;
        Ok(())
    }

    /// What stands in a place for a while.
    fn empty_of_none(&self) -> ScoredMoment {
        self.empty(&Place {
            moment: Timestamp::from_micros(0),
            files: Vec::new(),
            n_replaced: 0,
            next_part: 0,
        })
    }
}

/// Opens a file of scores; fails where it lacks a column that all of them have.
pub(super) fn open(path: &Path, id_column: &str) -> Result<ColumnFile, HistoryError> {
    let file = ColumnFile::open(path)?;
    let needed = [
        "as_of",
        "contact_priority",
        "log_odds",
        "model_id",
        id_column,
    ];
    match needed.into_iter().find(|column| !file.has(column)) {
        None => Ok(file),
        Some(column) => Err(HistoryError::Column {
            path: path.to_owned(),
            column: column.to_owned(),
            columns: file.columns().to_vec(),
            is_id: column == id_column,
        }),
    }
}

/// Visits the ids of a column, which may be numbers; false where it has neither.
pub(super) fn for_each_id(
    frame: &Frame,
    column: &str,
    mut visit: impl FnMut(usize, Option<&str>),
) -> bool {
    if frame.for_each_text(column, &mut visit) {
        return true;
    }
    let Some(texts) = frame
        .texts(column)
        .filter(|_| frame.numbers(column).is_some())
    else {
        return false;
    };
    texts
        .iter()
        .enumerate()
        .for_each(|(row, text)| visit(row, text.as_deref()));
    true
}

/// Fails where rows are of another moment than their folder.
fn check_moment(path: &Path, frame: &Frame, moment: Timestamp) -> Result<(), HistoryError> {
    let times = frame
        .micros("as_of")
        .ok_or_else(|| content(path, "as_of", "it has no times".to_owned()))?;
    let other = times.iter().find(|time| **time != Some(moment.micros()));
    match other {
        None => Ok(()),
        Some(other) => {
            let found = other.map_or("no moment".to_owned(), |micros| {
                Timestamp::from_micros(micros).to_string()
            });
            Err(HistoryError::Content {
                path: path.to_owned(),
                column: "as_of".to_owned(),
                found: format!("it has {found}, and the folder is of {moment}"),
                help: "move the file into the folder of its moment",
            })
        }
    }
}

/// The tier of each row.
fn tiers(path: &Path, frame: &Frame) -> Result<Vec<ContactPriority>, HistoryError> {
    const ALL: [ContactPriority; 5] = [
        ContactPriority::VeryHigh,
        ContactPriority::High,
        ContactPriority::Medium,
        ContactPriority::Low,
        ContactPriority::ClosedWon,
    ];
    let mut tiers = Vec::with_capacity(frame.n_rows());
    let mut unknown = None;
    let is_text = frame.for_each_text("contact_priority", |row, text| {
        let known = text.and_then(|text| ALL.into_iter().find(|tier| tier.name() == text));
        match known {
            Some(tier) => tiers.push(tier),
            None if unknown.is_none() => {
                unknown = Some(format!(
                    "row {} has `{}`, which is no tier",
                    row + 1,
                    text.unwrap_or_default()
                ));
            }
            None => {}
        }
    });
    if !is_text {
        unknown = Some("it has no texts".to_owned());
    }
    match unknown {
        None => Ok(tiers),
        Some(found) => Err(content(path, "contact_priority", found)),
    }
}

fn held_back(path: &Path, frame: &Frame) -> Result<Option<Vec<bool>>, HistoryError> {
    if !frame.columns().iter().any(|column| column == "held_back") {
        return Ok(None);
    }
    let values: Option<Vec<bool>> = frame
        .booleans("held_back")
        .and_then(|values| values.into_iter().collect());
    match values {
        Some(values) => Ok(Some(values)),
        None => Err(content(
            path,
            "held_back",
            "it has more than yes and no".to_owned(),
        )),
    }
}

fn n_guarded(frame: &Frame) -> Option<usize> {
    let mut n_guarded = 0;
    frame
        .for_each_text("guard", |_, text| {
            n_guarded += usize::from(text.is_some_and(|text| !text.is_empty()));
        })
        .then_some(n_guarded)
}

/// The model of all rows.
fn only_model(path: &Path, frame: &Frame) -> Result<String, HistoryError> {
    let mut first: Option<String> = None;
    let mut other = None;
    let is_text = frame.for_each_text("model_id", |_, text| {
        let text = text.unwrap_or_default();
        match &first {
            None => first = Some(text.to_owned()),
            Some(known) if known != text && other.is_none() => other = Some(text.to_owned()),
            Some(_) => {}
        }
    });
    match (is_text, first, other) {
        (true, Some(first), None) if !first.is_empty() => Ok(first),
        (true, Some(first), Some(other)) => Err(content(
            path,
            "model_id",
            format!("it has scores of two models, {first} and {other}"),
        )),
        (true, None, _) | (true, Some(_), None) | (false, _, _) => {
            Err(content(path, "model_id", "it names no model".to_owned()))
        }
    }
}

fn content(path: &Path, column: &str, found: String) -> HistoryError {
    HistoryError::Content {
        path: path.to_owned(),
        column: column.to_owned(),
        found,
        help: "keep only files that `score` has written in the folder; one that is damaged can be made again with `score --as-of`",
    }
}
