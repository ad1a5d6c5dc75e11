//! `rules`: manual points of open leads, one lead's points rule by rule, and whether rules fit the tables.

use std::path::Path;

use anyhow::Context;
use leadscore_core::{Snapshot, Timestamp};
use leadscore_features::{labelled_snapshots, scoring_snapshots};
use leadscore_rules::{BoundRules, Grade, PointsScore, RulesFile};
use leadscore_tables::{ConfigError, LoadOptions, OutColumn, OutTable, Tables, check_table_target, write_table};

use crate::args::{RulesArgs, RulesCommand, RulesExplainArgs, RulesScoreArgs};
use crate::commands::Outcome;
use crate::commands::explain::find_lead;
use crate::commands::score::next_midnight;
use crate::project::{Project, describe_counts, now};
use crate::show::{self, ConfigFailure};

pub(crate) fn run(command: &RulesCommand) -> anyhow::Result<Outcome> {
    match command {
        RulesCommand::Score(args) => score(args),
        RulesCommand::Explain(args) => explain(args),
        RulesCommand::History(args) => history(args),
        RulesCommand::Check(args) => check(args),
    }
}

/// Reads rules, and binds them to tables that hold all that they may name, and to the features of these snapshots; returns
/// their text, too.
fn bind(path: &Path, project: &Project, tables: &Tables, snapshots: &[Snapshot]) -> anyhow::Result<(BoundRules, String)> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the rules {}", path.display()))?;
    let bound = RulesFile::parse(&text).and_then(|file| {
        let features = if file.needs_features() { leadscore_features::survey(tables, snapshots).plan(&project.config.features).specs } else { Vec::new() };
        BoundRules::new(file, tables, &features)
    });
    match bound {
        Ok(rules) => Ok((rules, text)),
        Err(error) => Err(ConfigFailure { path: path.to_owned(), text, error }.into()),
    }
}

/// Points by a file of rules.
pub(crate) struct RulePoints {
    /// Name of the score.
    pub(crate) name: String,
    /// Points of each snapshot, the fewest for who is disqualified.
    pub(crate) points: Vec<f64>,
    /// The lowest threshold of the file.
    pub(crate) threshold: Option<f64>,
}

/// Points of these snapshots by rules.
pub(crate) fn points_of(path: &Path, project: &Project, snapshots: &[Snapshot]) -> anyhow::Result<RulePoints> {
    // A model's tables hold the attributes that it reads, and rules may read others.
    let tables = leadscore_tables::load(&project.config, &project.folder, &LoadOptions { now: Some(now()), ..Default::default() })?;
    let (rules, _) = bind(path, project, &tables, snapshots)?;
    let points = rules.score(&tables, snapshots)?.into_iter().map(|score| score.points).collect();
    let file = rules.file();
    Ok(RulePoints { name: file.score.name.clone(), points, threshold: file.thresholds().last().map(|threshold| threshold.from) })
}

/// Rules beside the tables that they are for.
struct Bench {
    project: Project,
    tables: Tables,
    rules: BoundRules,
    rules_text: String,
    as_of: Timestamp,
}

impl Bench {
    fn open(args: &RulesArgs) -> anyhow::Result<Self> {
        let project = Project::open(&args.config.config)?;
        let requested = project.moments("--as-of", args.as_of.as_ref())?;
        let tables = project.load(&LoadOptions { as_of: requested, ..Default::default() })?;
        let as_of = requested.unwrap_or_else(|| next_midnight(tables.observation_end));
        let (rules, rules_text) = bind(&args.rules, &project, &tables, &scoring_snapshots(&tables, as_of).at_risk)?;
        Ok(Self { project, tables, rules, rules_text, as_of })
    }

    /// Every open lead with its points.
    fn score(&self) -> anyhow::Result<(Vec<Snapshot>, Vec<PointsScore>)> {
        let open = scoring_snapshots(&self.tables, self.as_of).at_risk;
        let scores = self.rules.score(&self.tables, &open)?;
        Ok((open, scores))
    }

    /// The points of one lead.
    fn point_of(&self, lead: u32, as_of: Timestamp) -> anyhow::Result<PointsScore> {
        // A flat export has a place in its order for each lead, and no dates.
        let of_order = || scoring_snapshots(&self.tables, self.as_of).at_risk.into_iter().find(|key| key.lead == lead);
        let at = if self.project.config.is_flat() { of_order().map_or(as_of, |key| key.at) } else { as_of };
        Ok(self.rules.score(&self.tables, &[Snapshot { lead, at }])?.remove(0))
    }

