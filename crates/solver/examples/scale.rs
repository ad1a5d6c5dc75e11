//! Times one fit against rows: `scale ROWS memory|FOLDER`; prints JSON. Fifty numbers in four
//! bytes, made as they are encoded, so that nothing but their tiles needs room: in memory, or in a
//! file in FOLDER.

use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use leadscore_solver::{Column, Design, Penalty, Precision, SolverOptions, Target, fit};

const NUMBERS: u64 = 50;

/// The number of a row, about -1.7 to 1.7 with a standard deviation of 1; a mixer of bits by
/// Sebastiano Vigna (splitmix64).
fn number(row: usize, column: u64) -> f64 {
    let mut bits = (row as u64)
        .wrapping_mul(NUMBERS + 1)
        .wrapping_add(column)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 - 0.5) * 12_f64.sqrt()
}

fn label(row: usize) -> bool {
    let eta = -2.2
        + (0..NUMBERS)
            .map(|column| 0.4 * (0.7 * column as f64).sin() * number(row, column))
            .sum::<f64>();
    number(row, NUMBERS) / 12_f64.sqrt() + 0.5 < 1.0 / (1.0 + (-eta).exp())
}

/// A line of `/proc/self/status` in bytes; 0 where there is none.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with(name))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|text| text.parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}

/// Bytes a second that a plain sum of numbers in memory reads, of as many as fit no cache.
fn bandwidth() -> f64 {
    let numbers = vec![1.0_f32; 50_000_000];
    let time = |_| {
        let start = Instant::now();
        let sum: f32 = std::hint::black_box(&numbers)
            .chunks_exact(64)
            .map(|chunk| chunk.iter().sum::<f32>())
            .sum();
        std::hint::black_box(sum);
        start.elapsed().as_secs_f64()
    };
    4.0 * numbers.len() as f64 / (0..5).map(time).fold(f64::INFINITY, f64::min)
}

#[expect(clippy::print_stdout, reason = "a measurement for another program")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [n, place] = args.as_slice() else {
        return Err("usage: scale ROWS memory|FOLDER".into());
    };
    let n: usize = n.parse()?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()?;
    let bandwidth = bandwidth();
    let fill = |column| {
        Column::Number(Box::new(move |rows: Range<usize>, out: &mut [f64]| {
            out.iter_mut()
                .zip(rows)
                .for_each(|(to, row)| *to = number(row, column));
        }))
    };
    let columns: Vec<Column<'_>> = (0..NUMBERS).map(fill).collect();
    let labels: Vec<bool> = (0..n).map(label).collect();
    let target = Target::new(&labels, None, None)?;
    drop(labels);
    // What is held for the labels is not the fit's.
    std::fs::write("/proc/self/clear_refs", "5").ok();
    let before = memory("VmRSS");
    let design = if place == "memory" {
        Design::new(n, &columns, Precision::F32)?
    } else {
        Design::on_disk(n, &columns, Precision::F32, Path::new(place))?
    };
    let start = Instant::now();
    let fitted = fit(
        &design,
        &target,
        &Penalty::none().ridge(1..design.n_coefficients(), 1.0),
        SolverOptions::default(),
        None,
    )?;
    let errors = fitted
        .factor
        .inverse()
        .diag()
        .iter()
        .map(|variance| variance.sqrt())
        .sum::<f64>();
    let wall = start.elapsed().as_secs_f64();
    println!(
        "{{\"rows\": {n}, \"wall\": {wall}, \"passes\": {}, \"gradient\": {}, \"bytes\": {}, \"peak\": {}, \"bandwidth_share\": {}, \"sum_of_errors\": {errors}}}",
        fitted.certificate.passes,
        fitted.certificate.gradient,
        design.n_bytes(),
        memory("VmHWM").saturating_sub(before),
        fitted.certificate.passes as f64 * design.n_bytes() as f64 / bandwidth / wall
    );
    Ok(())
}
