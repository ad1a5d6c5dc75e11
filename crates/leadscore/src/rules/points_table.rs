//! The table of points: a row a snapshot, and for each file of rules what it makes of it.

use leadscore_core::Snapshot;
use leadscore_io::{OutColumn, OutTable};
use leadscore_rules::PointsScore;

use super::bench::{Bench, Scheme};
use super::columns::column_name;
use super::reached::reached;

/// A row a snapshot: for each file its points, grade, threshold, cell and rules.
pub(super) fn points_table(
    bench: &Bench<'_>,
    snapshots: &[Snapshot],
    scores: &[Vec<PointsScore>],
) -> OutTable {
    let leads = &bench.tables.leads;
    let mut table = OutTable::default();
    table.push(
        &leads.id_column,
        OutColumn::Text(
            snapshots
                .iter()
                .map(|key| Some(leads.ids[key.lead as usize].clone()))
                .collect(),
        ),
    );
    if !bench.data.config.is_flat() {
        table.push(
            "as_of",
            OutColumn::Time(snapshots.iter().map(|key| Some(key.at)).collect()),
        );
    }
    for (scheme, scores) in bench.schemes.iter().zip(scores) {
        add_score(bench, scheme, scores, &mut table);
    }
    table
}

/// Adds the columns of one file of rules.
fn add_score(bench: &Bench<'_>, scheme: &Scheme, scores: &[PointsScore], table: &mut OutTable) {
    let rules = &scheme.rules;
    let file = rules.file();
    table.push(
        file.score.name.get_ref(),
        OutColumn::Number(scores.iter().map(|score| score.points).collect()),
    );
    let mut add = |what: &str, value: &dyn Fn(&PointsScore) -> Option<String>| {
        table.push(
            &column_name(bench, scheme, what),
            OutColumn::Text(scores.iter().map(value).collect()),
        );
    };
    let (grades, thresholds) = (file.grades(), file.thresholds());
    let in_queue = |score: &PointsScore| score.disqualified_by.is_none();
    if !grades.is_empty() {
        add("grade", &|score| reached(&grades, score.points));
    }
    if !thresholds.is_empty() {
        add("threshold", &|score| {
            in_queue(score)
                .then(|| reached(&thresholds, score.points))
                .flatten()
        });
    }
    if file.matrix.is_some() {
        let cell = |score: &PointsScore| {
            score
                .cell
                .filter(|_| in_queue(score))
                .and_then(|cell| rules.cell(cell))
        };
        add("cell", &|score| cell(score).map(|(label, _)| label));
        add("action", &|score| {
            cell(score).and_then(|(_, action)| action.map(str::to_owned))
        });
    }
    add("disqualified_by", &|score| {
        score
            .disqualified_by
            .map(|rule| rules.rule_name(rule).to_owned())
    });
    add("rules", &|score| Some(scheme.rule_text(score)));
}
