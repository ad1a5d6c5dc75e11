//! The report's tables as rows of cells: what the workbook and Markdown have in common.

use leadscore_metrics::{Estimate, TierRow};

use crate::data::{Backtest, Breakdown, LeadRow, SwapList, ThresholdSection};
use crate::report::Report;

/// A table with its title.
pub(crate) struct Sheet {
    pub(crate) title: String,
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Whether it is long, and of no use in a text.
    pub(crate) is_list: bool,
}

impl Sheet {
    /// A table that a text shows, too.
    fn table(title: &str, header: Vec<String>, rows: impl Iterator<Item = Vec<Cell>>) -> Self {
        Self {
            title: title.to_owned(),
            header,
            rows: rows.collect(),
            is_list: false,
        }
    }

    /// A long table, for the workbook alone.
    fn list(title: &str, header: Vec<String>, rows: impl Iterator<Item = Vec<Cell>>) -> Self {
        Self {
            is_list: true,
            ..Self::table(title, header, rows)
        }
    }
}

/// What stands in a cell.
pub(crate) enum Cell {
    Text(String),
    Count(f64),
    /// 0 to 1, shown in per cent.
    Share(f64),
    Number(f64),
    /// As it is, with all its digits.
    Plain(f64),
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

fn optional(value: Option<f64>, cell: fn(f64) -> Cell) -> Cell {
    value.map_or(Cell::Empty, cell)
}

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// An estimate in three cells.
fn three(estimate: Estimate, cell: fn(f64) -> Cell) -> [Cell; 3] {
    [
        cell(estimate.value),
        cell(estimate.low),
        cell(estimate.high),
    ]
}

/// Every table of the report, in order.
pub(crate) fn sheets(report: &Report) -> Vec<Sheet> {
    let measured = &report.measured;
    let mut sheets = vec![verdict(report), scores(report)];
    sheets.extend(differences(report));
    sheets.push(tiers(report));
    sheets.extend(migration(report));
    sheets.extend(measured.thresholds.iter().map(thresholds));
    sheets.extend(measured.breakdowns.iter().map(breakdown));
    sheets.extend(measured.backtest.as_ref().map(retraining));
    sheets.push(reliability(report));
    sheets.extend(measured.swap_lists.iter().map(swap_list));
    sheets.push(surprises(report));
    sheets.push(influences(report));
    sheets
}

fn verdict(report: &Report) -> Sheet {
    let verdict = &report.verdict;
    let lines = [
        ("headline", verdict.headline.as_str()),
        ("summary", verdict.summary.as_str()),
    ];
    let findings = verdict
        .findings
        .iter()
        .map(|finding| (finding.answer.name(), finding.text.as_str()));
    let rows = lines
        .into_iter()
        .chain(findings)
        .map(|(name, text)| vec![Cell::from(name), Cell::from(text)]);
    Sheet::table("Verdict", header(&["", "finding"]), rows)
}

fn scores(report: &Report) -> Sheet {
    let rows = report.measured.comparison.scores.iter().map(|score| {
        let mut row = vec![Cell::from(score.name.as_str())];
        row.extend(three(score.ranking.roc_auc, Cell::Number));
        row.push(Cell::Number(score.ranking.average_precision.value));
        row.extend(three(score.ranking.capture_top_quartile, Cell::Share));
        row.extend([
            Cell::Count(score.at_capacity.n_called.round()),
            Cell::Count(score.at_capacity.n_won.round()),
        ]);
        row.extend(three(score.at_capacity.precision, Cell::Share));
        row.push(Cell::Number(score.at_capacity.customers));
        row.push(optional(
            score
                .at_capacity
                .customers_a_month
                .map(|customers| customers.value),
            Cell::Number,
        ));
        row.extend([
            Cell::Number(score.log_loss.value),
            Cell::Number(score.brier_loss.value),
            optional(score.top_to_bottom, Cell::Number),
        ]);
        row
    });
    let names = [
        "score",
        "AUC",
        "low",
        "high",
        "average precision",
        "capture rate at 25 %",
        "low",
        "high",
        "called",
        "precision at capacity",
        "share won",
        "low",
        "high",
        "customers",
        "customers a month",
        "log-loss",
        "Brier loss",
        "top-to-bottom quartile ratio",
    ];
    Sheet::table("Scores", header(&names), rows)
}

/// The model against each of the other scores; none where there is no other.
fn differences(report: &Report) -> Option<Sheet> {
    let paired = &report.measured.comparison.paired;
    let rows = paired.iter().map(|pair| {
        let mut row = vec![
            Cell::from(pair.against.as_str()),
            Cell::from(verdict_name(pair.verdict)),
        ];
        row.extend(three(pair.auc_difference, Cell::Number));
        row.extend(three(pair.customers_difference, Cell::Number));
        row.extend(three(pair.log_loss_difference, Cell::Number));
        row
    });
    let names = [
        "against",
        "the model is",
        "AUC difference",
        "low",
        "high",
        "customers more",
        "low",
        "high",
        "log-loss difference",
        "low",
        "high",
    ];
    (!paired.is_empty()).then(|| Sheet::table("Differences", header(&names), rows))
}

fn tiers(report: &Report) -> Sheet {
    let (evaluation, comparison) = (&report.measured.evaluation, &report.measured.comparison);
    let own = report
        .data
        .tiers_from
        .as_ref()
        .map_or("model".to_owned(), |edges| format!("model, from {edges}"));
    // Beside tiers of its own, the quartiles that others are compared with.
    let first_compared =
        usize::from(report.data.tiers_from.is_none() || comparison.paired.is_empty());
    let others =
        comparison.scores[first_compared..]
            .iter()
            .map(|score| match report.data.tiers_from {
                Some(_) => (format!("{}, quartiles", score.name), &score.tiers),
                None => (score.name.clone(), &score.tiers),
            });
    let tiers = std::iter::once((own, &evaluation.tiers)).chain(others);
    let rows = tiers.flat_map(|(name, rows)| {
        rows.iter()
            .map(|row| tier_row(&name, row))
            .collect::<Vec<_>>()
    });
    let mut names = header(&TIER_HEADER);
    if report.data.tiers_from.is_some() {
        "tiers by".clone_into(&mut names[0]);
    }
    Sheet::table("Tiers", names, rows)
}

/// Snapshots by quartile of the model and of each other score; none where there is no other.
fn migration(report: &Report) -> Option<Sheet> {
    let (tiers, paired) = (
        &report.measured.evaluation.tiers,
        &report.measured.comparison.paired,
    );
    let rows = paired.iter().flat_map(|pair| {
        pair.migration
            .iter()
            .enumerate()
            .flat_map(move |(down, cells)| {
                cells.iter().enumerate().map(move |(across, cell)| {
                    let name = |idx: usize| Cell::from(tiers[idx].tier.as_str());
                    vec![
                        Cell::from(pair.against.as_str()),
                        name(down),
                        name(across),
                        Cell::Count(cell.n_rows as f64),
                        Cell::Count(cell.n_wins as f64),
                    ]
                })
            })
    });
    let names = [
        "against",
        "quartile by it",
        "quartile by the model",
        "snapshots",
        "won",
    ];
    (!paired.is_empty()).then(|| Sheet::list("Migration", header(&names), rows))
}

fn thresholds(section: &ThresholdSection) -> Sheet {
    let table = &section.table;
    let rows = table.rows.iter().enumerate().map(|(idx, row)| {
        let remarks: Vec<&str> = [
            (table.today, "today"),
            (table.fits_capacity, "fits the capacity"),
            (table.earns_most, "earns most"),
        ]
        .into_iter()
        .filter_map(|(at, name)| (at == Some(idx)).then_some(name))
        .collect();
        vec![
            Cell::Number(row.threshold),
            Cell::Count(row.n_leads as f64),
            optional(row.leads_a_week, Cell::Number),
            Cell::Count(row.n_wins as f64),
            Cell::Share(row.win_rate),
            Cell::Share(row.interval.low),
            Cell::Share(row.interval.high),
            optional(row.earns, Cell::Number),
            Cell::Text(remarks.join(", ")),
        ]
    });
    let names = [
        "from", "leads", "a week", "won", "rate", "low", "high", "earns", "remark",
    ];
    let title = format!("Thresholds of {}", section.score);
    Sheet::list(&title, header(&names), rows)
}

fn breakdown(breakdown: &Breakdown) -> Sheet {
    let mut names = header(&[
        breakdown.by.name(),
        "snapshots",
        "won",
        "win rate",
        "low",
        "high",
        "predicted",
    ]);
    names.extend(
        breakdown
            .scores
            .iter()
            .map(|score| format!("AUC of {score}")),
    );
    let rows = breakdown.rows.iter().map(|row| {
        let mut cells = vec![
            Cell::from(row.name.as_str()),
            Cell::Count(row.n_rows as f64),
            Cell::Count(row.n_wins as f64),
            Cell::Share(row.win_rate),
            Cell::Share(row.interval.low),
            Cell::Share(row.interval.high),
            Cell::Share(row.mean_probability),
        ];
        cells.extend((0..breakdown.scores.len()).map(|score| {
            row.aucs
                .get(score)
                .map_or(Cell::Empty, |auc| Cell::Number(auc.value))
        }));
        cells
    });
    Sheet::table(&format!("By {}", breakdown.by.name()), names, rows)
}

fn retraining(backtest: &Backtest) -> Sheet {
    let rows = backtest.cadences.iter().map(|cadence| {
        let (mean, low, high) = cadence.difference;
        vec![
            Cell::from(cadence.name.as_str()),
            Cell::Count(cadence.n_models as f64),
            cadence
                .all
                .aucs
                .first()
                .map_or(Cell::Empty, |auc| Cell::Number(auc.value)),
            Cell::Number(cadence.log_loss),
            Cell::Number(mean),
            Cell::Number(low),
            Cell::Number(high),
        ]
    });
    let names = [
        "retrained",
        "models",
        "AUC",
        "log-loss",
        "less than never",
        "low",
        "high",
    ];
    Sheet::table("Retraining", header(&names), rows)
}

fn reliability(report: &Report) -> Sheet {
    let rows = report.measured.evaluation.calibration.iter().map(|bin| {
        vec![
            Cell::Share(bin.mean_probability),
            Cell::Count(bin.n_rows as f64),
            Cell::Count(bin.n_wins as f64),
            Cell::Share(bin.win_rate),
            Cell::Share(bin.interval.low),
            Cell::Share(bin.interval.high),
        ]
    });
    let names = ["predicted", "snapshots", "won", "observed", "low", "high"];
    Sheet::table("Reliability", header(&names), rows)
}

fn swap_list(list: &SwapList) -> Sheet {
    let lists = [
        ("the model", &list.only_model),
        (list.against.as_str(), &list.only_baseline),
    ];
    let mut names = header(&["only called by"]);
    names.extend(header(&LEAD_HEADER));
    let rows = lists.into_iter().flat_map(|(who, rows)| {
        rows.iter().map(move |row| {
            let mut cells = vec![Cell::from(who)];
            cells.extend(lead_row(row));
            cells
        })
    });
    Sheet::list(&format!("Swap set, {}", list.against), names, rows)
}

fn surprises(report: &Report) -> Sheet {
    let rows = [
        ("high, not won", &report.measured.surprises.high_not_won),
        ("low, won", &report.measured.surprises.low_won),
    ]
    .into_iter()
    .flat_map(|(what, rows)| {
        rows.iter().map(move |row| {
            let mut cells = vec![Cell::from(what)];
            cells.extend(lead_row(row));
            cells
        })
    });
    let mut names = header(&["likelihood"]);
    names.extend(header(&LEAD_HEADER));
    Sheet::list("Surprises", names, rows)
}

fn influences(report: &Report) -> Sheet {
    let rows = report.influences.iter().map(|influence| {
        vec![
            Cell::from(influence.feature.as_str()),
            Cell::Number(influence.range),
        ]
    });
    Sheet::list(
        "What moves the score",
        header(&["feature", "log-odds"]),
        rows,
    )
}

const TIER_HEADER: [&str; 10] = [
    "quartiles by",
    "tier",
    "snapshots",
    "share",
    "won",
    "rate",
    "low",
    "high",
    "median days to close",
    "amount won",
];
const LEAD_HEADER: [&str; 6] = [
    "lead",
    "snapshot",
    "likelihood in %",
    "baseline score",
    "what became of it",
    "reasons",
];

fn tier_row(name: &str, row: &TierRow) -> Vec<Cell> {
    vec![
        Cell::from(name),
        Cell::from(row.tier.as_str()),
        Cell::Count(row.n_rows as f64),
        Cell::Share(row.share),
        Cell::Count(row.n_wins as f64),
        Cell::Share(row.win_rate),
        Cell::Share(row.interval.low),
        Cell::Share(row.interval.high),
        optional(row.median_days_to_close, Cell::Number),
        optional(row.revenue, Cell::Number),
    ]
}

fn lead_row(row: &LeadRow) -> Vec<Cell> {
    vec![
        Cell::from(row.lead.as_str()),
        Cell::from(row.snapshot.as_str()),
        Cell::Number(row.likelihood),
        optional(row.baseline, Cell::Number),
        Cell::from(row.became.as_str()),
        Cell::Text(row.reasons.join("; ")),
    ]
}

fn verdict_name(verdict: leadscore_metrics::PairedVerdict) -> &'static str {
    match verdict {
        leadscore_metrics::PairedVerdict::Better => "better",
        leadscore_metrics::PairedVerdict::Worse => "worse",
        leadscore_metrics::PairedVerdict::NearlyTied => "nearly tied",
        leadscore_metrics::PairedVerdict::CannotTell => "cannot be told",
    }
}
