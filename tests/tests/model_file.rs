//! The model file: every released format still loads and still gives its scores; whatever is damaged is refused.
#![allow(missing_docs, reason = "tests")]

use std::path::Path;

use leadscore_inference::{ModelFileError, read_model, write_model};
use leadscore_tests::{small_crm, succeed};
use proptest::prelude::*;

const VERSION_1: &[u8] = include_bytes!("../fixtures/model-v1.leadscore");

#[test]
fn version_1_still_gives_the_scores_stored_with_it() {
    let folder = small_crm();
    let fixtures = leadscore_tests::here().join("fixtures");
    let model = fixtures.join("model-v1.leadscore");
    let path = model.to_string_lossy();
    succeed(folder.path(), &["score", &path, "--as-of", "2020-05-01", "-o", "scores.csv"]);
    let read = |path: &Path| -> Vec<csv::StringRecord> {
        csv::Reader::from_path(path).expect("readable").into_records().map(|record| record.expect("a row")).collect()
    };
    let (found, stored) = (read(&folder.path().join("scores.csv")), read(&fixtures.join("scores-v1.csv")));
    assert_eq!(found.len(), stored.len());
    for (found, stored) in found.iter().zip(&stored) {
        for (found, stored) in found.iter().zip(stored) {
            match (found.parse::<f64>(), stored.parse::<f64>()) {
                // Another machine's exp may differ in the last place.
                (Ok(found), Ok(stored)) => assert!((found - stored).abs() < 1e-9),
                _ => assert_eq!(found, stored),
            }
        }
    }
}

#[test]
fn reading_and_writing_are_inverse() {
    let model = read_model(VERSION_1).expect("whole");
    let mut bytes = Vec::new();
    write_model(&model, &mut bytes).expect("memory");
    // Written in today's format, and nothing lost.
    assert_eq!(read_model(&bytes).expect("whole"), model);
    assert_eq!(model.compute_id().expect("encodes"), model.card.model_id);
    let header_length = u32::from_le_bytes(VERSION_1[12..16].try_into().expect("four bytes")) as usize;
    let header: serde_json::Value = serde_json::from_slice(&VERSION_1[16..16 + header_length]).expect("JSON that a person can read");
    assert_eq!(header["payload_codec"], "bincode2-standard");
}

#[test]
fn every_cut_is_refused() {
    for length in 0..VERSION_1.len() {
        assert!(read_model(&VERSION_1[..length]).is_err(), "cut to {length} bytes");
    }
    assert!(matches!(read_model(&VERSION_1[..VERSION_1.len() / 2]), Err(ModelFileError::Truncated { .. })));
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut bytes = VERSION_1.to_vec();
    // The checksum covers every byte alike: each byte of the frame, then each seventh.
    let positions = (0..64).chain((64..bytes.len()).step_by(7)).chain(bytes.len() - 40..bytes.len());
    for position in positions {
        for bit in 0..8 {
            bytes[position] ^= 1 << bit;
            assert!(read_model(&bytes).is_err(), "byte {position}, bit {bit}");
            bytes[position] ^= 1 << bit;
        }
    }
    assert!(read_model(&bytes).is_ok());
}

#[test]
fn a_newer_version_says_so() {
    use sha2::Digest;
    let mut bytes = VERSION_1[..VERSION_1.len() - 32].to_vec();
    bytes[8] = 9;
    let checksum = sha2::Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    assert!(matches!(read_model(&bytes), Err(ModelFileError::Newer { found: 9 })));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), header in 0..400_u32) {
        prop_assert!(read_model(&bytes).is_err());
        let mut framed = b"LEADMDL\n\x01\0\0\0".to_vec();
        framed.extend_from_slice(&header.to_le_bytes());
        framed.extend_from_slice(&bytes);
        prop_assert!(read_model(&framed).is_err());
    }
}
