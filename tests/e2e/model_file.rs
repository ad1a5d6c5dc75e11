//! The model file: every released format still loads and still gives its scores; whatever is
//! damaged is refused.
#![allow(missing_docs, reason = "tests")]

use std::path::Path;

use leadscore_core::{
    Cells, ColumnProfile, ColumnRole, DataProfile, FeatureKind, FeatureSpec, MatchCount,
    TableProfile, TableReach, Timestamp, Writing,
};
use leadscore_inference::{
    AgeBaseline, Axis, BinsTerm, CalibrationCurve, CellCount, Challenge, Covariance, FeatureScope,
    FitCertificate, JudgedAttribute, LeadSample, LearningCurve, LearningPoint, Model,
    ModelFileError, PairTerm, Scope, Spread, Term, WithAndWithout, read_model, write_model,
};
use leadscore_tests::{small_crm, succeed};
use proptest::prelude::*;

const VERSION_1: &[u8] = include_bytes!("../fixtures/model-v1.leadscore");

const VERSION_2: &[u8] = include_bytes!("../fixtures/model-v2.leadscore");

const VERSION_3: &[u8] = include_bytes!("../fixtures/model-v3.leadscore");

const VERSION_4: &[u8] = include_bytes!("../fixtures/model-v4.leadscore");

const VERSION_5: &[u8] = include_bytes!("../fixtures/model-v5.leadscore");
const VERSION_6: &[u8] = include_bytes!("../fixtures/model-v6.leadscore");

/// A model with everything that version 2 can hold, over the features of version 1's.
fn version_2() -> Model {
    let mut model = read_model(VERSION_1).expect("whole");
    let column = |name: &str| {
        model
            .specs
            .iter()
            .position(|spec| spec.name == name)
            .unwrap_or_else(|| panic!("no feature {name}"))
    };
    let (size, source, age) = (column("size"), column("source"), column("age"));
    model.terms.push(Term::Bins(BinsTerm {
        feature_idx: size,
        edges: vec![2.5, 5.5, 9.5],
        weights: vec![-0.4, -0.1, 0.2, 0.7],
        centers: vec![1.0, 4.0, 7.5, 11.0],
        tilt: 0.05,
        range: (0.0, 12.0),
        missing: 0.1,
        average: 0.08,
    }));
    model.terms.push(Term::Pair(PairTerm {
        first: Axis::Levels {
            feature_idx: source,
            levels: vec!["mail".to_owned(), "web".to_owned()],
        },
        second: Axis::Bins {
            feature_idx: age,
            edges: vec![20.0],
        },
        weights: (0..9).map(|cell| f64::from(cell) * 0.03 - 0.2).collect(),
        average: 0.01,
    }));
    let n_cells: usize = model.terms.iter().map(Term::n_cells).sum();
    model.counts = model
        .terms
        .iter()
        .map(|term| {
            (0..term.n_cells() as u64)
                .map(|cell| CellCount {
                    n_rows: 3 * cell + 1,
                    n_wins: cell,
                })
                .collect()
        })
        .collect();
    // Independent weights: a diagonal.
    let lower = (0..=n_cells)
        .flat_map(|row| (0..=row).map(move |column| if row == column { 0.01 } else { 0.0 }))
        .collect();
    model.covariance = Some(Covariance {
        n: n_cells + 1,
        lower,
    });
    model.calibration = Some(CalibrationCurve {
        knots: vec![(-2.0, -1.5), (-0.5, -0.75), (1.0, 0.5)],
        replicates: Vec::new(),
    });
    model.tier_edges = [0.6, 0.45, 0.3];
    model.card.kind = "additive".to_owned();
    model.card.certificate = Some(FitCertificate {
        gradient: 1e-10,
        newton_decrement: 1e-12,
        iterations: 5,
        passes: 6,
        condition: 1e4,
        effective_parameters: 12.5,
    });
    model.card.challenges.push(Challenge {
        richer: "shape functions".to_owned().into(),
        simpler: "linear terms".to_owned().into(),
        log_loss_difference: -0.01,
        low: -0.015,
        high: -0.005,
        n_snapshots: 240,
        shipped: "shape functions".to_owned().into(),
        reason: "better by more than one standard error".to_owned(),
    });
    let point = LearningPoint {
        shape: "shape functions".to_owned().into(),
        n_wins: 96.0,
        log_loss: 0.6,
    };
    model.card.learning = Some(LearningCurve {
        points: vec![point],
        verdict: vec!["more wins would lower the log-loss".to_owned()],
    });
    model.card.model_id = model.compute_id().expect("encodes");
    model
}

