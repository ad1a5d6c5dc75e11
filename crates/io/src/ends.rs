//! Until when the data speaks: where each table ends, whether the ends fit together, and how late
//! outcomes are entered.

use std::collections::BTreeMap;

use leadscore_config::{Config, ObservationEnd};
use leadscore_config::{Doubt, Subject};
use leadscore_core::{Span, Timestamp, agree, counted};
use leadscore_dataset::Note;
use leadscore_dataset::{Days, Extent, Head, TableEnd};
use leadscore_dataset::{KnownEnds, Moments};

use crate::remarks::Remarks;

const DAY: i64 = 86_400_000_000;
/// Leads are created, outcomes and events recorded, when it happens: later than this behind all
/// others is a typing error.
const LONGEST_TAIL: Span = Span::from_days(31);
/// Meetings are planned half a year ahead.
const LONGEST_PLAN: Span = Span::from_days(183);

/// The times of all tables, counted while they are read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    /// By table, then by column, in the order in which they were met.
    columns: BTreeMap<String, Vec<(String, Days)>>,
    /// Wins by month since 1970.
    wins: BTreeMap<i64, usize>,
    /// Wins by the day they happened and by how many days later they were entered.
    entries: BTreeMap<(i64, i64), usize>,
}

impl Reach {
    /// Counts times of a column; the first column of a table is the one that says where the table
    /// ends.
    pub(crate) fn add(
        &mut self,
        table: &str,
        column: &str,
        earliest: Timestamp,
        times: impl Iterator<Item = Option<Timestamp>>,
    ) {
        let mut days = Days::since(earliest);
        days.extend(times.flatten());
        let columns = self.columns.entry(table.to_owned()).or_default();
        match columns.iter_mut().find(|(known, _)| known == column) {
            Some((_, own)) => own.merge(days),
            None => columns.push((column.to_owned(), days)),
        }
    }

    /// Counts rows of one day.
    pub(crate) fn add_day(
        &mut self,
        table: &str,
        column: &str,
        earliest: Timestamp,
        n_rows: usize,
        first: Timestamp,
        last: Timestamp,
    ) {
        let columns = self.columns.entry(table.to_owned()).or_default();
        let at = columns
            .iter()
            .position(|(known, _)| known == column)
            .unwrap_or_else(|| {
                columns.push((column.to_owned(), Days::since(earliest)));
                columns.len() - 1
            });
        columns[at].1.add_day(n_rows, first, last);
    }

    /// Counts wins that were entered so many days after they happened.
    pub(crate) fn add_entries(&mut self, day: i64, lag: i64, n_rows: usize) {
        *self.entries.entry((day, lag.max(0))).or_default() += n_rows;
    }

