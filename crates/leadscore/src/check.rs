//! `check`: what is wrong with this data, what leaks, and is there enough of it.

mod attributes;
mod look_ahead;
mod rare_levels;
mod text;
mod unseen_wins;
mod verdict;

#[cfg(feature = "spark")]
use leadscore_config::Config;
use leadscore_config::Doubt;
use leadscore_core::DataProfile;
use leadscore_dataset::Tables;
use leadscore_features::{LookAheadFindings, SnapshotCounts};
use leadscore_inference::Sufficiency;
use leadscore_training::{
    Beforehand, Encoding, EncodingOptions, LeakFinding, find_leaks, judge_data, with_final,
};
use serde::Serialize;

use self::attributes::{AttributeFinding, attributes};
use self::look_ahead::altered_future;
use self::rare_levels::rare_levels;
use self::unseen_wins::unseen_wins;
use self::verdict::{Evidence, Ready, Verdict};
use crate::data::{Data, Labelled, describe_counts, label_and_compute};
use crate::data_page::page;
use crate::limitations::limitations;
use crate::train::final_leaks;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// Rises when a key of the JSON gets another name or meaning.
    schema_version: u32,
    /// The tables as they were read.
    tables: DataProfile,
    /// What could be read two ways; with any, nothing was computed.
    doubts: Vec<Doubt>,
    #[serde(flatten)]
    computed: Option<Computed>,
    notes: Vec<String>,
    limitations: Vec<String>,
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
    snapshots: SnapshotCounts,
    n_features: usize,
    #[serde(rename = "data")]
    sufficiency: Sufficiency,
    attributes: Vec<AttributeFinding>,
    left_out: Vec<(String, String)>,
    look_ahead: LookAheadFindings,
    #[serde(skip)]
    in_words: String,
    #[serde(skip)]
    is_flat: bool,
}

/// Of the keys of [`Findings`].
const JSON_SCHEMA_VERSION: u32 = 1;

/// Looks for what is wrong with the tables, what leaks, and whether there is enough to learn from.
///
/// # Errors
///
/// The tables cannot be read at all.
pub fn check(data: &Data) -> crate::Result<Findings> {
    let (tables, doubts) = data.look()?;
    if !doubts.is_empty() {
        return Ok(Findings::of_doubts(data, &tables, doubts));
    }
    let limitations = limitations(data, &tables);
    let (labelled, counts) = label_and_compute(data, &tables)?;
    let leaks = leaks_of(data, &tables, &labelled)?;
    let encoding = encoding_of(&labelled);
    let sufficiency = judge_data(
        &labelled.labels,
        &labelled.lead_keys,
        encoding.n_parameters() + 1,
    );
    let look_ahead = altered_future(data, &tables, labelled.matrix.keys())?;
    let evidence = Evidence {
        leaks: &leaks,
        specs: labelled.matrix.specs(),
        sufficiency: &sufficiency,
        look_ahead: &look_ahead,
        limitations: &limitations,
    };
    let mut verdict = Verdict::of(&data.config, &evidence);
    if let Some(unseen) = unseen_wins(data, &tables, &counts) {
        verdict.add(unseen);
    }
    for found in rare_levels(&labelled.matrix) {
        verdict.add((found, Vec::new()));
    }
    let computed = Computed {
        in_words: describe_counts(&counts, data),
        is_flat: data.config.is_flat(),
        snapshots: counts,
        n_features: labelled.matrix.n_features(),
        sufficiency,
        attributes: attributes(leaks, &tables, labelled.matrix.specs()),
        left_out: encoding
            .dropped()
            .iter()
            .map(|dropped| (dropped.feature.clone(), dropped.reason.to_string()))
            .collect(),
        look_ahead,
    };
    Ok(Findings {
        schema_version: JSON_SCHEMA_VERSION,
        limitations,
        is_wrong: verdict.ready == Ready::No,
        computed: Some(computed),
        ..Findings::of_tables(data, &tables, Vec::new(), verdict)
    })
}

/// What is to be known of tables before anything is computed from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablesRead {
    /// What could be read two ways.
    pub doubts: Vec<Doubt>,
    /// What else was seen.
    pub notes: Vec<String>,
}

/// Reads the tables as [`check`] does, and computes nothing.
///
/// # Errors
///
/// The tables cannot be read at all.
pub fn check_tables(data: &Data) -> crate::Result<TablesRead> {
    let (tables, doubts) = data.look()?;
    Ok(TablesRead {
        doubts,
        notes: tables.notes.iter().map(ToString::to_string).collect(),
    })
}

/// Attributes by what they know of the outcome, worst first.
fn leaks_of(data: &Data, tables: &Tables, labelled: &Labelled) -> crate::Result<Vec<LeakFinding>> {
    let with_history = tables.history.names();
    let found = find_leaks(
        &labelled.matrix,
        &labelled.labels,
        &labelled.clusters,
        &with_history,
    );
    let mut leaks = with_final(found, &final_leaks(data, tables, labelled.matrix.specs())?);
    leaks.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(b.auc.total_cmp(&a.auc)));
    Ok(leaks)
}

/// The columns that linear terms would take of all rows.
fn encoding_of(labelled: &Labelled) -> Encoding {
    let rows: Vec<usize> = (0..labelled.labels.len()).collect();
    Encoding::fit(
        &labelled.matrix,
        &rows,
        &Beforehand::default(),
        EncodingOptions {
            curves: false,
            ..Default::default()
        },
    )
}

impl Findings {
    /// What the tables look like, and what that means.
    fn of_tables(data: &Data, tables: &Tables, doubts: Vec<Doubt>, verdict: Verdict) -> Self {
        let profile = leadscore_io::data_profile(&data.config, tables);
        Self {
            schema_version: JSON_SCHEMA_VERSION,
            page: page(Some(&data.config), &profile, &doubts),
            tables: profile,
            doubts,
            computed: None,
            notes: tables.notes.iter().map(ToString::to_string).collect(),
            limitations: Vec::new(),
            verdict,
            is_wrong: true,
        }
    }

    /// What could be read two ways, so that nothing was computed.
    fn of_doubts(data: &Data, tables: &Tables, doubts: Vec<Doubt>) -> Self {
        let verdict = Verdict::of_doubts(doubts.len());
        Self::of_tables(data, tables, doubts, verdict)
    }

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
            schema_version: JSON_SCHEMA_VERSION,
            tables,
            doubts: Vec::new(),
            computed: None,
            notes: Vec::new(),
            limitations: Vec::new(),
            verdict,
            is_wrong: false,
            page,
        }
    }

    /// Whether something could be read two ways, so that nothing was computed.
    pub fn is_refused(&self) -> bool {
        !self.doubts.is_empty()
    }
}
