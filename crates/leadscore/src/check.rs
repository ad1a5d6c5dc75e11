//! `check`: what is wrong with this data, what leaks, and is there enough of it.

use std::collections::BTreeMap;

use leadscore_core::{
    AttributeTable, DataProfile, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Span,
    printable,
};
use leadscore_features::{LateEntries, SnapshotCounts, late_entries};
use leadscore_inference::DataVerdict;
use leadscore_tables::{Config, Doubt, Every, LoadOptions, SnapshotsConfig, Tables, quoted};
use leadscore_training::{
    Beforehand, Coding, CodingOptions, LeakFinding, LeakVerdict, find_leaks, judge_data, with_final,
};
use serde::Serialize;

use crate::caveats::caveats;
use crate::data::{Data, describe_counts, label_and_compute, now};
use crate::data_page::page;
use crate::text::table;
use crate::train::final_leaks;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// The tables as they were read.
    tables: DataProfile,
    /// What could be read two ways; with any, nothing was computed.
    doubts: Vec<Doubt>,
    #[serde(flatten)]
    computed: Option<Computed>,
    notes: Vec<String>,
    caveats: Vec<String>,
    verdict: Verdict,
    /// Whether an attribute knows the outcome, a feature sees the future, or there is too little
    /// data.
    #[serde(skip)]
    pub is_wrong: bool,
    #[serde(skip)]
    page: Vec<String>,
}

/// What the matrix of all mature snapshots shows.
#[derive(Debug, Serialize)]
struct Computed {
    snapshots: leadscore_features::SnapshotCounts,
    n_features: usize,
    #[serde(rename = "data")]
    sufficiency: leadscore_inference::Sufficiency,
    attributes: Vec<AttributeFinding>,
    left_out: Vec<(String, String)>,
    poison: leadscore_features::PoisonFindings,
    #[serde(skip)]
    in_words: String,
    #[serde(skip)]
    is_flat: bool,
}

#[derive(Debug, Serialize)]
struct AttributeFinding {
    attribute: String,
    verdict: &'static str,
    /// Missing where a history makes the question idle.
    auc: Option<f64>,
    filled_won: Option<f64>,
    filled_lost: Option<f64>,
    evidence: String,
}

/// What it means.
#[derive(Debug, Serialize)]
struct Verdict {
    ready: Ready,
    because: Vec<String>,
    /// Lines for the config.
    paste: Vec<String>,
}

/// Whether a model may be learned from the tables as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Ready {
    Yes,
    But,
    No,
}

