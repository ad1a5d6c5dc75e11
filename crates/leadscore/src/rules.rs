//! `rules`: manual points of open leads, one lead's points rule by rule, and whether rules fit the
//! tables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Context, bail};
use leadscore_core::{Snapshot, Timestamp};
use leadscore_features::{labelled_snapshots, scoring_snapshots};
use leadscore_report::count;
use leadscore_rules::{BoundRules, Crossing, Grade, PointsScore, RulesFile};
use leadscore_tables::{
    ConfigError, LoadOptions, Note, OutColumn, OutTable, TableWriter, Tables, folder_of, in_order,
    write_table,
};

use crate::config::read_small_text;
use crate::config_failure::ConfigFailure;
use crate::data::{Data, describe_counts};
use crate::explain::find_lead;
use crate::source::Source;
use crate::text::table as text_table;

/// How points are counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct RulesOptions {
    /// Also say when each threshold and stage was reached, day by day since the lead was created.
    pub crossings: bool,
    /// One row an account in place of one a lead.
    pub roll_up: Option<RollUp>,
}

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

/// A file of rules as it was read.
pub struct ReadRules {
    pub(crate) path: PathBuf,
    text: String,
    pub(crate) file: RulesFile,
}

impl ReadRules {
    /// Reads a file of rules.
    ///
    /// # Errors
    ///
    /// It cannot be read, or a [`ConfigFailure`].
    pub fn open(path: &Path) -> crate::Result<Self> {
        Self::parse(
            read_small_text(path)
                .with_context(|| format!("cannot read the rules {}", path.display()))?,
            path,
        )
    }

    /// Rules by their text, and the path that it was read from or is called by.
    ///
    /// # Errors
    ///
    /// [`ConfigFailure`].
    pub fn parse(text: String, path: &Path) -> crate::Result<Self> {
        match RulesFile::parse(&text) {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                text,
                file,
            }),
            Err(error) => Err(ConfigFailure::new(path, &text, error).into()),
        }
    }

    /// Fails where two columns of what `rules` writes would have one name, whichever of its
    /// commands is called: names of scores and thresholds, and of the columns of the tables, are
    /// the user's own.
    fn check_columns(data: &Data, files: &[Self]) -> crate::Result<()> {
        for (position, read) in files.iter().enumerate() {
            let name = read.file.score.name.get_ref();
            if files[..position]
                .iter()
                .any(|known| known.file.score.name.get_ref() == name)
            {
                bail!(
                    "two files of rules have a score named `{name}`: give [score] of {} another `name`",
                    read.path.display()
                );
            }
        }
        let leads = &data.config.leads;
        let mut taken: BTreeMap<String, String> = BTreeMap::from([(
            leads.id.clone(),
            "the column with the ids of the leads".to_owned(),
        )]);
        taken.extend(leads.account.clone().map(|account| {
            (
                account,
                "the column with the accounts of the leads".to_owned(),
            )
        }));
        for read in files {
            for column in read.own_columns() {
                let name = own_column(files.len(), read.file.score.name.get_ref(), &column);
                if let Some(owner) = taken.insert(
                    name.clone(),
                    format!("a column of the score in {}", read.path.display()),
                ) {
                    bail!(
                        "{} makes a column `{name}`, which is {owner}\n  hint: give the threshold, the score or the column of the leads another name",
                        read.path.display()
                    );
                }
            }
        }
        // A score is not called as a column that it may have one day, either.
        for name in [
            "as_of",
            "n_leads",
            "label",
            "mature",
            "grade",
            "threshold",
            "cell",
            "action",
            "disqualified_by",
            "rules",
            "stage",
            "stage_since",
        ] {
            taken
                .entry(name.to_owned())
                .or_insert_with(|| "a column that `rules` writes beside it".to_owned());
        }
        for read in files {
            let name = &read.file.score.name;
            if let Some(owner) = taken.insert(
                name.get_ref().clone(),
                format!("the score of {}", read.path.display()),
            ) {
                let message = format!("the score is named `{}`, which is {owner}", name.get_ref());
                let span = (!name.span().is_empty()).then(|| name.span());
                return Err(read.failure(ConfigError {
                    message,
                    help: Some("give [score] another `name`".to_owned()),
                    span,
                }));
            }
        }
        Ok(())
    }

    /// Columns of the score beside its points, with one file.
    fn own_columns(&self) -> Vec<String> {
        let file = &self.file;
        let (grades, thresholds, stages) = (file.grades(), file.thresholds(), file.stages());
        let mut columns = Vec::new();
        let mut add = |is_there: bool, names: &[&str]| {
            columns.extend(
                names
                    .iter()
                    .filter(|_| is_there)
                    .map(|name| (*name).to_owned()),
            );
        };
        add(!grades.is_empty(), &["grade"]);
        add(!thresholds.is_empty(), &["threshold"]);
        add(file.matrix.is_some(), &["cell", "action"]);
        add(true, &["disqualified_by", "rules"]);
        add(!stages.is_empty(), &["stage", "stage_since"]);
        columns.extend(thresholds.iter().flat_map(|threshold| {
            ["first", "since"].map(|when| format!("{}_{when}", threshold.name))
        }));
        columns
    }

    fn failure(&self, error: ConfigError) -> crate::Error {
        ConfigFailure::new(&self.path, &self.text, error).into()
    }

    /// Binds the rules to tables that hold all that they may name, and to the features of these
    /// snapshots.
    fn bind(
        &self,
        data: &Data,
        tables: &Tables,
        snapshots: &[Snapshot],
    ) -> crate::Result<BoundRules> {
        let features = if self.file.needs_features() {
            leadscore_features::survey(tables, snapshots)
                .plan(&data.config.features)
                .specs
        } else {
            Vec::new()
        };
        BoundRules::new(self.file.clone(), tables, &features).map_err(|error| self.failure(error))
    }
}

