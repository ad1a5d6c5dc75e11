//! When each lead closed, and whether it was won.

use std::sync::Arc;

use hashbrown::HashMap;
use leadscore_config::{Config, TableId};
use leadscore_config::{Doubt, Share, Subject};
use leadscore_core::{Stamp, Timestamp, count, counted};
use leadscore_dataset::{Courses, LeadOutcome, LogRow, MISSING, Note, Standing};

use super::gathered::{Gathered, add_table_notes};
use super::joining::Joining;
use super::log::{Entry, Log};
use super::matching::doubt_of;
use super::results::{Results, check_for_results, check_outcomes};
use crate::error::TablesError;
use crate::keys::Matching;
use crate::remarks::Remarks;
use crate::scan::RawTable;

/// So long after its creation a lead closes late, in microseconds: hardly a business has no others.
const SLOW: i64 = 300 * 86_400_000_000;

/// The rows of the outcomes, from which what was known at any moment is told.
pub(super) struct DatedRows {
    /// The lead of each row, [`MISSING`] where it names none that there is.
    lead_of_row: Vec<u32>,
    rows: Results,
    /// Amounts of deals, NaN where missing.
    amounts: Option<Vec<f64>>,
    /// The row of the table that each is.
    place_in_table: Vec<usize>,
    /// Where rows stand that close before their lead was created.
    places: HashMap<usize, String>,
    /// Whether a row may be of several leads.
    are_shared: bool,
}

impl DatedRows {
    /// Reads the rows; says what is so whatever the moment.
    pub(super) fn read(
        joining: &Joining<'_, '_>,
        gathered: &mut Gathered,
    ) -> Result<(Self, Remarks), TablesError> {
        let config = joining.config;
        let settings = &config.outcomes;
        let lead = settings.lead.as_deref().expect("checked with the config");
        let table = joining.open(&TableId::Outcomes, settings.file())?;
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
        .chain(table.since_column())
        .collect();
        let raw = table.read(&columns)?;
        // A deal of several leads is one amount: each has its share.
        let amounts = match amount {
            Some(column) => {
                let amounts = raw.numbers(column);
                let amounts = gathered
                    .remarks
                    .take(amounts, || vec![f64::NAN; raw.n_rows])?;
                let shares = raw.shares();
                Some(
                    amounts
                        .iter()
                        .enumerate()
                        .map(|(row, amount)| amount * shares(row))
                        .collect(),
                )
            }
            None => None,
        };
        let rows = Results::read(config, &raw, &mut gathered.remarks)?;
        if joining.is_whole() {
            rows.count(config, &mut gathered.reach, gathered.bounds.window.earliest);
        }
        let lead_of_row = leads_of_rows(joining, &raw, lead, gathered)?;
        let mut after = Remarks::default();
        add_table_notes(config, &table, raw.n_rows_of_files, &mut after);
        let place_in_table = (0..raw.n_rows).map(|row| raw.row_in_table(row)).collect();
        let mut dated = Self {
            lead_of_row,
            rows,
            amounts,
            place_in_table,
            are_shared: settings.separator.is_some() || settings.via.is_some(),
            places: HashMap::new(),
        };
        let early: Vec<usize> = (0..raw.n_rows)
            .filter(|&row| dated.is_early(row, joining.created))
            .collect();
        let places = raw.places(&early);
        dated.places = early.into_iter().zip(places).collect();
        Ok((dated, after))
    }

    /// Whether a row closes before its lead was created.
    fn is_early(&self, row: usize, created: &[Option<Stamp>]) -> bool {
        let lead = self.lead_of_row[row];
        lead != MISSING
            && self.rows.results[row].is_some()
            && self.rows.times[row]
                .zip(created[lead as usize])
                .is_some_and(|(closed, created)| closed.known < created.start)
    }

