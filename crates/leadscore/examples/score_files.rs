//! Trains and scores as the Python package does, without Python, and prints the seconds that either
//! took.

use std::time::Instant;

use leadscore::{Config, Data, Inputs, ScoreOptions, TrainOptions, score, train};

#[expect(clippy::print_stdout, reason = "the measurement's result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "leadscore.toml".to_owned());
    let data = Data::open(&Config::read(path)?, Inputs::default())?;
    let begun = Instant::now();
    let model = train(&data, &TrainOptions::default())?.trained.model;
    let trained = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let scores = score(&data, &model, &ScoreOptions::default())?;
    let n_rows = scores.frame()?.n_rows();
    println!("{trained:.3} {:.3} {n_rows}", begun.elapsed().as_secs_f64());
    Ok(())
}
