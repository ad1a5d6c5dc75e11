//! Runs one statement on an engine and says how many rows came: `ask ADDRESS STATEMENT`, or `@FILE`
//! for one in a file.

use leadscore_spark::{Address, Session, Watch};

struct Quiet;

impl Watch for Quiet {
    fn progress(&mut self, _: u64, _: u64) {}

    fn is_interrupted(&self) -> bool {
        false
    }
}

#[expect(clippy::print_stdout, reason = "the one thing that it does")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, statement] = arguments.as_slice() else {
        return Err("expected an address and a statement".into());
    };
    let statement = match statement.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path)?,
        None => statement.clone(),
    };
    let mut session = Session::connect(&Address::parse(address)?)?;
    let rows = session.query("asking", &statement, &mut Quiet)?;
    println!(
        "{}, {} bytes",
        leadscore_core::counted(rows.n_rows, "row"),
        rows.batches.iter().map(Vec::len).sum::<usize>()
    );
    Ok(())
}
