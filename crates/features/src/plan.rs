//! Which features these tables can give: decided once, on what was known at training time, and kept
//! in the model.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadscore_core::{
    AttributeTable, CalendarPart, EventFilter, Family, FeatureKind, FeatureSource, FeatureSpec,
    PeerState, Snapshot, Span, Statistic, Timestamp, Unit,
};
use leadscore_tables::{Activities, Column, FeaturesConfig, MISSING, Note, Tables};

/// Two years: from then on a month of the year can be told from the trend.
const YEARS_FOR_MONTHS: Span = Span::from_days(730);

/// What the snapshots' own leads could see, counted; what comes after, and other leads, leave no
/// trace.
///
/// Surveys of parts of the leads add up to the survey of all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Survey {
    /// Attributes of the leads and of each lookup, with their kind.
    attributes: BTreeMap<(Option<String>, String), FeatureKind>,
    histories: BTreeSet<String>,
    has_creation: bool,
    has_hour: bool,
    has_accounts: bool,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    tables: BTreeMap<String, EventSurvey>,
}

/// What could be seen of one event table.
#[derive(Debug, Clone, PartialEq, Default)]
struct EventSurvey {
    of_accounts: bool,
    earliest: Option<Timestamp>,
    values: Vec<String>,
    /// For each kind column, the number of events of each value.
    kinds: Vec<(String, BTreeMap<String, usize>)>,
    /// For each pair of kind columns, the number of events of each pair of values.
    pairs: BTreeMap<(usize, usize), BTreeMap<(String, String), usize>>,
}

/// The features for a survey, and what the user should know about them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The features, in the order of their columns.
    pub specs: Vec<FeatureSpec>,
    /// Windows that were left out, and patterns that match nothing.
    pub notes: Vec<Note>,
}

/// The features of these snapshots: [`survey`], then [`Survey::plan`].
pub fn plan(tables: &Tables, config: &FeaturesConfig, snapshots: &[Snapshot]) -> Plan {
    survey(tables, snapshots).plan(config)
}

/// Events of kinds that a model has never seen; those of parts of the leads add up.
///
/// A model that gathers rare kinds in one feature takes them for such, and nothing need be said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnknownKinds {
    /// For each table and kind column, how many events each kind has.
    n_events: BTreeMap<(String, String), BTreeMap<String, usize>>,
}

impl UnknownKinds {
    /// Counts them for a model with these features, among the events that these snapshots' leads
    /// can see; among all if not given.
    pub fn new(tables: &Tables, specs: &[FeatureSpec], snapshots: Option<&[Snapshot]>) -> Self {
        let mut n_events: BTreeMap<(String, String), BTreeMap<String, usize>> = BTreeMap::new();
        for activities in &tables.activities {
            let filters = specs.iter().filter_map(|spec| match &spec.source {
                FeatureSource::Activity { table, kind, .. }
                | FeatureSource::Peers { table, kind, .. }
                    if *table == activities.name =>
                {
                    Some(kind)
                }
                _ => None,
            });
            let filters: Vec<&EventFilter> = filters.collect();
            // Until when each lead's or account's events are looked at: several leads of an account
            // see them once.
            let until = || match snapshots {
                Some(snapshots) => last_looks(
                    activities.n_entities(),
                    snapshots.iter().filter_map(|snapshot| {
                        Some((activities.entity_of(snapshot.lead)?, snapshot.at))
                    }),
                ),
                None => vec![Timestamp::MAX; activities.n_entities()],
            };
            for kind in &activities.rows.kinds {
                let known: BTreeSet<&str> = filters
                    .iter()
                    .filter_map(|filter| match filter {
                        EventFilter::Is(column, value) if *column == kind.name => {
                            Some(value.as_str())
                        }
                        _ => None,
                    })
                    .collect();
                let has_other = filters.iter().any(|filter| matches!(filter, EventFilter::Other { column, .. } if *column == kind.name));
                if known.is_empty() || has_other {
                    continue;
                }
                let mut counts = vec![0; kind.levels.len()];
                for (entity, until) in until().into_iter().enumerate() {
                    let seen = activities.events_of(entity).filter(|&event| {
                        kind.codes[event] != MISSING && activities.rows.visible_at(event) < until
                    });
                    seen.for_each(|event| counts[kind.codes[event] as usize] += 1);
                }
                let unknown = kind
                    .levels
                    .iter()
                    .zip(counts)
                    .filter(|(level, count)| *count > 0 && !known.contains(level.as_str()));
                n_events.insert(
                    (activities.name.clone(), kind.name.clone()),
                    unknown
                        .map(|(level, count)| (level.clone(), count))
                        .collect(),
                );
            }
        }
        Self { n_events }
    }