/// Looks for what is wrong with the tables, what leaks, and whether there is enough to learn from.
///
/// # Errors
///
/// The tables cannot be read at all.
pub fn check(data: &Data) -> crate::Result<Findings> {
    let stage = data.stage("reading tables", 1)?;
    let options = LoadOptions {
        as_of: data.known_before,
        now: Some(now()),
        ..Default::default()
    };
    let (tables, doubts) = leadscore_tables::look(&data.config, &data.folder, &options)?;
    drop(stage);
    let profile = leadscore_tables::data_profile(&data.config, &tables);
    let mut findings = Findings {
        page: page(Some(&data.config), &profile, &doubts),
        tables: profile,
        doubts,
        computed: None,
        notes: tables.notes.iter().map(ToString::to_string).collect(),
        caveats: Vec::new(),
        verdict: Verdict {
            ready: Ready::No,
            because: Vec::new(),
            paste: Vec::new(),
        },
        is_wrong: true,
    };
    if !findings.doubts.is_empty() {
        let n = findings.doubts.len();
        let what = if n == 1 {
            "one thing above could be read two ways".to_owned()
        } else {
            format!("{n} things above could be read two ways")
        };
        findings.verdict.because.push(format!(
            "{what}: settle each in the config, or correct the files"
        ));
        return Ok(findings);
    }
    findings.caveats = caveats(data, &tables);
    let (labelled, counts) = label_and_compute(data, &tables)?;
    let with_history: Vec<String> = tables
        .history
        .attributes
        .iter()
        .map(|change| change.attribute.clone())
        .collect();
    let found = find_leaks(
        &labelled.matrix,
        &labelled.labels,
        &labelled.clusters,
        &with_history,
    );
    let mut leaks = with_final(found, &final_leaks(data, &tables, labelled.matrix.specs())?);
    leaks.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(b.auc.total_cmp(&a.auc)));
    let rows: Vec<usize> = (0..labelled.labels.len()).collect();
    let coding = Coding::fit(
        &labelled.matrix,
        &rows,
        &Beforehand::default(),
        CodingOptions {
            curves: false,
            ..Default::default()
        },
    );
    let sufficiency = judge_data(
        &labelled.labels,
        &labelled.lead_keys,
        coding.n_parameters() + 1,
    );
    let poison = poison_test(data, &tables, labelled.matrix.keys())?;
    findings.verdict = verdict(
        &data.config,
        &leaks,
        labelled.matrix.specs(),
        &sufficiency,
        &poison,
        &findings.caveats,
    );
    if let Some(unseen) = unseen_wins(data, &tables, &counts) {
        findings.verdict.add(unseen);
    }
    for found in rare_levels(&labelled.matrix) {
        findings.verdict.add((found, Vec::new()));
    }
    findings.is_wrong = findings.verdict.ready == Ready::No;
    let computed = Computed {
        in_words: describe_counts(&counts, data),
        is_flat: data.config.is_flat(),
        snapshots: counts,
        n_features: labelled.matrix.n_features(),
        sufficiency,
        attributes: leaks
            .into_iter()
            .map(|finding| AttributeFinding {
                attribute: finding.feature,
                verdict: match finding.verdict {
                    LeakVerdict::Clean => "clean",
                    LeakVerdict::Suspicious => "suspicious",
                    LeakVerdict::Proven => "leak",
                },
                auc: Some(finding.auc),
                filled_won: Some(finding.filled_won),
                filled_lost: Some(finding.filled_lost),
                evidence: finding.evidence,
            })
            .chain(late_entries(&tables).into_iter().map(with_history_finding))
            .collect(),
        left_out: coding
            .dropped()
            .iter()
            .map(|dropped| (dropped.feature.clone(), dropped.reason.to_string()))
            .collect(),
        poison,
    };
    findings.computed = Some(computed);
    Ok(findings)
}

/// Attributes of very many levels, most of whose snapshots have a seldom one: what becomes of them,
/// in words.
fn rare_levels(matrix: &FeatureMatrix) -> Vec<String> {
    const MANY: usize = 50;
    const SELDOM: usize = 20;
    let of_column = |column: usize| {
        let mut counts = vec![0_usize; matrix.levels(column).len()];
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a category holds an index that was a usize"
        )]
        matrix
            .column(column)
            .iter()
            .filter(|value| !value.is_nan())
            .for_each(|value| counts[*value as usize] += 1);
        counts.retain(|count| *count > 0);
        let n_filled: usize = counts.iter().sum();
        let seldom: Vec<usize> = counts
            .iter()
            .copied()
            .filter(|count| *count < SELDOM)
            .collect();
        let n_rows: usize = seldom.iter().sum();
        (counts.len() > MANY && 2 * n_rows > n_filled).then(|| {
            format!(
                "`{}` has {} levels, {} of them in fewer than {SELDOM} snapshots: these share one weight ({:.0} % of the snapshots); a word or a group of them as a column of its own may say more",
                matrix.specs()[column].name,
                counts.len(),
                seldom.len(),
                100.0 * n_rows as f64 / n_filled as f64
            )
        })
    };
    let is_attribute = |column: &usize| {
        matrix.is_category(*column)
            && matches!(
                matrix.specs()[*column].source,
                FeatureSource::Attribute { .. }
            )
    };
    (0..matrix.n_features())
        .filter(is_attribute)
        .filter_map(of_column)
        .collect()
}

/// Won leads that no snapshot sees, from this share of all won leads on, are worth another rule of
/// snapshots.
const MANY_UNSEEN: f64 = 0.2;

