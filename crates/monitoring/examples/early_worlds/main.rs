//! Worlds with known truth for the early read.
//!
//! ```text
//! early_worlds --csv FOLDER --world KIND --seed N [--open N]
//! ```
//!
//! writes one world's lead-weeks into a folder, so that other tools can run on the same worlds;
//! `csv.rs` says what the columns are, and `kinds.rs` which worlds there are.
//!
//! ```text
//! early_worlds --run FILE --world KIND,KIND --seed FIRST --worlds N [--open N] [--lost]
//! early_worlds --page FILE
//! early_worlds --time [--open N]
//! ```
//!
//! append what worlds came to, one line a world; print the page of a file; and time one world.

mod csv;
mod kinds;
mod page;
mod trial;
mod world;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use leadscore_monitoring::{EarlyOptions, EarlyReference};

use crate::world::World;

/// What the command line asks for.
struct Arguments {
    csv: Option<PathBuf>,
    run: Option<PathBuf>,
    page: Option<PathBuf>,
    world: String,
    seed: u64,
    worlds: u64,
    open: usize,
    lost: bool,
    time: bool,
}

impl Arguments {
    fn read() -> Result<Self, String> {
        let mut arguments = Self {
            csv: None,
            run: None,
            page: None,
            world: "quiet".to_owned(),
            seed: 1,
            worlds: 100,
            open: 3_000,
            lost: false,
            time: false,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--csv" => arguments.csv = Some(value()?.into()),
                "--run" => arguments.run = Some(value()?.into()),
                "--page" => arguments.page = Some(value()?.into()),
                "--world" => arguments.world = value()?,
                "--seed" => arguments.seed = number(&value()?)?,
                "--worlds" => arguments.worlds = number(&value()?)?,
                "--open" => arguments.open = number(&value()?)?,
                "--lost" => arguments.lost = true,
                "--time" => arguments.time = true,
                _ => return Err(format!("unknown argument {word}")),
            }
        }
        Ok(arguments)
    }

    /// The kinds that are asked for.
    fn kinds(&self) -> Result<Vec<(&'static str, World)>, String> {
        let kinds = kinds::kinds(self.open);
        self.world
            .split(',')
            .map(|name| {
                let found = kinds.iter().find(|kind| kind.0 == name);
                found.map(|kind| (kind.0, kind.2)).ok_or_else(|| {
                    let names: Vec<&str> = kinds.iter().map(|kind| kind.0).collect();
                    format!("no world {name}: expected {}", names.join(", "))
                })
            })
            .collect()
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|_| format!("{text} is not a whole number"))
}

#[expect(clippy::print_stderr, reason = "a measurement is read on a terminal")]
fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a page for another file")]
fn run() -> Result<(), String> {
    let arguments = Arguments::read()?;
    let kinds = arguments.kinds()?;
    let failed = |error: std::io::Error| error.to_string();
    if let Some(folder) = &arguments.csv {
        let (_, world) = kinds[0];
        return csv::write(folder, &world.make(arguments.seed)).map_err(failed);
    }
    if let Some(file) = &arguments.page {
        let lines = std::fs::read_to_string(file).map_err(failed)?;
        print!("{}", page::page(&lines)?);
        return Ok(());
    }
    if arguments.time {
        println!("{}", timed(&arguments, &kinds[0].1));
        return Ok(());
    }
    let Some(file) = &arguments.run else {
        return Err("expected --csv FOLDER, --run FILE, --page FILE or --time".to_owned());
    };
    try_worlds(&arguments, &kinds, file).map_err(failed)
}

/// Rows, seconds to learn from the reference, and seconds to read what is monitored.
fn timed(arguments: &Arguments, world: &World) -> String {
    let made = world.make(arguments.seed);
    let rows = trial::lead_weeks(&made.monitored, arguments.lost, u32::MAX);
    let begin = Instant::now();
    let reference = trial::learned(&made, arguments.lost, &EarlyOptions::default());
    let learned = begin.elapsed();
    let read = reference.read(&rows).expect("the columns are right");
    format!(
        "{} rows: {:.2} s to learn, {:.2} s to read {} weeks",
        made.reference.week.len() + rows.len(),
        learned.as_secs_f64(),
        (begin.elapsed() - learned).as_secs_f64(),
        read.weeks.len()
    )
}

/// Worlds with the same reference are read with what was learned from it once.
fn try_worlds(
    arguments: &Arguments,
    kinds: &[(&'static str, World)],
    file: &Path,
) -> std::io::Result<()> {
    let is_new = !file.exists();
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    if is_new {
        writeln!(file, "{}", trial::COLUMNS)?;
    }
    let options = EarlyOptions {
        ratios: vec![0.7],
        ..EarlyOptions::default()
    };
    for seed in arguments.seed..arguments.seed + arguments.worlds {
        let mut last: Option<(World, EarlyReference)> = None;
        for (kind, world) in kinds {
            let made = world.make(seed);
            let reference = match last.take() {
                Some((of, reference)) if of.has_reference_of(world) => reference,
                Some(_) | None => trial::learned(&made, arguments.lost, &options),
            };
            let trial = trial::tried(world, &made, &reference, arguments.lost);
            let line = trial.line(kind, arguments.open, seed, arguments.lost);
            file.write_all(format!("{line}\n").as_bytes())?;
            last = Some((*world, reference));
        }
    }
    Ok(())
}