    fn rule_text(&self, score: &PointsScore) -> String {
        let mut contributions = score.contributions.clone();
        contributions.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()).then(a.rule.cmp(&b.rule)));
        contributions
            .iter()
            .map(|contribution| format!("{} {:+}", self.rules.rule_name(contribution.rule), rounded(contribution.points)))
            .collect::<Vec<_>>()
            .join("; ")
    }
}

fn rounded(points: f64) -> f64 {
    (points * 10.0).round() / 10.0
}

/// The first of these, highest first, that the points reach.
fn reached(grades: &[Grade], points: f64) -> Option<String> {
    grades.iter().find(|grade| points >= grade.from).map(|grade| grade.name.clone())
}

fn score(args: &RulesScoreArgs) -> anyhow::Result<Outcome> {
    check_table_target(&args.output)?;
    let bench = Bench::open(&args.rules)?;
    let (open, scores) = bench.score()?;
    let table = points_table(&bench, &open, &scores);
    write_table(&args.output, &table)?;
    let file = bench.rules.file();
    for threshold in file.thresholds() {
        let n = scores.iter().filter(|score| score.points >= threshold.from && score.disqualified_by.is_none()).count();
        show::remark(&format!("{} of {} open leads reach `{}` ({} points)", show::count(n), show::count(open.len()), threshold.name, threshold.from));
    }
    show::remark(&format!("wrote {}", args.output.display()));
    Ok(Outcome::Done)
}

fn points_table(bench: &Bench, snapshots: &[Snapshot], scores: &[PointsScore]) -> OutTable {
    let file = bench.rules.file();
    let mut table = OutTable::default();
    let texts = |values: Vec<Option<String>>| OutColumn::Text(values);
    table.push(&bench.tables.leads.id_column, texts(snapshots.iter().map(|key| Some(bench.tables.leads.ids[key.lead as usize].clone())).collect()));
    if !bench.project.config.is_flat() {
        table.push("as_of", OutColumn::Time(snapshots.iter().map(|key| Some(key.at)).collect()));
    }
    table.push(&file.score.name, OutColumn::Number(scores.iter().map(|score| score.points).collect()));
    let (grades, thresholds) = (file.grades(), file.thresholds());
    let in_queue = |score: &PointsScore| score.disqualified_by.is_none();
    if !grades.is_empty() {
        table.push("grade", texts(scores.iter().map(|score| reached(&grades, score.points)).collect()));
    }
    if !thresholds.is_empty() {
        table.push("threshold", texts(scores.iter().map(|score| in_queue(score).then(|| reached(&thresholds, score.points)).flatten()).collect()));
    }
    table.push("disqualified_by", texts(scores.iter().map(|score| score.disqualified_by.map(|rule| bench.rules.rule_name(rule).to_owned())).collect()));
    table.push("rules", texts(scores.iter().map(|score| Some(bench.rule_text(score))).collect()));
    table
}

/// Every snapshot at which a lead was open, with its points as of then; the label where its window has ended.
fn history(args: &RulesScoreArgs) -> anyhow::Result<Outcome> {
    check_table_target(&args.output)?;
    let bench = Bench::open(&args.rules)?;
    let (labelled, counts) = labelled_snapshots(&bench.tables, &bench.project.config.snapshots, Some(bench.as_of));
    show::remark(&describe_counts(&counts, &bench.project));
    let n_mature = labelled.snapshots.len();
    let snapshots: Vec<Snapshot> = labelled.snapshots.iter().chain(&labelled.immature).copied().collect();
    let scores = bench.rules.score(&bench.tables, &snapshots)?;
    let mut table = points_table(&bench, &snapshots, &scores);
    let label = |row: usize| labelled.labels.get(row).map(|label| i64::from(*label));
    table.push("label", OutColumn::Integer((0..snapshots.len()).map(label).collect()));
    table.push("mature", OutColumn::Boolean((0..snapshots.len()).map(|row| row < n_mature).collect()));
    write_table(&args.output, &table)?;
    show::remark(&format!("wrote {}", args.output.display()));
    Ok(Outcome::Done)
}