/// What is to be said where many customers close before any snapshot, with what other rules would
/// see.
fn unseen_wins(
    data: &Data,
    tables: &Tables,
    counts: &SnapshotCounts,
) -> Option<(String, Vec<String>)> {
    let n_won = tables
        .outcomes
        .iter()
        .filter(|outcome| outcome.won.is_some())
        .count();
    if data.config.is_flat() || (counts.won_unseen as f64) < MANY_UNSEEN * n_won.max(1) as f64 {
        return None;
    }
    let own = &data.config.snapshots;
    let rules = [
        (
            "every = \"week\"",
            SnapshotsConfig {
                every: Every::Week,
                ages: None,
                ..own.clone()
            },
        ),
        (
            "ages = [\"0d\"]",
            SnapshotsConfig {
                ages: Some(vec![Span::ZERO]),
                ..own.clone()
            },
        ),
        (
            "ages = [\"0d\", \"7d\", \"30d\"]",
            SnapshotsConfig {
                ages: Some([0, 7, 30].map(Span::from_days).to_vec()),
                ..own.clone()
            },
        ),
    ];
    let better: Vec<(&str, SnapshotCounts)> = rules
        .iter()
        // A rule that asks for too many is no advice.
        .filter_map(|(line, rule)| {
            Some((
                *line,
                leadscore_features::labelled_snapshots(tables, rule, None)
                    .ok()?
                    .1,
            ))
        })
        .filter(|(_, other)| other.won_unseen < counts.won_unseen)
        .collect();
    let c = leadscore_report::count;
    let others = better.iter().map(|(line, other)| {
        format!(
            "`{line}` leaves out {} ({} snapshots, {} of them won)",
            c(other.won_unseen),
            c(other.mature),
            c(other.wins)
        )
    });
    let found = format!(
        "{} of {} won leads ({:.0} %) close before a snapshot sees them, so that nothing is learned from these customers; {}",
        c(counts.won_unseen),
        c(n_won),
        100.0 * counts.won_unseen as f64 / n_won as f64,
        others.collect::<Vec<_>>().join(", ")
    );
    let lines = better
        .iter()
        .min_by_key(|(_, other)| other.won_unseen)
        .map(|(line, _)| {
            vec![
                "# or another question, such as:".to_owned(),
                "[snapshots]".to_owned(),
                (*line).to_owned(),
            ]
        });
    Some((
        found.trim_end_matches("; ").to_owned(),
        lines.unwrap_or_default(),
    ))
}

