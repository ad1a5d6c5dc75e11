//! Times a fit on simulated columns: `fit ROWS NUMBERS LEVELS,LEVELS,… [f64]`; prints CPU and wall seconds, passes, gradient.

use std::time::Instant;

use leadscore_solver::{Column, Design, Penalty, Precision, SolverOptions, Target, fit};

#[expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for people")]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let n: usize = args[0].parse().unwrap();
    let p: usize = args[1].parse().unwrap();
    let levels: Vec<u32> = args.get(2).filter(|text| *text != "-").map(|text| text.split(',').map(|part| part.parse().unwrap()).collect()).unwrap_or_default();
    let precision = if args.get(3).is_some() { Precision::F64 } else { Precision::F32 };
    let mut state = 88_172_645_463_325_252_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut eta = vec![-2.2; n];
    let numbers: Vec<Vec<f64>> = (0..p)
        .map(|j| {
            let values: Vec<f64> = (0..n).map(|_| (uniform() + uniform() + uniform() + uniform() - 2.0) * 1.732).collect();
            eta.iter_mut().zip(&values).for_each(|(eta, value)| *eta += value * (j as f64 * 0.7).sin() * 0.4);
            values
        })
        .collect();
    let codes: Vec<Vec<u32>> = levels
        .iter()
        .enumerate()
        .map(|(j, &n_levels)| {
            let codes: Vec<u32> = (0..n).map(|_| (uniform().powi(2) * f64::from(n_levels)) as u32).collect();
            eta.iter_mut().zip(&codes).for_each(|(eta, code)| *eta += 0.3 * f64::from(code * 7 + j as u32).sin());
            codes
        })
        .collect();
    let labels: Vec<bool> = eta.iter().map(|eta| uniform() < 1.0 / (1.0 + (-eta).exp())).collect();
    let mut columns: Vec<Column<'_>> = numbers.iter().map(|values| Column::numbers(values)).collect();
    columns.extend(codes.iter().zip(&levels).map(|(codes, &n_levels)| Column::codes(n_levels as usize, codes)));
    let start = Instant::now();
    let design = Design::new(n, &columns, precision).unwrap();
    println!("design: {:.3} s wall, {} MB, {} coefficients", start.elapsed().as_secs_f64(), design.n_bytes() / 1_000_000, design.n_coefficients());
    let target = Target::new(&labels, None, None).unwrap();
    let penalty = Penalty::none().ridge(1..design.n_coefficients(), 1.0);
    for n_threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        for _ in 0..3 {
            let start = Instant::now();
            let fitted = pool.install(|| fit(&design, &target, &penalty, SolverOptions::default(), None)).unwrap();
            println!("{n_threads} threads: {:.3} s wall, {:?}", start.elapsed().as_secs_f64(), fitted.certificate);
        }
    }
}
