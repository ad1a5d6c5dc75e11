//! Which features these tables can give: decided once, on what was known at training time, and kept in the model.

use std::collections::BTreeMap;

use leadscore_core::{AttributeTable, CreatedPart, FeatureKind, FeatureSource, FeatureSpec, Snapshot, Span, Statistic, Timestamp, Unit};
use leadscore_tables::{Activities, Attribute, Column, FeaturesConfig, MISSING, Tables};

/// Two years: from then on a month of the year can be told from the trend.
const YEARS_FOR_MONTHS: Span = Span::from_days(730);

/// The features for these snapshots: attributes, lookups, calendar of creation, age, and statistics of activities.
///
/// Kinds of an activity get columns of their own by the number of events that the snapshots' leads could see at their last
/// snapshot; what comes after, and other leads, leave no trace.
pub fn plan(tables: &Tables, config: &FeaturesConfig, snapshots: &[Snapshot]) -> Vec<FeatureSpec> {
    let mut specs = Vec::new();
    let last = snapshots.iter().map(|snapshot| snapshot.at).max().unwrap_or(Timestamp::MIN);
    let first = snapshots.iter().map(|snapshot| snapshot.at).min().unwrap_or(last);
    let mut last_by_lead: BTreeMap<u32, Timestamp> = BTreeMap::new();
    for snapshot in snapshots {
        let seen = last_by_lead.entry(snapshot.lead).or_insert(snapshot.at);
        *seen = snapshot.at.max(*seen);
    }
    for attribute in &tables.leads.attributes {
        specs.push(attribute_spec(AttributeTable::Leads, attribute));
    }
    for lookup in &tables.lookups {
        for attribute in &lookup.attributes {
            specs.push(attribute_spec(AttributeTable::Lookup(lookup.name.clone()), attribute));
        }
    }
    let stamps = || last_by_lead.keys().filter_map(|&lead| tables.leads.created[lead as usize]);
    if stamps().next().is_some() {
        let mut created = |part, name: &str, kind, unit| specs.push(FeatureSpec { name: name.to_owned(), source: FeatureSource::Created(part), kind, unit });
        created(CreatedPart::Weekday, "created.weekday", FeatureKind::Category, Unit::Level);
        created(CreatedPart::DayOfMonth, "created.day_of_month", FeatureKind::Number, Unit::Days);
        if stamps().any(|stamp| stamp.start == stamp.known) {
            created(CreatedPart::Hour, "created.hour", FeatureKind::Number, Unit::Hours);
        }
        if first + YEARS_FOR_MONTHS <= last {
            created(CreatedPart::Month, "created.month", FeatureKind::Category, Unit::Level);
        }
        specs.push(FeatureSpec { name: "age".to_owned(), source: FeatureSource::AgeDays, kind: FeatureKind::Number, unit: Unit::Days });
    }
    for activities in &tables.activities {
        activity_specs(activities, config, &last_by_lead, &mut specs);
    }
    specs
}

fn attribute_spec(table: AttributeTable, attribute: &Attribute) -> FeatureSpec {
    let prefix = match &table {
        AttributeTable::Leads => String::new(),
        AttributeTable::Lookup(name) => format!("{name}."),
    };
    let (kind, unit) = match attribute.column {
        Column::Number(_) => (FeatureKind::Number, Unit::AsGiven),
        Column::Category { .. } => (FeatureKind::Category, Unit::Level),
    };
    FeatureSpec { name: format!("{prefix}{}", attribute.name), source: FeatureSource::Attribute { table, column: attribute.name.clone() }, kind, unit }
}

fn activity_specs(activities: &Activities, config: &FeaturesConfig, last_by_lead: &BTreeMap<u32, Timestamp>, specs: &mut Vec<FeatureSpec>) {
    let mut kinds: Vec<Option<(String, String)>> = vec![None];
    for (column, codes, levels) in &activities.kinds {
        let mut counts = vec![0_usize; levels.len()];
        for (&lead, &last) in last_by_lead {
            for event in activities.events_of(lead as usize) {
                if codes[event] != MISSING && activities.known[event] < last && activities.at[event] < last {
                    counts[codes[event] as usize] += 1;
                }
            }
        }
        // Levels are sorted by name, and the sort is stable: ties go by name.
        let mut order: Vec<usize> = (0..levels.len()).filter(|&code| counts[code] > 0).collect();
        order.sort_by_key(|&code| std::cmp::Reverse(counts[code]));
        kinds.extend(order.into_iter().take(config.max_kinds).map(|code| Some((column.clone(), levels[code].clone()))));
    }
    let mut windows: Vec<Option<Span>> = config.windows.iter().copied().map(Some).collect();
    windows.push(None);
    for kind in &kinds {
        let prefix = match kind {
            None => activities.name.clone(),
            Some((column, value)) if activities.kinds.len() > 1 => format!("{}.{column}={value}", activities.name),
            Some((_, value)) => format!("{}.{value}", activities.name),
        };
        let mut push = |statistic: Statistic, window: Option<Span>, what: &str, unit: Unit| {
            let ending = match (&statistic, window) {
                (Statistic::RecencyDays, _) => String::new(),
                (_, Some(window)) => format!(".{window}"),
                (_, None) => ".ever".to_owned(),
            };
            specs.push(FeatureSpec {
                name: format!("{prefix}.{what}{ending}"),
                source: FeatureSource::Activity { table: activities.name.clone(), kind: kind.clone(), window, statistic },
                kind: FeatureKind::Number,
                unit,
            });
        };
        push(Statistic::RecencyDays, None, "recency", Unit::Days);
        for &window in &windows {
            push(Statistic::Count, window, "count", Unit::Events);
            for column in &activities.values {
                push(Statistic::Sum(column.name.clone()), window, &format!("sum_{}", column.name), Unit::AsGiven);
                push(Statistic::Mean(column.name.clone()), window, &format!("mean_{}", column.name), Unit::AsGiven);
            }
        }
    }
}