    /// Adds those of other leads.
    pub fn add(&mut self, other: Self) {
        for (column, kinds) in other.n_events {
            let all = self.n_events.entry(column).or_default();
            kinds
                .into_iter()
                .for_each(|(kind, count)| *all.entry(kind).or_default() += count);
        }
    }

    /// What is to be said about them.
    pub fn notes(&self) -> Vec<Note> {
        let note = |((table, column), kinds): (&(String, String), &BTreeMap<String, usize>)| {
            let named: Vec<String> = kinds
                .keys()
                .take(3)
                .map(|kind| format!("`{kind}`"))
                .collect();
            let more = if kinds.len() > 3 {
                format!(" and {} more", kinds.len() - 3)
            } else {
                String::new()
            };
            let text = format!(
                "events are of a `{column}` that the model has never seen ({}{more}): they count among all events, and for no kind",
                named.join(", ")
            );
            Note::counted(&format!("[activities.{table}]"), kinds.values().sum(), text)
        };
        self.n_events.iter().filter_map(note).collect()
    }
}

/// Counts what these snapshots' leads could see at their last snapshot.
pub fn survey(tables: &Tables, snapshots: &[Snapshot]) -> Survey {
    let last_of_lead = last_looks(
        tables.leads.ids.len(),
        snapshots
            .iter()
            .map(|snapshot| (snapshot.lead as usize, snapshot.at)),
    );
    let seen = || (0..last_of_lead.len()).filter(|&lead| last_of_lead[lead] > Timestamp::MIN);
    let kind_of = |column: &Column| match column {
        Column::Number(_) => FeatureKind::Number,
        Column::Category { .. } => FeatureKind::Category,
    };
    let mut attributes = BTreeMap::new();
    for attribute in &tables.leads.attributes {
        attributes.insert((None, attribute.name.clone()), kind_of(&attribute.column));
    }
    for lookup in &tables.lookups {
        for attribute in &lookup.rows.attributes {
            attributes.insert(
                (Some(lookup.name.clone()), attribute.name.clone()),
                kind_of(&attribute.column),
            );
        }
    }
    let stamps = || seen().filter_map(|lead| tables.leads.created[lead]);
    Survey {
        attributes,
        histories: tables
            .history
            .attributes
            .iter()
            .map(|change| change.attribute.clone())
            .collect(),
        has_creation: stamps().next().is_some(),
        has_hour: stamps().any(|stamp| stamp.start == stamp.known),
        has_accounts: tables.leads.accounts.is_some(),
        first: snapshots.iter().map(|snapshot| snapshot.at).min(),
        last: snapshots.iter().map(|snapshot| snapshot.at).max(),
        tables: tables
            .activities
            .iter()
            .map(|activities| {
                (
                    activities.name.clone(),
                    survey_events(activities, &last_of_lead),
                )
            })
            .collect(),
    }
}

/// When each of `n` leads or accounts is looked at last; [`Timestamp::MIN`] for never.
fn last_looks(n: usize, looks: impl Iterator<Item = (usize, Timestamp)>) -> Vec<Timestamp> {
    let mut last = vec![Timestamp::MIN; n];
    looks.for_each(|(who, at)| last[who] = last[who].max(at));
    last
}