/// Points of these snapshots by rules: the fewest for who is disqualified, NaN for who does not
/// have the score.
pub(crate) fn points_of(
    rules: &ReadRules,
    data: &Data,
    tables: &Tables,
    snapshots: &[Snapshot],
) -> crate::Result<Vec<f64>> {
    let bound = rules.bind(data, tables, snapshots)?;
    Ok(bound
        .score(tables, snapshots)?
        .into_iter()
        .map(|score| score.points)
        .collect())
}

/// Rules beside the tables that they are for.
struct Bench<'a> {
    data: &'a Data,
    tables: &'a Tables,
    schemes: Vec<Scheme>,
    as_of: Timestamp,
}

/// One file of rules.
struct Scheme {
    rules: BoundRules,
    text: String,
}

impl<'a> Bench<'a> {
    fn new(data: &'a Data, tables: &'a Tables, files: &[ReadRules]) -> crate::Result<Self> {
        let as_of = data.moment_of(tables);
        let open = scoring_snapshots(tables, as_of).at_risk;
        let schemes = files.iter().map(|read| {
            Ok(Scheme {
                rules: read.bind(data, tables, &open)?,
                text: read.text.clone(),
            })
        });
        Ok(Self {
            data,
            tables,
            schemes: schemes.collect::<crate::Result<_>>()?,
            as_of,
        })
    }

    /// The same over a part of the leads; beside it, for each file and rule, what this part lacks.
    fn of_part(
        data: &'a Data,
        tables: &'a Tables,
        files: &[ReadRules],
    ) -> crate::Result<(Self, Lacks)> {
        let as_of = data.moment_of(tables);
        let (mut schemes, mut lacks) = (Vec::new(), Vec::new());
        for read in files {
            let (rules, unknown) = BoundRules::of_part(read.file.clone(), tables, &[])
                .map_err(|error| read.failure(error))?;
            schemes.push(Scheme {
                rules,
                text: read.text.clone(),
            });
            lacks.push(unknown);
        }
        Ok((
            Self {
                data,
                tables,
                schemes,
                as_of,
            },
            lacks,
        ))
    }

    /// The only file of commands that take one.
    fn scheme(&self) -> &Scheme {
        &self.schemes[0]
    }

    fn open_leads(&self) -> Vec<Snapshot> {
        scoring_snapshots(self.tables, self.as_of).at_risk
    }

    fn score(&self, snapshots: &[Snapshot]) -> crate::Result<Vec<Vec<PointsScore>>> {
        Ok(self
            .schemes
            .iter()
            .map(|scheme| scheme.rules.score(self.tables, snapshots))
            .collect::<Result<Vec<_>, _>>()?)
    }