/// What the findings mean, with the lines of config that follow from them.
fn verdict(
    config: &Config,
    leaks: &[LeakFinding],
    specs: &[FeatureSpec],
    sufficiency: &leadscore_inference::Sufficiency,
    poison: &leadscore_features::PoisonFindings,
    caveats: &[String],
) -> Verdict {
    let named = |verdict: LeakVerdict| {
        leaks
            .iter()
            .filter(move |finding| finding.verdict == verdict)
    };
    let list = |findings: &[&LeakFinding]| {
        findings
            .iter()
            .map(|finding| format!("`{}`", finding.feature))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (proven, suspicious): (Vec<_>, Vec<_>) = (
        named(LeakVerdict::Proven).collect(),
        named(LeakVerdict::Suspicious).collect(),
    );
    let mut against = Vec::new();
    if !proven.is_empty() {
        against.push(format!(
            "{} {} the outcome",
            list(&proven),
            if proven.len() == 1 { "knows" } else { "know" }
        ));
    }
    if sufficiency.verdict == DataVerdict::TooFew {
        against.push(format!(
            "there is too little to learn from: {}",
            sufficiency.reason
        ));
    }
    if !poison.leaks.is_empty() {
        against.push(format!("{} features see the future", poison.leaks.len()));
    }
    let mut but = Vec::new();
    if !suspicious.is_empty() {
        but.push(format!(
            "ask whether {} {} filled or changed once the outcome is known",
            list(&suspicious),
            if suspicious.len() == 1 { "is" } else { "are" }
        ));
    }
    if sufficiency.verdict == DataVerdict::Thin {
        but.push(format!("the data is thin: {}", sufficiency.reason));
    }
    but.extend(caveats.iter().cloned());
    let paste = exclude_lines(config, &proven, specs, "")
        .into_iter()
        .chain(exclude_lines(
            config,
            &[&proven[..], &suspicious[..]].concat(),
            specs,
            "# or: ",
        ));
    let paste = if suspicious.is_empty() {
        exclude_lines(config, &proven, specs, "")
    } else {
        paste.collect()
    };
    match (against.is_empty(), but.is_empty()) {
        (true, true) => Verdict {
            ready: Ready::Yes,
            because: Vec::new(),
            paste,
        },
        (true, false) => Verdict {
            ready: Ready::But,
            because: but,
            paste,
        },
        (false, _) => Verdict {
            ready: Ready::No,
            because: [against, but].concat(),
            paste,
        },
    }
}

/// For each table the line that leaves these attributes out, beside those that the config leaves
/// out already.
fn exclude_lines(
    config: &Config,
    findings: &[&LeakFinding],
    specs: &[FeatureSpec],
    prefix: &str,
) -> Vec<String> {
    let mut by_table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in findings {
        let Some(spec) = specs.iter().find(|spec| spec.name == finding.feature) else {
            continue;
        };
        let FeatureSource::Attribute { table, column } = &spec.source else {
            continue;
        };
        let (name, known) = match table {
            AttributeTable::Leads => ("[leads]".to_owned(), &config.leads.exclude),
            AttributeTable::Lookup(name) => {
                (format!("[lookups.{name}]"), &config.lookups[name].exclude)
            }
        };
        by_table
            .entry(name)
            .or_insert_with(|| known.clone())
            .push(column.clone());
    }
    let line = |(table, columns): (String, Vec<String>)| {
        let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        [
            format!("{prefix}{table}"),
            format!("{prefix}exclude = [{}]", columns.join(", ")),
        ]
    };
    by_table.into_iter().flat_map(line).collect()
}

/// An attribute with a history is as of the snapshot, whatever it became later; how much later is
/// worth knowing all the same.
fn with_history_finding(late: LateEntries) -> AttributeFinding {
    let share = 100.0 * late.n_after_close as f64 / late.n_entries.max(1) as f64;
    let evidence = if late.n_after_close == 0 {
        "has a history, and no entry after its lead closed".to_owned()
    } else {
        format!(
            "has a history, so it is as of the snapshot; {share:.0} % of the entries came after their lead had closed: today's values would leak"
        )
    };
    AttributeFinding {
        attribute: late.attribute,
        verdict: "clean",
        auc: None,
        filled_won: None,
        filled_lost: None,
        evidence,
    }
}

/// Alters the future of the user's own tables: the whole road to the matrix must not notice.
fn poison_test(
    data: &Data,
    tables: &Tables,
    snapshots: &[Snapshot],
) -> crate::Result<leadscore_features::PoisonFindings> {
    if data.config.is_flat() {
        return Ok(leadscore_features::PoisonFindings::default());
    }
    let _stage = data.stage("altering the future of your tables", 1)?;
    Ok(leadscore_features::poison_test(
        tables,
        snapshots,
        |tables, snapshots| {
            let plan = leadscore_features::plan(tables, &data.config.features, snapshots);
            leadscore_features::compute(tables, &plan.specs, snapshots)
        },
    )?)
}

fn poison_text(poison: &leadscore_features::PoisonFindings) -> Vec<String> {
    let c = leadscore_report::count;
    if poison.n_altered == 0 {
        return vec!["look-ahead test: nothing in the tables lies after a snapshot, so there is nothing to alter".to_owned()];
    }
    let tried = format!(
        "look-ahead test: {} facts after {} snapshots were altered",
        c(poison.n_altered),
        c(poison.n_snapshots)
    );
    if poison.leaks.is_empty() {
        return vec![format!("{tried}; no feature changed by a bit")];
    }
    let leak = |leak: &leadscore_features::PoisonLeak| {
        format!(
            "leak: `{}` sees the future: it changed at {} snapshots (first: lead `{}`)",
            leak.feature,
            c(leak.n_snapshots),
            leak.lead
        )
    };
    std::iter::once(tried)
        .chain(poison.leaks.iter().map(leak))
        .collect()
}

impl Computed {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("snapshots: {}", self.in_words),
            format!(
                "data: {}: {}",
                self.sufficiency.verdict.name(),
                self.sufficiency.reason
            ),
        ];
        if !self.is_flat {
            lines.extend(poison_text(&self.poison));
        }
        lines.extend(
            self.left_out
                .iter()
                .map(|(feature, reason)| format!("left out: `{feature}`: {reason}")),
        );
        lines
    }

    fn attributes(&self) -> Option<String> {
        let per_cent = |share: Option<f64>| {
            share.map_or_else(String::new, |share| format!("{:.0} %", 100.0 * share))
        };
        let rows: Vec<Vec<String>> = self
            .attributes
            .iter()
            .map(|finding| {
                vec![
                    finding.attribute.clone(),
                    finding.verdict.to_owned(),
                    finding
                        .auc
                        .map_or_else(String::new, |auc| format!("{auc:.3}")),
                    per_cent(finding.filled_won),
                    per_cent(finding.filled_lost),
                    finding.evidence.clone(),
                ]
            })
            .collect();
        (!rows.is_empty()).then(|| {
            table(
                &[
                    "attribute",
                    "verdict",
                    "AUC",
                    "filled (won)",
                    "filled (others)",
                    "evidence",
                ],
                &rows,
            )
        })
    }
}

