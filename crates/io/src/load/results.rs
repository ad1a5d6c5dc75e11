//! What the rows of the outcomes say, and the values of a result that the config has to spell out.

use hashbrown::HashMap;
use leadscore_config::{Config, OutcomesConfig, Scalar};
use leadscore_config::{Doubt, Subject, listed, quoted};
use leadscore_core::{Stamp, Timestamp};

use crate::ends::Reach;
use crate::error::TablesError;
use crate::remarks::Remarks;
use crate::result_words::{Says, names_a_result, says};
use crate::scan::{RawTable, Table};

/// Fails where the outcomes lack a column that the config names.
pub(super) fn check_outcomes(config: &Config, table: &Table<'_>) -> Result<(), TablesError> {
    let outcomes = &config.outcomes;
    let named = [
        ("lead", &outcomes.lead),
        ("closed_at", &outcomes.closed_at),
        ("recorded_at", &outcomes.recorded_at),
        ("result", &outcomes.result),
        ("amount", &outcomes.amount),
    ];
    for (key, column) in named
        .into_iter()
        .filter_map(|(key, column)| Some((key, column.as_ref()?)))
    {
        table.require_readable(key, column)?;
    }
    Ok(())
}

/// Without `result` every row is a win: the doubt that a column leaves which says otherwise of
/// some.
pub(crate) fn check_for_results(
    config: &Config,
    table: &Table<'_>,
    remarks: &mut Remarks,
) -> Result<(), TablesError> {
    let outcomes = &config.outcomes;
    if outcomes.result.is_some() || outcomes.all_won || table.is_spilled() {
        return Ok(());
    }
    let is_named = |column: &String| {
        [
            &outcomes.lead,
            &outcomes.closed_at,
            &outcomes.recorded_at,
            &outcomes.amount,
        ]
        .into_iter()
        .flatten()
        .any(|named| named == column)
    };
    let names_loss = |column: &str| {
        column.to_lowercase().contains("lost") && column.to_lowercase().contains("reason")
    };
    for column in table.columns().iter().filter(|column| {
        !is_named(column)
            && names_a_result(column)
            && !names_loss(column)
            && table.unreadable(column).is_none()
    }) {
        let Ok(raw) = table.read(&[column]) else {
            continue;
        };
        let counts = raw.count_texts(column)?;
        if let Some(doubt) = unnamed_result(column, &counts) {
            remarks.doubt(doubt);
            break;
        }
    }
    Ok(())
}

/// The doubt about a column whose values say that some rows are no wins.
fn unnamed_result(column: &str, counts: &HashMap<String, (usize, usize)>) -> Option<Doubt> {
    let mut values: Vec<(&str, usize, usize)> = counts
        .iter()
        .map(|(text, &(count, row))| (text.as_str(), count, row))
        .collect();
    values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.2.cmp(&b.2)));
    let of = |wanted: &[Says]| {
        values
            .iter()
            .filter(|(text, ..)| wanted.contains(&says(text)))
            .map(|(text, ..)| *text)
            .collect::<Vec<_>>()
    };
    let (won, lost, open) = (
        of(&[Says::Won, Says::Yes]),
        of(&[Says::Lost, Says::No]),
        of(&[Says::Open]),
    );
    let is_told = !lost.is_empty() || !open.is_empty();
    if values.is_empty()
        || values.len() > 50
        || !is_told && (values.len() > 12 || won.len() == values.len())
    {
        return None;
    }
    let list = |values: &[&str]| {
        values
            .iter()
            .map(|value| quoted(value))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let found = format!(
        "no `result` is named, so that every row counts as a win, but this column shows otherwise: {}",
        listed(values.iter().map(|(text, count, _)| (*text, *count)))
    );
    let line = format!(
        "result = {}\n    won = [{}]\n    lost = [{}]\n    open = [{}]",
        quoted(column),
        list(&won),
        list(&lost),
        list(&open)
    );
    let doubt = Doubt::new(Subject::Results, "[outcomes]", found)
        .of_column(column)
        .settled_by(line, "it shows which rows are wins");
    Some(doubt.settled_by("all_won = true", "every row is a win all the same"))
}

