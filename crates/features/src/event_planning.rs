//! The features of one event table: each kind by window and statistic, sequences, combinations, the
//! latest event, and what the account's other leads did.

use std::collections::BTreeMap;

use leadscore_config::FeaturesConfig;
use leadscore_core::{EventFilter, Family, FeatureSource, Span, Statistic, Unit, counted};
use leadscore_dataset::Note;

use crate::plan::Plan;
use crate::survey::{EventSurvey, KindSurvey, Survey};

/// Plans the columns of one event table.
pub(crate) struct EventPlanner<'a> {
    /// What the config calls the table.
    pub(crate) name: &'a str,
    pub(crate) table: &'a EventSurvey,
    pub(crate) survey: &'a Survey,
    pub(crate) families: &'a [Family],
    pub(crate) config: &'a FeaturesConfig,
}

impl EventPlanner<'_> {
    /// Whether the config asks for a family.
    fn has(&self, family: Family) -> bool {
        self.families.contains(&family)
    }

    /// Adds all columns of the table.
    pub(crate) fn add_to(&self, plan: &mut Plan) {
        let windows = self.windows(plan);
        let mut kinds = vec![Kind {
            prefix: self.name.to_owned(),
            short: String::new(),
            filter: EventFilter::All,
        }];
        kinds.extend(self.named_kinds());
        for kind in &kinds {
            self.add_kind(kind, &windows, plan);
        }
        if self.has(Family::Sequence) {
            self.add_sequences(&kinds[1..], plan);
        }
        if self.has(Family::Combinations) {
            self.add_combinations(&windows, plan);
        }
        if self.has(Family::Latest) {
            self.add_latest(&kinds[0], plan);
        }
        if self.has(Family::Account) && self.survey.has_accounts && !self.table.of_accounts {
            for kind in &kinds {
                self.add_peers(kind, &windows, plan);
            }
        }
    }

    /// The windows that events are counted in, `None` for ever; what is left out gets a note.
    ///
    /// A window that reaches back beyond the first event anyone could see counts what `ever`
    /// counts.
    fn windows(&self, plan: &mut Plan) -> Vec<Option<Span>> {
        let reach = self
            .table
            .earliest
            .zip(self.survey.last)
            .map(|(earliest, last)| last.micros() - earliest.micros());
        let mut windows: Vec<Option<Span>> = Vec::new();
        for &window in &self.config.windows {
            if reach.is_some_and(|reach| window.micros() > reach) {
                let day = Span::from_days(1).micros();
                let days = counted(reach.unwrap_or_default() / day, "day");
                let text = format!(
                    "the window {window} is longer than what there is to see ({days}): `ever` counts the same, so it gets no columns"
                );
                plan.notes
                    .push(Note::new(&format!("[activities.{}]", self.name), text));
            } else if !windows.contains(&Some(window)) {
                windows.push(Some(window));
            }
        }
        windows.push(None);
        windows
    }

    /// The lead's own events of a kind.
    fn add_kind(&self, kind: &Kind, windows: &[Option<Span>], plan: &mut Plan) {
        let is_all = kind.filter == EventFilter::All;
        let mut columns = EventColumns::new(self.name, kind, plan);
        if self.has(Family::Recency) {
            columns.push("recency", None, Statistic::RecencyDays);
        }
        if self.has(Family::First) {
            columns.push("first", None, Statistic::FirstDays);
        }
        for &window in windows {
            self.add_window(window, &mut columns);
        }
        if self.has(Family::Share) && !is_all {
            columns.push("share", None, Statistic::Share);
        }
        if self.has(Family::Decay) {
            for &half_life in &self.config.half_lives {
                columns.push(
                    &format!("decay.{half_life}"),
                    None,
                    Statistic::Decayed(half_life),
                );
            }
        }
        if self.has(Family::Gaps) && is_all {
            columns.push("gap_mean", None, Statistic::MeanGapDays);
            columns.push("gap_max", None, Statistic::MaxGapDays);
        }
        if self.has(Family::Reply) {
            columns.push("reply", None, Statistic::ReplyDays);
        }
    }

    /// What a kind has in one window.
    fn add_window(&self, window: Option<Span>, columns: &mut EventColumns<'_>) {
        if self.has(Family::Counts) {
            columns.push("count", window, Statistic::Count);
        }
        if self.has(if window.is_some() {
            Family::RecentDays
        } else {
            Family::ActiveDays
        }) {
            columns.push("days", window, Statistic::ActiveDays);
        }
        if self.has(Family::Trend) && window.is_some() {
            columns.push("trend", window, Statistic::Trend);
        }
        for value in &self.table.values {
            if self.has(Family::Values) {
                columns.push_sum_and_mean(value, window);
            }
            if self.has(Family::Max) {
                columns.push(
                    &format!("max_{value}"),
                    window,
                    Statistic::Max(value.clone()),
                );
            }
        }
    }

    /// Kinds that came after other kinds.
    fn add_sequences(&self, kinds: &[Kind], plan: &mut Plan) {
        for KindSurvey { column, counts, .. } in &self.table.kinds {
            let frequent: Vec<String> = by_frequency(counts, self.config.max_sequence_kinds);
            let is_frequent = |filter: &EventFilter| match filter {
                EventFilter::Is(name, value)
                | EventFilter::Has {
                    column: name,
                    token: value,
                    ..
                } => name == column && frequent.contains(value),
                EventFilter::All | EventFilter::Other { .. } | EventFilter::Each(_) => false,
            };
            let chosen: Vec<&Kind> = kinds
                .iter()
                .filter(|kind| is_frequent(&kind.filter))
                .collect();
            for kind in &chosen {
                for after in chosen.iter().filter(|after| after.filter != kind.filter) {
                    EventColumns::new(self.name, kind, plan).push(
                        &format!("after.{}", after.short),
                        None,
                        Statistic::Follows(after.filter.clone()),
                    );
                }
            }
        }
    }

    /// The most frequent pairs of values of two kind columns.
    fn add_combinations(&self, windows: &[Option<Span>], plan: &mut Plan) {
        for (&(a, b), counts) in &self.table.pairs {
            let (first, second) = (&self.table.kinds[a].column, &self.table.kinds[b].column);
            for (x, y) in by_frequency(counts, self.config.max_kinds) {
                let short = format!("{first}={x}&{second}={y}");
                let filter = EventFilter::Each(vec![(first.clone(), x), (second.clone(), y)]);
                let kind = Kind {
                    prefix: format!("{}.{short}", self.name),
                    short,
                    filter,
                };
                let mut columns = EventColumns::new(self.name, &kind, plan);
                columns.push("recency", None, Statistic::RecencyDays);
                for &window in windows {
                    columns.push("count", window, Statistic::Count);
                }
            }
        }
    }

    /// The latest event itself.
    fn add_latest(&self, all: &Kind, plan: &mut Plan) {
        let mut columns = EventColumns::new(self.name, all, plan);
        // Of several values none is the latest.
        let single = self
            .table
            .kinds
            .iter()
            .filter(|kind| kind.tokenizer.is_none());
        for KindSurvey { column, .. } in single {
            columns.push(
                &format!("latest_{column}"),
                None,
                Statistic::LatestKind(column.clone()),
            );
        }
        for value in &self.table.values {
            columns.push(
                &format!("latest_{value}"),
                None,
                Statistic::LatestValue(value.clone()),
            );
        }
    }

    /// The events of a kind that the account's other leads have.
    fn add_peers(&self, kind: &Kind, windows: &[Option<Span>], plan: &mut Plan) {
        let mut columns = EventColumns {
            of_peers: true,
            ..EventColumns::new(self.name, kind, plan)
        };
        columns.push("recency", None, Statistic::RecencyDays);
        for &window in windows {
            columns.push("count", window, Statistic::Count);
            if kind.filter == EventFilter::All {
                for value in &self.table.values {
                    columns.push_sum_and_mean(value, window);
                }
            }
        }
    }

    /// Kinds with columns of their own: the most frequent ones, and one for all others.
    fn named_kinds(&self) -> Vec<Kind> {
        let table = self.name;
        let several = self.table.kinds.len() > 1;
        let mut kinds = Vec::new();
        for KindSurvey {
            column,
            tokenizer,
            counts,
        } in &self.table.kinds
        {
            let order = by_frequency(counts, self.config.max_kinds);
            let label = |value: &str| {
                if several {
                    format!("{column}={value}")
                } else {
                    value.to_owned()
                }
            };
            for value in &order {
                let short = label(value);
                kinds.push(Kind {
                    prefix: format!("{table}.{short}"),
                    short,
                    filter: match tokenizer {
                        None => EventFilter::Is(column.clone(), value.clone()),
                        Some(tokenizer) => EventFilter::Has {
                            column: column.clone(),
                            tokenizer: tokenizer.clone(),
                            token: value.clone(),
                        },
                    },
                });
            }
            // An event with several values may have one that is named and another one.
            if order.len() < counts.len() && tokenizer.is_none() {
                let short = label("(other)");
                kinds.push(Kind {
                    prefix: format!("{table}.{short}"),
                    short,
                    filter: EventFilter::Other {
                        column: column.clone(),
                        named: order,
                    },
                });
            }
        }
        kinds
    }
}

