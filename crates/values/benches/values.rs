//! Cells to values: numbers and times, in the one format that a column has.

use divan::Bencher;
use leadscore_values::{NumberCensus, NumberFormat, NumberVerdict, TimeFormat};

fn main() {
    divan::main();
}

const N_CELLS: u64 = 100_000;

/// Whole numbers below `end`, the same in every run.
fn below(end: u64) -> impl Iterator<Item = u64> {
    let mut state = 88_172_645_463_325_252_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % end
    })
}

fn cells(cell: impl Fn(u64) -> String) -> Vec<String> {
    below(10_000_000).map(cell).take(N_CELLS as usize).collect()
}

/// `12345.67`
fn plain() -> Vec<String> {
    cells(|cents| format!("{}.{:02}", cents / 100, cents % 100))
}

/// `12.345,67 €`
fn euros() -> Vec<String> {
    cells(|cents| {
        let (thousands, rest) = (cents / 100_000, cents / 100 % 1_000);
        format!("{}.{rest:03},{:02} €", 1 + thousands, cents % 100)
    })
}

/// What all cells of a column have in common.
fn format_of(cells: &[String]) -> NumberFormat {
    match counted(cells).verdict(None, false) {
        NumberVerdict::Numbers(format) => format,
        other @ (NumberVerdict::Words | NumberVerdict::Unclear(_) | NumberVerdict::Mixed(_)) => {
            panic!("these are numbers: {other:?}")
        }
    }
}

fn counted(cells: &[String]) -> NumberCensus {
    let mut census = NumberCensus::default();
    for (row, cell) in cells.iter().enumerate() {
        census.add(cell, row);
    }
    census
}

fn parse_numbers(bencher: Bencher<'_, '_>, cells: &[String]) {
    let format = format_of(cells);
    bencher.bench_local(|| {
        cells
            .iter()
            .map(|cell| format.parse(cell).expect("it is written so"))
            .sum::<f64>()
    });
}

#[divan::bench(name = "numbers_plain/100_000")]
fn numbers_plain(bencher: Bencher<'_, '_>) {
    parse_numbers(bencher, &plain());
}

#[divan::bench(name = "numbers_in_euros/100_000")]
fn numbers_in_euros(bencher: Bencher<'_, '_>) {
    parse_numbers(bencher, &euros());
}

/// What decides how a column is read.
#[divan::bench(name = "census_of_euros/100_000")]
fn census_of_euros(bencher: Bencher<'_, '_>) {
    let cells = euros();
    bencher.bench_local(|| counted(&cells));
}

fn parse_times(bencher: Bencher<'_, '_>, format: &str, cell: impl Fn(u64) -> String) {
    let format = TimeFormat::declared(format).expect("it is a format");
    let cells = cells(cell);
    bencher.bench_local(|| {
        cells
            .iter()
            .map(|cell| format.parse(cell, None).expect("it is written so"))
            .map(|stamp| stamp.known.micros())
            .fold(0, i64::max)
    });
}

#[divan::bench(name = "times_iso/100_000")]
fn times_iso(bencher: Bencher<'_, '_>) {
    parse_times(bencher, "iso", |n| {
        let (month, day, hour, minute) = (1 + n % 12, 1 + n % 28, n % 24, n % 60);
        format!("2024-{month:02}-{day:02}T{hour:02}:{minute:02}:07Z")
    });
}

#[divan::bench(name = "times_strftime/100_000")]
fn times_strftime(bencher: Bencher<'_, '_>) {
    parse_times(bencher, "%d.%m.%Y %H:%M", |n| {
        let (month, day, hour, minute) = (1 + n % 12, 1 + n % 28, n % 24, n % 60);
        format!("{day:02}.{month:02}.2024 {hour:02}:{minute:02}")
    });
}