    /// Counts a win, and when it was entered.
    pub(crate) fn add_win(&mut self, won: Timestamp, recorded: Option<Timestamp>) {
        *self.wins.entry(month_of(won)).or_default() += 1;
        if let Some(recorded) = recorded {
            let day = won.micros().div_euclid(DAY);
            let lag = (recorded.micros() - won.micros()).max(0).div_euclid(DAY);
            self.add_entries(day, lag, 1);
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (table, columns) in other.columns {
            let own = self.columns.entry(table).or_default();
            for (column, days) in columns {
                match own.iter_mut().find(|(known, _)| *known == column) {
                    Some((_, own)) => own.merge(days),
                    None => own.push((column, days)),
                }
            }
        }
        for (month, count) in other.wins {
            *self.wins.entry(month).or_default() += count;
        }
        for (entry, count) in other.entries {
            *self.entries.entry(entry).or_default() += count;
        }
    }

    /// Where each table ends; rows far behind the end of theirs are named, or where nobody can have
    /// planned them are a doubt.
    fn table_ends(
        &self,
        config: &Config,
        now: Option<Timestamp>,
        place: &Place<'_>,
        remarks: &mut Remarks,
    ) -> Vec<TableEnd> {
        let declared: BTreeMap<String, Option<Timestamp>> = config
            .tables()
            .map(|table| (table.id.heading(), table.file.ends.map(|end| end.0)))
            .collect();
        let leads_end = self
            .columns
            .get("[leads]")
            .and_then(|columns| Some(columns.first()?.1.extent(now)?.end));
        let mut ends = Vec::new();
        for (table, columns) in &self.columns {
            let own = declared.get(table).copied().flatten();
            for (number, (column, days)) in columns.iter().enumerate() {
                let Some(extent) = days.extent(now) else {
                    continue;
                };
                if let Some(head) = days.head().filter(|_| config.data.earliest.is_none()) {
                    far_before(table, column, &extent, head, place, remarks);
                }
                let end = own.unwrap_or(extent.end);
                if own.is_none() && extent.n_later > 0 {
                    let is_event = config.activities.iter().any(|(name, activity)| {
                        *table == format!("[activities.{name}]") && activity.at == *column
                    });
                    let longest = if is_event { LONGEST_PLAN } else { LONGEST_TAIL };
                    // Where leads have ended, closings thin out for as long as sales take.
                    let thins_out = *table != "[leads]"
                        && leads_end.is_some_and(|end| extent.last <= end + LONGEST_PLAN);
                    let is_plan = thins_out || extent.last <= extent.end + longest;
                    tail(table, column, &extent, is_plan, place, remarks);
                }
                if number == 0 {
                    ends.push(TableEnd {
                        table: table.clone(),
                        column: column.clone(),
                        extent,
                        end,
                    });
                }
            }
        }
        ends
    }

    /// Until when the data speaks, and whether its tables agree on that.
    pub(crate) fn ends(
        &self,
        config: &Config,
        moments: Moments,
        place: &Place<'_>,
        remarks: &mut Remarks,
    ) -> KnownEnds {
        let tables = self.table_ends(config, moments.now, place, remarks);
        let entry_lag = self.entry_lag(&tables, moments.as_of);
        let of = |name: &str| tables.iter().find(|end| end.table == name);
        let is_told = |end: &&TableEnd| {
            end.table == "[leads]"
                || end.table == "[outcomes]"
                || end.table.starts_with("[activities.")
        };
        let latest = tables.iter().filter(is_told).map(|end| end.end).max();
        let latest = latest.map(|latest| moments.now.map_or(latest, |now| latest.min(now)));
        let configured = config.snapshots.configured_end();
        let wants_outcomes = config.snapshots.observation_end == Some(ObservationEnd::Outcomes);
        let observation_end = configured
            .or_else(|| {
                of("[outcomes]")
                    .filter(|_| wants_outcomes)
                    .map(|end| end.end)
            })
            .or(latest)
            .unwrap_or(Timestamp::MAX);
        let ends = KnownEnds {
            observation_end,
            entry_lag,
            tables,
        };
        if observation_end < Timestamp::MAX {
            let reached = moments
                .as_of
                .map_or(observation_end, |as_of| observation_end.min(as_of));
            Compared(&ends).check(config, reached, remarks);
            Compared(&ends).overlap(config, &|at| self.leads_before(at), remarks);
            self.name_months_without_wins(reached, remarks);
            if entry_lag > Span::ZERO {
                let text = format!(
                    "wins are entered up to {entry_lag} after they happened (19 of 20): a window counts as ended so much later"
                );
                remarks.note(Note::new("[outcomes]", text));
            }
        }
        ends
    }

    /// How many leads were created before a moment.
    fn leads_before(&self, at: Timestamp) -> usize {
        self.columns
            .get("[leads]")
            .and_then(|columns| columns.first())
            .map_or(0, |(_, days)| days.n_before(at))
    }

    /// In which time nineteen of twenty wins are entered.
    ///
    /// Of late wins only those are seen whose entry came before the end, so the shares are those of
    /// truncated times:
    ///
    /// ```text
    /// F(l) = ∏_{u > l} (1 − d(u) / n(u))
    /// ```
    ///
    /// where `d(u)` wins were entered after `u` days, and `n(u)` are those entered within `u` days
    /// that happened at least `u` days before the end (Lynden-Bell 1971, Monthly Notices of the
    /// Royal Astronomical Society 155, eq. 8). As of a moment, the wins are those that were entered
    /// before it, and it is the end.
    fn entry_lag(&self, tables: &[TableEnd], as_of: Option<Timestamp>) -> Span {
        let Some(end) = tables.iter().find(|end| end.table == "[outcomes]") else {
            return Span::ZERO;
        };
        // A lag is cut to whole days, so that an entry may fall on the day after.
        let known = as_of.map_or(i64::MAX, |as_of| as_of.micros().div_euclid(DAY) - 2);
        let end = end.end.micros().div_euclid(DAY).min(known);
        let entries = || {
            self.entries
                .iter()
                .filter(|((day, lag), _)| day.saturating_add(*lag) <= known)
        };
        let mut by_lag: BTreeMap<i64, usize> = BTreeMap::new();
        entries().for_each(|((_, lag), count)| *by_lag.entry(*lag).or_default() += count);
        let mut share = 1.0;
        for (&lag, &n_entered) in by_lag.iter().rev() {
            let n_seen: usize = entries()
                .filter(|((day, own), _)| *own <= lag && end - day >= lag)
                .map(|(_, count)| count)
                .sum();
            let next = share * (1.0 - n_entered as f64 / n_seen.max(n_entered) as f64);
            if next < 0.95 {
                return Span::from_days(u32::try_from(lag).unwrap_or(0));
            }
            share = next;
        }
        Span::ZERO
    }

    fn name_months_without_wins(&self, end: Timestamp, remarks: &mut Remarks) {
        let (Some((&first, _)), Some((&last, _))) =
            (self.wins.first_key_value(), self.wins.last_key_value())
        else {
            return;
        };
        let n_months = (last - first + 1) as f64;
        let usual = self.wins.values().sum::<usize>() as f64 / n_months;
        // Whole months only.
        let n_without = (month_of(end) - 1 - last).max(0);
        if n_without > 0 && usual * n_without as f64 >= 5.0 {
            let months = if n_without == 1 {
                "month has".to_owned()
            } else {
                format!("{} have", counted(n_without, "month"))
            };
            remarks.note(Note::new(
                "[outcomes]",
                format!("the last {months} no win, where {usual:.1} a month are usual: are later wins missing? then `observation_end` says until when they are there"),
            ));
        }
    }
}

/// How a message names the first cell of a column whose time is so.
pub(crate) type Place<'p> =
    dyn Fn(&str, &str, &dyn Fn(Timestamp) -> bool) -> Option<(String, String)> + 'p;

/// The doubt about a few rows that lie years before all others.
fn far_before(
    table: &str,
    column: &str,
    extent: &Extent,
    head: Head,
    place: &Place<'_>,
    remarks: &mut Remarks,
) {
    let (at, cell) = place(table, column, &|time| time < head.end)
        .map_or((None, None), |(at, cell)| (Some(at), Some(cell)));
    let rows = rows_lie(head.n_rows);
    let found = format!(
        "{rows} more than two years before all others, which begin at {}: from {} on",
        shown_day(head.next),
        extent.first
    );
    let mut doubt = Doubt::new(Subject::Times, table, found)
        .of_column(column)
        .at(at);
    if let Some(cell) = &cell {
        doubt.found.push_str(&format!("; the first is `{cell}`"));
    }
    if let Some(cell) = cell.filter(|_| head.n_rows == 1) {
        doubt = doubt.settled_by(
            format!(
                "null_values.{} = [{}]",
                leadscore_config::lines::key(column),
                leadscore_config::quoted(&cell)
            ),
            "it means that there is no time",
        );
    }
    let doubt = doubt.settled_in(
        "[data]",
        format!("earliest = \"{}\"", shown_day(extent.first)),
        "such times are meant",
    );
    remarks.doubt(doubt.advise("or correct the cells"));
}

/// So many rows with their verb.
fn rows_lie(n_rows: usize) -> String {
    format!(
        "{} {}",
        counted(n_rows, "row"),
        agree(n_rows, "lies", "lie")
    )
}

fn tail(
    table: &str,
    column: &str,
    extent: &Extent,
    is_plan: bool,
    place: &Place<'_>,
    remarks: &mut Remarks,
) {
    let Extent {
        end, n_later, last, ..
    } = *extent;
    let rows = rows_lie(n_later);
    if is_plan {
        let text = format!(
            "has as many rows as usual until {end}; {rows} later in `{column}`, up to {last}: planned, or wrong; they do not set where the data ends"
        );
        remarks.note(Note::new(table, text));
        return;
    }
    let (at, cell) = place(table, column, &|time| time > end)
        .map_or((None, None), |(at, cell)| (Some(at), Some(cell)));
    let found = format!("{rows} far behind all others, which end at {end}: up to {last}");
    let mut doubt = Doubt::new(Subject::Times, table, found)
        .of_column(column)
        .at(at);
    if let Some(cell) = cell {
        doubt.found.push_str(&format!("; the first is `{cell}`"));
    }
    doubt = doubt.settled_by(
        format!("ends = \"{}\"", shown_day(end)),
        "they are planned or wrong, and the table ends there",
    );
    remarks.doubt(
        doubt
            .settled_by(
                format!("ends = \"{}\"", shown_day(last.next_midnight())),
                "the table is complete until then",
            )
            .advise("or correct the cells"),
    );
}

/// What tables that end, or begin, at different times mean for what is computed from them.
struct Compared<'e>(&'e KnownEnds);