/// A kind that gets columns of its own: how their names begin, how other names call it, and its
/// events.
struct Kind {
    prefix: String,
    short: String,
    filter: EventFilter,
}

/// The most frequent keys, in order of name; of equally frequent ones the first by name.
fn by_frequency<K: Clone + Ord>(counts: &BTreeMap<K, usize>, most: usize) -> Vec<K> {
    let mut order: Vec<(&K, usize)> = counts.iter().map(|(key, &count)| (key, count)).collect();
    order.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut kept: Vec<K> = order
        .into_iter()
        .take(most)
        .map(|(key, _)| key.clone())
        .collect();
    kept.sort_unstable();
    kept
}

/// Adds columns of one kind of events to a plan.
struct EventColumns<'a> {
    table: &'a str,
    kind: &'a Kind,
    plan: &'a mut Plan,
    of_peers: bool,
}

impl<'a> EventColumns<'a> {
    /// Columns of the lead's own events.
    fn new(table: &'a str, kind: &'a Kind, plan: &'a mut Plan) -> Self {
        Self {
            table,
            kind,
            plan,
            of_peers: false,
        }
    }

    /// Sum and mean of a value column.
    fn push_sum_and_mean(&mut self, value: &str, window: Option<Span>) {
        self.push(
            &format!("sum_{value}"),
            window,
            Statistic::Sum(value.to_owned()),
        );
        self.push(
            &format!("mean_{value}"),
            window,
            Statistic::Mean(value.to_owned()),
        );
    }

    fn push(&mut self, what: &str, window: Option<Span>, statistic: Statistic) {
        let ending = match (statistic.has_window(), window) {
            (false, _) => String::new(),
            (true, Some(window)) => format!(".{window}"),
            (true, None) => ".ever".to_owned(),
        };
        let name = format!(
            "{}{}.{what}{ending}",
            if self.of_peers { "account." } else { "" },
            self.kind.prefix
        );
        let unit = statistic.unit();
        let (table, kind) = (self.table.to_owned(), self.kind.filter.clone());
        let source = if self.of_peers {
            FeatureSource::Peers {
                table,
                kind,
                window,
                statistic,
            }
        } else {
            FeatureSource::Activity {
                table,
                kind,
                window,
                statistic,
            }
        };
        if unit == Unit::Level {
            self.plan.category(name, source);
        } else {
            self.plan.number(name, source, unit);
        }
    }
}
