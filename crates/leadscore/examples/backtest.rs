//! Says how often to retrain: what models fitted every month, every quarter and never would have
//! been worth since a day: `cargo run --release --example backtest -- leadscore.toml 2025-04-01`.

use leadscore::{Config, Data, EvaluateOptions, Inputs, TrainOptions};

#[expect(clippy::print_stdout, reason = "it is what the example shows")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let config = Config::read(arguments.next().ok_or("which leadscore.toml?")?)?;
    let moment = arguments.next().ok_or("since which day?")?.parse()?;
    let data = Data::open(&config, Inputs::default())?;

    let model = leadscore::train(&data.as_of(moment), &TrainOptions::default())?.into_model();
    let options = EvaluateOptions {
        backtest: true,
        ..Default::default()
    };
    let found = leadscore::evaluate(&data, &model, &options)?;
    let backtest = found.report.measured.backtest.ok_or("no backtest")?;
    for cadence in &backtest.cadences {
        println!(
            "{:<14} {:>3} models, log-loss {:.4}",
            cadence.name, cadence.n_models, cadence.log_loss
        );
    }
    println!("{}", backtest.verdict);
    Ok(())
}
