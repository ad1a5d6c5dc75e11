//! Says why a lead has its score, and what it would be with another value in a column:
//! `cargo run --release --example explain -- leadscore.toml model.leadscore L00042683 seats=40`.

use leadscore::{Config, Data, ExplainOptions, Inputs};

#[expect(clippy::print_stdout, reason = "it is what the example shows")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let config = Config::read(arguments.next().ok_or("which leadscore.toml?")?)?;
    let model = leadscore::read_model(arguments.next().ok_or("which model?")?.as_ref())?;
    let lead = arguments.next().ok_or("which lead?")?;
    let data = Data::open(&config, Inputs::default())?;

    let options = ExplainOptions {
        what_if: arguments
            .filter_map(|change| {
                let (column, value) = change.split_once('=')?;
                Some((column.to_owned(), value.to_owned()))
            })
            .collect(),
        ..Default::default()
    };
    println!(
        "{}",
        leadscore::explain(&data, &model, &lead, &options)?.text()
    );
    Ok(())
}