/// What each row says: won, lost, or neither yet, and when.
pub(crate) struct Results {
    pub(crate) times: Vec<Option<Stamp>>,
    /// When each was entered, where the table says so.
    pub(crate) recorded: Option<Vec<Option<Stamp>>>,
    pub(crate) results: Vec<Option<bool>>,
    /// Rows that are open, where they change how a lead stands.
    pub(super) is_open: Vec<bool>,
    /// From when each belongs to its lead, where links say so.
    since: Option<Vec<Timestamp>>,
    /// Rows without a result.
    pub(super) n_without: usize,
    /// Open rows whose time nobody can mean.
    pub(super) n_idle: usize,
}

impl Results {
    /// Values of `result` that stand in none of the config's lists are a doubt.
    pub(crate) fn read(
        config: &Config,
        raw: &RawTable<'_>,
        remarks: &mut Remarks,
    ) -> Result<Self, TablesError> {
        let settings = &config.outcomes;
        let mut results: Vec<Option<bool>> = vec![Some(true); raw.n_rows];
        let is_log = settings.is_log();
        let mut is_open = vec![is_log; if is_log { raw.n_rows } else { 0 }];
        let (mut n_without, mut is_unspelled) = (0, false);
        if let Some(result) = &settings.result {
            // Few texts make up all cells.
            let mut known: HashMap<String, (Option<Option<bool>>, u64)> = HashMap::new();
            raw.for_each_text(result, |row, text| {
                let Some(text) = text else {
                    n_without += 1;
                    results[row] = None;
                    is_open
                        .get_mut(row)
                        .into_iter()
                        .for_each(|open| *open = false);
                    return Ok(());
                };
                let said = match known.get_mut(text) {
                    Some((said, count)) => {
                        *count += u64::from(!raw.is_repeated(row));
                        *said
                    }
                    None => {
                        known
                            .entry(text.to_owned())
                            .or_insert_with(|| (meaning(settings, text), 1))
                            .0
                    }
                };
                results[row] = said.flatten();
                is_unspelled |= said.is_none();
                Ok(())
            })?;
            raw.count_missing(result, n_without);
            raw.count_levels(
                result,
                known
                    .into_iter()
                    .map(|(text, (_, count))| (text, count))
                    .collect(),
            );
            if is_unspelled {
                let doubt = unspelled(config, raw, result)?;
                remarks
                    .doubts
                    .extend(doubt.filter(|doubt| !remarks.doubts.contains(doubt)));
            }
        }
        let column = settings
            .closed_at
            .as_deref()
            .expect("checked with the config");
        let (times, n_idle) = remarks.take(
            raw.times_where(column, |row| results[row].is_some() || is_log),
            || (vec![None; raw.n_rows], 0),
        )?;
        let recorded = match &settings.recorded_at {
            Some(column) => Some(remarks.take(raw.times(column), || vec![None; raw.n_rows])?),
            None => None,
        };
        Ok(Self {
            times,
            recorded,
            since: raw.since(),
            is_open,
            results,
            n_without,
            n_idle,
        })
    }

    /// Counts times of closed rows, and wins, for the question until when the data speaks.
    pub(crate) fn count(&self, config: &Config, reach: &mut Reach, earliest: Timestamp) {
        let closed = |row: usize| self.results[row].is_some();
        let columns = config
            .outcomes
            .recorded_at
            .iter()
            .zip(&self.recorded)
            .chain(
                config
                    .outcomes
                    .closed_at
                    .iter()
                    .map(|column| (column, &self.times)),
            );
        for (column, times) in columns {
            let known = times
                .iter()
                .enumerate()
                .map(|(row, time)| time.filter(|_| closed(row)).map(|stamp| stamp.known));
            reach.add("[outcomes]", column, earliest, known);
        }
        for (row, time) in self
            .times
            .iter()
            .enumerate()
            .filter(|(row, _)| self.results[*row] == Some(true))
        {
            if let Some(time) = time {
                reach.add_win(
                    time.known,
                    self.recorded
                        .as_ref()
                        .and_then(|recorded| recorded[row])
                        .map(|stamp| stamp.known),
                );
            }
        }
    }

    /// From when an outcome is known: when it happened, or where that is said when it was entered.
    pub(super) fn known(&self, row: usize) -> Option<Timestamp> {
        let closed = self.times[row]?.known;
        let recorded = self
            .recorded
            .as_ref()
            .and_then(|recorded| recorded[row])
            .map(|stamp| stamp.known);
        let known = recorded.map_or(closed, |recorded| recorded.max(closed));
        Some(
            self.since
                .as_ref()
                .map_or(known, |since| known.max(since[row])),
        )
    }
}