    /// The points of one lead.
    fn point_of(&self, lead: u32, as_of: Timestamp) -> crate::Result<PointsScore> {
        // A flat export has a place in its order for each lead, and no dates.
        let of_order = || {
            scoring_snapshots(self.tables, self.as_of)
                .at_risk
                .into_iter()
                .find(|key| key.lead == lead)
        };
        let at = if self.data.config.is_flat() {
            of_order().map_or(as_of, |key| key.at)
        } else {
            as_of
        };
        Ok(self
            .scheme()
            .rules
            .score(self.tables, &[Snapshot { lead, at }])?
            .remove(0))
    }
}

impl Scheme {
    fn rule_text(&self, score: &PointsScore) -> String {
        let mut contributions = score.contributions.clone();
        contributions.sort_by(|a, b| {
            b.points
                .abs()
                .total_cmp(&a.points.abs())
                .then(a.rule.cmp(&b.rule))
        });
        contributions
            .iter()
            .map(|contribution| {
                format!(
                    "{} {:+}",
                    self.rules.rule_name(contribution.rule),
                    rounded(contribution.points)
                )
            })
            .collect::<Vec<_>>()
            .join("; ")
    }
}

fn rounded(points: f64) -> f64 {
    (points * 10.0).round() / 10.0
}

/// The first of these, highest first, that the points reach.
fn reached(grades: &[Grade], points: f64) -> Option<String> {
    grades
        .iter()
        .find(|grade| points >= grade.from)
        .map(|grade| grade.name.clone())
}

/// For each file and rule, what a part of the leads lacks.
type Lacks = Vec<Vec<Option<ConfigError>>>;

/// Open leads, and for each file how many of them reach each threshold.
#[derive(Default)]
struct Reached {
    n_open: usize,
    of_thresholds: Vec<Vec<usize>>,
}

impl Reached {
    fn of(bench: &Bench<'_>, scores: &[Vec<PointsScore>]) -> Self {
        let count = |(scheme, scores): (&Scheme, &Vec<PointsScore>)| {
            let reach = |threshold: Grade| {
                scores
                    .iter()
                    .filter(|score| {
                        score.points >= threshold.from && score.disqualified_by.is_none()
                    })
                    .count()
            };
            scheme
                .rules
                .file()
                .thresholds()
                .into_iter()
                .map(reach)
                .collect()
        };
        Self {
            n_open: scores.first().map_or(0, Vec::len),
            of_thresholds: bench.schemes.iter().zip(scores).map(count).collect(),
        }
    }

    fn add(&mut self, other: Self) {
        self.n_open += other.n_open;
        if self.of_thresholds.is_empty() {
            self.of_thresholds = other.of_thresholds;
            return;
        }
        for (own, other) in self
            .of_thresholds
            .iter_mut()
            .flatten()
            .zip(other.of_thresholds.into_iter().flatten())
        {
            *own += other;
        }
    }
}

/// Points of every open lead, or of accounts.
///
/// # Errors
///
/// The tables cannot be read, or rules do not fit them.
pub fn rules_table(
    data: &Data,
    files: &[ReadRules],
    options: RulesOptions,
) -> crate::Result<OutTable> {
    ReadRules::check_columns(data, files)?;
    let tables = data.load(&load_options(data, options)?)?;
    Ok(score_whole(data, &tables, files, options)?.0)
}

/// Writes the points of every open lead, or of accounts, part after part where the tables are
/// large.
///
/// # Errors
///
/// As [`rules_table`]; or the file cannot be written.
pub fn write_rules(
    data: &Data,
    files: &[ReadRules],
    options: RulesOptions,
    output: &Path,
) -> crate::Result<()> {
    ReadRules::check_columns(data, files)?;
    let load = load_options(data, options)?;
    // Features are chosen by what all leads show, and accounts are put together from all their
    // leads.
    let needs_all =
        options.roll_up.is_some() || files.iter().any(|read| read.file.needs_features());
    let source = if needs_all {
        Source::Whole(Box::new(data.load(&load)?))
    } else {
        Source::open(data, &load, None, folder_of(output).to_owned(), None)?
    };
    let reached = match &source {
        Source::Whole(tables) => {
            let (table, reached) = score_whole(data, tables, files, options)?;
            write_table(output, &table)?;
            reached
        }
        Source::Parts(_) => score_parts(data, &source, files, options, output)?,
    };
    for (read, counts) in files.iter().zip(&reached.of_thresholds) {
        for (threshold, n) in read.file.thresholds().iter().zip(counts) {
            data.remark(&format!(
                "{} of {} open leads reach `{}` ({} points)",
                count(*n),
                count(reached.n_open),
                threshold.name,
                threshold.from
            ));
        }
    }
    Ok(())
}