fn survey_events(activities: &Activities, last_of_lead: &[Timestamp]) -> EventSurvey {
    let rows = &activities.rows;
    let mut earliest: Option<Timestamp> = None;
    let mut counts: Vec<Vec<usize>> = rows
        .kinds
        .iter()
        .map(|kind| vec![0; kind.levels.len()])
        .collect();
    let mut pairs: BTreeMap<(usize, usize), HashMap<(u32, u32), usize>> = BTreeMap::new();
    for (lead, &last) in last_of_lead
        .iter()
        .enumerate()
        .filter(|(_, last)| **last > Timestamp::MIN)
    {
        let Some(entity) = activities.entity_of(lead as u32) else {
            continue;
        };
        for event in activities
            .events_of(entity)
            .filter(|&event| rows.visible_at(event) < last)
        {
            earliest =
                Some(earliest.map_or(rows.at[event], |earliest| earliest.min(rows.at[event])));
            for (number, kind) in rows.kinds.iter().enumerate() {
                let code = kind.codes[event];
                if code == MISSING {
                    continue;
                }
                counts[number][code as usize] += 1;
                for (other, second) in rows.kinds.iter().enumerate().skip(number + 1) {
                    if second.codes[event] != MISSING {
                        *pairs
                            .entry((number, other))
                            .or_default()
                            .entry((code, second.codes[event]))
                            .or_default() += 1;
                    }
                }
            }
        }
    }
    let level = |number: usize, code: u32| rows.kinds[number].levels[code as usize].clone();
    EventSurvey {
        of_accounts: activities.entity_of_lead.is_some(),
        earliest,
        values: rows
            .values
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        kinds: rows
            .kinds
            .iter()
            .zip(counts)
            .map(|(kind, counts)| {
                (
                    kind.name.clone(),
                    kind.levels
                        .iter()
                        .cloned()
                        .zip(counts)
                        .filter(|(_, count)| *count > 0)
                        .collect(),
                )
            })
            .collect(),
        pairs: pairs
            .into_iter()
            .map(|((a, b), counts)| {
                (
                    (a, b),
                    counts
                        .into_iter()
                        .map(|((x, y), count)| ((level(a, x), level(b, y)), count))
                        .collect(),
                )
            })
            .collect(),
    }
}

impl Survey {
    /// Adds what was counted over other leads of the same tables.
    pub fn add(&mut self, other: Self) {
        for (name, kind) in other.attributes {
            // A part in which every cell is missing says nothing of the kind.
            self.attributes.entry(name).or_insert(kind);
        }
        self.histories.extend(other.histories);
        self.has_creation |= other.has_creation;
        self.has_hour |= other.has_hour;
        self.has_accounts |= other.has_accounts;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
        for (name, table) in other.tables {
            match self.tables.entry(name) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(table);
                }
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut().add(table),
            }
        }
    }

    /// The features that the config asks for.
    pub fn plan(&self, config: &FeaturesConfig) -> Plan {
        let mut plan = Plan::default();
        let families = config.chosen_families();
        let has_months = self
            .first
            .zip(self.last)
            .is_some_and(|(first, last)| first + YEARS_FOR_MONTHS <= last);
        for family in &families {
            match family {
                Family::Attributes => {
                    plan.specs
                        .extend(self.attributes.iter().map(|((lookup, column), kind)| {
                            attribute_spec(lookup.as_deref(), column, *kind)
                        }));
                }
                Family::Created if self.has_creation => {
                    plan.calendar("created", FeatureSource::Created, self.has_hour, has_months);
                }
                Family::Age if self.has_creation => {
                    plan.number("age".to_owned(), FeatureSource::AgeDays, Unit::Days);
                }
                Family::Weekdays if self.has_creation => plan.number(
                    "age.weekdays".to_owned(),
                    FeatureSource::AgeWeekdays,
                    Unit::Days,
                ),
                Family::Snapshot if self.has_creation => {
                    plan.calendar("snapshot", FeatureSource::Snapshot, false, has_months);
                }
                Family::History => {
                    for column in &self.histories {
                        plan.number(
                            format!("{column}.age"),
                            FeatureSource::AttributeAge {
                                column: column.clone(),
                            },
                            Unit::Days,
                        );
                        plan.number(
                            format!("{column}.changes"),
                            FeatureSource::AttributeChanges {
                                column: column.clone(),
                            },
                            Unit::Changes,
                        );
                    }
                }
                Family::Account if self.has_accounts => {
                    for (name, state) in [
                        ("open", PeerState::Open),
                        ("won", PeerState::Won),
                        ("lost", PeerState::Lost),
                    ] {
                        plan.number(
                            format!("account.leads_{name}"),
                            FeatureSource::PeerLeads(state),
                            Unit::Leads,
                        );
                    }
                }
                _ => {}
            }
        }
        for (name, table) in &self.tables {
            table.plan(name, &families, config, self, &mut plan);
        }
        plan.make_names_unique();
        if let Some(patterns) = &config.only {
            plan.keep_only(patterns);
        }
        plan
    }
}

