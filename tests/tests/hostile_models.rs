//! Model files that somebody made: bytes changed at random under a checksum that fits are refused, or are a model that all of the code
//! can live with.
#![allow(missing_docs, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use leadscore_features::{compute, scoring_snapshots};
use leadscore_inference::{Model, read_model, score, score_with_reasons};
use leadscore_sql::{Dialect, ScoreTable, score_sql};
use leadscore_tables::{Config, LoadOptions, Tables, TierEdges, load};
use leadscore_tests::small_crm;
use sha2::{Digest, Sha256};

const VERSIONS: [&[u8]; 4] = [
    include_bytes!("../fixtures/model-v1.leadscore"),
    include_bytes!("../fixtures/model-v2.leadscore"),
    include_bytes!("../fixtures/model-v3.leadscore"),
    include_bytes!("../fixtures/model-v4.leadscore"),
];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// Where the payload begins and ends.
fn payload(bytes: &[u8]) -> std::ops::Range<usize> {
    let header = u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")) as usize;
    let length = u64::from_le_bytes(bytes[16 + header..24 + header].try_into().expect("eight bytes")) as usize;
    24 + header..24 + header + length
}

fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 32;
    let checksum = Sha256::digest(&bytes[..end]);
    bytes[end..].copy_from_slice(&checksum);
    bytes
}

/// A few bytes of the payload changed: a number for another, one of the numbers that codecs stumble over, one byte more or less.
fn changed(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(3) {
        let range = payload(&bytes);
        let at = range.start + random.below(range.len());
        match random.below(8) {
            0..3 => bytes[at] = random.next() as u8,
            3 => bytes[at] ^= 1 << random.below(8),
            // Lengths of 2, 4 and 8 bytes begin so.
            4 => bytes[at] = 251 + random.below(3) as u8,
            5 => {
                let end = (at + 8).min(range.end);
                let number = [f64::NAN, f64::INFINITY, -f64::MAX, 1e300, -0.0, 5e-324][random.below(6)].to_le_bytes();
                bytes[at..end].copy_from_slice(&number[..end - at]);
            }
            6 => {
                bytes.insert(at, random.next() as u8);
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
        assert!(scored.probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "a likelihood that is none");
        score_with_reasons(model, &matrix, 0..snapshots.len().min(3), 3).expect("rows that are there");
        model.guard(&matrix);
        for row in 0..snapshots.len().min(3) {
            model.log_odds_error(&matrix, row);
            model.reasons(&matrix, row);
        }
    }
    for dialect in [Dialect::DuckDb, Dialect::Sqlite] {
        drop(score_sql(model, &ScoreTable { dialect, table: "features".to_owned(), keys: Vec::new(), edges: TierEdges::Relative }));
    }
    drop(model.to_pmml());
    drop(model.to_onnx());
    leadscore_report::model_text(model);
    drop(leadscore_report::model_page(model));
    let mut bytes = Vec::new();
    leadscore_inference::write_model(model, &mut bytes).expect("memory");
}

/// How many files are tried: a few seconds' worth, or as many as the chore asks for.
fn n_tries() -> usize {
    std::env::var("LEADSCORE_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000)
}

#[test]
fn no_model_file_brings_anything_down() {
    let folder = small_crm();
    let text = std::fs::read_to_string(folder.path().join("leadscore.toml")).expect("there");
    let tables = load(&Config::parse(&text).expect("right"), folder.path(), &LoadOptions::default()).expect("right");
    let mut random = Random(21);
    let (mut n_read, mut failed) = (0, Vec::new());
    // Where it happened is all that one needs to know.
    static PLACES: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
    std::panic::set_hook(Box::new(|panic| PLACES.lock().expect("one thread").push(format!("{panic}"))));
    for number in 0..n_tries() {
        let bytes = changed(&mut random, VERSIONS[number % VERSIONS.len()]);
        let tried = catch_unwind(AssertUnwindSafe(|| match read_model(&bytes) {
            Ok(model) => {
                use_it(&model, &tables);
                true
            }
            Err(_) => false,
        }));
        match tried {
            Ok(is_read) => n_read += usize::from(is_read),
            Err(_) => failed.push(format!("{number}: {}", PLACES.lock().expect("one thread").pop().unwrap_or_default())),
        }
    }
    drop(std::panic::take_hook());
    assert!(failed.is_empty(), "{} of {}: {}", failed.len(), n_tries(), failed.iter().take(12).cloned().collect::<Vec<_>>().join("\n"));
    assert!(n_read > n_tries() / 50, "only {n_read} were models at all");
}
