//! What CRMs that are drawn at random have in common: days, snapshots, and where their tables end.

use leadscore_core::{Snapshot, Timestamp};

const MICROS_OF_DAY: i64 = 86_400_000_000;

/// Ten in the morning of a day, which are counted from 2021-01-01.
///
/// # Panics
///
/// Beyond the calendar.
pub fn time_in_2021(day: u32) -> String {
    let at = Timestamp::from_micros(beginning() + i64::from(day) * MICROS_OF_DAY);
    let at = at.naive().expect("within the calendar");
    at.format("%Y-%m-%dT10:00:00").to_string()
}

/// Twelve snapshots of each lead, from 2021-01-01 on.
pub fn snapshots_in_2021(n_leads: usize) -> Vec<Snapshot> {
    let of = |lead| {
        (0..12).map(move |month| Snapshot {
            lead,
            at: Timestamp::from_micros(beginning() + month * 30 * MICROS_OF_DAY),
        })
    };
    (0..n_leads as u32).flat_map(of).collect()
}

fn beginning() -> i64 {
    Timestamp::from_ymd(2021, 1, 1).expect("exists").micros()
}

/// A config that says of every table on which day it ends: what is drawn at random ends anywhere.
pub fn with_ends(config: &str, day: &str) -> String {
    config.replace("\npath = ", &format!("\nends = \"{day}\"\npath = "))
}
