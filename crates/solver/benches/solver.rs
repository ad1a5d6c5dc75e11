//! The solver's kernels: one pass over the data, the factor of a Hessian and its inverse, a fit.

use divan::Bencher;
use leadscore_solver::{
    Column, Design, Factor, Penalty, Precision, SolverOptions, Target, expand, fit, log_losses,
};
use ndarray::Array2;

fn main() {
    divan::main();
}

/// Numbers from −1 to 1, the same in every run.
fn numbers(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = 88_172_645_463_325_252_u64 ^ seed;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    })
}

/// Rows of independent numbers, and labels that the first two of them move.
fn rows(n_rows: usize, n_numbers: usize) -> (Design, Target) {
    let columns: Vec<Vec<f64>> = (0..n_numbers)
        .map(|idx| numbers(idx as u64).take(n_rows).collect())
        .collect();
    let labels: Vec<bool> = numbers(n_numbers as u64)
        .zip(columns[0].iter().zip(&columns[1]))
        .map(|(noise, (first, second))| first - 0.5 * second + noise > 0.4)
        .collect();
    let columns: Vec<Column<'_>> = columns
        .iter()
        .map(|values| Column::numbers(values))
        .collect();
    (
        Design::new(n_rows, &columns, Precision::F64).expect("the numbers are finite"),
        Target::new(&labels, None, None).expect("there are both classes"),
    )
}

/// A symmetric matrix whose diagonal outweighs the rest of each row, so that it has a factor.
fn positive_definite(n: usize) -> Array2<f64> {
    let noise = Array2::from_shape_vec((n, n), numbers(0).take(n * n).collect()).expect("n by n");
    &noise + &noise.t() + Array2::<f64>::eye(n) * (2 * n) as f64
}

/// Loss, gradient and second derivatives of all rows.
#[divan::bench(name = "pass_with_hessian/100_000x50")]
fn pass_with_hessian(bencher: Bencher<'_, '_>) {
    let (design, target) = rows(100_000, 50);
    let at = vec![0.01; design.n_coefficients()];
    bencher.bench_local(|| expand(&design, &target, &at).expect("the sizes agree"));
}

/// The loss of all rows alone.
#[divan::bench(name = "pass_of_losses/100_000x50")]
fn pass_of_losses(bencher: Bencher<'_, '_>) {
    let (design, target) = rows(100_000, 50);
    let at = vec![0.01; design.n_coefficients()];
    bencher.bench_local(|| log_losses(&design, &target, &[&at]).expect("the sizes agree"));
}

#[divan::bench(name = "factor/500x500")]
fn factor(bencher: Bencher<'_, '_>) {
    let matrix = positive_definite(500);
    bencher
        .with_inputs(|| matrix.clone())
        .bench_local_values(|matrix| Factor::new(matrix).expect("the diagonal outweighs the rest"));
}

#[divan::bench(name = "inverse/500x500")]
fn inverse(bencher: Bencher<'_, '_>) {
    let factor = Factor::new(positive_definite(500)).expect("the diagonal outweighs the rest");
    bencher.bench_local(|| factor.inverse());
}

/// From rows to an optimum with its certificate.
#[divan::bench(name = "fit_logistic/10_000x50")]
fn fit_logistic(bencher: Bencher<'_, '_>) {
    let (design, target) = rows(10_000, 50);
    let penalty = Penalty::none().ridge(1..design.n_coefficients(), 1.0);
    bencher.bench_local(|| {
        fit(&design, &target, &penalty, SolverOptions::default(), None)
            .expect("a ridge has an optimum")
    });
}