    /// What was known of each lead before a moment, or is known today.
    pub(super) fn outcomes(
        &self,
        config: &Config,
        created: &[Option<Stamp>],
        as_of: Option<Timestamp>,
        remarks: &mut Remarks,
    ) -> (Vec<LeadOutcome>, Option<Arc<Courses>>) {
        let mut closings = Closings::new(self, created, as_of);
        for (row, &lead) in self.lead_of_row.iter().enumerate() {
            if lead != MISSING {
                closings.add(row, lead);
            }
        }
        closings.doubt(config, remarks);
        closings.say_rows(remarks);
        closings.say_no_losses(config, remarks);
        if config.outcomes.is_log() {
            let rows = self.log_rows(created.len(), as_of, remarks);
            let corrections = config.outcomes.corrections;
            let log = Log::read(rows, corrections, as_of.is_none(), remarks);
            return (log.outcomes, Some(log.courses));
        }
        (closings.finish(config, remarks), None)
    }

    /// The rows of each lead that were known before a moment.
    fn log_rows(
        &self,
        n_leads: usize,
        as_of: Option<Timestamp>,
        remarks: &mut Remarks,
    ) -> Vec<Vec<Entry>> {
        let mut rows: Vec<Vec<Entry>> = vec![Vec::new(); n_leads];
        let mut without_time = 0;
        for (row, &lead) in self.lead_of_row.iter().enumerate() {
            let Some(standing) = self.standing(row).filter(|_| lead != MISSING) else {
                continue;
            };
            let (Some(at), Some(seen)) = (self.rows.times[row], self.rows.known(row)) else {
                // Of closed rows that was said.
                without_time += usize::from(standing == Standing::Open);
                continue;
            };
            if as_of.is_none_or(|as_of| seen < as_of) {
                let amount = self.amounts.as_ref().map(|amounts| amounts[row]);
                rows[lead as usize].push(Entry {
                    row: LogRow {
                        at: at.known,
                        seen,
                        standing,
                    },
                    place: self.place_in_table[row],
                    amount: amount.unwrap_or(f64::NAN),
                });
            }
        }
        remarks.count(
            "[outcomes]",
            without_time,
            "open row of the log has no time and is left out",
            "open rows of the log have no time and are left out",
        );
        rows
    }

    /// The row of the table, where it may be of several leads.
    fn deal(&self, row: usize) -> Option<usize> {
        self.are_shared.then(|| self.place_in_table[row])
    }

    /// How the lead of a row stands from its time on; `None` where the row does not say.
    fn standing(&self, row: usize) -> Option<Standing> {
        match self.rows.results[row] {
            Some(true) => Some(Standing::Won),
            Some(false) => Some(Standing::Lost),
            None => self.rows.is_open[row].then_some(Standing::Open),
        }
    }
}

/// The lead of each row, with what is to be said of rows that name none.
fn leads_of_rows(
    joining: &Joining<'_, '_>,
    raw: &RawTable<'_>,
    lead: &str,
    gathered: &mut Gathered,
) -> Result<Vec<u32>, TablesError> {
    let is_whole = joining.is_whole();
    let mut matching = Matching::default();
    let mut lead_of_row = vec![MISSING; raw.n_rows];
    raw.for_each_text(lead, |row, id| {
        let found = id.and_then(|id| joining.index.get(id)).copied();
        if let (true, Some(id)) = (is_whole, id) {
            matching.add(id, row, found.is_some());
        }
        lead_of_row[row] = found.unwrap_or(MISSING);
        Ok(())
    })?;
    if is_whole {
        raw.count_missing(lead, raw.n_rows - matching.counts().n_rows);
        gathered.remarks.doubts.extend(doubt_of(
            joining.config,
            raw,
            lead,
            &matching,
            &mut joining.index.keys().copied(),
        ));
        gathered
            .matched
            .insert("[outcomes]".to_owned(), matching.counts());
    }
    let first = matching
        .first_row()
        .map(|row| raw.place(row))
        .or_else(|| joining.origin.first_stranger("[outcomes]"));
    let n_unknown = lead_of_row.iter().filter(|&&lead| lead == MISSING).count();
    let note = Note::counted(
        "[outcomes]",
        n_unknown,
        "outcome is of a lead that the leads table does not have; it is left out",
        "outcomes are of leads that the leads table does not have; they are left out",
    );
    gathered
        .remarks
        .notes
        .extend(note.map(|note| Note { first, ..note }));
    Ok(lead_of_row)
}