fn explain(args: &RulesExplainArgs) -> anyhow::Result<Outcome> {
    let bench = Bench::open(&args.rules)?;
    let lead = find_lead(&bench.tables, &args.lead)?;
    let score = bench.point_of(lead, bench.as_of)?;
    let mut rows: Vec<Vec<String>> = score
        .contributions
        .iter()
        .map(|contribution| vec![bench.rules.rule_name(contribution.rule).to_owned(), format!("{:+}", rounded(contribution.points))])
        .collect();
    for (name, points) in [("everyone's base", bench.rules.file().score.base), ("caps of groups", score.group_caps), ("bounds of the score", score.bounds)] {
        if points != 0.0 {
            rows.push(vec![name.to_owned(), format!("{:+}", rounded(points))]);
        }
    }
    let file = bench.rules.file();
    if let Some(rule) = score.disqualified_by {
        rows.push(vec![format!("disqualified by \"{}\"", bench.rules.rule_name(rule)), String::new()]);
    }
    rows.push(vec![file.score.name.clone(), rounded(score.points).to_string()]);
    let mut lines = vec![format!("lead {}", args.lead), show::table(&["rule", "points"], &rows)];
    let next = file.thresholds().into_iter().rev().find(|threshold| score.points < threshold.from);
    lines.extend(reached(&file.grades(), score.points).map(|grade| format!("grade {grade}")));
    lines.extend(next.map(|next| format!("{} points to `{}`", rounded(next.from - score.points), next.name)));
    show::result(&lines.join("\n"));
    Ok(Outcome::Done)
}

fn check(args: &RulesArgs) -> anyhow::Result<Outcome> {
    let bench = Bench::open(args)?;
    let (open, scores) = bench.score()?;
    let mut counts = vec![(0_usize, 0.0); bench.rules.file().rules.len()];
    for contribution in scores.iter().flat_map(|score| &score.contributions) {
        counts[contribution.rule].0 += 1;
        counts[contribution.rule].1 += contribution.points;
    }
    // A rule that only disqualifies contributes no points.
    for rule in scores.iter().filter_map(|score| score.disqualified_by).filter(|&rule| bench.rules.file().rules[rule].points == 0.0) {
        counts[rule].0 += 1;
    }
    let rows: Vec<Vec<String>> = counts
        .iter()
        .enumerate()
        .map(|(rule, (n, sum))| {
            let mean = if *n == 0 { String::new() } else { format!("{:+}", rounded(sum / *n as f64)) };
            vec![bench.rules.rule_name(rule).to_owned(), show::count(*n), mean]
        })
        .collect();
    show::result(&show::table(&["rule", "open leads", "mean points"], &rows));
    let unused: Vec<&str> = counts.iter().enumerate().filter(|(_, (n, _))| *n == 0).map(|(rule, _)| bench.rules.rule_name(rule)).collect();
    if !unused.is_empty() {
        show::remark(&format!("of {} open leads, no rule of these applies to any: {}", show::count(open.len()), unused.join(", ")));
    }
    let failures = failed_examples(&bench, &args.rules)?;
    failures.iter().for_each(show::error);
    Ok(if failures.is_empty() { Outcome::Done } else { Outcome::No })
}

/// Examples of the file that do not hold, each with its place.
fn failed_examples(bench: &Bench, path: &Path) -> anyhow::Result<Vec<anyhow::Error>> {
    let mut failures = Vec::new();
    for example in &bench.rules.file().examples {
        let fail = |message: String, help: String| {
            let error = ConfigError { message, help: Some(help), span: Some(example.lead.span()) };
            anyhow::Error::from(ConfigFailure { path: path.to_owned(), text: bench.rules_text.clone(), error })
        };
        let id = example.lead.get_ref();
        match find_lead(&bench.tables, id) {
            Err(error) => failures.push(fail(error.to_string(), "an example is a lead of these tables".to_owned())),
            Ok(lead) => {
                let score = bench.point_of(lead, example.as_of.map_or(bench.as_of, |moment| moment.0))?;
                if (score.points - example.points).abs() > 0.05 {
                    let found = format!("lead `{id}` has {} points, and the example says {}", rounded(score.points), example.points);
                    failures.push(fail(found, format!("it got {}", bench.rule_text(&score))));
                }
            }
        }
    }
    Ok(failures)
}
