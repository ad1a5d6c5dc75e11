//! One lead's score by its rows is equal to the bit to its score among all tables of the store, at
//! any moment, whatever came late, twice, out of order, or changed.

mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

use leadscore::{Data, Inputs, LeadRead, LeadReader, Model, ScoreOptions, TrainOptions};
use leadscore_live::LiveScorer;
use leadscore_serve::NoScore;
use leadscore_store::StoredEvent;

use world::{World, at};

/// Data of rows, all of them.
fn data_of(world: &World, rows: &[StoredEvent]) -> Data {
    Data::open_rows(&world.config, Inputs::default(), &mut |table, each| {
        rows.iter()
            .filter(|row| row.table == table)
            .try_for_each(|row| each(row.clone()))
    })
    .expect("rows of a store")
}

/// The tables that rows are of.
fn tables_of(rows: &[StoredEvent]) -> Vec<String> {
    let tables: BTreeSet<&String> = rows.iter().map(|row| &row.table).collect();
    tables.into_iter().cloned().collect()
}

fn train(data: &Data) -> Model {
    leadscore::train(data, &TrainOptions::default())
        .expect("enough to learn from")
        .into_model()
}

/// Every open lead at a moment has the same score by its own rows, and every other has none.
fn check_moment(
    world: &World,
    rows: &[StoredEvent],
    data: &Data,
    model: &Arc<Model>,
    moment: &str,
) {
    let moment = at(moment);
    let view = data.as_of(moment);
    let batch = leadscore::score(&view, model, &ScoreOptions::default()).expect("open leads");
    let scorer = LiveScorer::new(&world.config, Arc::clone(model), &tables_of(rows))
        .expect("a config for a store");
    let n_open = batch.summary.n_scored;
    assert!(n_open > 20, "{n_open} open leads at {moment}");
    for row in (0..n_open).step_by(n_open.div_ceil(60)) {
        let lead = batch.lead(row);
        let of_lead = world.rows_of(&scorer, rows, lead);
        let live = scorer
            .score(lead, moment, &of_lead, None)
            .unwrap_or_else(|error| panic!("{lead} at {moment}: {error:?}"));
        assert_eq!(
            live.log_odds.to_bits(),
            batch.scored.log_odds[row].to_bits(),
            "{lead} at {moment}: {} by its rows, {} among all",
            live.log_odds,
            batch.scored.log_odds[row]
        );
        let reasons = batch.all_reasons(row);
        assert_eq!(live.reasons.len(), reasons.len());
        for (live, batch) in live.reasons.iter().zip(&reasons) {
            assert_eq!(
                (&live.text, live.log_odds.to_bits()),
                (&batch.text, batch.log_odds.to_bits())
            );
        }
        let sum = live.baseline
            + live
                .reasons
                .iter()
                .map(|reason| reason.log_odds)
                .sum::<f64>();
        assert!(
            (sum - live.log_odds).abs() < 1e-9,
            "{lead}: reasons do not add up"
        );
    }
    let open: std::collections::HashSet<&str> = (0..n_open).map(|row| batch.lead(row)).collect();
    let closed = world
        .leads
        .iter()
        .filter(|lead| !open.contains(lead.as_str()));
    for lead in closed.step_by(37).take(40) {
        let of_lead = world.rows_of(&scorer, rows, lead);
        match scorer.score(lead, moment, &of_lead, None) {
            Err(NoScore::NotOpen { .. } | NoScore::Waiting(_) | NoScore::Unknown(_)) => {}
            other => panic!("{lead} at {moment}: {other:?}"),
        }
    }
}

#[test]
fn tables_of_an_import_are_the_tables() {
    let world = World::simulated(3_000);
    let files = Data::open(&world.config, Inputs::default()).expect("files");
    let rows = world.imported();
    let stored = data_of(&world, &rows);
    let past = at("2025-04-01");
    let matrix = |data: &Data| {
        let options = leadscore::FeatureOptions::default();
        leadscore::feature_table(&data.as_of(past), &options).expect("snapshots")
    };
    let (of_files, of_rows) = (matrix(&files), matrix(&stored));
    let names = |table: &leadscore::OutTable| -> Vec<String> {
        table.columns.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&of_files), names(&of_rows));
    for ((name, files), (_, rows)) in of_files.columns.iter().zip(&of_rows.columns) {
        // NaN is equal to NaN here, and every other number has its own text.
        assert!(
            format!("{files:?}") == format!("{rows:?}"),
            "{name} differs"
        );
    }
    let (of_files, of_rows) = (train(&files.as_of(past)), train(&stored.as_of(past)));
    let scores = |data: &Data, model: &Model| -> Vec<(String, u64)> {
        let moment = data.as_of(at("2025-06-15"));
        let scores = leadscore::score(&moment, model, &ScoreOptions::default()).expect("scores");
        (0..scores.summary.n_scored)
            .map(|row| {
                (
                    scores.lead(row).to_owned(),
                    scores.scored.log_odds[row].to_bits(),
                )
            })
            .collect()
    };
    assert_eq!(scores(&files, &of_files), scores(&stored, &of_rows));
}

