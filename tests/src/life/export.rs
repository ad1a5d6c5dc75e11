//! The files that the CRM exports on a night: what had been entered by then, with the faults of the
//! day.

use std::fmt::Write as _;
use std::path::Path;

use super::company::{Life, LifeOptions};
use super::days::{Day, at_hour, midnight, to_the_second};
use super::entries::Feed;
use super::person::{JOBS, OWNERS, SOURCES};
use super::plan::Event;

impl Life {
    /// Writes the tables of a night, and `leadscore.toml` where there is none yet.
    ///
    /// # Errors
    ///
    /// Where the disk refuses.
    ///
    /// # Panics
    ///
    /// If the night was not lived yet.
    pub fn export(&self, folder: &Path, night: Day) -> std::io::Result<()> {
        assert!(night <= self.night, "a night to come has no export");
        std::fs::create_dir_all(folder)?;
        let config = folder.join("leadscore.toml");
        if !config.exists() {
            std::fs::write(config, config_of(&self.options))?;
        }
        for (name, text) in self.tables(night) {
            std::fs::write(folder.join(name), text)?;
        }
        Ok(())
    }

    /// The tables of a night, by the names of their files.
    ///
    /// # Panics
    ///
    /// Never: writing into a text does not fail.
    pub fn tables(&self, night: Day) -> [(&'static str, String); 4] {
        [
            ("leads.csv", self.leads_table(night)),
            (
                "visits.csv",
                table("lead_id,at,recorded_at,page", &self.visits, night),
            ),
            (
                "touches.csv",
                table("lead_id,at,recorded_at,kind", &self.touches, night),
            ),
            (
                "deals.csv",
                table("lead_id,closed_at,entered_at,stage", &self.deals, night),
            ),
        ]
    }

    fn leads_table(&self, night: Day) -> String {
        let mut text = "lead_id,created_at,source,job,employees,budget,owner\n".to_owned();
        let in_thousands = self.plan.is_on(Event::UnitChange, night);
        for (position, lead) in self.leads.iter().enumerate() {
            let person = &lead.person;
            if person.created >= night {
                break;
            }
            let budget = match person.budget {
                None => String::new(),
                Some(budget) if in_thousands => format!("{}", budget / 1_000.0),
                Some(budget) => format!("{budget}"),
            };
            let _ = writeln!(
                text,
                "L{position},{},{},{},{},{budget},{}",
                to_the_second(at_hour(person.created, person.created_hour)),
                SOURCES[person.source],
                JOBS[person.job],
                person.employees,
                OWNERS[person.owner],
            );
        }
        text
    }
}

fn table(header: &str, feed: &Feed, night: Day) -> String {
    let mut text = header.to_owned();
    text.push('\n');
    for row in feed.at(midnight(night)) {
        text.push_str(row);
        text.push('\n');
    }
    text
}

fn config_of(options: &LifeOptions) -> String {
    format!(
        r#"[leads]
path = "leads.csv"
id = "lead_id"
created_at = "created_at"

[activities.visits]
path = "visits.csv"
lead = "lead_id"
at = "at"
recorded_at = "recorded_at"
kind = ["page"]

[activities.touches]
path = "touches.csv"
lead = "lead_id"
at = "at"
recorded_at = "recorded_at"
kind = ["kind"]

[outcomes]
path = "deals.csv"
lead = "lead_id"
closed_at = "closed_at"
recorded_at = "entered_at"
result = "stage"
won = ["won"]
lost = ["lost"]

[snapshots]
from = "2023-01-01"

[operation]
holdback = {}
retrain = "30d"
promote = "auto"
publish = ["published.csv"]
"#,
        options.holdback
    )
}
