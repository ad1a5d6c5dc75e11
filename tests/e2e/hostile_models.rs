//! Model files that somebody made: bytes changed at random under a checksum that fits are refused,
//! or are a model that all of the code can live with.
#![allow(missing_docs, reason = "tests")]

use leadscore_config::{Config, TierEdges};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_features::{compute, scoring_snapshots};
use leadscore_inference::{Model, read_model, score, score_with_reasons};
use leadscore_io::load;
use leadscore_sql::{Dialect, ScoreTable, score_sql};
use leadscore_tests::{Random, n_tries, small_crm, try_door};
use sha2::{Digest, Sha256};

const VERSIONS: [&[u8]; 4] = [
    include_bytes!("../fixtures/model-v1.leadscore"),
    include_bytes!("../fixtures/model-v2.leadscore"),
    include_bytes!("../fixtures/model-v3.leadscore"),
    include_bytes!("../fixtures/model-v4.leadscore"),
];

/// Where the payload begins and ends.
fn payload(bytes: &[u8]) -> std::ops::Range<usize> {
    let header = u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")) as usize;
    let length = u64::from_le_bytes(
        bytes[16 + header..24 + header]
            .try_into()
            .expect("eight bytes"),
    ) as usize;
    24 + header..24 + header + length
}

fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 32;
    let checksum = Sha256::digest(&bytes[..end]);
    bytes[end..].copy_from_slice(&checksum);
    bytes
}

/// A few bytes of the payload changed: a number for another, one of the numbers that codecs stumble
/// over, one byte more or less.
fn changed(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(3) {
        let range = payload(&bytes);
        let at = range.start + random.below(range.len());
        match random.below(8) {
            0..3 => bytes[at] = random.bits() as u8,
            3 => bytes[at] ^= 1 << random.below(8),
            // Lengths of 2, 4 and 8 bytes begin so.
            4 => bytes[at] = 251 + random.below(3) as u8,
            5 => {
                let end = (at + 8).min(range.end);
                let number = [f64::NAN, f64::INFINITY, -f64::MAX, 1e300, -0.0, 5e-324]
                    [random.below(6)]
                .to_le_bytes();
                bytes[at..end].copy_from_slice(&number[..end - at]);
            }
            6 => {
                bytes.insert(at, random.bits() as u8);
                let length = ((range.len() + 1) as u64).to_le_bytes();
                bytes[range.start - 8..range.start].copy_from_slice(&length);
            }
            _ => {
                bytes.remove(at);
                let length = ((range.len() - 1) as u64).to_le_bytes();
                bytes[range.start - 8..range.start].copy_from_slice(&length);
            }
        }
    }
    with_checksum(bytes)
}

/// All that is done with a model.
fn use_it(model: &Model, tables: &Tables) {
    let snapshots = scoring_snapshots(tables, tables.observation_end.next_midnight()).at_risk;
    if let Ok(matrix) = compute(tables, &model.specs, &snapshots) {
        let scored = score(model, &matrix).expect("the matrix has the model's features");
        assert!(
            scored.probabilities.iter().all(|p| (0.0..=1.0).contains(p)),
            "a likelihood that is none"
        );
        let concepts = model.concepts();
        score_with_reasons(model, &concepts, &matrix, 0..snapshots.len().min(3), 3)
            .expect("rows that are there");
        model.guard(&matrix);
        for row in 0..snapshots.len().min(3) {
            model.log_odds_error(&matrix, row);
            model.reasons(&concepts, &matrix, row);
        }
    }
    for dialect in [Dialect::DuckDb, Dialect::Sqlite] {
        drop(score_sql(
            model,
            &ScoreTable {
                dialect,
                table: "features".to_owned(),
                keys: Vec::new(),
                edges: TierEdges::Relative,
            },
        ));
    }
    drop(model.to_pmml());
    drop(model.to_onnx());
    leadscore_report::model_text(model);
    drop(leadscore_report::model_page(model));
    let mut bytes = Vec::new();
    leadscore_inference::write_model(model, &mut bytes).expect("memory");
}

#[test]
fn no_model_file_brings_anything_down() {
    let folder = small_crm();
    let text = std::fs::read_to_string(folder.path().join("leadscore.toml")).expect("there");
    let tables = load(
        &Config::parse(&text).expect("right"),
        folder.path(),
        &LoadOptions::default(),
    )
    .expect("right");
    let mut random = Random(21);
    let seen = try_door("model file", n_tries(4_000), |number| {
        let bytes = changed(&mut random, VERSIONS[number % VERSIONS.len()]);
        let model = read_model(&bytes);
        if let Ok(model) = &model {
            use_it(model, &tables);
        }
        model.is_ok()
    });
    assert!(
        seen.n_taken > seen.n / 50,
        "only {} were models at all",
        seen.n_taken
    );
}
