//! One world's lead-weeks as CSV files, for other tools.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::world::{Made, Rows};

/// Writes `reference.csv` and `monitored.csv` into a folder. Their columns are:
///
/// ```text
/// lead          number of the lead
/// week          week, from 0 = first week of the reference
/// age_weeks     whole weeks since the lead was created
/// probability   predicted probability of a win within 90 days (13 weeks)
/// x1, x2, x3    features of the lead
/// tier          0 best to 3
/// source        a segment, 0 to 4
/// account       number of the account, or of the lead where leads are alone
/// held_back     1 for the leads that are not prioritized
/// won_week      1 if the lead is won in the week that begins
/// won_90        1 if it is won within 13 weeks (13 weeks after the last row are simulated)
/// true_chance   true chance of a win in the week that begins
/// ```
pub(crate) fn write(folder: &Path, made: &Made) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, rows) in [
        ("reference", &made.reference),
        ("monitored", &made.monitored),
    ] {
        let mut file = BufWriter::new(File::create(folder.join(format!("{name}.csv")))?);
        write_rows(&mut file, rows)?;
        file.flush()?;
    }
    Ok(())
}

fn write_rows(file: &mut impl Write, rows: &Rows) -> std::io::Result<()> {
    writeln!(
        file,
        "lead,week,age_weeks,probability,x1,x2,x3,tier,source,account,held_back,won_week,won_90,\
         true_chance"
    )?;
    for row in 0..rows.week.len() {
        let [x1, x2, x3] = rows.features[row];
        writeln!(
            file,
            "{},{},{},{:.6},{x1:.5},{x2:.5},{x3:.5},{},{},{},{},{},{},{:.6}",
            rows.lead[row],
            rows.week[row],
            rows.age[row],
            1.0 / (1.0 + (-rows.log_odds[row]).exp()),
            rows.tier[row],
            rows.source[row],
            rows.account[row],
            u8::from(rows.held_back[row]),
            u8::from(rows.won[row]),
            u8::from(rows.won_90[row]),
            rows.chance[row],
        )?;
    }
    Ok(())
}