impl Findings {
    /// What an engine found, whose columns are looked at here in a part of the tables.
    #[cfg(feature = "spark")]
    pub(crate) fn of_engine(config: &Config, tables: DataProfile) -> Self {
        let page = page(Some(config), &tables, &[]);
        let because = vec!["columns, leaks and the look-ahead test are looked at by `check` of a part of these tables as files".to_owned()];
        let verdict = Verdict {
            ready: Ready::But,
            because,
            paste: Vec::new(),
        };
        Self {
            tables,
            doubts: Vec::new(),
            computed: None,
            notes: Vec::new(),
            caveats: Vec::new(),
            verdict,
            is_wrong: false,
            page,
        }
    }

    /// Whether something could be read two ways, so that nothing was computed.
    pub fn is_refused(&self) -> bool {
        !self.doubts.is_empty()
    }

    /// The findings for a terminal: the data, what was computed of it, and last what it means.
    pub fn text(&self) -> String {
        let mut lines = self.page.clone();
        let line = |text: String| printable(&text).into_owned();
        lines.extend(self.computed.iter().flat_map(Computed::lines).map(line));
        lines.extend(self.notes.iter().map(|note| line(format!("note: {note}"))));
        if let Some(attributes) = self.computed.as_ref().and_then(Computed::attributes) {
            lines.extend([String::new(), attributes]);
        }
        lines.extend(
            self.doubts
                .iter()
                .flat_map(|doubt| [String::new(), format!("doubt: {doubt}")]),
        );
        lines.push(String::new());
        lines.extend(self.verdict.lines().into_iter().map(line));
        lines.join("\n")
    }
}

impl Verdict {
    /// Adds something to think about.
    fn add(&mut self, (found, paste): (String, Vec<String>)) {
        if self.ready == Ready::Yes {
            self.ready = Ready::But;
        }
        self.because.push(found);
        self.paste.extend(paste);
    }

    fn lines(&self) -> Vec<String> {
        let said = match self.ready {
            Ready::Yes => "verdict: ready",
            Ready::But => "verdict: ready, but",
            Ready::No => "verdict: not ready, because",
        };
        let mut lines = vec![said.to_owned()];
        lines.extend(self.because.iter().map(|reason| format!("- {reason}")));
        if !self.paste.is_empty() {
            lines.push("in the config:".to_owned());
            lines.extend(self.paste.iter().map(|line| format!("    {line}")));
        }
        lines
    }
}