/// What a result means by the config: won, lost, neither yet; `None` where it stands in no list.
pub(super) fn meaning(settings: &OutcomesConfig, text: &str) -> Option<Option<bool>> {
    let is_in = |list: &[Scalar]| list.iter().any(|value| value.is(text));
    if is_in(&settings.won) {
        return Some(Some(true));
    }
    if is_in(&settings.lost) {
        return Some(Some(false));
    }
    is_in(&settings.open).then_some(None)
}

/// The doubt about results that the config does not spell out, over the whole column.
fn unspelled(
    config: &Config,
    raw: &RawTable<'_>,
    column: &str,
) -> Result<Option<Doubt>, TablesError> {
    let counts = raw.count_texts_of_all(column)?;
    Ok(spelled_doubt(config, column, &counts, &|row| {
        raw.place_of(row)
    }))
}

/// The same of the flag of a flat export: with two values the other one is a loss, with more each
/// is to be named.
pub(super) fn unspelled_flags(
    config: &Config,
    raw: &RawTable<'_>,
    column: &str,
) -> Result<Option<Doubt>, TablesError> {
    let counts = raw.count_texts(column)?;
    let n_other = counts
        .keys()
        .filter(|text| meaning(&config.outcomes, text).is_none())
        .count();
    let none_is_won = counts
        .keys()
        .all(|text| meaning(&config.outcomes, text) != Some(Some(true)));
    if n_other <= 1 && config.outcomes.lost.is_empty() && !none_is_won || n_other == 0 {
        return Ok(None);
    }
    Ok(spelled_doubt(config, column, &counts, &|row| {
        raw.place_of(row)
    }))
}

/// Every value with its count, and lists that spell them out; `None` where the config does.
pub(crate) fn spelled_doubt(
    config: &Config,
    column: &str,
    counts: &HashMap<String, (usize, usize)>,
    place: &dyn Fn(usize) -> String,
) -> Option<Doubt> {
    let settings = &config.outcomes;
    let mut values: Vec<(&str, usize, usize)> = counts
        .iter()
        .map(|(text, &(count, row))| (text.as_str(), count, row))
        .collect();
    values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.2.cmp(&b.2)));
    let strangers: Vec<&(&str, usize, usize)> = values
        .iter()
        .filter(|(text, ..)| meaning(settings, text).is_none())
        .collect();
    let first = strangers.iter().min_by_key(|(_, _, row)| *row)?;
    let found = format!(
        "{} not in `won`, `lost` or `open`: {}; all values: {}",
        if strangers.len() == 1 {
            "one value is".to_owned()
        } else {
            format!("{} values are", strangers.len())
        },
        listed(strangers.iter().map(|(text, count, _)| (*text, *count))),
        listed(values.iter().map(|(text, count, _)| (*text, *count)))
    );
    let mut doubt = Doubt::new(Subject::Results, "[outcomes]", found)
        .of_column(column)
        .at(Some(place(first.2)));
    if strangers.len() > 50 {
        return Some(
            doubt.advise("a column of results has few values: name another one as `result`"),
        );
    }
    let list = |wanted: &dyn Fn(&str) -> bool, known: &[Scalar]| {
        let own = known.iter().map(Scalar::text);
        let new = strangers
            .iter()
            .map(|(text, ..)| *text)
            .filter(|text| wanted(text))
            .map(str::to_owned);
        own.chain(new)
            .map(|text| quoted(&text))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let is = |wanted: &'static [Says]| move |text: &str| wanted.contains(&says(text));
    let proposals: [(&str, &'static [Says], &[Scalar]); 3] = [
        ("won", &[Says::Won, Says::Yes], &settings.won),
        ("lost", &[Says::Lost, Says::No], &settings.lost),
        ("open", &[Says::Open, Says::Nothing], &settings.open),
    ];
    let lines: Vec<String> = proposals
        .into_iter()
        .map(|(key, wanted, known)| format!("{key} = [{}]", list(&is(wanted), known)))
        .collect();
    let is_unsure = strangers
        .iter()
        .any(|(text, ..)| says(text) == Says::Nothing);
    let meaning = if is_unsure {
        "each value in one list: are those in `open` that nothing tells wins or losses?"
    } else {
        "each value in one list, if that is what they mean"
    };
    doubt = doubt.settled_by(lines.join("\n    "), meaning);
    Some(doubt)
}
