//! Times fits on columns that another program wrote: `fit FOLDER ROWS NUMBERS LEVELS|- THREADS
//! f32|f64 ridge|path`; prints JSON.
//!
//! FOLDER holds `x.f64` (columns one after the other), `c.u32` (codes, the same) and `y.u8`,
//! little-endian. `ridge` is one fit with a ridge of 1 to a gradient of 1e-9; `path` is 20 ridges
//! on each of 5 folds, rows in turn.

use std::time::Instant;

use leadscore_solver::{
    Column, Design, Penalty, Precision, SolverError, SolverOptions, Start, Target,
    clustered_covariance, expand, fit, fit_many, log_losses,
};

struct Data {
    numbers: Vec<Vec<f64>>,
    codes: Vec<Vec<u32>>,
    levels: Vec<usize>,
    labels: Vec<bool>,
}

fn chunks<const N: usize, V>(path: &str, from: fn([u8; N]) -> V) -> std::io::Result<Vec<V>> {
    Ok(std::fs::read(path)?
        .as_chunks::<N>()
        .0
        .iter()
        .map(|bytes| from(*bytes))
        .collect())
}

impl Data {
    fn design(&self, rows: &[usize], precision: Precision) -> Result<Design, SolverError> {
        let numbers = self.numbers.iter().map(|values| {
            Column::Number(Box::new(
                move |range: std::ops::Range<usize>, out: &mut [f64]| {
                    out.iter_mut()
                        .zip(&rows[range])
                        .for_each(|(to, &row)| *to = values[row]);
                },
            ))
        });
        let codes = self
            .codes
            .iter()
            .zip(&self.levels)
            .map(|(codes, &n_levels)| Column::Codes {
                n_levels,
                fill: Box::new(move |range: std::ops::Range<usize>, out: &mut [u32]| {
                    out.iter_mut()
                        .zip(&rows[range])
                        .for_each(|(to, &row)| *to = codes[row]);
                }),
            });
        Design::new(
            rows.len(),
            &numbers.chain(codes).collect::<Vec<_>>(),
            precision,
        )
    }

    fn target(&self, rows: &[usize]) -> Result<Target, SolverError> {
        Target::new(
            &rows
                .iter()
                .map(|&row| self.labels[row])
                .collect::<Vec<bool>>(),
            None,
            None,
        )
    }
}

/// Log-loss of 20 ridges on 5 folds, all penalties of a fold in the same passes.
fn path(data: &Data, precision: Precision) -> Result<Vec<f64>, SolverError> {
    let n = data.labels.len();
    let mut losses = vec![0.0; 20];
    for fold in 0..5 {
        let (held, rows): (Vec<usize>, Vec<usize>) = (0..n).partition(|row| row % 5 == fold);
        let (design, target, validation) = (
            data.design(&rows, precision)?,
            data.target(&rows)?,
            data.design(&held, precision)?,
        );
        let ridge = |strength: f64| Penalty::none().ridge(1..design.n_coefficients(), strength);
        let options = SolverOptions {
            tolerance: 1e-4,
            final_hessian: false,
            ..Default::default()
        };
        // From the middle of those that matter: below, the data decide.
        let rough = SolverOptions {
            tolerance: 2e-3,
            ..options
        };
        let middle = expand(
            &design,
            &target,
            &fit(&design, &target, &ridge(100.0), rough, None)?.coefficients,
        )?;
        let penalties: Vec<Penalty> = (0..20)
            .map(|idx| ridge(10_f64.powf(4.0 - 8.0 * f64::from(idx) / 19.0)))
            .collect();
        let fits = fit_many(
            &design,
            &target,
            &penalties,
            options,
            Some(Start::Near(&middle)),
        )?;
        let points: Vec<&[f64]> = fits.iter().map(|fit| fit.coefficients.as_slice()).collect();
        for (loss, of_fold) in
            losses
                .iter_mut()
                .zip(log_losses(&validation, &data.target(&held)?, &points)?)
        {
            *loss += of_fold / n as f64;
        }
    }
    Ok(losses)
}

#[expect(clippy::print_stdout, reason = "a measurement for another program")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (folder, n, p): (&str, usize, usize) = (&args[0], args[1].parse()?, args[2].parse()?);
    let levels: Vec<usize> = args[3]
        .split(',')
        .filter(|text| *text != "-")
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let precision = if args[5] == "f64" {
        Precision::F64
    } else {
        Precision::F32
    };
    let data = Data {
        numbers: if p > 0 {
            chunks(&format!("{folder}/x.f64"), f64::from_le_bytes)?
                .chunks_exact(n)
                .take(p)
                .map(<[f64]>::to_vec)
                .collect()
        } else {
            Vec::new()
        },
        codes: if levels.is_empty() {
            Vec::new()
        } else {
            chunks(&format!("{folder}/c.u32"), u32::from_le_bytes)?
                .chunks_exact(n)
                .map(<[u32]>::to_vec)
                .collect()
        },
        labels: std::fs::read(format!("{folder}/y.u8"))?
            .iter()
            .map(|label| *label == 1)
            .collect(),
        levels,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args[4].parse()?)
        .build()?;
    let rows: Vec<usize> = (0..n).collect();
    let report = pool.install(|| -> Result<String, SolverError> {
        if args[6] == "path" {
            let start = Instant::now();
            let losses = path(&data, precision)?;
            return Ok(format!("{{\"wall\": {}, \"losses\": {losses:?}}}", start.elapsed().as_secs_f64()));
        }
        let start = Instant::now();
        let design = data.design(&rows, precision)?;
        let encoded = start.elapsed().as_secs_f64();
        let target = data.target(&rows)?;
        let penalty = Penalty::none().ridge(1..design.n_coefficients(), 1.0);
        let start = Instant::now();
        let fitted = fit(&design, &target, &penalty, SolverOptions::default(), None)?;
        let errors: Vec<f64> = fitted.factor.inverse().diag().iter().map(|variance| variance.sqrt()).collect();
        let wall = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let leads: Vec<u64> = (0..n as u64).map(|row| row / 2).collect();
        let robust = if args[6] == "robust" { clustered_covariance(&design, &target, &fitted, &leads)?[[0, 0]] } else { 0.0 };
        let certificate = fitted.certificate;
        Ok(format!(
            "{{\"encoding\": {encoded}, \"wall\": {wall}, \"robust\": {}, \"first_error\": {}, \"robust_variance\": {robust}, \"objective\": {}, \"gradient\": {}, \"passes\": {}, \"hessians\": {}, \"bytes\": {}}}",
            start.elapsed().as_secs_f64(), errors[0], certificate.objective, certificate.gradient, certificate.passes, certificate.hessians, design.n_bytes()
        ))
    })?;
    println!("{report}");
    Ok(())
}