impl Compared<'_> {
    /// Where the table of this heading ends.
    fn of(&self, name: &str) -> Option<&TableEnd> {
        self.0.tables.iter().find(|end| end.table == name)
    }

    /// Tables that end before others do: what happened after that is not there, and would look like
    /// silence or like losses.
    fn check(&self, config: &Config, reached: Timestamp, remarks: &mut Remarks) {
        let leads = self.of("[leads]");
        let all = || {
            let shown: Vec<String> = self
                .0
                .tables
                .iter()
                .map(|end| format!("{} {}", end.table, end.end))
                .collect();
            shown.join(", ")
        };
        for TableEnd {
            table, extent, end, ..
        } in &self.0.tables
        {
            let is_outcomes = table == "[outcomes]";
            let gap = |until: Timestamp| until.micros().saturating_sub(end.micros()).max(0);
            let silent = |until: Timestamp| extent.is_silent_for(Span::from_micros(gap(until)));
            // Attributes may stay as they are; of a store, each change of one is a row.
            let is_at_rest = table == "[history]" && config.store.is_some();
            if table == "[leads]" || is_at_rest || !silent(reached) {
                continue;
            }
            let days = counted(gap(reached) / DAY, "day");
            let is_declared = config
                .tables()
                .any(|known| known.id.heading() == *table && known.file.ends.is_some());
            if is_outcomes {
                let found = format!(
                    "no lead closes in the last {days} before {reached}, the end of the other tables; ends: {}",
                    all()
                );
                let is_settled = is_declared || config.snapshots.observation_end.is_some();
                say_outcomes_end(found, is_settled, reached, remarks);
                continue;
            }
            let found = format!(
                "has no rows in the last {days} before {reached}; ends: {}",
                all()
            );
            // Where leads, too, come to an end, a cohort was followed up.
            let is_settled =
                is_declared || leads.is_some_and(|leads| !silent(leads.end.min(reached)));
            say_events_end(table, &found, is_settled, *end, remarks);
        }
    }

    /// Leads, outcomes and changes of other years: outcomes that begin long after the leads make
    /// all of these look lost.
    fn overlap(
        &self,
        config: &Config,
        leads_before: &dyn Fn(Timestamp) -> usize,
        remarks: &mut Remarks,
    ) {
        let of = |name: &str| self.of(name).filter(|end| end.extent.n_rows >= FEWEST);
        let Some(leads) = of("[leads]") else { return };
        let after =
            |end: &TableEnd| (end.extent.first.micros() - leads.extent.first.micros()) / DAY;
        // A few leads of former times are no beginning.
        let begins_late = |end: &TableEnd| {
            let n_before = leads_before(Timestamp::from_micros(
                end.extent.first.micros() - LONGEST_BEGINNING * DAY,
            ));
            n_before >= 10 && 20 * n_before > leads.extent.n_rows
        };
        let n_days = (leads.end.micros() - leads.extent.first.micros()) / DAY;
        if let Some(outcomes) = of("[outcomes]") {
            let days = format!(
                "leads are created from {} to {}, and close from {} to {}",
                shown_day(leads.extent.first),
                shown_day(leads.end),
                shown_day(outcomes.extent.first),
                shown_day(outcomes.end)
            );
            let doubt = |found: &str| {
                Doubt::new(Subject::Ends, "[outcomes]", format!("{days}: {found}"))
                    .of_column(&outcomes.column)
            };
            if (outcomes.extent.last.micros() - outcomes.extent.first.micros()) / DAY < 1
                && n_days > 60
            {
                remarks.doubt(
                    doubt("all close on one day, which is that of an export")
                        .advise("name the column with the time at which each closed"),
                );
            } else if begins_late(outcomes) && config.snapshots.from.is_none() {
                let doubt = doubt("until the first closes, all of them look lost");
                let from = |at: Timestamp| format!("from = \"{}\"", shown_day(at));
                let doubt = doubt.settled_in(
                    "[snapshots]",
                    from(outcomes.extent.first),
                    "outcomes are there from then on",
                );
                remarks.doubt(doubt.settled_in(
                    "[snapshots]",
                    from(leads.extent.first),
                    "nothing closed before",
                ));
            }
        }
        // A store has every change since its first row, and an import what there was before.
        if config.store.is_none()
            && let Some(history) = self.of("[history]").filter(|history| begins_late(history))
            && config
                .history
                .as_ref()
                .is_some_and(|settings| settings.complete)
        {
            let found = format!(
                "the first change is of {}, {} after the first lead was created, and `complete` states that every change is there",
                shown_day(history.extent.first),
                counted(after(history), "day")
            );
            let doubt = Doubt::new(Subject::Changes, "[history]", found).of_column(&history.column);
            remarks.doubt(
                doubt
                    .settled_by("complete = false", "the log begins later than the leads")
                    .advise("or export the whole log"),
            );
        }
    }
}

