//! A first `leadscore.toml` from the files themselves: every guess is said beside it, and what
//! cannot be told is a question.

mod columns;
mod crm;
mod events;
mod input;
mod leads;
mod lines;
mod names;
mod outcomes;
mod picks;

use std::path::Path;

use leadscore_config::quoted;

use crate::error::TablesError;

pub use crm::{ExportsInput, Product, profile_exports};
pub use input::ProfileInput;

use columns::Sheet;
use events::{table_name, write_activities};
use leads::{KnownColumns, LeadsSection, lifecycle_columns, write_leads, write_lifecycle};
use outcomes::{write_flag, write_outcomes};

/// Looks at the files and writes the text of a config, with every guess as a comment. What it
/// cannot tell stands there as a line to be filled in or uncommented, with some cells.
///
/// # Errors
///
/// [`TablesError`] where a file cannot be read as a table at all.
pub fn profile(input: &ProfileInput, folder: &Path) -> Result<String, TablesError> {
    let read = |label: &str, path: &Path| Sheet::read(label, path, folder, input.now);
    let leads = read("leads", &input.leads)?;
    let outcomes = input
        .outcomes
        .as_ref()
        .map(|path| read("outcomes", path))
        .transpose()?;
    let activities = input
        .activities
        .iter()
        .map(|path| Ok((path, read("activities", path)?)))
        .collect::<Result<Vec<_>, TablesError>>()?;
    let mut text = String::from(
        "# Written by `leadscore init`. Every line with a `guess:` wants a look, and every `question:` an answer;\n# `leadscore schema` knows every key.\n\n",
    );
    let section = LeadsSection {
        path: quoted(&input.leads.to_string_lossy()),
        sheet: &leads,
        has_outcomes: outcomes.is_some(),
        known: KnownColumns::default(),
        taken: Vec::new(),
        leave_out: &input.leave_out,
        keep: Vec::new(),
    };
    let id = write_leads(&mut text, &section);
    for (number, (path, sheet)) in activities.iter().enumerate() {
        write_activities(&mut text, sheet, path, number, &leads, id.as_deref());
    }
    if outcomes.is_some() {
        let names = input.activities.iter().enumerate();
        let names: Vec<String> = names
            .map(|(number, path)| table_name(path, number))
            .collect();
        write_lifecycle(&mut text, &lifecycle_columns(&leads), &names);
    }
    text.push_str("\n[outcomes]\n");
    match (&outcomes, &input.outcomes) {
        (Some(sheet), Some(path)) => write_outcomes(&mut text, sheet, path, &leads, id.as_deref()),
        _ => write_flag(&mut text, &leads),
    }
    if outcomes.is_some() {
        text.push_str("\n[snapshots]\nhorizon = \"90d\"\nevery = \"month\"\n");
    } else {
        text.push_str("\n[snapshots]\n# order_by = \"…\"   # a column that represents time, if there is one: newer leads are then the test\n");
    }
    Ok(text)
}
