//! Encoding: what is learned of each feature, and the rows that the solver gets.

use divan::Bencher;
use leadscore_core::{
    AttributeTable, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp,
    Unit,
};
use leadscore_training::{Beforehand, Encoding, EncodingOptions};

fn main() {
    divan::main();
}

const N_ROWS: u32 = 20_000;

/// Numbers from 0 to 1, the same in every run.
fn uniforms() -> impl FnMut() -> f64 {
    let mut state = 88_172_645_463_325_252_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// 20 numbers, a tenth of them missing, and 4 categories of 50 levels.
fn matrix() -> FeatureMatrix {
    let mut uniform = uniforms();
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for idx in 0..24 {
        let is_number = idx < 20;
        let name = format!("x{idx}");
        let spec = FeatureSpec {
            source: FeatureSource::Attribute {
                table: AttributeTable::Leads,
                column: name.clone(),
            },
            name,
            kind: if is_number {
                FeatureKind::Number
            } else {
                FeatureKind::Category
            },
            unit: Unit::AsGiven,
        };
        let levels = if is_number { 0..0 } else { 0..50 };
        columns.push((
            spec,
            levels.map(|level| format!("level {level:02}")).collect(),
        ));
        values.extend((0..N_ROWS).map(|_| {
            let (value, hole) = (uniform(), uniform());
            if is_number && hole < 0.1 {
                f64::NAN
            } else if is_number {
                value * value
            } else {
                (50.0 * value).floor()
            }
        }));
    }
    let at = Timestamp::from_micros(0);
    let keys = (0..N_ROWS).map(|lead| Snapshot { lead, at }).collect();
    FeatureMatrix::from_buffer(keys, columns, values).expect("a value for each cell")
}

fn all_rows() -> Vec<usize> {
    (0..N_ROWS as usize).collect()
}

/// Means, scales, bins and levels.
#[divan::bench(name = "learn_encoding/20_000x24")]
fn learn(bencher: Bencher<'_, '_>) {
    let (matrix, rows) = (matrix(), all_rows());
    bencher.bench_local(|| {
        Encoding::fit(
            &matrix,
            &rows,
            &Beforehand::default(),
            EncodingOptions::default(),
        )
    });
}

fn encode(bencher: Bencher<'_, '_>, curves: bool) {
    let (matrix, rows) = (matrix(), all_rows());
    let options = EncodingOptions {
        curves,
        ..EncodingOptions::default()
    };
    let encoding = Encoding::fit(&matrix, &rows, &Beforehand::default(), options);
    bencher.bench_local(|| {
        encoding
            .design(&matrix, &rows)
            .expect("the numbers are finite")
    });
}

#[divan::bench(name = "encode_lines/20_000x24")]
fn encode_lines(bencher: Bencher<'_, '_>) {
    encode(bencher, false);
}

#[divan::bench(name = "encode_shape_functions/20_000x24")]
fn encode_shape_functions(bencher: Bencher<'_, '_>) {
    encode(bencher, true);
}