fn attribute_spec(lookup: Option<&str>, column: &str, kind: FeatureKind) -> FeatureSpec {
    let (table, prefix) = match lookup {
        None => (AttributeTable::Leads, String::new()),
        Some(name) => (AttributeTable::Lookup(name.to_owned()), format!("{name}.")),
    };
    let unit = match kind {
        FeatureKind::Number => Unit::AsGiven,
        FeatureKind::Category => Unit::Level,
    };
    FeatureSpec {
        name: format!("{prefix}{column}"),
        source: FeatureSource::Attribute {
            table,
            column: column.to_owned(),
        },
        kind,
        unit,
    }
}

impl Plan {
    fn number(&mut self, name: String, source: FeatureSource, unit: Unit) {
        self.specs.push(FeatureSpec {
            name,
            source,
            kind: FeatureKind::Number,
            unit,
        });
    }

    fn category(&mut self, name: String, source: FeatureSource) {
        self.specs.push(FeatureSpec {
            name,
            source,
            kind: FeatureKind::Category,
            unit: Unit::Level,
        });
    }

    fn calendar(
        &mut self,
        prefix: &str,
        source: fn(CalendarPart) -> FeatureSource,
        has_hour: bool,
        has_months: bool,
    ) {
        self.category(format!("{prefix}.weekday"), source(CalendarPart::Weekday));
        self.number(
            format!("{prefix}.day_of_month"),
            source(CalendarPart::DayOfMonth),
            Unit::Days,
        );
        if has_hour {
            self.number(
                format!("{prefix}.hour"),
                source(CalendarPart::Hour),
                Unit::Hours,
            );
        }
        if has_months {
            self.category(format!("{prefix}.month"), source(CalendarPart::Month));
        }
    }

    /// A column of the leads may be called as a feature of ours is; the later one gets a number.
    fn make_names_unique(&mut self) {
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for spec in &mut self.specs {
            let given = spec.name.clone();
            let mut number = 2;
            while !taken.insert(spec.name.clone()) {
                spec.name = format!("{given}.{number}");
                number += 1;
            }
        }
    }

    fn keep_only(&mut self, patterns: &[String]) {
        for pattern in patterns
            .iter()
            .filter(|pattern| !self.specs.iter().any(|spec| matches(pattern, &spec.name)))
        {
            self.notes.push(Note::new("[features]", format!("no feature matches `{pattern}` of `only`; `features --describe` lists their names")));
        }
        self.specs
            .retain(|spec| patterns.iter().any(|pattern| matches(pattern, &spec.name)));
    }
}

/// Whether a name matches a pattern in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len()).any(|skip| name.is_char_boundary(skip) && matches(rest, &name[skip..]))
        }),
    }
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

/// A kind that gets columns of its own: how their names begin, how other names call it, and its
/// events.
struct Kind {
    prefix: String,
    short: String,
    filter: EventFilter,
}

impl EventSurvey {
    fn add(&mut self, other: Self) {
        self.earliest = self.earliest.into_iter().chain(other.earliest).min();
        for ((_, counts), (_, more)) in self.kinds.iter_mut().zip(other.kinds) {
            for (value, count) in more {
                *counts.entry(value).or_default() += count;
            }
        }
        for (columns, more) in other.pairs {
            let counts = self.pairs.entry(columns).or_default();
            for (values, count) in more {
                *counts.entry(values).or_default() += count;
            }
        }
    }