/// Outcomes end before other tables do.
fn say_outcomes_end(found: String, is_settled: bool, reached: Timestamp, remarks: &mut Remarks) {
    const TABLE: &str = "[outcomes]";
    if is_settled {
        remarks.note(Note::new(TABLE, found));
        return;
    }
    let doubt = Doubt::new(
        Subject::Ends,
        TABLE,
        format!("{found}: wins that are not in the table yet would count as none"),
    );
    let doubt = doubt.settled_in(
        "[snapshots]",
        "observation_end = \"outcomes\"",
        "what closed later is not in the table",
    );
    remarks.doubt(doubt.settled_in(
        "[snapshots]",
        format!(
            "observation_end = \"{}\"",
            shown_day(reached.next_midnight())
        ),
        "nothing closed since",
    ));
}

/// A table of events, or of changes, ends before other tables do.
fn say_events_end(
    table: &str,
    found: &str,
    is_settled: bool,
    end: Timestamp,
    remarks: &mut Remarks,
) {
    if is_settled {
        remarks.note(Note::new(
            table,
            format!("{found}: leads look silent in that time"),
        ));
        return;
    }
    let doubt = Doubt::new(
        Subject::Ends,
        table,
        format!("{found}: leads would look silent that were not"),
    );
    let doubt = doubt.settled_by(
        format!("ends = \"{}\"", shown_day(end)),
        "it does end there",
    );
    remarks.doubt(doubt.settled_in(
        "[snapshots]",
        format!("observation_end = \"{}\"", shown_day(end.next_midnight())),
        "all tables are looked at until then",
    ));
}

/// So many days after the first leads the first outcome or change may lie.
const LONGEST_BEGINNING: i64 = 183;

/// Rows that a table needs before its days say anything.
const FEWEST: usize = 20;

fn shown_day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

fn month_of(at: Timestamp) -> i64 {
    use chrono::Datelike;
    at.naive().map_or(0, |naive| {
        i64::from(naive.year()) * 12 + i64::from(naive.month0())
    })
}