#[test]
fn one_lead_has_the_bits_of_all_tables() {
    let world = World::simulated(2_000);
    let rows = world.imported();
    let data = data_of(&world, &rows);
    let model = Arc::new(train(&data.as_of(at("2025-04-01"))));
    for moment in [
        "2025-04-02T11:22:33.444555Z",
        "2025-05-17",
        "2025-06-15T08:00:00Z",
    ] {
        check_moment(&world, &rows, &data, &model, moment);
    }
}

#[test]
fn late_changed_and_shuffled_rows_have_the_same_bits() {
    for seed in 1..=3 {
        let world = World::simulated(1_500);
        let rows = world.disturbed(seed);
        let data = data_of(&world, &rows);
        let model = Arc::new(train(&data.as_of(at("2025-04-01"))));
        let read: Vec<String> = model.specs.iter().map(|spec| spec.name.clone()).collect();
        assert!(read.iter().any(|name| name.contains("seats")), "{read:?}");
        for moment in ["2025-04-02T11:22:33.444555Z", "2025-06-15T08:00:00Z"] {
            check_moment(&world, &rows, &data, &model, moment);
        }
    }
}

#[test]
fn rows_after_the_moment_leave_no_trace() {
    let world = World::simulated(1_500);
    let rows = world.disturbed(7);
    let data = data_of(&world, &rows);
    let model = Arc::new(train(&data.as_of(at("2025-04-01"))));
    let moment = at("2025-05-05T12:00:00Z");
    let scorer = LiveScorer::new(&world.config, Arc::clone(&model), &tables_of(&rows))
        .expect("a config for a store");
    let mut n_cut = 0;
    for lead in world.leads.iter().step_by(11) {
        let all = world.rows_of(&scorer, &rows, lead);
        let seen: Vec<StoredEvent> = all
            .iter()
            .filter(|row| row.recorded < moment)
            .cloned()
            .collect();
        n_cut += all.len() - seen.len();
        let (of_all, of_seen) = (
            scorer.score(lead, moment, &all, None),
            scorer.score(lead, moment, &seen, None),
        );
        assert_eq!(of_all, of_seen, "{lead}");
    }
    assert!(n_cut > 100, "{n_cut} rows came later");
}

#[test]
fn rows_without_frames_are_read_as_frames_are() {
    for seed in 11..=12 {
        let world = World::simulated(1_200);
        let rows = world.disturbed(seed);
        let data = data_of(&world, &rows);
        let model = Arc::new(train(&data.as_of(at("2025-04-01"))));
        let tables = tables_of(&rows);
        let reader = LeadReader::new(&world.config, Arc::clone(&model), &tables).expect("a reader");
        let scorer = LiveScorer::new(&world.config, model, &tables).expect("a scorer");
        let moment = at("2025-05-05T12:00:00Z");
        let mut n_open = 0;
        for lead in &world.leads {
            let of_lead = world.rows_of(&scorer, &rows, lead);
            let alone = reader.read(lead, moment, &of_lead).expect("rows");
            // Without a row of the lead there are no tables.
            if matches!(alone, LeadRead::Unknown | LeadRead::Waiting) {
                continue;
            }
            let by_frames = reader.read_by_frames(lead, moment, &of_lead).expect("rows");
            match (alone, by_frames) {
                (LeadRead::Open(alone), LeadRead::Open(by_frames)) => {
                    n_open += 1;
                    assert!(alone.matrix.bit_equal(&by_frames.matrix), "{lead}");
                    assert_eq!(alone.outside, by_frames.outside);
                }
                (LeadRead::NotOpen(alone), LeadRead::NotOpen(by_frames)) => {
                    assert_eq!(alone, by_frames, "{lead}");
                }
                _ => panic!("{lead} is open by one road and not by the other"),
            }
        }
        assert!(n_open > 20, "{n_open} open leads");
    }
}
