//! Which leads were won or lost, and when.

use hashbrown::HashMap;
use leadscore_core::{Stamp, Timestamp};

use super::matching::doubt_of;
use super::{Gathered, Origin, add_table_notes};
use crate::config::{Config, OutcomesConfig, Scalar};
use crate::doubt::{Doubt, Share, Subject, listed, quoted};
use crate::error::TablesError;
use crate::keys::Matching;
use crate::note::Note;
use crate::remarks::Remarks;
use crate::result_words::{Says, names_a_result, says};
use crate::scan::{RawTable, Table};
use crate::typed::{LeadOutcome, LoadOptions};

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
        table.require(key, column)?;
        if let Some(doubt) = table.unreadable(column) {
            return Err(doubt.into());
        }
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
            continue;
        }
        let list = |values: &[&str]| {
            values
                .iter()
                .map(|value| quoted(value))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let found = format!(
            "no `result` is named, so that every row counts as a win, and this column says otherwise: {}",
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
            .settled_by(line, "it says which rows are wins");
        remarks.doubt(doubt.settled_by("all_won = true", "every row is a win all the same"));
        break;
    }
    Ok(())
}

/// What each row says: won, lost, or neither yet, and when.
pub(crate) struct Results {
    pub(crate) times: Vec<Option<Stamp>>,
    /// When each was entered, where the table says so.
    pub(crate) recorded: Option<Vec<Option<Stamp>>>,
    pub(crate) results: Vec<Option<bool>>,
    /// Rows without a result.
    n_without: usize,
    /// Open rows whose time nobody can mean.
    n_idle: usize,
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
        let (mut n_without, mut is_unspelled) = (0, false);
        if let Some(result) = &settings.result {
            // Few texts make up all cells.
            let mut known: HashMap<String, (Option<Option<bool>>, u64)> = HashMap::new();
            raw.for_each_text(result, |row, text| {
                let Some(text) = text else {
                    n_without += 1;
                    results[row] = None;
                    return Ok(());
                };
                let said = match known.get_mut(text) {
                    Some((said, count)) => {
                        *count += 1;
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
            raw.times_where(column, |row| results[row].is_some()),
            || (vec![None; raw.n_rows], 0),
        )?;
        let recorded = match &settings.recorded_at {
            Some(column) => Some(remarks.take(raw.times(column), || vec![None; raw.n_rows])?),
            None => None,
        };
        Ok(Self {
            times,
            recorded,
            results,
            n_without,
            n_idle,
        })
    }

    /// Counts times of closed rows, and wins, for the question until when the data speaks.
    pub(crate) fn count(
        &self,
        config: &Config,
        reach: &mut crate::ends::Reach,
        earliest: Timestamp,
    ) {
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
    fn known(&self, row: usize) -> Option<Timestamp> {
        let closed = self.times[row]?.known;
        let recorded = self
            .recorded
            .as_ref()
            .and_then(|recorded| recorded[row])
            .map(|stamp| stamp.known);
        Some(recorded.map_or(closed, |recorded| recorded.max(closed)))
    }
}

/// What a result means by the config: won, lost, neither yet; `None` where it stands in no list.
fn meaning(settings: &OutcomesConfig, text: &str) -> Option<Option<bool>> {
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

/// So long after its creation a lead closes late, in microseconds: hardly a business has no others.
const SLOW: i64 = 300 * 86_400_000_000;

/// Reads when each lead closed.
pub(super) fn read_outcomes<'c>(
    config: &'c Config,
    origin: &Origin<'_, 'c>,
    index: &HashMap<&str, u32>,
    created: &[Option<Stamp>],
    outcomes: &mut [LeadOutcome],
    options: &LoadOptions,
    gathered: &mut Gathered,
) -> Result<(), TablesError> {
    let settings = &config.outcomes;
    let lead = settings.lead.as_deref().expect("checked with the config");
    let table = origin.open("[outcomes]", settings.file())?;
    check_outcomes(config, &table)?;
    check_for_results(config, &table, &mut gathered.remarks)?;
    // Parts of the leads hold what features need.
    let amount = settings.amount.as_ref().filter(|_| !table.is_spilled());
    let columns: Vec<&str> = [
        settings.lead.as_ref(),
        settings.closed_at.as_ref(),
        settings.recorded_at.as_ref(),
        settings.result.as_ref(),
        amount,
    ]
    .into_iter()
    .flatten()
    .map(String::as_str)
    .collect();
    let raw = table.read(&columns)?;
    let amounts = match amount {
        Some(column) => Some(
            gathered
                .remarks
                .take(raw.numbers(column), || vec![f64::NAN; raw.n_rows])?,
        ),
        None => None,
    };
    let is_whole = options.known_ends.is_none();
    let rows = Results::read(config, &raw, &mut gathered.remarks)?;
    if is_whole {
        rows.count(config, &mut gathered.reach, gathered.bounds.window.earliest);
    }
    let (mut unknown, mut without_time, mut early, mut matching) =
        (0_usize, 0_usize, Vec::new(), Matching::default());
    let mut deals = Deals::default();
    let (mut n_slow, mut n_dated) = (0_usize, 0_usize);
    raw.for_each_text(lead, |row, text| {
        let found = text.and_then(|text| index.get(text)).copied();
        if let (true, Some(text)) = (is_whole, text) {
            matching.add(text, row, found.is_some());
        }
        let Some(position) = found else {
            unknown += 1;
            return Ok(());
        };
        let Some(is_won) = rows.results[row] else {
            let at = rows.times[row].map(|stamp| stamp.known);
            deals.open(
                position,
                at.filter(|at| options.as_of.is_none_or(|as_of| *at < as_of)),
            );
            return Ok(());
        };
        let Some(stamp) = rows.times[row] else {
            without_time += 1;
            return Ok(());
        };
        // What was entered later than the moment that is asked for was not known then.
        if options
            .as_of
            .is_some_and(|as_of| rows.known(row).is_some_and(|known| known >= as_of))
        {
            return Ok(());
        }
        if created[position as usize].is_some_and(|created| stamp.known < created.start) {
            early.push(row);
        }
        n_slow += usize::from(
            created[position as usize]
                .is_some_and(|created| stamp.known.micros() - created.start.micros() > SLOW),
        );
        n_dated += 1;
        let outcome = &mut outcomes[position as usize];
        deals.closed(position, outcome, stamp.known, is_won);
        let earliest =
            |known: Option<Timestamp>, at: Timestamp| Some(known.map_or(at, |known| known.min(at)));
        outcome.closed = earliest(outcome.closed, stamp.known);
        let seen = rows.known(row).unwrap_or(stamp.known);
        outcome.closed_seen = earliest(outcome.closed_seen, seen);
        if is_won {
            outcome.won_seen = earliest(outcome.won_seen, seen);
            outcome.won = earliest(outcome.won, stamp.known);
            if let Some(amount) = amounts
                .as_ref()
                .map(|amounts| amounts[row])
                .filter(|amount| !amount.is_nan())
            {
                outcome.amount = Some(outcome.amount.unwrap_or(0.0) + amount);
            }
        }
        Ok(())
    })?;
    let remarks = &mut gathered.remarks;
    if is_whole {
        raw.count_missing(lead, raw.n_rows - matching.counts().n_rows);
        remarks.doubts.extend(doubt_of(
            config,
            &raw,
            lead,
            &matching,
            &mut index.keys().copied(),
        ));
        gathered
            .matched
            .insert("[outcomes]".to_owned(), matching.counts());
    }
    let first = matching
        .first_row()
        .map(|row| raw.place(row))
        .or_else(|| origin.first_stranger("[outcomes]"));
    let note = Note::counted(
        "[outcomes]",
        unknown,
        "outcomes are of leads that the leads table does not have; they are left out",
    );
    remarks
        .notes
        .extend(note.map(|note| Note { first, ..note }));
    let closed_at = config.outcomes.closed_at.as_deref().unwrap_or_default();
    // Times that are doubtful themselves say nothing more.
    if !remarks
        .doubts
        .iter()
        .any(|doubt| doubt.table == "[outcomes]")
    {
        let undated_rows = config.data.undated_rows;
        // Without a result, what has no time is not closed.
        let (closed, without) = if config.outcomes.result.is_some() {
            (n_dated + without_time, without_time)
        } else {
            (1, 0)
        };
        let share = |count: usize, of: usize, key: &'static str, allowed: f64| Share {
            count,
            of,
            key,
            allowed,
        };
        let shares = [
            (
                share(without, closed, "undated_rows", undated_rows),
                "closed rows have no time: wins among them would count as none",
                "they are left out",
            ),
            (
                share(rows.n_without, raw.n_rows, "undated_rows", undated_rows),
                "rows have no result: wins among them would count as none",
                "they are not closed",
            ),
            (
                share(
                    early.len(),
                    n_dated,
                    "closed_before_creation",
                    config.data.closed_before_creation,
                ),
                "close before their lead was created: is `created_at` the day of an import, or `closed_at` of other years?",
                "those leads were never at risk",
            ),
            (
                share(n_slow, n_dated, "slow_closings", config.data.slow_closings),
                "close more than 300 days after their lead was created: are both times of the same years?",
                "it takes that long",
            ),
        ];
        let found = shares.into_iter().filter_map(|(share, found, meaning)| {
            share.doubt(Subject::Times, "[outcomes]", found, meaning)
        });
        let found: Vec<Doubt> = found.map(|doubt| doubt.of_column(closed_at)).collect();
        remarks.doubts.extend(found);
    }
    let mut add = |count: usize, text: &str| remarks.count("[outcomes]", count, text);
    add(
        rows.n_without,
        "rows have no result; they count as not closed",
    );
    add(
        rows.n_idle,
        "rows that are not closed have a time that nobody can mean; it is not used",
    );
    add(without_time, "closed rows have no time and are left out");
    deals.mark_reopened(outcomes);
    deals.say(outcomes, &mut add);
    if let Some(&row) = early.first() {
        let note = Note::counted(
            "[outcomes]",
            early.len(),
            "outcomes close before their lead was created; those leads were never at risk",
        );
        remarks.notes.extend(note.map(|note| Note {
            first: Some(raw.place(row)),
            ..note
        }));
    }
    add_table_notes(config, &table, raw.n_rows_of_files(), remarks);
    Ok(())
}

/// What became of leads with several rows.
#[derive(Default)]
struct Deals {
    /// For each lead that closed more than once, its first and its last closing, and whether that
    /// was a win.
    several: HashMap<u32, [(Timestamp, bool); 2]>,
    n_several: usize,
    /// The last open row of a lead.
    open: HashMap<u32, Timestamp>,
}

impl Deals {
    /// One closing more; `before` is what is known of the lead by its other rows.
    fn closed(&mut self, lead: u32, before: &LeadOutcome, at: Timestamp, is_won: bool) {
        let Some(known) = before.closed else { return };
        self.n_several += 1;
        let one = (known, before.won == Some(known));
        let [first, last] = self.several.entry(lead).or_insert([one, one]);
        *first = (*first).min((at, is_won));
        *last = (*last).max((at, is_won));
    }

    fn open(&mut self, lead: u32, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.open
                .entry(lead)
                .and_modify(|known| *known = at.max(*known))
                .or_insert(at);
        }
    }

    fn mark_reopened(&self, outcomes: &mut [LeadOutcome]) {
        for (&lead, at) in &self.open {
            let outcome = &mut outcomes[lead as usize];
            let last = self
                .several
                .get(&lead)
                .map(|[_, last]| last.0)
                .or(outcome.closed);
            outcome.reopened = last.is_some_and(|last| last < *at);
        }
    }

    fn say(&self, outcomes: &[LeadOutcome], add: &mut impl FnMut(usize, &str)) {
        let won_later = self
            .several
            .values()
            .filter(|[first, last]| !first.1 && last.1)
            .count();
        let lost_later = self
            .several
            .values()
            .filter(|[first, last]| first.1 && !last.1)
            .count();
        let open_again = outcomes.iter().filter(|outcome| outcome.reopened).count();
        add(
            self.n_several,
            "outcomes are of leads that closed before; a lead stays at risk until it first closes, and is won when it is first won",
        );
        add(
            won_later,
            "leads were lost first and won later: they count as won",
        );
        add(
            lost_later,
            "leads were won first and closed otherwise later: they count as won; if a win was a mistake, take its row out",
        );
        add(
            open_again,
            "leads have an open row after they closed: they count as closed, and are not scored",
        );
    }
}