fn load_options(data: &Data, options: RulesOptions) -> crate::Result<LoadOptions> {
    if options.crossings && data.config.is_flat() {
        bail!("--crossings needs dates, and a flat export has none");
    }
    Ok(LoadOptions::default())
}

fn score_whole(
    data: &Data,
    tables: &Tables,
    files: &[ReadRules],
    options: RulesOptions,
) -> crate::Result<(OutTable, Reached)> {
    let bench = Bench::new(data, tables, files)?;
    let open = bench.open_leads();
    let scores = bench.score(&open)?;
    let table = match options.roll_up {
        Some(how) => rolled_up(&bench, how, &open, &scores)?,
        None => scored_table(&bench, &open, &scores, options.crossings)?,
    };
    Ok((table, Reached::of(&bench, &scores)))
}

/// Scores part after part, and writes them in their order; what every part lacks is an error.
fn score_parts(
    data: &Data,
    source: &Source<'_>,
    files: &[ReadRules],
    options: RulesOptions,
    output: &Path,
) -> crate::Result<Reached> {
    let mut writer = TableWriter::create(output)?;
    let (mut reached, mut lacks, mut notes): (Reached, Option<Lacks>, Vec<Note>) =
        (Reached::default(), None, Vec::new());
    let stage = data.stage("scoring leads", source.n_parts())?;
    let work = |part| -> crate::Result<(OutTable, Reached, Lacks, Vec<Note>)> {
        source.with_part(part, |tables| {
            let (bench, lacks) = Bench::of_part(data, tables, files)?;
            let open = bench.open_leads();
            let scores = bench.score(&open)?;
            Ok((
                scored_table(&bench, &open, &scores, options.crossings)?,
                Reached::of(&bench, &scores),
                lacks,
                tables.notes.clone(),
            ))
        })?
    };
    in_order(
        source.n_parts(),
        rayon::current_num_threads(),
        work,
        |(table, part, unknown, seen)| {
            writer.write(&table)?;
            reached.add(part);
            Note::merge(&mut notes, seen);
            lacks = Some(match lacks.take() {
                None => unknown,
                Some(known) => known
                    .into_iter()
                    .zip(unknown)
                    .map(|(known, new)| {
                        known
                            .into_iter()
                            .zip(new)
                            .map(|(known, new)| known.and(new))
                            .collect()
                    })
                    .collect(),
            });
            stage.advance(1);
            Ok(())
        },
    )?;
    drop(stage);
    for (read, unknown) in files.iter().zip(lacks.unwrap_or_default()) {
        if let Some(error) = unknown.into_iter().flatten().next() {
            return Err(read.failure(error));
        }
    }
    if let Source::Parts(partitions) = source {
        Note::merge(&mut notes, partitions.notes.clone());
    }
    data.notes(&notes);
    writer.finish()?;
    Ok(reached)
}

fn scored_table(
    bench: &Bench<'_>,
    open: &[Snapshot],
    scores: &[Vec<PointsScore>],
    crossings: bool,
) -> crate::Result<OutTable> {
    let mut table = points_table(bench, open, scores);
    if crossings {
        add_crossings(bench, open, &mut table)?;
    }
    Ok(table)
}