/// The same with what version 3 adds: what the tables looked like.
fn version_3() -> Model {
    let moment = |text: &str| Timestamp::parse_iso(text).expect("a moment").0;
    let column = |column: &str, role, cells, n_missing| ColumnProfile {
        column: column.to_owned(),
        role,
        cells,
        n_missing,
    };
    let written = Some(Writing {
        decimal: ',',
        thousands: Some('.'),
    });
    let columns = vec![
        column("id", ColumnRole::Key, Some(Cells::Texts), Some(0)),
        column("created", ColumnRole::Time, Some(Cells::Times), Some(2)),
        column(
            "size",
            ColumnRole::Attribute,
            Some(Cells::Numbers {
                low: 0.0,
                percentile_1: 0.5,
                median: 4.0,
                percentile_99: 11.5,
                high: 12.0,
                written,
            }),
            Some(7),
        ),
        column(
            "source",
            ColumnRole::Attribute,
            Some(Cells::Categories {
                n_levels: 2,
                levels: vec![("web".to_owned(), 80), ("mail".to_owned(), 40)],
            }),
            None,
        ),
        column(
            "blob",
            ColumnRole::Excluded,
            Some(Cells::Unreadable("lists".to_owned())),
            None,
        ),
        column("note", ColumnRole::Unused, None, None),
    ];
    let reach = TableReach {
        column: "created".to_owned(),
        first: moment("2020-01-01"),
        end: moment("2020-12-30"),
        n_later: 1,
        last: moment("2021-06-01"),
        lag_micros: 86_400_000_000,
    };
    let table = TableProfile {
        table: "[leads]".to_owned(),
        n_rows: 120,
        reach: Some(reach),
        matches: None,
        columns,
    };
    let matches = Some(MatchCount {
        n_rows: 100,
        n_matched: 98,
    });
    let other = TableProfile {
        table: "[outcomes]".to_owned(),
        n_rows: 100,
        reach: None,
        matches,
        columns: Vec::new(),
    };
    let model = version_2();
    let numbers = FeatureScope {
        spread: Some(Spread {
            low: 0.0,
            median: 4.0,
            deviation: 0.0,
            high: 20.0,
        }),
        filled: 0.8,
        novel: 0.0,
    };
    let levels = FeatureScope {
        spread: None,
        filled: 1.0,
        novel: 0.01,
    };
    let of = |spec: &FeatureSpec| {
        if spec.kind == FeatureKind::Category {
            levels
        } else {
            numbers
        }
    };
    let scope = Scope {
        every: Some("month".to_owned()),
        silent: None,
        negative_sampling_rate: 1.0,
        clusters: "leads".to_owned(),
        ages: Some(Spread {
            low: 0.0,
            median: 30.0,
            deviation: 0.0,
            high: 120.0,
        }),
        features: model.specs.iter().map(of).collect(),
        leads: LeadSample::default(),
        judged: Vec::new(),
    };
    Model {
        data: Some(DataProfile {
            tables: vec![table, other],
        }),
        scope: Some(scope),
        ..model
    }
}

#[test]
fn version_1_still_gives_the_scores_stored_with_it() {
    check_stored_scores("v1");
}

#[test]
fn version_2_still_is_what_it_was_and_gives_its_scores() {
    assert_eq!(read_model(VERSION_2).expect("whole"), version_2());
    check_stored_scores("v2");
}

#[test]
fn version_3_still_is_what_it_was_and_gives_its_scores() {
    assert_eq!(read_model(VERSION_3).expect("whole"), version_3());
    check_stored_scores("v3");
}