/// The outcomes of leads while rows are added to them.
struct Closings<'r> {
    dated: &'r DatedRows,
    created: &'r [Option<Stamp>],
    as_of: Option<Timestamp>,
    outcomes: Vec<LeadOutcome>,
    deals: Deals,
    /// Closed rows without a time.
    without_time: usize,
    /// Closed rows with one.
    n_dated: usize,
    /// Those of them that were won.
    n_won: usize,
    /// Rows that close before their lead was created.
    early: Vec<usize>,
    /// Rows that close late after it.
    n_slow: usize,
}

impl<'r> Closings<'r> {
    fn new(dated: &'r DatedRows, created: &'r [Option<Stamp>], as_of: Option<Timestamp>) -> Self {
        Self {
            dated,
            created,
            as_of,
            outcomes: vec![LeadOutcome::default(); created.len()],
            deals: Deals::default(),
            without_time: 0,
            n_dated: 0,
            n_won: 0,
            early: Vec::new(),
            n_slow: 0,
        }
    }

    /// Adds a row of a lead.
    fn add(&mut self, row: usize, lead: u32) {
        let rows = &self.dated.rows;
        let as_of = self.as_of;
        let Some(is_won) = rows.results[row] else {
            let at = rows.times[row].map(|stamp| stamp.known);
            let outcome = &mut self.outcomes[lead as usize];
            if outcome.closed.is_none() {
                outcome.deal = outcome.deal.or(self.dated.deal(row));
            }
            self.deals
                .open(lead, at.filter(|at| as_of.is_none_or(|as_of| *at < as_of)));
            return;
        };
        let Some(stamp) = rows.times[row] else {
            self.without_time += 1;
            return;
        };
        // What was entered later than the moment that is asked for was not known then.
        let seen = rows.known(row);
        if as_of.is_some_and(|as_of| seen.is_some_and(|known| known >= as_of)) {
            return;
        }
        if let Some(created) = self.created[lead as usize] {
            if stamp.known < created.start {
                self.early.push(row);
            }
            let micros = stamp.known.micros() - created.start.micros();
            self.n_slow += usize::from(micros > SLOW);
        }
        self.n_dated += 1;
        self.n_won += usize::from(is_won);
        self.close(row, lead, stamp.known, is_won);
    }

    /// A lead closes at a moment.
    fn close(&mut self, row: usize, lead: u32, at: Timestamp, is_won: bool) {
        let outcome = &mut self.outcomes[lead as usize];
        self.deals.closed(lead, outcome, at, is_won);
        if outcome.closed.is_none_or(|closed| at < closed) {
            outcome.deal = self.dated.deal(row);
        }
        let earliest =
            |known: Option<Timestamp>, at: Timestamp| Some(known.map_or(at, |known| known.min(at)));
        outcome.closed = earliest(outcome.closed, at);
        let seen = self.dated.rows.known(row).unwrap_or(at);
        outcome.closed_seen = earliest(outcome.closed_seen, seen);
        if is_won {
            outcome.won_seen = earliest(outcome.won_seen, seen);
            outcome.won = earliest(outcome.won, at);
            if let Some(amount) = self
                .dated
                .amounts
                .as_ref()
                .map(|amounts| amounts[row])
                .filter(|amount| !amount.is_nan())
            {
                outcome.amount = Some(outcome.amount.unwrap_or(0.0) + amount);
            }
        }
    }