    /// Kinds with columns of their own: the most frequent ones, and one for all others.
    fn named_kinds(&self, table: &str, config: &FeaturesConfig) -> Vec<Kind> {
        let several = self.kinds.len() > 1;
        let mut kinds = Vec::new();
        for (column, counts) in &self.kinds {
            let order = by_frequency(counts, config.max_kinds);
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
                    filter: EventFilter::Is(column.clone(), value.clone()),
                });
            }
            if order.len() < counts.len() {
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

    fn plan(
        &self,
        name: &str,
        families: &[Family],
        config: &FeaturesConfig,
        survey: &Survey,
        plan: &mut Plan,
    ) {
        // A window that reaches back beyond the first event anyone could see counts what `ever`
        // counts.
        let reach = self
            .earliest
            .zip(survey.last)
            .map(|(earliest, last)| last.micros() - earliest.micros());
        let mut windows: Vec<Option<Span>> = Vec::new();
        for &window in &config.windows {
            if reach.is_some_and(|reach| window.micros() > reach) {
                let days = reach.unwrap_or_default() as f64 / Span::from_days(1).micros() as f64;
                let text = format!(
                    "the window {window} is longer than what there is to see ({days:.0} days): `ever` counts the same, so it gets no columns"
                );
                plan.notes
                    .push(Note::new(&format!("[activities.{name}]"), text));
            } else if !windows.contains(&Some(window)) {
                windows.push(Some(window));
            }
        }
        windows.push(None);
        let mut kinds = vec![Kind {
            prefix: name.to_owned(),
            short: String::new(),
            filter: EventFilter::All,
        }];
        kinds.extend(self.named_kinds(name, config));
        let has = |family: Family| families.contains(&family);
        for kind in &kinds {
            let mut columns = EventColumns {
                table: name,
                kind,
                plan,
                of_peers: false,
            };
            if has(Family::Recency) {
                columns.push("recency", None, Statistic::RecencyDays, Unit::Days);
            }
            if has(Family::First) {
                columns.push("first", None, Statistic::FirstDays, Unit::Days);
            }
            for &window in &windows {
                if has(Family::Counts) {
                    columns.push("count", window, Statistic::Count, Unit::Events);
                }
                if has(if window.is_some() {
                    Family::RecentDays
                } else {
                    Family::ActiveDays
                }) {
                    columns.push("days", window, Statistic::ActiveDays, Unit::Days);
                }
                if has(Family::Trend) && window.is_some() {
                    columns.push("trend", window, Statistic::Trend, Unit::Events);
                }
                for value in &self.values {
                    if has(Family::Values) {
                        columns.push(
                            &format!("sum_{value}"),
                            window,
                            Statistic::Sum(value.clone()),
                            Unit::AsGiven,
                        );
                        columns.push(
                            &format!("mean_{value}"),
                            window,
                            Statistic::Mean(value.clone()),
                            Unit::AsGiven,
                        );
                    }
                    if has(Family::Max) {
                        columns.push(
                            &format!("max_{value}"),
                            window,
                            Statistic::Max(value.clone()),
                            Unit::AsGiven,
                        );
                    }
                }
            }
            if has(Family::Share) && kind.filter != EventFilter::All {
                columns.push("share", None, Statistic::Share, Unit::Share);
            }
            if has(Family::Decay) {
                for &half_life in &config.half_lives {
                    columns.push(
                        &format!("decay.{half_life}"),
                        None,
                        Statistic::Decayed(half_life),
                        Unit::Events,
                    );
                }
            }
            if has(Family::Gaps) && kind.filter == EventFilter::All {
                columns.push("gap_mean", None, Statistic::MeanGapDays, Unit::Days);
                columns.push("gap_max", None, Statistic::MaxGapDays, Unit::Days);
            }
            if has(Family::Reply) {
                columns.push("reply", None, Statistic::ReplyDays, Unit::Days);
            }
        }
        if has(Family::Sequence) {
            self.plan_sequences(name, &kinds[1..], config, plan);
        }
        if has(Family::Combinations) {
            self.plan_combinations(name, config, &windows, plan);
        }
        if has(Family::Latest) {
            let mut columns = EventColumns {
                table: name,
                kind: &kinds[0],
                plan,
                of_peers: false,
            };
            for (column, _) in &self.kinds {
                columns.push(
                    &format!("latest_{column}"),
                    None,
                    Statistic::LatestKind(column.clone()),
                    Unit::Level,
                );
            }
            for value in &self.values {
                columns.push(
                    &format!("latest_{value}"),
                    None,
                    Statistic::LatestValue(value.clone()),
                    Unit::AsGiven,
                );
            }
        }
        if has(Family::Account) && survey.has_accounts && !self.of_accounts {
            for kind in &kinds {
                let mut columns = EventColumns {
                    table: name,
                    kind,
                    plan,
                    of_peers: true,
                };
                columns.push("recency", None, Statistic::RecencyDays, Unit::Days);
                for &window in &windows {
                    columns.push("count", window, Statistic::Count, Unit::Events);
                    if kind.filter == EventFilter::All {
                        for value in &self.values {
                            columns.push(
                                &format!("sum_{value}"),
                                window,
                                Statistic::Sum(value.clone()),
                                Unit::AsGiven,
                            );
                            columns.push(
                                &format!("mean_{value}"),
                                window,
                                Statistic::Mean(value.clone()),
                                Unit::AsGiven,
                            );
                        }
                    }
                }
            }
        }
    }

    fn plan_sequences(&self, name: &str, kinds: &[Kind], config: &FeaturesConfig, plan: &mut Plan) {
        for (column, counts) in &self.kinds {
            let frequent: Vec<String> = by_frequency(counts, config.max_sequence_kinds);
            let chosen: Vec<&Kind> =
                kinds.iter().filter(|kind| matches!(&kind.filter, EventFilter::Is(name, value) if name == column && frequent.contains(value))).collect();
            for kind in &chosen {
                for after in chosen.iter().filter(|after| after.filter != kind.filter) {
                    let mut columns = EventColumns {
                        table: name,
                        kind,
                        plan,
                        of_peers: false,
                    };
                    columns.push(
                        &format!("after.{}", after.short),
                        None,
                        Statistic::Follows(after.filter.clone()),
                        Unit::Flag,
                    );
                }
            }
        }
    }

    fn plan_combinations(
        &self,
        name: &str,
        config: &FeaturesConfig,
        windows: &[Option<Span>],
        plan: &mut Plan,
    ) {
        for (&(a, b), counts) in &self.pairs {
            let (first, second) = (&self.kinds[a].0, &self.kinds[b].0);
            for (x, y) in by_frequency(counts, config.max_kinds) {
                let short = format!("{first}={x}&{second}={y}");
                let filter = EventFilter::Each(vec![(first.clone(), x), (second.clone(), y)]);
                let kind = Kind {
                    prefix: format!("{name}.{short}"),
                    short,
                    filter,
                };
                let mut columns = EventColumns {
                    table: name,
                    kind: &kind,
                    plan,
                    of_peers: false,
                };
                columns.push("recency", None, Statistic::RecencyDays, Unit::Days);
                for &window in windows {
                    columns.push("count", window, Statistic::Count, Unit::Events);
                }
            }
        }
    }
}

/// Adds columns of one kind of events to a plan.
struct EventColumns<'a> {
    table: &'a str,
    kind: &'a Kind,
    plan: &'a mut Plan,
    of_peers: bool,
}

impl EventColumns<'_> {
    fn push(&mut self, what: &str, window: Option<Span>, statistic: Statistic, unit: Unit) {
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
        let (table, kind) = (self.table.to_owned(), self.kind.filter.clone());
        if unit == Unit::Level {
            self.plan.category(
                name,
                FeatureSource::Activity {
                    table,
                    kind,
                    window,
                    statistic,
                },
            );
        } else if self.of_peers {
            self.plan.number(
                name,
                FeatureSource::Peers {
                    table,
                    kind,
                    window,
                    statistic,
                },
                unit,
            );
        } else {
            self.plan.number(
                name,
                FeatureSource::Activity {
                    table,
                    kind,
                    window,
                    statistic,
                },
                unit,
            );
        }
    }
}