/// The same with what version 4 adds: lines that end, doubt about the calibration, some leads, and
/// suspicious attributes.
fn version_4() -> Model {
    let mut model = version_3();
    for term in &mut model.terms {
        if let Term::Linear(line) = term {
            line.range = (line.mean - 0.5 * line.scale, line.mean + line.scale);
        }
    }
    let curve = model.calibration.as_mut().expect("version 2 has one");
    curve.replicates = vec![vec![-1.75, -0.75, 0.25], vec![-1.25, -0.75, 0.75]];
    let scope = model.scope.as_mut().expect("version 3 has one");
    scope.ages = Some(Spread {
        low: 0.0,
        median: 30.0,
        deviation: 15.5,
        high: 120.0,
    });
    scope.leads = LeadSample {
        limit: u64::MAX,
        hashes: vec![7, 1 << 40],
    };
    scope.judged = vec![JudgedAttribute {
        feature: "size".to_owned(),
        is_proven: false,
        is_used: true,
        evidence: "AUC 0.97".to_owned(),
        without: Some(WithAndWithout {
            log_loss_with: 0.25,
            log_loss_without: 0.5,
            roc_auc_with: 0.9,
            roc_auc_without: 0.7,
        }),
    }];
    model.card.model_id = model.compute_id().expect("encodes");
    model
}

#[test]
fn version_4_still_is_what_it_was_and_gives_its_scores() {
    assert_eq!(read_model(VERSION_4).expect("whole"), version_4());
    check_stored_scores("v4");
}

/// The same with what version 5 adds: averages by age, and degrees of freedom.
fn version_5() -> Model {
    let mut model = version_4();
    let feature_idx = model
        .specs
        .iter()
        .position(|spec| spec.name == "age")
        .expect("version 1 has one");
    let means = (0..model.terms.len())
        .map(|term| {
            (0..4_u8)
                .map(|bin| 0.125 * f64::from(bin) - 0.0625 * term as f64)
                .collect()
        })
        .collect();
    model.age_baseline = Some(AgeBaseline {
        feature_idx,
        knots: vec![20.0, 40.0, 60.0],
        means,
    });
    model.degrees = (0..model.terms.len())
        .map(|term| 0.5 + term as f64)
        .collect();
    model.card.model_id = model.compute_id().expect("encodes");
    model
}

#[test]
fn version_5_still_is_what_it_was_and_gives_its_scores() {
    assert_eq!(read_model(VERSION_5).expect("whole"), version_5());
    check_stored_scores("v5");
}

/// The file has exactly what the model above has, in the names of version 6. A new field is a new
/// version, or it would be another model by now.
#[test]
fn version_6_still_is_what_it_was_and_gives_its_scores() {
    let mut bytes = Vec::new();
    write_model(&version_5(), &mut bytes).expect("memory");
    assert_eq!(read_model(VERSION_6).expect("whole"), version_5());
    assert!(
        bytes == VERSION_6,
        "the same model is written in other bytes"
    );
    check_stored_scores("v6");
}

#[test]
fn averages_and_degrees_that_do_not_fit_the_terms_are_refused() {
    let check = |change: &dyn Fn(&mut Model), expected: &str| {
        let mut model = version_5();
        change(&mut model);
        let mut bytes = Vec::new();
        write_model(&model, &mut bytes).expect("memory");
        let found = read_model(&bytes).expect_err("refused").to_string();
        assert!(found.contains(expected), "{found}");
    };
    fn baseline(model: &mut Model) -> &mut AgeBaseline {
        model.age_baseline.as_mut().expect("version 5 has one")
    }
    for change in [
        (&|model: &mut Model| baseline(model).feature_idx = 99) as &dyn Fn(&mut Model),
        &|model| baseline(model).knots = vec![60.0, 40.0, 20.0],
        &|model| baseline(model).means[0][1] = f64::NAN,
        &|model| {
            baseline(model).means[0].pop();
        },
        &|model| {
            baseline(model).means.pop();
        },
    ] {
        check(change, "averages by age");
    }
    for change in [
        (&|model: &mut Model| {
            model.degrees.pop();
        }) as &dyn Fn(&mut Model),
        &|model| model.degrees[0] = f64::INFINITY,
        &|model| {
            model.degrees[0] = -1.0;
        },
    ] {
        check(change, "degrees of freedom");
    }
}