    /// The doubts about closed rows without a time, and about times that hardly can be.
    fn doubt(&self, config: &Config, remarks: &mut Remarks) {
        // Times that are doubtful themselves say nothing more.
        if remarks
            .doubts
            .iter()
            .any(|doubt| doubt.table == "[outcomes]")
        {
            return;
        }
        let closed_at = config.outcomes.closed_at.as_deref().unwrap_or_default();
        let undated_rows = config.data.undated_rows;
        // Without a result, what has no time is not closed.
        let (closed, without) = if config.outcomes.result.is_some() {
            (self.n_dated + self.without_time, self.without_time)
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
                share(
                    self.dated.rows.n_without,
                    self.dated.lead_of_row.len(),
                    "undated_rows",
                    undated_rows,
                ),
                "rows have no result: wins among them would count as none",
                "they are not closed",
            ),
            (
                share(
                    self.early.len(),
                    self.n_dated,
                    "closed_before_creation",
                    config.data.closed_before_creation,
                ),
                "close before their lead was created: is `created_at` the day of an import, or `closed_at` of other years?",
                "those leads were never at risk",
            ),
            (
                share(
                    self.n_slow,
                    self.n_dated,
                    "slow_closings",
                    config.data.slow_closings,
                ),
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

    /// Says that nothing was lost, where words for it are known: exports leave lost records out.
    fn say_no_losses(&self, config: &Config, remarks: &mut Remarks) {
        const FEWEST: usize = 20;
        if !config.outcomes.lost.is_empty() && self.n_dated >= FEWEST && self.n_won == self.n_dated
        {
            remarks.note(Note::new(
                "[outcomes]",
                "no row is lost, although `lost` has words for it: where the export leaves lost records out, leads that were lost look open",
            ));
        }
    }

    /// A note for every row that says less than it seems to.
    fn say_rows(&self, remarks: &mut Remarks) {
        let mut add =
            |count: usize, one: &str, many: &str| remarks.count("[outcomes]", count, one, many);
        add(
            self.dated.rows.n_without,
            "row has no result; it counts as not closed",
            "rows have no result; they count as not closed",
        );
        add(
            self.dated.rows.n_idle,
            "row that is not closed has a time that nobody can mean; it is not used",
            "rows that are not closed have a time that nobody can mean; it is not used",
        );
        add(
            self.without_time,
            "row with a result has no time of closing: it is not closed",
            "rows with a result have no time of closing: they are not closed",
        );
        if let Some(&row) = self.early.first() {
            let note = Note::counted(
                "[outcomes]",
                self.early.len(),
                "outcome closes before its lead was created; that lead was never at risk",
                "outcomes close before their lead was created; those leads were never at risk",
            );
            remarks.notes.extend(note.map(|note| Note {
                first: self.dated.places.get(&row).cloned(),
                ..note
            }));
        }
    }

    /// What became of each lead, with a note for those that closed more than once.
    fn finish(mut self, config: &Config, remarks: &mut Remarks) -> Vec<LeadOutcome> {
        self.deals.mark_reopened(&mut self.outcomes);
        if config.outcomes.log.is_none() {
            remarks.doubts.extend(unsaid_log(&self.outcomes));
        }
        let mut add =
            |count: usize, one: &str, many: &str| remarks.count("[outcomes]", count, one, many);
        self.deals.say(&self.outcomes, &mut add);
        self.outcomes
    }
}

/// The share of the closed leads with an open row after they closed from which on somebody has to
/// say whether outcomes are a log.
const MANY_REOPENED: f64 = 0.02;

/// The doubt whether outcomes are a log, where many leads have an open row after they closed.
fn unsaid_log(outcomes: &[LeadOutcome]) -> Option<Doubt> {
    let n_closed = outcomes.iter().filter(|outcome| outcome.closed.is_some());
    let n_closed = n_closed.count();
    let n_open = outcomes.iter().filter(|outcome| outcome.reopened).count();
    if n_open < 10 || (n_open as f64) < MANY_REOPENED * n_closed as f64 {
        return None;
    }
    let found = format!(
        "{} of {} have an open row after they closed: are they at risk again?",
        count(n_open),
        counted(n_closed, "closed lead")
    );
    let doubt = Doubt::new(Subject::Results, "[outcomes]", found);
    let doubt = doubt.settled_by(
        "log = true",
        "each row is a change of how its lead stands: it is at risk again",
    );
    Some(doubt.settled_by(
        "log = false",
        "rows are deals, whose open rows have planned times: a lead that closed stays closed",
    ))
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

    fn say(&self, outcomes: &[LeadOutcome], add: &mut impl FnMut(usize, &str, &str)) {
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
            "outcome is of a lead that closed before; a lead stays at risk until it first closes, and is won when it is first won",
            "outcomes are of leads that closed before; a lead stays at risk until it first closes, and is won when it is first won",
        );
        add(
            won_later,
            "lead was lost first and won later: it counts as won",
            "leads were lost first and won later: they count as won",
        );
        add(
            lost_later,
            "lead was won first and closed otherwise later: it counts as won; if the win was a mistake, take its row out",
            "leads were won first and closed otherwise later: they count as won; if a win was a mistake, take its row out",
        );
        add(
            open_again,
            "lead has an open row after it closed: it counts as closed, and is not scored",
            "leads have an open row after they closed: they count as closed, and are not scored",
        );
    }
}
