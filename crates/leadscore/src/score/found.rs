//! The leads that a score file speaks of, found part after part of the tables.

use leadscore_core::{FeatureMatrix, Snapshot, Timestamp, counted};
use leadscore_dataset::{Note, Standing, Tables};
use leadscore_features::{LeftOut, UnknownKinds, compute, scoring_snapshots};
use leadscore_inference::Model;
use leadscore_io::{Wanted, in_order};

use super::ScoreOptions;
use crate::ages::age_of;
use crate::data::{Data, load_options_of};
use crate::hold_back;
use crate::late_tables::{LateTable, late_tables};
use crate::source::Source;

/// A lead of a score file.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) manual_score: f64,
    /// In days; NaN where it is not known.
    pub(super) age: f64,
    /// Whether it is not prioritized; false where nobody is held back.
    pub(super) is_held_back: bool,
}

/// What a score file speaks of, part after part of the tables.
#[derive(Default)]
pub(super) struct Found {
    pub(super) as_of: Timestamp,
    pub(super) has_manual_score: bool,
    pub(super) open: Vec<Listed>,
    pub(super) won: Vec<Listed>,
    pub(super) left_out: LeftOut,
    pub(super) perhaps_closed: usize,
    /// The features of open leads.
    pub(super) matrices: Vec<FeatureMatrix>,
    pub(super) notes: Vec<Note>,
    pub(super) unknown_kinds: UnknownKinds,
    /// Whether the model found nothing.
    pub(super) no_signal: bool,
    /// Tables that stopped before the moment; of the whole, and not of parts.
    pub(super) late_tables: Vec<LateTable>,
}

impl Found {
    /// What one part of the tables has.
    fn new(data: &Data, tables: &Tables, model: &Model) -> crate::Result<Self> {
        let as_of = data.moment_of(tables);
        let set = scoring_snapshots(tables, as_of);
        let manual_score = tables.leads.manual_score.as_ref();
        let hold_back = hold_back::rule_of(&data.config);
        let listed = |lead: u32| Listed {
            id: tables.leads.ids[lead as usize].clone(),
            manual_score: manual_score.map_or(f64::NAN, |manual_score| manual_score[lead as usize]),
            age: age_of(tables, lead, as_of),
            is_held_back: hold_back.is_some_and(|rule| hold_back::holds(rule, tables, lead)),
        };
        Ok(Self {
            as_of,
            has_manual_score: manual_score.is_some(),
            open: set
                .at_risk
                .iter()
                .map(|snapshot| listed(snapshot.lead))
                .collect(),
            won: set.closed_won.iter().map(|&lead| listed(lead)).collect(),
            left_out: set.left_out,
            perhaps_closed: set.perhaps_closed,
            matrices: vec![compute(tables, &model.specs, &set.at_risk)?],
            notes: tables.notes.clone(),
            unknown_kinds: UnknownKinds::new(tables, &model.specs, Some(&set.at_risk)),
            no_signal: model.terms.iter().all(|term| term.range() == 0.0),
            late_tables: Vec::new(),
        })
    }

    /// Adds another part.
    fn add(&mut self, part: Self) {
        let Self {
            as_of,
            has_manual_score,
            open,
            won,
            left_out,
            perhaps_closed,
            matrices,
            notes,
            unknown_kinds,
            no_signal,
            late_tables: _,
        } = part;
        (self.as_of, self.has_manual_score, self.no_signal) = (as_of, has_manual_score, no_signal);
        self.open.extend(open);
        self.won.extend(won);
        self.left_out += left_out;
        self.perhaps_closed += perhaps_closed;
        self.matrices.extend(matrices);
        Note::merge(&mut self.notes, notes);
        self.unknown_kinds.add(unknown_kinds);
    }

    /// Puts leads in order of id, and returns the features of open ones so.
    pub(super) fn in_order(&mut self) -> FeatureMatrix {
        self.won.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut matrices = std::mem::take(&mut self.matrices);
        if matrices.len() == 1 {
            return matrices.remove(0);
        }
        let mut open: Vec<(usize, Listed)> = std::mem::take(&mut self.open)
            .into_iter()
            .enumerate()
            .collect();
        open.sort_unstable_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        let (order, open): (Vec<usize>, Vec<Listed>) = open.into_iter().unzip();
        self.open = open;
        let keys = (0..order.len())
            .map(|lead| Snapshot {
                lead: lead as u32,
                at: self.as_of,
            })
            .collect();
        FeatureMatrix::stack(matrices, keys, &order)
    }
}

/// Finds the leads that are open, and computes their features.
pub(super) fn find_open(
    data: &Data,
    model: &Model,
    options: &ScoreOptions,
) -> crate::Result<Found> {
    let spill = options.spill.clone().unwrap_or_else(std::env::temp_dir);
    // What closed leads did is nobody's feature, but where the account's other leads are looked at.
    let may_be_open = |tables: &Tables| {
        let as_of = data.moment_of(tables);
        (0..tables.outcomes.len() as u32)
            .map(|lead| tables.standing(lead, as_of) == Standing::Open)
            .collect()
    };
    let of_peers: Vec<&str> = model
        .specs
        .iter()
        .filter_map(|spec| spec.source.events())
        .filter(|read| read.of_peers)
        .map(|read| read.table)
        .collect();
    let beside = data.to_score(model)?;
    let wanted = Wanted {
        leads: &may_be_open,
        whole: &of_peers,
    };
    let source = Source::open(
        &beside,
        &load_options_of(model),
        options.memory,
        spill,
        Some(wanted),
    )?;
    let at = data
        .known_before
        .unwrap_or_else(|| source.observation_end().next_midnight());
    data.silence(source.ends(), model, at)?;
    let stage = data.stage(
        &format!(
            "computing {} of open leads",
            counted(model.specs.len(), "feature")
        ),
        source.n_parts(),
    )?;
    let mut found = Found::default();
    let look = |part| source.with_part(part, |tables| Found::new(data, tables, model))?;
    in_order(
        source.n_parts(),
        rayon::current_num_threads(),
        look,
        |part| {
            found.add(part);
            stage.advance(1);
            crate::Result::Ok(())
        },
    )?;
    drop(stage);
    if !data.config.is_flat() {
        found.late_tables = late_tables(source.ends(), at);
    }
    source.say_notes(data, std::mem::take(&mut found.notes));
    data.notes(&found.unknown_kinds.notes());
    Ok(found)
}
