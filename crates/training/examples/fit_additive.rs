//! Times the additive model with tables on columns that another program wrote: `fit_additive FOLDER
//! ROWS NUMBERS TRAIN THREADS`.
//!
//! FOLDER holds `x.f64` (columns one after the other) and `y.u8`. The first TRAIN rows are fitted,
//! with given strengths, from numbers to weights; prints JSON with the log-loss on the others.

use std::time::Instant;

use leadscore_core::{
    AttributeTable, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp,
    Unit,
};
use leadscore_training::{
    Beforehand, Resolution, Shape, Smoothing, SolverKind, Strengths, TrainInput, fit_shape,
};

#[expect(clippy::print_stdout, reason = "a measurement for another program")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (folder, n, p, n_train): (&str, usize, usize, usize) = (
        &args[0],
        args[1].parse()?,
        args[2].parse()?,
        args[3].parse()?,
    );
    let values: Vec<f64> = std::fs::read(format!("{folder}/x.f64"))?
        .as_chunks::<8>()
        .0
        .iter()
        .map(|bytes| f64::from_le_bytes(*bytes))
        .collect();
    let labels: Vec<bool> = std::fs::read(format!("{folder}/y.u8"))?
        .iter()
        .map(|label| *label == 1)
        .collect();
    let keys = (0..n).map(|row| {
        Ok(Snapshot {
            lead: u32::try_from(row)?,
            at: Timestamp::from_micros(i64::try_from(row)?),
        })
    });
    let keys: Vec<Snapshot> = keys.collect::<Result<_, std::num::TryFromIntError>>()?;
    let spec = |idx: usize| {
        let name = format!("x{idx}");
        FeatureSpec {
            source: FeatureSource::Attribute {
                table: AttributeTable::Leads,
                column: name.clone(),
            },
            name,
            kind: FeatureKind::Number,
            unit: Unit::AsGiven,
        }
    };
    let matrix = FeatureMatrix::from_buffer(
        keys,
        (0..p).map(|idx| (spec(idx), Vec::new())).collect(),
        values,
    )?;
    let lead_keys: Vec<u64> = (0..n as u64).collect();
    let input = TrainInput {
        matrix: &matrix,
        labels: &labels,
        lead_keys: &lead_keys,
        clusters: &lead_keys,
        horizon: None,
        weights: None,
        unripe: None,
    };
    let (train, test): (Vec<usize>, Vec<usize>) = ((0..n_train).collect(), (n_train..n).collect());
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args[4].parse()?)
        .build()?;
    pool.install(|| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let start = Instant::now();
        let strengths = Strengths {
            steps: 4.0,
            smooth: 100.0,
            pair: 4.0,
            ..Strengths::ridge(4.0)
        };
        let fitted = fit_shape(
            input,
            &train,
            &Beforehand::default(),
            Shape::Additive {
                n_pairs: 10,
                resolution: Resolution::Usual,
            },
            Smoothing::Given(strengths),
            SolverKind::Native,
        )?;
        let wall = start.elapsed().as_secs_f64();
        let log_odds = fitted.log_odds(input, &test)?;
        let loss: f64 = log_odds
            .iter()
            .zip(&test)
            .map(|(eta, &row)| if labels[row] { -eta } else { *eta })
            .map(|eta| eta.max(0.0) + (-eta.abs()).exp().ln_1p())
            .sum();
        println!(
            "{{\"wall\": {wall}, \"loss\": {}, \"pairs\": {}}}",
            loss / test.len() as f64,
            fitted.n_pairs()
        );
        Ok(())
    })
    .map_err(|error| -> Box<dyn std::error::Error> { error })
}
