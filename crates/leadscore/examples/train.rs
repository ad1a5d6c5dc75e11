//! Learns a model from what was known on a day, measures it on what came later, and scores the open
//! leads: `cargo run --release --example train -- leadscore.toml 2025-04-01`.

use leadscore::{Config, Data, EvaluateOptions, Inputs, ScoreOptions, TrainOptions};

#[expect(clippy::print_stdout, reason = "it is what the example shows")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let config = Config::read(arguments.next().ok_or("which leadscore.toml?")?)?;
    let moment = arguments.next().ok_or("as of which day?")?.parse()?;
    let data = Data::open(&config, Inputs::default())?;

    let past = leadscore::train(&data.as_of(moment), &TrainOptions::default())?.into_model();
    let found = leadscore::evaluate(&data, &past, &EvaluateOptions::default())?;
    println!("{}", found.report.verdict.headline);
    found.write("report.html")?;

    let model = leadscore::train(&data, &TrainOptions::default())?.into_model();
    leadscore::write_model(&model, "model.leadscore".as_ref())?;
    let scores = leadscore::score(&data, &model, &ScoreOptions::default())?;
    scores.write("scores.csv")?;
    println!("{}: {:.1} %", scores.lead(0), scores.likelihood(0));
    Ok(())
}
