//! A row an account: the points of its open leads put together.

use leadscore_core::Snapshot;
use leadscore_io::{OutColumn, OutTable};
use leadscore_rules::PointsScore;

use super::bench::Bench;
use super::columns::column_name;
use super::reached::reached;
use crate::error::bail;

/// How points of an account's open leads are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollUp {
    /// The largest.
    Max,
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
}

/// The points of each account; who is disqualified does not count.
pub(super) fn rolled_up(
    bench: &Bench<'_>,
    how: RollUp,
    open: &[Snapshot],
    scores: &[Vec<PointsScore>],
) -> crate::Result<OutTable> {
    let Some(account_of_lead) = &bench.tables.leads.accounts else {
        bail!(
            "--roll-up needs to know the account of each lead\n  hint: name the column with the account as `account` of [leads]"
        );
    };
    let names = &bench.tables.leads.account_names;
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    for (row, key) in open.iter().enumerate() {
        if let Some(rows) = rows.get_mut(account_of_lead[key.lead as usize] as usize) {
            rows.push(row);
        }
    }
    let accounts: Vec<usize> = (0..names.len())
        .filter(|&account| !rows[account].is_empty())
        .collect();
    let mut table = account_table(bench, &accounts, &rows);
    for (scheme, scores) in bench.schemes.iter().zip(scores) {
        let file = scheme.rules.file();
        let points: Vec<f64> = accounts
            .iter()
            .map(|&account| put_together(how, rows[account].iter().map(|&row| &scores[row])))
            .collect();
        for (what, bands) in [("grade", file.grades()), ("threshold", file.thresholds())] {
            if !bands.is_empty() {
                table.push(
                    &column_name(bench, scheme, what),
                    OutColumn::Text(
                        points
                            .iter()
                            .map(|&points| reached(&bands, points))
                            .collect(),
                    ),
                );
            }
        }
        table.push(file.score.name.get_ref(), OutColumn::Number(points));
    }
    Ok(table)
}

/// Accounts with the number of their open leads, whose rows these are.
fn account_table(bench: &Bench<'_>, accounts: &[usize], rows: &[Vec<usize>]) -> OutTable {
    let names = &bench.tables.leads.account_names;
    let account = bench.data.config.leads.account.as_deref();
    let mut table = OutTable::default();
    table.push(
        account.unwrap_or("account"),
        OutColumn::Text(
            accounts
                .iter()
                .map(|&account| Some(names[account].clone()))
                .collect(),
        ),
    );
    table.push(
        "as_of",
        OutColumn::Time(vec![Some(bench.as_of); accounts.len()]),
    );
    table.push(
        "n_leads",
        OutColumn::Integer(
            accounts
                .iter()
                .map(|&account| i64::try_from(rows[account].len()).ok())
                .collect(),
        ),
    );
    table
}

/// The points of some leads in one number; NaN where none of them counts.
fn put_together<'s>(how: RollUp, scores: impl Iterator<Item = &'s PointsScore>) -> f64 {
    let points: Vec<f64> = scores
        .filter(|score| score.disqualified_by.is_none() && !score.points.is_nan())
        .map(|score| score.points)
        .collect();
    if points.is_empty() {
        return f64::NAN;
    }
    let sum: f64 = points.iter().sum();
    match how {
        RollUp::Max => points.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        RollUp::Sum => sum,
        RollUp::Mean => sum / points.len() as f64,
    }
}