/// A row a snapshot: for each file its points, grade, threshold, cell and rules.
fn points_table(
    bench: &Bench<'_>,
    snapshots: &[Snapshot],
    scores: &[Vec<PointsScore>],
) -> OutTable {
    let mut table = OutTable::default();
    let texts = |values: Vec<Option<String>>| OutColumn::Text(values);
    table.push(
        &bench.tables.leads.id_column,
        texts(
            snapshots
                .iter()
                .map(|key| Some(bench.tables.leads.ids[key.lead as usize].clone()))
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
        let rules = &scheme.rules;
        let file = rules.file();
        let named = |what: &str| column_name(bench, scheme, what);
        table.push(
            file.score.name.get_ref(),
            OutColumn::Number(scores.iter().map(|score| score.points).collect()),
        );
        let (grades, thresholds) = (file.grades(), file.thresholds());
        let in_queue = |score: &PointsScore| score.disqualified_by.is_none();
        if !grades.is_empty() {
            table.push(
                &named("grade"),
                texts(
                    scores
                        .iter()
                        .map(|score| reached(&grades, score.points))
                        .collect(),
                ),
            );
        }
        if !thresholds.is_empty() {
            table.push(
                &named("threshold"),
                texts(
                    scores
                        .iter()
                        .map(|score| {
                            in_queue(score)
                                .then(|| reached(&thresholds, score.points))
                                .flatten()
                        })
                        .collect(),
                ),
            );
        }
        if file.matrix.is_some() {
            let cells: Vec<_> = scores
                .iter()
                .map(|score| {
                    score
                        .cell
                        .filter(|_| in_queue(score))
                        .and_then(|cell| rules.cell(cell))
                })
                .collect();
            table.push(
                &named("cell"),
                texts(
                    cells
                        .iter()
                        .map(|cell| cell.as_ref().map(|(label, _)| label.clone()))
                        .collect(),
                ),
            );
            table.push(
                &named("action"),
                texts(
                    cells
                        .iter()
                        .map(|cell| {
                            cell.as_ref()
                                .and_then(|(_, action)| action.map(str::to_owned))
                        })
                        .collect(),
                ),
            );
        }
        table.push(
            &named("disqualified_by"),
            texts(
                scores
                    .iter()
                    .map(|score| {
                        score
                            .disqualified_by
                            .map(|rule| rules.rule_name(rule).to_owned())
                    })
                    .collect(),
            ),
        );
        table.push(
            &named("rules"),
            texts(
                scores
                    .iter()
                    .map(|score| Some(scheme.rule_text(score)))
                    .collect(),
            ),
        );
    }
    table
}

/// With several files, the name of the score stands before what is one file's own.
fn column_name(bench: &Bench<'_>, scheme: &Scheme, what: &str) -> String {
    own_column(
        bench.schemes.len(),
        scheme.rules.file().score.name.get_ref(),
        what,
    )
}

fn own_column(n_files: usize, score: &str, what: &str) -> String {
    if n_files == 1 {
        what.to_owned()
    } else {
        format!("{score}_{what}")
    }
}

/// When each threshold was first reached and since when it holds, and the highest stage ever
/// reached.
fn add_crossings(
    bench: &Bench<'_>,
    snapshots: &[Snapshot],
    table: &mut OutTable,
) -> crate::Result<()> {
    let _stage = bench.data.stage("looking at every day of every lead", 1)?;
    let leads: Vec<u32> = snapshots.iter().map(|key| key.lead).collect();
    for scheme in &bench.schemes {
        let file = scheme.rules.file();
        let (thresholds, stages) = (file.thresholds(), file.stages());
        let all: Vec<Grade> = thresholds.iter().chain(&stages).cloned().collect();
        let found = scheme
            .rules
            .crossings(bench.tables, &leads, bench.as_of, &all)?;
        for (idx, threshold) in thresholds.iter().enumerate() {
            let column = |pick: fn(&Crossing) -> Option<Timestamp>| {
                OutColumn::Time(
                    found
                        .iter()
                        .map(|crossings| pick(&crossings[idx]))
                        .collect(),
                )
            };
            table.push(
                &column_name(bench, scheme, &format!("{}_first", threshold.name)),
                column(|crossing| crossing.first),
            );
            table.push(
                &column_name(bench, scheme, &format!("{}_since", threshold.name)),
                column(|crossing| crossing.since),
            );
        }
        if !stages.is_empty() {
            let highest = |crossings: &[Crossing]| {
                (0..stages.len()).find(|&stage| crossings[thresholds.len() + stage].first.is_some())
            };
            let of_leads: Vec<Option<usize>> =
                found.iter().map(|crossings| highest(crossings)).collect();
            table.push(
                &column_name(bench, scheme, "stage"),
                OutColumn::Text(
                    of_leads
                        .iter()
                        .map(|stage| stage.map(|stage| stages[stage].name.clone()))
                        .collect(),
                ),
            );
            let since = |(crossings, stage): (&Vec<Crossing>, &Option<usize>)| {
                stage.and_then(|stage| crossings[thresholds.len() + stage].first)
            };
            table.push(
                &column_name(bench, scheme, "stage_since"),
                OutColumn::Time(found.iter().zip(&of_leads).map(since).collect()),
            );
        }
    }
    Ok(())
}

/// A row an account: its open leads, and their points put together; who is disqualified does not
/// count.
fn rolled_up(
    bench: &Bench<'_>,
    how: RollUp,
    open: &[Snapshot],
    scores: &[Vec<PointsScore>],
) -> crate::Result<OutTable> {
    let Some(account_of_lead) = &bench.tables.leads.accounts else {
        bail!(
            "--roll-up needs to know whose a lead is: name the column with the account as `account` of [leads]"
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
    let mut table = OutTable::default();
    table.push(
        bench
            .data
            .config
            .leads
            .account
            .as_deref()
            .unwrap_or("account"),
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
    for (scheme, scores) in bench.schemes.iter().zip(scores) {
        let of_account = |account: &usize| {
            let counted = rows[*account]
                .iter()
                .map(|&row| &scores[row])
                .filter(|score| score.disqualified_by.is_none() && !score.points.is_nan());
            let points: Vec<f64> = counted.map(|score| score.points).collect();
            let sum: f64 = points.iter().sum();
            match how {
                _ if points.is_empty() => f64::NAN,
                RollUp::Max => points.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                RollUp::Sum => sum,
                RollUp::Mean => sum / points.len() as f64,
            }
        };
        let file = scheme.rules.file();
        let points: Vec<f64> = accounts.iter().map(of_account).collect();
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

/// Every snapshot at which a lead was open, with its points as of then; the label where its window
/// has ended.
///
/// # Errors
///
/// As [`rules_table`].
pub fn rules_history(data: &Data, files: &[ReadRules]) -> crate::Result<OutTable> {
    ReadRules::check_columns(data, files)?;
    let tables = data.load(&LoadOptions::default())?;
    let bench = Bench::new(data, &tables, files)?;
    let (labelled, counts) = labelled_snapshots(
        bench.tables,
        &bench.data.config.snapshots,
        Some(bench.as_of),
    )?;
    data.remark(&describe_counts(&counts, data));
    let n_mature = labelled.snapshots.len();
    let snapshots: Vec<Snapshot> = labelled
        .snapshots
        .iter()
        .chain(&labelled.immature)
        .copied()
        .collect();
    let scores = bench.score(&snapshots)?;
    let mut table = points_table(&bench, &snapshots, &scores);
    let label = |row: usize| labelled.labels.get(row).map(|label| i64::from(*label));
    table.push(
        "label",
        OutColumn::Integer((0..snapshots.len()).map(label).collect()),
    );
    table.push(
        "mature",
        OutColumn::Boolean((0..snapshots.len()).map(|row| row < n_mature).collect()),
    );
    Ok(table)
}

/// The points of one lead, rule by rule, in words.
///
/// # Errors
///
/// There is no such lead; else as [`rules_table`].
pub fn explain_rules(data: &Data, rules: ReadRules, id: &str) -> crate::Result<String> {
    let tables = data.load(&LoadOptions::default())?;
    let bench = Bench::new(data, &tables, &[rules])?;
    let rules = &bench.scheme().rules;
    let lead = find_lead(bench.tables, id)?;
    let score = bench.point_of(lead, bench.as_of)?;
    let mut rows: Vec<Vec<String>> = score
        .contributions
        .iter()
        .map(|contribution| {
            vec![
                rules.rule_name(contribution.rule).to_owned(),
                format!("{:+}", rounded(contribution.points)),
            ]
        })
        .collect();
    for (name, points) in [
        ("everyone's base", rules.file().score.base),
        ("caps of groups", score.group_caps),
        ("bounds of the score", score.bounds),
    ] {
        if points != 0.0 {
            rows.push(vec![name.to_owned(), format!("{:+}", rounded(points))]);
        }
    }
    let file = rules.file();
    if let Some(rule) = score.disqualified_by {
        rows.push(vec![
            format!("disqualified by \"{}\"", rules.rule_name(rule)),
            String::new(),
        ]);
    }
    rows.push(vec![
        file.score.name.get_ref().clone(),
        rounded(score.points).to_string(),
    ]);
    let mut lines = vec![format!("lead {id}"), text_table(&["rule", "points"], &rows)];
    let next = file
        .thresholds()
        .into_iter()
        .rev()
        .find(|threshold| score.points < threshold.from);
    lines.extend(reached(&file.grades(), score.points).map(|grade| format!("grade {grade}")));
    lines.extend(next.map(|next| {
        format!(
            "{} points to `{}`",
            rounded(next.from - score.points),
            next.name
        )
    }));
    if let Some((label, action)) = score.cell.and_then(|cell| rules.cell(cell)) {
        lines.push(format!(
            "cell {label}{}",
            action.map_or(String::new(), |action| format!(": {action}"))
        ));
    }
    Ok(lines.join("\n"))
}

/// What rules do to the leads at hand.
pub struct RulesCheck {
    /// How many leads each rule applies to.
    pub table: String,
    /// Examples that do not hold, each with its place in the file.
    pub failed_examples: Vec<crate::Error>,
}

/// Tries rules on the open leads, and the examples of their file.
///
/// # Errors
///
/// As [`rules_table`].
pub fn check_rules(data: &Data, rules: ReadRules) -> crate::Result<RulesCheck> {
    ReadRules::check_columns(data, std::slice::from_ref(&rules))?;
    let path = rules.path.clone();
    let tables = data.load(&LoadOptions::default())?;
    let bench = Bench::new(data, &tables, &[rules])?;
    let rules = &bench.scheme().rules;
    let open = bench.open_leads();
    let scores = rules.score(bench.tables, &open)?;
    let mut counts = vec![(0_usize, 0.0); rules.file().rules.len()];
    for contribution in scores.iter().flat_map(|score| &score.contributions) {
        counts[contribution.rule].0 += 1;
        counts[contribution.rule].1 += contribution.points;
    }
    // A rule that only disqualifies contributes no points.
    for rule in scores
        .iter()
        .filter_map(|score| score.disqualified_by)
        .filter(|&rule| rules.file().rules[rule].points == 0.0)
    {
        counts[rule].0 += 1;
    }
    let rows: Vec<Vec<String>> = counts
        .iter()
        .enumerate()
        .map(|(rule, (n, sum))| {
            let mean = if *n == 0 {
                String::new()
            } else {
                format!("{:+}", rounded(sum / *n as f64))
            };
            vec![rules.rule_name(rule).to_owned(), count(*n), mean]
        })
        .collect();
    let unused: Vec<&str> = counts
        .iter()
        .enumerate()
        .filter(|(_, (n, _))| *n == 0)
        .map(|(rule, _)| rules.rule_name(rule))
        .collect();
    if !unused.is_empty() {
        data.remark(&format!(
            "of {} open leads, no rule of these applies to any: {}",
            count(open.len()),
            unused.join(", ")
        ));
    }
    Ok(RulesCheck {
        table: text_table(&["rule", "open leads", "mean points"], &rows),
        failed_examples: failed_examples(&bench, &path)?,
    })
}

/// Examples of the file that do not hold, each with its place.
fn failed_examples(bench: &Bench<'_>, path: &Path) -> crate::Result<Vec<crate::Error>> {
    let mut failures = Vec::new();
    for example in &bench.scheme().rules.file().examples {
        let fail = |message: String, help: String| {
            let error = ConfigError {
                message,
                help: Some(help),
                span: Some(example.lead.span()),
            };
            crate::Error::from(ConfigFailure::new(path, &bench.scheme().text, error))
        };
        let id = example.lead.get_ref();
        match find_lead(bench.tables, id) {
            Err(error) => failures.push(fail(
                error.to_string(),
                "an example is a lead of these tables".to_owned(),
            )),
            Ok(lead) => {
                let score =
                    bench.point_of(lead, example.as_of.map_or(bench.as_of, |moment| moment.0))?;
                if (score.points - example.points).abs() > 0.05 {
                    let found = format!(
                        "lead `{id}` has {} points, and the example says {}",
                        rounded(score.points),
                        example.points
                    );
                    failures.push(fail(
                        found,
                        format!("it got {}", bench.scheme().rule_text(&score)),
                    ));
                }
            }
        }
    }
    Ok(failures)
}