#[test]
fn degrees_of_freedom_stand_beside_their_terms() {
    let folder = small_crm();
    std::fs::write(folder.path().join("v5.leadscore"), VERSION_5).expect("a folder");
    let text = succeed(folder.path(), &["inspect", "v5.leadscore"]);
    assert!(text.contains("degrees of freedom"), "{text}");
    std::fs::write(folder.path().join("v4.leadscore"), VERSION_4).expect("a folder");
    assert!(!succeed(folder.path(), &["inspect", "v4.leadscore"]).contains("degrees of freedom"));
}

fn check_stored_scores(version: &str) {
    let folder = small_crm();
    let fixtures = leadscore_tests::here().join("fixtures");
    let model = fixtures.join(format!("model-{version}.leadscore"));
    let path = model.to_string_lossy();
    succeed(
        folder.path(),
        &["score", &path, "--as-of", "2020-05-01", "-o", "scores.csv"],
    );
    // By id: stored scores are in the order that files had when they were stored.
    let read = |path: &Path| -> Vec<csv::StringRecord> {
        let mut rows: Vec<_> = csv::Reader::from_path(path)
            .expect("readable")
            .into_records()
            .map(|record| record.expect("a row"))
            .collect();
        rows.sort_by(|a, b| a[0].cmp(&b[0]));
        rows
    };
    let (found, stored) = (
        read(&folder.path().join("scores.csv")),
        read(&fixtures.join(format!("scores-{version}.csv"))),
    );
    assert_eq!(found.len(), stored.len());
    // Reasons are worded and grouped by the program that reads the model; what they add up to is
    // the model's.
    let header = csv::Reader::from_path(fixtures.join(format!("scores-{version}.csv")))
        .expect("readable")
        .headers()
        .expect("there")
        .clone();
    let is_reason = |column: usize| header[column].contains("reason");
    for (found, stored) in found.iter().zip(&stored) {
        let number = |name: &str| {
            header
                .iter()
                .position(|known| known == name)
                .and_then(|column| found[column].parse::<f64>().ok())
        };
        if let Some(log_odds) = number("log_odds") {
            let names = [
                "baseline_log_odds",
                "reason_1_log_odds",
                "reason_2_log_odds",
                "reason_3_log_odds",
                "other_reasons_log_odds",
            ];
            assert!((names.into_iter().filter_map(number).sum::<f64>() - log_odds).abs() < 1e-9);
        }
        for (column, (found, stored)) in found.iter().zip(stored).enumerate() {
            if is_reason(column) {
                continue;
            }
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
    let header_length =
        u32::from_le_bytes(VERSION_1[12..16].try_into().expect("four bytes")) as usize;
    let header: serde_json::Value = serde_json::from_slice(&VERSION_1[16..16 + header_length])
        .expect("JSON that a person can read");
    assert_eq!(header["payload_codec"], "bincode2-standard");
}

#[test]
fn every_cut_is_refused() {
    for length in 0..VERSION_1.len() {
        assert!(
            read_model(&VERSION_1[..length]).is_err(),
            "cut to {length} bytes"
        );
    }
    assert!(matches!(
        read_model(&VERSION_1[..VERSION_1.len() / 2]),
        Err(ModelFileError::Truncated { .. })
    ));
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut bytes = VERSION_1.to_vec();
    // The checksum covers every byte alike: each byte of the frame, then each seventh.
    let positions = (0..64)
        .chain((64..bytes.len()).step_by(7))
        .chain(bytes.len() - 40..bytes.len());
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
    assert!(matches!(
        read_model(&bytes),
        Err(ModelFileError::Newer { found: 9 })
    ));
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
